package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var laravelFormat = Format{
	Name: "laravel", Summary: locale.Msg("config.export.laravel"), carries: carriesFromName | carriesReplyTo | carriesHelo,
	write: writeLaravel,
}

// writeLaravel writes mail.php of Laravel's config folder. The scheme is for Laravel 11 and later, the encryption for
// earlier versions.
func writeLaravel(s source) ([]Artifact, error) {
	p := s.profile
	scheme := "smtp"
	if s.security() == config.SecurityTLS {
		scheme = "smtps"
	}
	var b strings.Builder
	b.WriteString("<?php\n\nreturn [\n    'default' => 'smtp',\n    'mailers' => [\n        'smtp' => [\n")
	field := func(key, value string) { fmt.Fprintf(&b, "            '%s' => %s,\n", key, value) }
	field("transport", "'smtp'")
	field("scheme", singleQuote(scheme))
	if word := s.sslOrTLS(); word != "" {
		field("encryption", singleQuote(word))
	}
	if s.security() == config.SecurityStartTLS {
		field("require_tls", "true")
	}
	field("host", singleQuote(s.host()))
	field("port", fmt.Sprint(p.Submission.Port))
	if s.hasPassword() {
		field("username", singleQuote(p.Submission.Username))
		field("password", s.phpSecret())
	}
	if p.Submission.Helo != "" {
		field("local_domain", singleQuote(p.Submission.Helo))
	}
	b.WriteString("        ],\n    ],\n")
	fmt.Fprintf(&b, "    'from' => ['address' => %s, 'name' => %s],\n", singleQuote(s.from()), singleQuote(p.From.Name))
	if p.ReplyTo != "" {
		fmt.Fprintf(&b, "    'reply_to' => ['address' => %s, 'name' => ''],\n",
			singleQuote(config.AddressASCIIDomain(p.ReplyTo)))
	}
	b.WriteString("];\n")
	return []Artifact{{Path: "config/mail.php", Content: []byte(b.String())}}, nil
}
