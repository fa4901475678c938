package wizard

import (
	"slices"
	"strconv"

	"postier/config"
)

// Answers returns the answers of a conversation by which an unattended run comes to the same profile elsewhere. The
// secret is not among them.
func (s State) Answers() map[FieldID]string {
	d := &s.draft
	out := map[FieldID]string{FieldAddress: d.Address, FieldProfile: s.profileName(), FieldKeep: KeepFile}
	if d.AskEach {
		out[FieldKeep] = KeepAsk
	}
	if d.From.Address != d.Address {
		out[FieldFrom] = d.From.Address
	}
	s.answerServers(out)
	out[FieldSentCopy] = string(d.CopyMode())
	if d.CopyMode() == config.SentAppend {
		out[FieldSentFolder] = d.SentFolder
	}
	for _, id := range slices.Concat(optionPages...) {
		value := s.optionValue(id)
		off := isSwitch(id) && value == No && id != FieldDefault
		if value != "" && value != "0" && !off {
			out[id] = value
		}
	}
	return out
}

// answerServers adds the provider, where its servers were taken as they are, and the servers themselves otherwise.
func (s *State) answerServers(out map[FieldID]string) {
	d := &s.draft
	for name, value := range d.Asked {
		out[FieldAsk+FieldID(name)] = value
	}
	if s.preset() != nil && !d.Manual && !d.Edited && s.asPreset() {
		out[FieldProvider] = d.Provider
		return
	}
	smtp := d.Submission
	out[FieldSMTPHost], out[FieldSMTPPort] = smtp.Host, strconv.Itoa(smtp.Port)
	out[FieldSMTPSecurity], out[FieldAuth] = string(smtp.Security), string(smtp.Auth)
	if smtp.Username != "" {
		out[FieldUser] = smtp.Username
	}
	if smtp.Helo != "" {
		out[FieldHelo] = smtp.Helo
	}
	out[FieldIMAPHost] = "" // a mailbox that the next machine would find is not wanted either
	if imap := d.IMAP; imap != nil {
		out[FieldIMAPHost], out[FieldIMAPPort] = imap.Host, strconv.Itoa(imap.Port)
		out[FieldIMAPSecurity] = string(imap.Security)
		if imap.Username != "" {
			out[FieldIMAPUser] = imap.Username
		}
	}
}

// asPreset reports whether the servers are those of the preset: no other way had to be taken.
func (s *State) asPreset() bool {
	d := &s.draft
	c := CandidateOf(s.preset(), d.Address, "", "", d.Asked)
	same := func(a, b config.Server) bool { return a.Host == b.Host && a.Port == b.Port && a.Username == b.Username }
	if !same(c.Submission, d.Submission) || (c.IMAP == nil) != (d.IMAP == nil) {
		return false
	}
	return c.IMAP == nil || same(*c.IMAP, *d.IMAP)
}
