package export

import (
	"postier/config"
	"postier/internal/locale"
)

// mattermostFormat is a part of config.json for mmctl, which also takes the password from the script in that form.
// Mattermost goes on when STARTTLS fails; only signing in is then refused, by the library that it sends with.
var mattermostFormat = Format{
	Name: "mattermost", Summary: locale.Msg("config.export.mattermost"),
	optionalTLS: withoutPassword, trust: "trust_env", carries: carriesFromName | carriesReplyTo, write: writeMattermost,
}

func writeMattermost(s source) ([]Artifact, error) {
	words := map[string]string{"connection": map[config.Security]string{
		config.SecurityTLS: "TLS", config.SecurityStartTLS: "STARTTLS",
	}[s.security()]}
	return s.fill(words, template{"mattermost.json", all(jsonQuote), `{
  "EmailSettings": {
    "SendEmailNotifications": true,
    "SMTPServer": {host},
    "SMTPPort": {port},
    "ConnectionSecurity": {+connection},
    "SkipServerCertificateVerification": false,
{?auth}    "EnableSMTPAuth": true,
{^auth}    "EnableSMTPAuth": false,
    "SMTPUsername": {user},
    "FeedbackName": {name},
    "ReplyToAddress": {reply},
    "FeedbackEmail": {from}
  }
}
`}, s.secretScript("mattermost-secret.sh", "config.json", sedJSON, `{"EmailSettings":{"SMTPPassword":"`, `"}}`))
}
