package export

import (
	"strings"

	"postier/internal/locale"
)

// keycloakFormat is a part of a realm for kcadm.sh. All its values are strings, the yes and no of ssl, starttls and
// auth as well. The password stays in Keycloak's vault; the script prints it for the file there. With starttls Keycloak
// sets mail.smtp.starttls.enable and not mail.smtp.starttls.required, so it cannot insist on STARTTLS.
var keycloakFormat = Format{
	Name: "keycloak", Summary: locale.Msg("config.export.keycloak"), optionalTLS: always,
	carries: carriesFromName | carriesReplyTo, write: writeKeycloak,
}

func writeKeycloak(s source) ([]Artifact, error) {
	// Keycloak doubles underscores in the names of the vault's files.
	words := map[string]string{"key": "smtp-" + strings.ReplaceAll(s.name, "_", "-")}
	return s.fill(words, template{"keycloak-smtp.json", all(jsonQuote), `{
  "smtpServer": {
    "host": {host},
    "port": {port},
{?tls}    "ssl": "true",
{^tls}    "ssl": "false",
{?starttls}    "starttls": "true",
{^starttls}    "starttls": "false",
{?auth}    "auth": "true",
{^auth}    "auth": "false",
    "user": {user},
{?auth}    "password": "${vault.{=key}}",
    "fromDisplayName": {name},
    "replyTo": {reply},
    "from": {from}
  }
}
`}, s.secretScript("keycloak-secret.sh", "REALM_"+words["key"], "", "", ""))
}
