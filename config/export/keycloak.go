package export

import (
	"strings"

	"postier/internal/locale"
)

// keycloakFormat is a part of a realm for kcadm.sh. All its values are strings, the yes and no of ssl, starttls and
// auth as well. The password stays in Keycloak's vault; the script prints it for the file there. With starttls Keycloak
// sets mail.smtp.starttls.enable and not mail.smtp.starttls.required, so it cannot insist on STARTTLS.
var keycloakFormat = Format{
	Name: "keycloak", Summary: locale.Msg("config.export.keycloak"), optionalTLS: always, trust: "trust_keycloak",
	carries: carriesFromName | carriesReplyTo, write: writeKeycloak,
}

func writeKeycloak(s source) ([]Artifact, error) {
	words := map[string]string{"key": "smtp-" + s.name}
	// In the names of the vault's files, one underscore parts the realm from the key, and those of both are doubled.
	file := "REALM_" + strings.ReplaceAll(words["key"], "_", "__")
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
`}, s.secretScript("keycloak-secret.sh", file, "", "", ""))
}
