package export

import (
	"postier/config"
	"postier/internal/locale"
)

// vaultwardenFormat is a file for Docker Compose to merge. Vaultwarden reads every variable from a file, too, when
// _FILE is added to its name.
var vaultwardenFormat = Format{
	Name: "vaultwarden", Summary: locale.Msg("config.export.vaultwarden"),
	carries: carriesFromName | carriesHelo | carriesMechanism | carriesCAFile, write: writeVaultwarden,
}

func writeVaultwarden(s source) ([]Artifact, error) {
	mechanism, known := map[config.Mechanism]string{
		"": "", config.MechanismPlain: "Plain", config.MechanismLogin: "Login",
	}[s.mechanism()]
	if s.hasPassword() && !known {
		return nil, s.cannotHold("submission.auth")
	}
	words := map[string]string{"kind": map[config.Security]string{
		config.SecurityTLS: "force_tls", config.SecurityStartTLS: "starttls", config.SecurityNone: "off",
	}[s.security()], "method": mechanism}
	return s.fill(words, template{"compose.mail.yaml", all(composeQuote), `services:
  vaultwarden:
    environment:
      SMTP_HOST: {host}
      SMTP_PORT: {port}
      SMTP_SECURITY: {kind}
{^none}      SMTP_ACCEPT_INVALID_CERTS: "false"
{^none}      SMTP_ACCEPT_INVALID_HOSTNAMES: "false"
      SMTP_FROM: {from}
      SMTP_FROM_NAME: {name}
      SMTP_USERNAME: {user}
{?auth}      SMTP_PASSWORD_FILE: "/run/secrets/smtp-{=profile}"
{?auth}      SMTP_AUTH_MECHANISM: {method}
      HELO_NAME: {helo}
` + composeTrust + composeRoots + composeSecret})
}
