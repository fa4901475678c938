package export

import "postier/internal/locale"

// dockerFormat is a file for Docker Compose to merge: the variables of the format env, and the secret as a file that
// Compose mounts.
var dockerFormat = Format{
	Name: "docker", Summary: locale.Msg("config.export.docker"), carries: envFormat.carries,
	write: func(s source) ([]Artifact, error) {
		return s.fill(map[string]string{"ca": ""}, template{"compose.mail.yaml", all(composeQuote), `services:
  app:
    environment:
{?auth}      SMTP_PASSWORD_FILE: "/run/secrets/smtp-{=profile}"
` + variables("      ", ": ", "") + `{?roots}      SMTP_CA_FILE: /run/smtp-ca.pem
` + composeRoots + composeSecret})
	},
}

// composeRoots gives a service the file of the profile's own authority.
const composeRoots = `{?roots}    volumes:
{?roots}      - type: bind
        source: {roots}
{?roots}        target: /run/smtp-ca.pem
{?roots}        read_only: true
`

// composeTrust makes it known to programs that look for the system's authorities. Some take the two variables together
// in place of the places that they know, so the system's folder is named as well.
const composeTrust = `{?roots}      SSL_CERT_FILE: /run/smtp-ca.pem
{?roots}      SSL_CERT_DIR: /etc/ssl/certs
`

// composeSecret ends a service with its secret, and says from which file the secret comes.
const composeSecret = `{?auth}    secrets:
{?auth}      - "smtp-{=profile}"
{?auth}secrets:
{?auth}  "smtp-{=profile}":
{?auth}    file: {secretfile}
`
