package export

import "postier/internal/locale"

// odooFormat is a script for `odoo-bin shell` that makes the outgoing mail server or changes it. The options of
// odoo.conf are no way: smtp_ssl there means STARTTLS, nothing means implicit TLS, and no certificate is checked. The
// words starttls and ssl of a mail server check none either; starttls_strict and ssl_strict do, and an Odoo that does
// not know them is refused.
var odooFormat = Format{
	Name: "odoo", Summary: locale.Msg("config.export.odoo"),
	write: template{path: "odoo-mail.py", quote: all(jsonQuote), text: `{?file}from pathlib import Path
{?program}import subprocess
{?auth}
values = {
    "name": "postier {=profile}",
    "smtp_host": {host},
    "smtp_port": {=port},
{?tls}    "smtp_encryption": "ssl_strict",
{?starttls}    "smtp_encryption": "starttls_strict",
{?none}    "smtp_encryption": "none",
    "smtp_authentication": "login",
{?auth}    "smtp_user": {user},
{^auth}    "smtp_user": False,
    "smtp_pass": Path({file}).read_text(encoding="utf-8").rstrip("\r\n"),
    "smtp_pass": subprocess.run([{=argv}], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8").rstrip("\r\n"),
{^auth}    "smtp_pass": False,
    "from_filter": {from},
}
servers = env["ir.mail_server"].sudo()
known = [word for word, _ in servers.fields_get(["smtp_encryption"])["smtp_encryption"]["selection"]]
if values["smtp_encryption"] not in known:
    raise SystemExit("This version of Odoo does not check the certificate of the mail server; nothing was changed.")
server = servers.search([("name", "=", values["name"])], limit=1)
if server:
    server.write(values)
else:
    servers.create(values)
env.cr.commit()
`}.write,
}
