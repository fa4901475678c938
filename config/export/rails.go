package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var railsFormat = Format{
	Name: "rails", Summary: locale.Msg("config.export.rails"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism, write: writeRails,
}

// writeRails writes an initializer for Action Mailer.
func writeRails(s source) ([]Artifact, error) {
	p := s.profile
	var b strings.Builder
	b.WriteString("Rails.application.config.action_mailer.delivery_method = " +
		":smtp\nRails.application.config.action_mailer.smtp_settings = {\n")
	field := func(key, value string) { fmt.Fprintf(&b, "  %s: %s,\n", key, value) }
	field("address", singleQuote(s.host()))
	field("port", fmt.Sprint(p.Submission.Port))
	switch s.security() {
	case config.SecurityTLS:
		field("tls", "true")
	case config.SecurityStartTLS:
		field("enable_starttls", "true") // required, unlike enable_starttls_auto
	default:
		field("enable_starttls_auto", "false")
	}
	if s.security() != config.SecurityNone {
		field("openssl_verify_mode", "'peer'")
	}
	if file := s.absolute(p.TLS.CAFile); file != "" {
		field("ca_file", singleQuote(file))
	}
	if p.Submission.Helo != "" {
		field("domain", singleQuote(p.Submission.Helo))
	}
	if s.hasPassword() {
		mechanism := "plain"
		switch s.mechanism() {
		case "", config.MechanismPlain:
		case config.MechanismLogin:
			mechanism = "login"
		case config.MechanismCRAMMD5:
			mechanism = "cram_md5"
		default:
			return nil, s.cannotHold("submission.auth")
		}
		field("authentication", ":"+mechanism)
		field("user_name", singleQuote(p.Submission.Username))
		if file, argv := s.reference(); file != "" {
			field("password", fmt.Sprintf("File.read(%s, encoding: 'UTF-8').chomp", singleQuote(file)))
		} else {
			field("password", fmt.Sprintf("IO.popen([%s], &:read).chomp", joinQuoted(argv, singleQuote)))
		}
	}
	b.WriteString("}\n")
	fmt.Fprintf(&b, "Rails.application.config.action_mailer.default_options = {\n  from: %s,\n", singleQuote(s.mailbox()))
	if p.ReplyTo != "" {
		fmt.Fprintf(&b, "  reply_to: %s,\n", singleQuote(config.AddressASCIIDomain(p.ReplyTo)))
	}
	b.WriteString("}\n")
	return []Artifact{{Path: "config/initializers/mail.rb", Content: []byte(b.String())}}, nil
}
