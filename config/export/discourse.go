package export

import "postier/internal/locale"

// discourseFormat has the variables for the section env of containers/app.yml, which has no way to name a file.
var discourseFormat = Format{
	Name: "discourse", Summary: locale.Msg("config.export.discourse"), secret: inlineOnly,
	carries: carriesHelo | carriesMechanism,
	write: template{path: "app-mail.yml", quote: all(jsonQuote), text: `{?inline}# {=secretheader}
env:
  DISCOURSE_SMTP_ADDRESS: {host}
  DISCOURSE_SMTP_PORT: {port}
{?tls}  DISCOURSE_SMTP_FORCE_TLS: "true"
{^tls}  DISCOURSE_SMTP_FORCE_TLS: "false"
{?starttls}  DISCOURSE_SMTP_ENABLE_START_TLS: "true"
{^starttls}  DISCOURSE_SMTP_ENABLE_START_TLS: "false"
{^none}  DISCOURSE_SMTP_OPENSSL_VERIFY_MODE: "peer"
  DISCOURSE_SMTP_DOMAIN: {helo}
{?auth}  DISCOURSE_SMTP_AUTHENTICATION: {rubymechanism}
  DISCOURSE_SMTP_USER_NAME: {user}
{?auth}  DISCOURSE_SMTP_PASSWORD: {inline}
  DISCOURSE_NOTIFICATION_EMAIL: {from}
`}.write,
}
