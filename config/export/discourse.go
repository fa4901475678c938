package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var discourseFormat = Format{
	Name: "discourse", Summary: locale.Msg("config.export.discourse"), secret: inlineOnly,
	carries: carriesHelo | carriesMechanism,
	write:   writeDiscourse,
}

// writeDiscourse writes the variables for the section env of containers/app.yml, which has no way to name a file.
func writeDiscourse(s source) ([]Artifact, error) {
	p := s.profile
	var b strings.Builder
	secret, inline := s.inline()
	if inline {
		b.WriteString("# " + secretHeader + "\n")
	}
	b.WriteString("env:\n")
	field := func(key, value string) { fmt.Fprintf(&b, "  DISCOURSE_%s: %s\n", key, jsonQuote(value)) }
	field("SMTP_ADDRESS", s.host())
	field("SMTP_PORT", fmt.Sprint(p.Submission.Port))
	field("SMTP_FORCE_TLS", fmt.Sprint(s.security() == config.SecurityTLS))
	field("SMTP_ENABLE_START_TLS", fmt.Sprint(s.security() == config.SecurityStartTLS))
	if s.security() != config.SecurityNone {
		field("SMTP_OPENSSL_VERIFY_MODE", "peer")
	}
	if p.Submission.Helo != "" {
		field("SMTP_DOMAIN", p.Submission.Helo)
	}
	if s.hasPassword() {
		mechanism := map[config.Mechanism]string{
			"": "plain", config.MechanismPlain: "plain", config.MechanismLogin: "login", config.MechanismCRAMMD5: "cram_md5",
		}[s.mechanism()]
		if mechanism == "" {
			return nil, s.cannotHold("submission.auth")
		}
		field("SMTP_AUTHENTICATION", mechanism)
		field("SMTP_USER_NAME", p.Submission.Username)
		field("SMTP_PASSWORD", secret)
	}
	field("NOTIFICATION_EMAIL", s.from())
	return []Artifact{{Path: "app-mail.yml", Content: []byte(b.String())}}, nil
}
