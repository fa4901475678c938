package importer

import (
	"encoding/xml"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
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
	Password string `xml:"password"`
}

// k9Setting is a further setting of an account or an identity.
type k9Setting struct {
	Key   string `xml:"key,attr"`
	Value string `xml:",chardata"`
}

// k9Value is the value of a setting, empty when it is not there.
func k9Value(settings []k9Setting, key string) string {
	for _, s := range settings {
		if s.Key == key {
			return strings.TrimSpace(s.Value)
		}
	}
	return ""
}

type k9Settings struct {
	Accounts []struct {
		Name       string   `xml:"name"`
		Incoming   k9Server `xml:"incoming-server"`
		Outgoing   k9Server `xml:"outgoing-server"`
		Identities []struct {
			Name     string      `xml:"name"`
			Address  string      `xml:"email"`
			Settings []k9Setting `xml:"settings>value"`
		} `xml:"identities>identity"`
		Settings []k9Setting `xml:"settings>value"`
	} `xml:"accounts>account"`
}

// readK9 reads an export of K-9 Mail. What its export command writes holds no passwords; what goes from one phone to
// another does.
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
			a.ReplyTo = k9Value(each.Identities[0].Settings, "replyTo")
		}
		a.Secret = secret.New(each.Outgoing.Password)
		a.k9Auth(each.Outgoing.Sign)
		if strings.EqualFold(each.Incoming.Type, "IMAP") && each.Incoming.Host != "" {
			imap := each.Incoming.server()
			a.IMAP = &imap
			a.SentFolder = k9Value(each.Settings, "sentFolderName")
		}
		a.desktop()
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// k9Auth reads AuthType; only what differs from the best that the server offers is kept.
func (a *Account) k9Auth(word string) {
	switch word = strings.ToUpper(word); word {
	case "", "PLAIN", "LOGIN", "AUTOMATIC":
	default:
		a.mechanism(word)
	}
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
