package export

import "postier/internal/locale"

// dockerFormat is a file for Docker Compose to merge: the variables of the format env, and the secret as a file that
// Compose mounts.
var dockerFormat = Format{
	Name: "docker", Summary: locale.Msg("config.export.docker"), carries: envFormat.carries,
	write: func(s source) ([]Artifact, error) {
		words := map[string]string{"ca": "", "roots": s.absolute(s.profile.TLS.CAFile)}
		return s.fill(words, template{"compose.mail.yaml", all(composeQuote), `services:
  app:
    environment:
{?auth}      SMTP_PASSWORD_FILE: "/run/secrets/smtp-{=profile}"
` + variables("      ", ": ", "") + `{?roots}      SMTP_CA_FILE: /run/smtp-ca.pem
{?roots}    volumes:
{?roots}      - type: bind
        source: {roots}
{?roots}        target: /run/smtp-ca.pem
{?roots}        read_only: true
` + composeSecret})
	},
}

// composeSecret ends a service with its secret, and says from which file the secret comes.
const composeSecret = `{?auth}    secrets:
{?auth}      - "smtp-{=profile}"
{?auth}secrets:
{?auth}  "smtp-{=profile}":
{?auth}    file: {secretfile}
`
