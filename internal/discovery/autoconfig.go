package discovery

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/safetext"
	"postier/presets"
)

// maxServers bounds the servers of one kind that are read from a file.
const maxServers = 8

// autoconfig reads the servers from a config-v1.1.xml (draft-ietf-mailmaint-autoconfig). It leaves out the query that
// would carry the whole address: files that differ by mailbox cannot be read this way, but the address is not
// disclosed.
func (f *finder) autoconfig(ctx context.Context, url string) (Candidate, bool) {
	got, err := f.get(ctx, url)
	if err != nil {
		return Candidate{}, false
	}
	c := got.served(rankAutoconfig)
	ok := f.clientConfig(got.body, &c)
	return c, ok
}

func (f *finder) clientConfig(data []byte, c *Candidate) bool {
	root, err := parseXML(data)
	if err != nil || root.name != "clientConfig" {
		return false
	}
	provider := root.at("emailProvider")
	for _, e := range provider.all("outgoingServer") {
		if s, ok := f.configServer(e, "smtp", c); ok && len(c.SMTP) < maxServers {
			c.SMTP = append(c.SMTP, s)
		}
	}
	for _, e := range provider.all("incomingServer") {
		if s, ok := f.configServer(e, "imap", c); ok && len(c.IMAP) < maxServers {
			c.IMAP = append(c.IMAP, s)
		}
	}
	return len(c.SMTP) > 0
}

// configServer reads one server. Without a usable host there is none; for a port, a kind of TLS or a user name that
// cannot be used, the usual one stands in, with a note.
func (f *finder) configServer(e *element, kind string, c *Candidate) (Server, bool) {
	if !strings.EqualFold(e.attrs["type"], kind) {
		return Server{}, false
	}
	host := hostOf(strings.NewReplacer("%EMAILDOMAIN%", f.domain).Replace(e.at("hostname").text))
	if host == "" {
		return Server{}, false
	}
	security, known := socketTypes[strings.ToUpper(e.at("socketType").text)]
	port, ok := portOf(e.at("port").text)
	switch {
	case !known && !ok:
		return Server{}, false // nothing is left but a name
	case !known:
		security = config.SecurityFor(port) // auto where the port does not tell
	case !ok:
		port = usualPort(kind, security)
	}
	if !known || !ok {
		c.stoodIn("discovery.note.port", "host", safetext.FromRemote(host), "port", port)
	}
	rule, ok := userRule(e.at("username").text)
	if !ok {
		rule = "{address}"
		c.stoodIn("discovery.note.user", "host", safetext.FromRemote(host))
	}
	s := f.server(host, port, security, rule, SourceAutoconfig)
	return s, s.authentication(e.all("authentication"))
}

// socketTypes are the kinds of TLS in a file, in upper case.
var socketTypes = map[string]config.Security{
	"SSL": config.SecurityTLS, "TLS": config.SecurityTLS, "STARTTLS": config.SecurityStartTLS,
	"PLAIN": config.SecurityNone,
}

// usualPort is the registered port of a protocol: of implicit TLS, or of the protocol itself.
func usualPort(kind string, security config.Security) int {
	switch {
	case kind == "smtp" && security == config.SecurityTLS:
		return config.PortSubmissions
	case kind == "smtp":
		return config.PortSubmission
	case security == config.SecurityTLS:
		return config.PortIMAPS
	}
	return config.PortIMAP
}

// stoodIn notes that something usual stands in for a setting that cannot be used, once for each kind of setting.
func (c *Candidate) stoodIn(key string, args ...any) {
	if !slices.ContainsFunc(c.Notes, func(n Note) bool { return n.Msg.Key == key }) {
		note := say(key, args...)
		note.Warn = true
		c.Notes = append(c.Notes, note)
	}
}

// authentication reads the mechanisms. It returns false for a server that only serves the provider's own lines, or that
// requires something this program does not support.
func (s *Server) authentication(list []*element) bool {
	if len(list) == 0 {
		return true
	}
	usable := false
	for _, e := range list {
		var m []config.Mechanism
		switch e.text {
		case "password-cleartext", "plain":
			m = []config.Mechanism{config.MechanismPlain, config.MechanismLogin}
		case "password-encrypted", "secure":
			m = []config.Mechanism{config.MechanismCRAMMD5}
		case "NTLM":
			m = []config.Mechanism{config.MechanismNTLM}
		case "OAuth2":
			m = []config.Mechanism{config.MechanismXOAuth2, config.MechanismOAuthBearer}
		case "none":
			s.Auth, s.Username, usable = config.MechanismNone, "", true
			continue
		default: // client-IP-address, TLS-client-cert, GSSAPI
			continue
		}
		usable = true
		for _, one := range m {
			if !slices.Contains(s.Mechanisms, one) {
				s.Mechanisms = append(s.Mechanisms, one)
			}
		}
	}
	// the server also offers a sign-in, which is what the person needs
	if len(s.Mechanisms) > 0 && s.Auth == config.MechanismNone {
		s.Auth = config.MechanismAuto
	}
	return usable
}

// userRule converts a user name in the file to a rule. It accepts only names that follow from the address; a fixed name
// would be the same for every user.
func userRule(text string) (string, bool) {
	switch text {
	case "%EMAILADDRESS%", "":
		return "{address}", true
	}
	rule := strings.NewReplacer("%EMAILADDRESS%", "{address}", "%EMAILLOCALPART%", "{local}", "%EMAILDOMAIN%",
		"{domain}").Replace(text)
	rest := presets.Username(rule, "@")
	if rule == text || strings.ContainsAny(text, "{}") ||
		strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@%\\") != "" ||
		strings.Contains(rest, "%") {
		return "", false
	}
	return rule, true
}

func portOf(text string) (int, bool) {
	port, err := strconv.ParseUint(text, 10, 16)
	return int(port), err == nil && port > 0
}
