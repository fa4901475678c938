package export

import "postier/internal/locale"

// djangoFormat is a module for settings.py: from .mail import *
var djangoFormat = Format{
	Name: "django", Summary: locale.Msg("config.export.django"), carries: carriesFromName,
	write: template{path: "mail.py", quote: all(jsonQuote), text: `{?file}from pathlib import Path
{?program}import subprocess
{?auth}
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = {host}
EMAIL_PORT = {=port}
{?tls}EMAIL_USE_SSL = True
{^tls}EMAIL_USE_SSL = False
{?starttls}EMAIL_USE_TLS = True
{^starttls}EMAIL_USE_TLS = False
EMAIL_HOST_USER = {user}
EMAIL_HOST_PASSWORD = Path({file}).read_text(encoding="utf-8").rstrip("\r\n")
EMAIL_HOST_PASSWORD = subprocess.run([{=argv}], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8").rstrip("\r\n")
DEFAULT_FROM_EMAIL = {mailbox}
SERVER_EMAIL = {from}
`}.write,
}
