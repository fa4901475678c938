package export

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// giteaFormat is the section mailer. The file app.ini takes only the value of the password; by reference it is
// GITEA__mailer__PASSWD__FILE of the container, so the whole section then goes into its environment.
var giteaFormat = Format{
	Name: "gitea", Summary: locale.Msg("config.export.gitea"), secret: inlineToo,
	carries: carriesFromName | carriesHelo | carriesCAFile, write: writeGitea,
}

func writeGitea(s source) ([]Artifact, error) {
	const keys = `ENABLED = {yes}
PROTOCOL = {protocol}
SMTP_ADDR = {host}
SMTP_PORT = {port}
FROM = {mailbox}
HELO_HOSTNAME = {helo}
USER = {user}
`
	words := map[string]string{"yes": "true", "protocol": map[config.Security]string{
		config.SecurityTLS: "smtps", config.SecurityStartTLS: "smtp+starttls", config.SecurityNone: "smtp",
	}[s.security()]}
	ini := template{"app.ini", goINIQuote, "{?inline}; {=secretheader}\n[mailer]\n" + keys + "PASSWD = {inline}\n"}
	if _, inline := s.inline(); inline || !s.hasPassword() {
		artifacts, err := s.fill(words, ini)
		if err == nil && s.ownRoots() != "" {
			artifacts[0].Notes = []locale.Text{s.trustNote("trust_env")}
		}
		return artifacts, err
	}
	if _, err := s.secretFile(); err != nil {
		return nil, err
	}
	// Gitea reads the values from its environment as it reads them from app.ini, so what one refuses the other does, too.
	if _, err := s.fill(words, ini); err != nil {
		return nil, err
	}
	variables := strings.NewReplacer(" = ", ": ").Replace(strings.TrimSuffix(keys, "\n"))
	return s.fill(words, template{"compose.mail.yaml", all(composeQuote), `services:
  gitea:
    environment:
      GITEA__mailer__` + strings.ReplaceAll(variables, "\n", "\n      GITEA__mailer__") + `
      GITEA__mailer__PASSWD__FILE: "/run/secrets/smtp-{=profile}"
` + composeTrust + composeRoots + composeSecret})
}
