package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var giteaFormat = Format{
	Name: "gitea", Summary: locale.Msg("config.export.gitea"), secret: inlineToo, carries: carriesFromName | carriesHelo,
	write: writeGitea,
}

// writeGitea writes the section mailer. The file app.ini takes only the value of the password; by reference it is
// GITEA__mailer__PASSWD__FILE of the container, so the whole section then goes into its environment.
func writeGitea(s source) ([]Artifact, error) {
	p := s.profile
	protocol := map[config.Security]string{
		config.SecurityTLS: "smtps", config.SecurityStartTLS: "smtp+starttls", config.SecurityNone: "smtp",
	}[s.security()]
	lines := [][2]string{
		{"ENABLED", "true"},
		{"PROTOCOL", protocol},
		{"SMTP_ADDR", s.host()},
		{"SMTP_PORT", fmt.Sprint(p.Submission.Port)},
		{"FROM", s.mailbox()},
	}
	if p.Submission.Helo != "" {
		lines = append(lines, [2]string{"HELO_HOSTNAME", p.Submission.Helo})
	}
	if s.hasPassword() {
		lines = append(lines, [2]string{"USER", p.Submission.Username})
	}
	secret, inline := s.inline()
	var b strings.Builder
	if inline || !s.hasPassword() {
		if inline {
			b.WriteString("; " + secretHeader + "\n")
			lines = append(lines, [2]string{"PASSWD", secret})
		}
		b.WriteString("[mailer]\n")
		for _, line := range lines {
			quoted, ok := goINIQuote(line[1])
			if !ok {
				return nil, s.cannotHold(line[0])
			}
			fmt.Fprintf(&b, "%s = %s\n", line[0], quoted)
		}
		return []Artifact{{Path: "app.ini", Content: []byte(b.String())}}, nil
	}
	file, err := s.secretFile()
	if err != nil {
		return nil, err
	}
	name := "smtp-" + s.name
	b.WriteString("services:\n  gitea:\n    environment:\n")
	for _, line := range lines {
		if strings.Contains(line[1], "%(") {
			return nil, s.cannotHold(line[0])
		}
		fmt.Fprintf(&b, "      GITEA__mailer__%s: %s\n", line[0], composeQuote(line[1]))
	}
	fmt.Fprintf(&b, "      GITEA__mailer__PASSWD__FILE: %s\n", composeQuote("/run/secrets/"+name))
	b.WriteString(composeSecret(name, file))
	return []Artifact{{Path: "compose.mail.yaml", Content: []byte(b.String())}}, nil
}
