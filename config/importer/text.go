package importer

import (
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// hostPort parts HOST, HOST:PORT, [HOST]:PORT and a bare IPv6 address. The port is 0 when none is named.
func hostPort(text string) (host string, port int) {
	if host, number, err := net.SplitHostPort(text); err == nil {
		return host, portOf(number)
	}
	return strings.Trim(text, "[]"), 0
}

// noPort is a port that was given and is no number; it breaks the rules, so that the usual one stands in, with a note.
const noPort = -1

// portOf reads a port; 0 when none is given.
func portOf(text string) int {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	port, err := strconv.Atoi(text)
	if err != nil || port == 0 {
		return noPort
	}
	return port
}

// mailURL reads a URL such as smtps://user:password@host:465 into a server, with the secret if it has one. The word
// after a plus sign in the scheme is the mechanism.
func mailURL(text string) (scheme, mechanism string, server config.Server, password secret.Value, rest string,
	ok bool,
) {
	// A password may hold characters that a URL may not. The error of net/url would quote it, so the error is dropped.
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" {
		return "", "", config.Server{}, secret.Value{}, "", false
	}
	scheme, mechanism, _ = strings.Cut(strings.ToLower(parsed.Scheme), "+")
	server.Host, server.Port = hostPort(parsed.Host)
	if server.Port == 0 {
		server.Port = map[string]int{
			"smtp": config.PortSubmission, "smtps": config.PortSubmissions, "imap": config.PortIMAP, "imaps": config.PortIMAPS,
		}[scheme]
	}
	server.Security = protection(scheme == "smtps" || scheme == "imaps", true)
	if parsed.User != nil {
		server.Username = parsed.User.Username()
		if value, given := parsed.User.Password(); given {
			password = secret.New(value)
		}
	}
	return scheme, mechanism, server, password, strings.TrimPrefix(parsed.Path, "/"), true
}

// imapURL reads the URL of a mailbox into its server and the folder, nil if it is another URL.
func imapURL(text string) (server *config.Server, folder string) {
	scheme, _, imap, _, folder, ok := mailURL(text)
	if !ok || !strings.HasPrefix(scheme, "imap") {
		return nil, ""
	}
	if imap.Port == 0 {
		imap.Port = config.PortIMAP
	}
	return &imap, folder
}

// protection is implicit TLS, STARTTLS or none of them.
func protection(implicit, upgrade bool) config.Security {
	switch {
	case implicit:
		return config.SecurityTLS
	case upgrade:
		return config.SecurityStartTLS
	}
	return config.SecurityNone
}

// mailbox reads an address with or without a name; if it cannot be parsed, the text is kept as the address, so that the
// check of addresses refuses it.
func mailbox(text string) config.Address {
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return config.Address{Address: strings.TrimSpace(text)}
	}
	return config.Address{Name: parsed.Name, Address: parsed.Address}
}

// truth reads yes and no as the programs of this package write them.
func truth(word string) (value, known bool) {
	switch strings.ToLower(word) {
	case "yes", "on", "true", "1":
		return true, true
	case "no", "off", "false", "0":
		return false, true
	}
	return false, false
}

// ignored notes the names of the settings that were not imported; their values may be secret.
func (a *Account) ignored(names []string) {
	if len(names) > 0 {
		a.note("ignored", "names", safetext.FromRemote(strings.Join(names, ", ")))
	}
}
