package export

import (
	"fmt"
	"net/mail"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var aercFormat = Format{
	Name: "aerc", Summary: locale.Msg("config.export.aerc"), carries: carriesFromName | carriesSentCopy | carriesMechanism,
	write: writeAerc,
}

// writeAerc writes an accounts.conf of aerc-accounts(5), read by go-ini. aerc shows a mailbox and also sends, so it
// needs the IMAP server too.
func writeAerc(s source) ([]Artifact, error) {
	p := s.profile
	imap := p.SentCopy.IMAP
	if imap == nil {
		return nil, s.refuse("sent_copy.imap", "config.export.imap")
	}
	// aerc 0.14 shows the name in double quotes and reads it again from there, with ' in place of " and without escapes.
	if strings.ContainsAny(p.From.Name, `"\`) {
		return nil, s.cannotHold("from.name")
	}
	outgoing, err := s.aercOutgoing()
	if err != nil {
		return nil, err
	}
	from := mail.Address{Name: p.From.Name, Address: s.from()}
	source := s.mailURL("imap", imap, imap.Settled())
	lines := [][2]string{{"source", source}, {"outgoing", outgoing}, {"from", from.String()}}
	if s.security() == config.SecurityStartTLS {
		lines = append(lines, [2]string{"smtp-starttls", "yes"})
	}
	if p.SentCopy.Mode == config.SentAppend {
		lines = append(lines, [2]string{"copy-to", p.SentCopy.Folder})
	}
	command, err := s.command()
	if err != nil {
		return nil, err
	}
	lines = append(lines, [2]string{"source-cred-cmd", command})
	if s.hasPassword() {
		lines = append(lines, [2]string{"outgoing-cred-cmd", command})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", s.name)
	for _, line := range lines {
		quoted, ok := goINIQuote(line[1])
		if !ok {
			return nil, s.cannotHold(line[0])
		}
		fmt.Fprintf(&b, "%s = %s\n", line[0], quoted)
	}
	return []Artifact{{Path: "accounts.conf", Content: []byte(b.String())}}, nil
}

// aercOutgoing is the URL of aerc-smtp(5); the mechanism follows a plus sign.
func (s source) aercOutgoing() (string, error) {
	url := s.mailURL("smtp", &s.profile.Submission, s.security())
	scheme, rest, _ := strings.Cut(url, "://")
	switch {
	case !s.hasPassword():
		scheme += "+none"
	case s.mechanism() == config.MechanismLogin:
		scheme += "+login"
	case s.mechanism() != "" && s.mechanism() != config.MechanismPlain:
		return "", s.cannotHold("submission.auth")
	}
	return scheme + "://" + rest, nil
}
