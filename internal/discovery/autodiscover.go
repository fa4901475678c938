package discovery

import (
	"context"
	"net/http"
	"strings"

	"postier/config"
	"postier/internal/safetext"
)

// standIn is the local part in an Autodiscover request: the protocol requires an address, and every domain has this one
// (RFC 5321 §4.5.1). Servers that answer without a sign-in look at the domain only.
const standIn = "postmaster"

const autodiscoverRequest = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>` +
	standIn + `@{domain}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`

// autodiscover asks only the domain's own host, never autodiscover.TLD: such hosts have collected other people's
// credentials. If the server requires a sign-in, it gets none, and redirects inside an answer are not followed.
func (f *finder) autodiscover(ctx context.Context) (Candidate, bool) {
	body := strings.NewReader(strings.ReplaceAll(autodiscoverRequest, "{domain}", f.domain))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"https://autodiscover."+f.domain+"/autodiscover/autodiscover.xml", body)
	if err != nil {
		return Candidate{}, false
	}
	request.Header.Set("Content-Type", "text/xml; charset=utf-8")
	got, err := f.fetch(request)
	if err != nil {
		return Candidate{}, false
	}
	c := got.served(rankAutodiscover)
	ok := f.outlookConfig(got.body, &c)
	return c, ok
}

func (f *finder) outlookConfig(data []byte, c *Candidate) bool {
	root, err := parseXML(data)
	if err != nil || root.name != "Autodiscover" {
		return false
	}
	for _, p := range root.at("Response", "Account").all("Protocol") {
		host := hostOf(p.at("Server").text)
		if host == "" {
			continue
		}
		port, ok := portOf(p.at("Port").text)
		if !ok {
			port = usualPort(strings.ToLower(p.at("Type").text), config.SecurityTLS)
			c.stoodIn("discovery.note.port", "host", safetext.FromRemote(host), "port", port)
		}
		s := f.server(host, port, outlookSecurity(p, port), f.loginRule(p.at("LoginName").text), SourceAutodiscover)
		switch p.at("Type").text {
		case "SMTP":
			if len(c.SMTP) < maxServers {
				c.SMTP = append(c.SMTP, s)
			}
		case "IMAP":
			if len(c.IMAP) < maxServers {
				c.IMAP = append(c.IMAP, s)
			}
		}
	}
	return len(c.SMTP) > 0
}

// outlookSecurity reads Encryption, or the older SSL, whose "on" means either kind of TLS.
func outlookSecurity(p *element, port int) config.Security {
	implicit := config.SecurityFor(port) == config.SecurityTLS
	switch strings.ToUpper(p.at("Encryption").text) {
	case "SSL":
		return config.SecurityTLS
	case "TLS":
		if implicit {
			return config.SecurityTLS
		}
		return config.SecurityStartTLS
	case "NONE":
		return config.SecurityNone
	}
	switch {
	case strings.EqualFold(p.at("SSL").text, "off"):
		return config.SecurityNone
	case implicit:
		return config.SecurityTLS
	}
	return config.SecurityStartTLS
}

// loginRule derives from the answer for the stand-in whether the user name is the address or its local part.
func (f *finder) loginRule(login string) string {
	if strings.EqualFold(login, standIn) {
		return "{local}"
	}
	return "{address}"
}
