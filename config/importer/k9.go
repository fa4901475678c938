package importer

import (
	"encoding/xml"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

var k9Format = Format{
	Name: "k9", Summary: locale.Msg("importer.format.k9"), read: readK9,
	mine: func(text string) bool { return strings.Contains(text, "<k9settings") },
}

// k9Server is a server in the settings that K-9 Mail and Thunderbird for Android export.
type k9Server struct {
	Type     string `xml:"type,attr"`
	Host     string `xml:"host"`
	Port     string `xml:"port"`
	Security string `xml:"connection-security"`
	Sign     string `xml:"authentication-type"`
	Username string `xml:"username"`
}

type k9Settings struct {
	Accounts []struct {
		Name       string   `xml:"name"`
		Incoming   k9Server `xml:"incoming-server"`
		Outgoing   k9Server `xml:"outgoing-server"`
		Identities []struct {
			Name    string `xml:"name"`
			Address string `xml:"email"`
		} `xml:"identities>identity"`
	} `xml:"accounts>account"`
}

// readK9 reads an export of K-9 Mail, which holds no passwords.
func readK9(source Source) ([]Account, error) {
	var settings k9Settings
	if err := xml.Unmarshal(source.Data, &settings); err != nil {
		return nil, &Error{Format: "k9", Reason: locale.Msg("importer.error.broken",
			"path", safetext.FromRemote(source.Path), "error", safetext.FromRemote(err.Error()))}
	}
	var accounts []Account
	for _, each := range settings.Accounts {
		if each.Outgoing.Host == "" {
			continue
		}
		a := Account{Name: each.Name, Submission: each.Outgoing.server()}
		if len(each.Identities) > 0 {
			a.From = config.Address{Name: each.Identities[0].Name, Address: each.Identities[0].Address}
		}
		if strings.EqualFold(each.Outgoing.Sign, "NONE") {
			a.Submission.Auth = config.MechanismNone
		}
		if strings.EqualFold(each.Incoming.Type, "IMAP") && each.Incoming.Host != "" {
			imap := each.Incoming.server()
			a.IMAP = &imap
		}
		a.desktop()
		accounts = append(accounts, a)
	}
	return accounts, nil
}

func (s k9Server) server() config.Server {
	server := config.Server{Host: s.Host, Port: portOf(s.Port), Username: s.Username, Security: config.SecurityAuto}
	switch kind := strings.ToUpper(s.Security); {
	case strings.HasPrefix(kind, "SSL_TLS"):
		server.Security = config.SecurityTLS
	case strings.HasPrefix(kind, "STARTTLS"):
		server.Security = config.SecurityStartTLS
	case kind == "NONE":
		server.Security = config.SecurityNone
	}
	return server
}
