package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/internal/locale"
)

var wordpressFormat = Format{
	Name: "wordpress", Summary: locale.Msg("config.export.wordpress"), carries: carriesFromName, write: writeWordPress,
}

// writeWordPress writes the constants of the plugin WP Mail SMTP for wp-config.php.
func writeWordPress(s source) ([]Artifact, error) {
	p := s.profile
	lines := [][2]string{
		{"WPMS_ON", "true"},
		{"WPMS_MAILER", "'smtp'"},
		{"WPMS_SMTP_HOST", singleQuote(s.host())},
		{"WPMS_SMTP_PORT", strconv.Itoa(p.Submission.Port)},
		{"WPMS_SSL", singleQuote(s.sslOrTLS())},
		{"WPMS_SMTP_AUTOTLS", "false"}, // WPMS_SSL alone decides
		{"WPMS_SMTP_AUTH", strconv.FormatBool(s.hasPassword())},
	}
	if s.hasPassword() {
		lines = append(lines, [2]string{"WPMS_SMTP_USER", singleQuote(p.Submission.Username)},
			[2]string{"WPMS_SMTP_PASS", s.phpSecret()})
	}
	lines = append(lines, [2]string{"WPMS_MAIL_FROM", singleQuote(s.from())}, [2]string{"WPMS_MAIL_FROM_FORCE", "true"})
	if p.From.Name != "" {
		lines = append(lines, [2]string{"WPMS_MAIL_FROM_NAME", singleQuote(p.From.Name)})
	}
	var b strings.Builder
	b.WriteString("<?php\n")
	for _, line := range lines {
		fmt.Fprintf(&b, "define('%s', %s);\n", line[0], line[1])
	}
	return []Artifact{{Path: "wp-config-mail.php", Content: []byte(b.String())}}, nil
}
