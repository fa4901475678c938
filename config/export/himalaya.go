package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var himalayaFormat = Format{
	Name: "himalaya", Summary: locale.Msg("config.export.himalaya"), carries: carriesCAFile | carriesMechanism,
	write: writeHimalaya,
}

// writeHimalaya writes an account of himalaya 2 in TOML. Its commands are argument lists, so no shell reads them.
func writeHimalaya(s source) ([]Artifact, error) {
	p := s.profile
	var b strings.Builder
	fmt.Fprintf(&b, "[accounts.%s]\ndefault = true\n", s.name)
	if err := s.himalayaServer(&b, "smtp", &p.Submission, s.security()); err != nil {
		return nil, err
	}
	if imap := p.SentCopy.IMAP; imap != nil {
		if err := s.himalayaServer(&b, "imap", imap, imap.Settled()); err != nil {
			return nil, err
		}
		if p.SentCopy.Folder != "" {
			fmt.Fprintf(&b, "mailbox.alias.sent = %s\n", jsonQuote(p.SentCopy.Folder))
		}
	}
	return []Artifact{{Path: "config.toml", Content: []byte(b.String())}}, nil
}

func (s source) himalayaServer(b *strings.Builder, area string, server *config.Server, security config.Security) error {
	host, _ := config.HostASCII(server.Host)
	scheme := area
	if security == config.SecurityTLS {
		scheme += "s"
	}
	fmt.Fprintf(b, "%s.server = %s\n", area, jsonQuote(fmt.Sprintf("%s://%s:%d", scheme, inBrackets(host), server.Port)))
	if security == config.SecurityStartTLS {
		fmt.Fprintf(b, "%s.starttls = true\n", area)
	}
	if file := s.absolute(s.profile.TLS.CAFile); file != "" {
		fmt.Fprintf(b, "%s.tls.cert = %s\n", area, jsonQuote(file))
	}
	mechanism := server.Auth
	switch mechanism {
	case config.MechanismNone:
		return nil
	case "", config.MechanismAuto:
		mechanism = config.MechanismPlain
	case config.MechanismPlain, config.MechanismLogin, config.MechanismSCRAMSHA256:
	default:
		return s.cannotHold("submission.auth")
	}
	fmt.Fprintf(b, "%s.sasl.%s.username = %s\n", area, mechanism, jsonQuote(server.Username))
	fmt.Fprintf(b, "%s.sasl.%s.password.command = %s\n", area, mechanism, jsonList(s.secretCommand()))
	return nil
}
