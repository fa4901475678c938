package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var symfonyFormat = Format{
	Name: "symfony", Summary: locale.Msg("config.export.symfony"), secret: inlineToo,
	carries: carriesFromName | carriesReplyTo | carriesHelo, write: writeSymfony,
}

// writeSymfony writes the mailer's configuration, whose DSN takes the secret from its file (the processors file, trim
// and urlencode, Symfony 7.1), or MAILER_DSN for .env.local with the secret inside.
func writeSymfony(s source) ([]Artifact, error) {
	secret, inline := s.inline()
	if inline {
		secret = ":" + percentEncode(secret)
	}
	password := ""
	if s.hasPassword() {
		password = ":%env(urlencode:trim:file:SMTP_PASSWORD_FILE)%"
	}
	dsn := strings.ReplaceAll(s.mailerDSN("\x00"), "%", "%%")
	words := map[string]string{
		"dsn": s.mailerDSN(secret), "configdsn": jsonQuote(strings.Replace(dsn, "\x00", password, 1)),
	}
	// Single quotes in .env files keep every character, and percent encoding removes the single quotes from the value.
	return s.fill(words, template{"{?inline}.env.local", nil, `# {=secretheader}
MAILER_DSN='{=dsn}'
`}, template{"{^inline}config/packages/postier_mailer.yaml", all(symfonyQuote), `{?auth}parameters:
{?auth}    env(SMTP_PASSWORD_FILE): {secretfile}
framework:
    mailer:
        dsn: {=configdsn}
        headers:
            From: {mailbox}
            Reply-To: {reply}
`})
}

// mailbox is the author with the name, as RFC 5322 §3.4 writes it.
func (s source) mailbox() string {
	if s.profile.From.Name == "" {
		return s.from()
	}
	return quotedPhrase(s.profile.From.Name) + " <" + s.from() + ">"
}

// symfonyQuote writes a string of a Symfony configuration, where % begins a parameter and %% is one.
func symfonyQuote(value string) string { return jsonQuote(strings.ReplaceAll(value, "%", "%%")) }

// mailerDSN is the transport as Symfony's mailer writes it.
func (s source) mailerDSN(password string) string {
	p := s.profile
	scheme, query := "smtp", []string{}
	switch s.security() {
	case config.SecurityTLS:
		scheme = "smtps"
	case config.SecurityStartTLS:
		query = append(query, "require_tls=true")
	default:
		query = append(query, "auto_tls=false")
	}
	if p.Submission.Helo != "" {
		query = append(query, "local_domain="+percentEncode(p.Submission.Helo))
	}
	user := ""
	if s.hasPassword() {
		user = percentEncode(p.Submission.Username) + password + "@"
	}
	dsn := fmt.Sprintf("%s://%s%s:%d", scheme, user, inBrackets(s.host()), p.Submission.Port)
	if len(query) > 0 {
		dsn += "?" + strings.Join(query, "&")
	}
	return dsn
}
