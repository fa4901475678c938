package importer

import (
	"encoding/xml"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

var autoconfigFormat = Format{
	Name: "autoconfig", Summary: locale.Msg("importer.format.autoconfig"), read: readAutoconfig,
	mine: func(text string) bool { return strings.Contains(text, "<clientConfig") },
}

// clientServer is a server in a config-v1.1.xml, as the ISPDB and providers publish it
// (draft-ietf-mailmaint-autoconfig).
type clientServer struct {
	Type   string   `xml:"type,attr"`
	Host   string   `xml:"hostname"`
	Port   string   `xml:"port"`
	Socket string   `xml:"socketType"`
	Auth   []string `xml:"authentication"`
	User   string   `xml:"username"`
}

// readAutoconfig reads a saved config-v1.1.xml. It is the same for every mailbox of a provider: the address, and a user
// name that is made of it, are asked for.
func readAutoconfig(source Source) ([]Account, error) {
	var file struct {
		Name     string         `xml:"emailProvider>displayName"`
		Domains  []string       `xml:"emailProvider>domain"`
		Incoming []clientServer `xml:"emailProvider>incomingServer"`
		Outgoing []clientServer `xml:"emailProvider>outgoingServer"`
	}
	if err := xml.Unmarshal(source.Data, &file); err != nil {
		return nil, &Error{Format: "autoconfig", Reason: locale.Msg("importer.error.broken",
			"path", safetext.FromRemote(source.Path), "error", safetext.FromRemote(err.Error()))}
	}
	a, domain := Account{Name: file.Name}, ""
	if len(file.Domains) > 0 {
		domain = file.Domains[0]
	}
	for _, s := range file.Outgoing { // the first one is the provider's choice
		if s.Type == "smtp" && a.Submission.Host == "" {
			a.Submission = s.server(domain)
			if len(s.Auth) > 0 {
				a.autoconfigAuth(s.Auth)
			}
		}
	}
	for _, s := range file.Incoming {
		if s.Type == "imap" && a.IMAP == nil {
			imap := s.server(domain)
			a.IMAP = &imap
		}
	}
	if a.Submission.Host == "" {
		return nil, nil
	}
	a.desktop()
	return []Account{a}, nil
}

// autoconfigAuth keeps what differs from a password over TLS, where that is not offered too.
func (a *Account) autoconfigAuth(words []string) {
	for _, word := range words {
		if strings.HasPrefix(word, "password") || word == "plain" || word == "secure" {
			return
		}
	}
	switch word := words[0]; word {
	case "none", "client-IP-address", "smtp-after-pop":
		a.Submission.Auth = config.MechanismNone
	case "OAuth2":
		a.Submission.Auth = config.MechanismXOAuth2
	default:
		a.mechanism(word)
	}
}

func (s clientServer) server(domain string) config.Server {
	server := config.Server{
		Host: strings.ReplaceAll(s.Host, "%EMAILDOMAIN%", domain), Port: portOf(s.Port), Security: config.SecurityAuto,
	}
	switch strings.ToUpper(s.Socket) {
	case "SSL", "TLS":
		server.Security = config.SecurityTLS
	case "STARTTLS":
		server.Security = config.SecurityStartTLS
	case "PLAIN":
		server.Security = config.SecurityNone
	}
	if !strings.Contains(s.User, "%") { // a placeholder stands for a part of the address
		server.Username = s.User
	}
	return server
}
