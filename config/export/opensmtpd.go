package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var opensmtpdFormat = Format{
	Name: "opensmtpd", Summary: locale.Msg("config.export.opensmtpd"), secret: inlineToo, carries: carriesHelo,
	write: writeOpenSMTPD,
}

// writeOpenSMTPD writes an action with its match for smtpd.conf(5), and the table of credentials or the script that
// makes it. The profile's name is the label and the table's name; it has only small letters, digits, - and _.
func writeOpenSMTPD(s source) ([]Artifact, error) {
	p := s.profile
	scheme := map[config.Security]string{
		config.SecurityTLS: "smtps", config.SecurityStartTLS: "smtp+tls", config.SecurityNone: "smtp+notls",
	}[s.security()]
	table := "postier-" + s.name + ".secrets"
	label, tail := "", ""
	var conf strings.Builder
	if s.hasPassword() {
		fmt.Fprintf(&conf, "table postier_%s file:/etc/mail/%s\n", s.name, table)
		label, tail = s.name+"@", fmt.Sprintf(" auth <postier_%s>", s.name)
	}
	if p.Submission.Helo != "" {
		tail += ` helo ` + `"` + p.Submission.Helo + `"`
	}
	if s.security() != config.SecurityNone {
		tail += " tls"
	}
	fmt.Fprintf(&conf, "action \"postier_%s\" relay host %s://%s%s:%d%s\n", s.name, scheme, label, inBrackets(s.host()),
		p.Submission.Port, tail)
	fmt.Fprintf(&conf, "match from local for any action \"postier_%s\"\n", s.name)
	artifacts := []Artifact{{Path: "postier-" + s.name + ".conf", Content: []byte(conf.String())}}
	if !s.hasPassword() {
		return artifacts, nil
	}
	return s.secretTable(artifacts, "", table, s.name)
}
