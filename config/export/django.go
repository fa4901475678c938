package export

import "postier/internal/locale"

// djangoFormat is a module for settings.py: from .mail import *. It brings a backend of its own, because that of Django
// checks no certificate before version 4.2, and smtplib encodes user names and passwords as ASCII, where RFC 4616 has
// UTF-8.
var djangoFormat = Format{
	Name: "django", Summary: locale.Msg("config.export.django"), carries: carriesFromName | carriesCAFile,
	write: template{path: "mail.py", quote: all(jsonQuote), text: `{^none}import smtplib
{^none}import ssl
{?program}import subprocess
{?file}from pathlib import Path
{^none}
{^none}from django.core.mail.backends import smtp
{^none}
{^none}_CONTEXT = ssl.create_default_context()
{^none}_CONTEXT.load_verify_locations({ca})
{^none}
{^none}
{^none}class _UTF8(str):
{^none}    def encode(self, *_):
{^none}        return super().encode("utf-8")
{^none}
{^none}
{^none}class _Verified:
{^none}    def starttls(self, *_, **__):
{^none}        return super().starttls(context=_CONTEXT)
{^none}
{^none}    def auth_plain(self, challenge=None):
{^none}        return _UTF8(super().auth_plain(challenge))
{^none}
{^none}    def auth_cram_md5(self, challenge=None):
{^none}        answer = super().auth_cram_md5(challenge)
{^none}        return answer and _UTF8(answer)
{^none}
{^none}    def login(self, user, password, **options):
{^none}        return super().login(_UTF8(user), _UTF8(password), **options)
{^none}
{^none}
{^none}class _SMTP(_Verified, smtplib.SMTP):
{^none}    pass
{^none}
{^none}
{^none}class _SMTPS(_Verified, smtplib.SMTP_SSL):
{^none}    def __init__(self, *place, **options):
{^none}        for name in ("keyfile", "certfile", "context"):
{^none}            options.pop(name, None)
{^none}        super().__init__(*place, context=_CONTEXT, **options)
{^none}
{^none}
{^none}class EmailBackend(smtp.EmailBackend):
{^none}    @property
{^none}    def connection_class(self):
{^none}        return _SMTPS if self.use_ssl else _SMTP
{^none}
{^none}
{^none}EMAIL_BACKEND = __name__ + ".EmailBackend"
{?none}EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
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
