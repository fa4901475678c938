package export

import (
	"fmt"
	"strings"

	"postier/internal/locale"
)

var dockerFormat = Format{
	Name: "docker", Summary: locale.Msg("config.export.docker"), carries: envFormat.carries, write: writeDocker,
}

// writeDocker writes a file for Docker Compose to merge: the variables of the format env, and the secret as a file that
// Compose mounts.
func writeDocker(s source) ([]Artifact, error) {
	var b strings.Builder
	b.WriteString("services:\n  app:\n    environment:\n")
	for _, line := range s.variables() {
		if line[0] != "SMTP_CA_FILE" {
			fmt.Fprintf(&b, "      %s: %s\n", line[0], composeQuote(line[1]))
		}
	}
	if roots := s.absolute(s.profile.TLS.CAFile); roots != "" {
		fmt.Fprintf(&b, "      SMTP_CA_FILE: /run/smtp-ca.pem\n    volumes:\n      - type: bind\n        source: %s\n"+
			"        target: /run/smtp-ca.pem\n        read_only: true\n", composeQuote(roots))
	}
	if s.hasPassword() {
		file, err := s.secretFile()
		if err != nil {
			return nil, err
		}
		name := "smtp-" + s.name
		text := strings.Replace(b.String(), "    environment:\n",
			fmt.Sprintf("    environment:\n      SMTP_PASSWORD_FILE: %s\n", composeQuote("/run/secrets/"+name)), 1)
		b.Reset()
		b.WriteString(text + composeSecret(name, file))
	}
	return []Artifact{{Path: "compose.mail.yaml", Content: []byte(b.String())}}, nil
}

// composeSecret ends a service with its secret, and says from which file the secret comes.
func composeSecret(name, file string) string {
	return fmt.Sprintf("    secrets:\n      - %s\nsecrets:\n  %s:\n    file: %s\n", jsonQuote(name), jsonQuote(name),
		composeQuote(file))
}
