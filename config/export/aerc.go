package export

import (
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
	words := map[string]string{
		"source":   s.mailURL("imap", imap, imap.Settled()),
		"outgoing": outgoing,
		"author":   (&mail.Address{Name: p.From.Name, Address: s.from()}).String(),
		"copy":     "",
	}
	if p.SentCopy.Mode == config.SentAppend {
		words["copy"] = p.SentCopy.Folder
	}
	return s.fill(words, template{"accounts.conf", goINIQuote, "[{=profile}]\nsource = {source}\noutgoing = {outgoing}\n" +
		"from = {author}\n{?starttls}smtp-starttls = `yes`\ncopy-to = {copy}\n" +
		"source-cred-cmd = {command}\n{?auth}outgoing-cred-cmd = {command}\n"})
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
