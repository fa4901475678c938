package export

import (
	"cmp"
	"encoding/xml"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var thunderbirdFormat = Format{
	Name: "thunderbird", Summary: locale.Msg("config.export.thunderbird"), secret: asksItself, token: true,
	carries: carriesFromName | carriesMechanism | carriesSentCopy, write: writeThunderbird,
}

type clientConfig struct {
	XMLName  xml.Name `xml:"clientConfig"`
	Version  string   `xml:"version,attr"`
	Provider struct {
		ID       string             `xml:"id,attr"`
		Domain   string             `xml:"domain"`
		Name     string             `xml:"displayName"`
		Short    string             `xml:"displayShortName"`
		Incoming *thunderbirdServer `xml:"incomingServer"`
		Outgoing thunderbirdServer  `xml:"outgoingServer"`
	} `xml:"emailProvider"`
}

type thunderbirdServer struct {
	Type   string `xml:"type,attr"`
	Host   string `xml:"hostname"`
	Port   int    `xml:"port"`
	Socket string `xml:"socketType"`
	User   string `xml:"username,omitempty"`
	Auth   string `xml:"authentication"`
}

// writeThunderbird writes an autoconfig file (config-v1.1) for the domain of the address. It never holds a password:
// Thunderbird asks for it.
func writeThunderbird(s source) ([]Artifact, error) {
	p := s.profile
	domain := s.from()[strings.LastIndexByte(s.from(), '@')+1:]
	file := clientConfig{Version: "1.1"}
	file.Provider.ID, file.Provider.Domain = domain, domain
	file.Provider.Name, file.Provider.Short = cmp.Or(p.Label, s.name), s.name
	outgoing, err := s.thunderbirdServer("smtp", &p.Submission, s.security())
	if err != nil {
		return nil, err
	}
	file.Provider.Outgoing = outgoing
	if imap := p.SentCopy.IMAP; imap != nil {
		incoming, err := s.thunderbirdServer("imap", imap, imap.Settled())
		if err != nil {
			return nil, err
		}
		file.Provider.Incoming = &incoming
	}
	data, err := xml.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return []Artifact{{Path: "config-v1.1.xml", Content: []byte(xml.Header + string(data) + "\n")}}, nil
}

func (s source) thunderbirdServer(kind string, server *config.Server, security config.Security) (thunderbirdServer,
	error,
) {
	if strings.Contains(server.Username, "%EMAIL") { // placeholders of the format, for which there is no escape
		return thunderbirdServer{}, s.cannotHold(kind + ".username")
	}
	host, _ := config.HostASCII(server.Host)
	auth := "password-cleartext" // inside TLS; the format's name for PLAIN and LOGIN
	switch server.Auth {
	case config.MechanismNone:
		auth = "none"
	case config.MechanismCRAMMD5, config.MechanismSCRAMSHA1, config.MechanismSCRAMSHA256:
		auth = "password-encrypted"
	case config.MechanismNTLM:
		auth = "NTLM"
	case config.MechanismXOAuth2, config.MechanismOAuthBearer:
		auth = "OAuth2"
	}
	if s.profile.Credential.Kind == config.CredentialOAuth {
		auth = "OAuth2"
	}
	socket := map[config.Security]string{
		config.SecurityTLS: "SSL", config.SecurityStartTLS: "STARTTLS", config.SecurityNone: "plain",
	}[security]
	return thunderbirdServer{kind, host, server.Port, socket, server.Username, auth}, nil
}
