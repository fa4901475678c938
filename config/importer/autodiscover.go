package importer

import (
	"encoding/xml"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

var autodiscoverFormat = Format{
	Name: "autodiscover", Summary: locale.Msg("importer.format.autodiscover"), read: readAutodiscover,
	mine: func(text string) bool { return strings.Contains(text, "<Autodiscover") },
}

// protocol is a server in an answer of Autodiscover (MS-OXDSCLI §2.2.4.1.1.2), which Outlook takes as a file, too.
type protocol struct {
	Type       string `xml:"Type"`
	Server     string `xml:"Server"`
	Port       string `xml:"Port"`
	LoginName  string `xml:"LoginName"`
	SSL        string `xml:"SSL"`
	Encryption string `xml:"Encryption"`
	SignsIn    string `xml:"AuthRequired"`
}

// readAutodiscover reads an answer of Autodiscover that was saved.
func readAutodiscover(source Source) ([]Account, error) {
	var answer struct {
		User struct {
			Name    string `xml:"DisplayName"`
			Address string `xml:"AutoDiscoverSMTPAddress"`
		} `xml:"Response>User"`
		Protocols []protocol `xml:"Response>Account>Protocol"`
	}
	if err := xml.Unmarshal(source.Data, &answer); err != nil {
		return nil, &Error{Format: "autodiscover", Reason: locale.Msg("importer.error.broken",
			"path", safetext.FromRemote(source.Path), "error", safetext.FromRemote(err.Error()))}
	}
	a := Account{Name: answer.User.Name, From: config.Address{Name: answer.User.Name, Address: answer.User.Address}}
	for _, p := range answer.Protocols {
		switch strings.ToUpper(p.Type) {
		case "SMTP":
			a.Submission = p.server()
			if strings.EqualFold(p.SignsIn, "off") {
				a.Submission.Auth = config.MechanismNone
			}
		case "IMAP":
			imap := p.server()
			a.IMAP = &imap
		}
	}
	if a.Submission.Host == "" {
		return nil, nil
	}
	if a.IMAP != nil && a.Submission.Username == "" && a.Submission.Auth == "" {
		a.Submission.Username = a.IMAP.Username // UsePOPAuth: one sign-in for both
	}
	a.desktop()
	return []Account{a}, nil
}

func (p protocol) server() config.Server {
	s := config.Server{Host: p.Server, Port: portOf(p.Port), Username: p.LoginName, Security: config.SecurityAuto}
	switch encryption := strings.ToUpper(p.Encryption); {
	case encryption == "TLS":
		s.Security = config.SecurityStartTLS
	case encryption == "SSL":
		s.Security = config.SecurityTLS
	case encryption == "AUTO":
	case strings.EqualFold(p.SSL, "on"):
		s.Security = config.SecurityFor(s.Port) // it says that there is TLS, the port says in which form
	case encryption == "NONE", strings.EqualFold(p.SSL, "off"):
		s.Security = config.SecurityNone
	}
	return s
}
