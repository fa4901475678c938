package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var nextcloudFormat = Format{
	Name: "nextcloud", Summary: locale.Msg("config.export.nextcloud"), write: writeNextcloud,
}

// writeNextcloud writes a further file of Nextcloud's folder config, which it reads after config.php.
func writeNextcloud(s source) ([]Artifact, error) {
	p := s.profile
	at := strings.LastIndexByte(s.from(), '@')
	secure := ""
	if s.security() == config.SecurityTLS {
		secure = "ssl" // anything else means STARTTLS where the server offers it
	}
	lines := [][2]string{
		{"mail_smtpmode", "'smtp'"},
		{"mail_smtphost", singleQuote(s.host())},
		{"mail_smtpport", strconv.Itoa(p.Submission.Port)},
		{"mail_smtpsecure", singleQuote(secure)},
		{"mail_smtpauth", strconv.FormatBool(s.hasPassword())},
		{"mail_from_address", singleQuote(s.from()[:at])},
		{"mail_domain", singleQuote(s.from()[at+1:])},
	}
	if s.hasPassword() {
		lines = append(lines, [2]string{"mail_smtpname", singleQuote(p.Submission.Username)},
			[2]string{"mail_smtppassword", s.phpSecret()})
	}
	var b strings.Builder
	b.WriteString("<?php\n$CONFIG = [\n")
	for _, line := range lines {
		fmt.Fprintf(&b, "    '%s' => %s,\n", line[0], line[1])
	}
	b.WriteString("];\n")
	return []Artifact{{Path: "config/postier.config.php", Content: []byte(b.String())}}, nil
}
