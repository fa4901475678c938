package export

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var opensmtpdFormat = Format{
	Name: "opensmtpd", Summary: locale.Msg("config.export.opensmtpd"), secret: inlineToo,
	carries: carriesCAFile | carriesHelo, write: writeOpenSMTPD,
}

// writeOpenSMTPD writes an action with its match for smtpd.conf(5), and the table of credentials or the script that
// makes it. The profile's name is the label and the table's name; it has only small letters, digits, - and _.
func writeOpenSMTPD(s source) ([]Artifact, error) {
	p := s.profile
	relay := map[config.Security]string{
		config.SecurityTLS: "smtps", config.SecurityStartTLS: "smtp+tls", config.SecurityNone: "smtp+notls",
	}[s.security()] + "://"
	if s.hasPassword() {
		relay += s.name + "@"
	}
	relay += fmt.Sprintf("%s:%d", inBrackets(s.host()), p.Submission.Port)
	if s.hasPassword() {
		relay += fmt.Sprintf(" auth <postier_%s>", s.name)
	}
	if p.Submission.Helo != "" {
		relay += ` helo "` + p.Submission.Helo + `"`
	}
	if s.security() != config.SecurityNone {
		relay += " tls"
	}
	authority := s.opensmtpdAuthority()
	if authority != "" {
		relay += ` ca "` + authority + `"`
	}
	table := "postier-" + s.name + ".secrets"
	artifacts, err := s.fill(map[string]string{"relay": relay, "authority": authority, "table": table},
		template{"postier-{=profile}.conf", opensmtpdQuote, `{?auth}table postier_{=profile} file:/etc/mail/{=table}
ca {authority} cert {ca}
action "postier_{=profile}" relay host {=relay}
match from local for any action "postier_{=profile}"
`})
	if err != nil || !s.hasPassword() {
		return artifacts, err
	}
	return s.secretTable(artifacts, "", table, s.name)
}

// opensmtpdAuthority is the name by which the action refers to the profile's own authority. It has to be a host name
// of at most 64 octets, which not every name of a profile is.
func (s source) opensmtpdAuthority() string {
	if s.ownRoots() == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s.name))
	return fmt.Sprintf("postier-%x", sum[:8])
}

// opensmtpdQuote writes a string of smtpd.conf(5). A backslash is itself there, unless a quote, a blank or a line end
// follows it, and there is no way to write it before those.
func opensmtpdQuote(value string) (string, bool) {
	return `"` + strings.ReplaceAll(value, `"`, `\"`) + `"`, !strings.Contains(value, `\`)
}
