#!/usr/bin/env python3
"""Sends standard input as a text through a profile of postier: send.py RECIPIENT SUBJECT <text"""

import base64
import json
import os
import smtplib
import ssl
import subprocess
import sys
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path


def configuration() -> Path:
    if os.environ.get("POSTIER_CONFIG"):
        return Path(os.environ["POSTIER_CONFIG"])
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "postier" / "config.json"
    return home if home.exists() else Path("/etc/postier/config.json")


def secret(config: Path, name: str, credential: dict) -> str:
    if credential["kind"] == "file":
        # A relative path starts at the configuration's folder; an absolute one stays as it is.
        return (config.parent / credential["path"]).read_text(encoding="utf-8").rstrip("\r\n")
    command = ["postier", "--config", str(config), "secret", "get", name]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode("utf-8").rstrip("\r\n")


def connect(profile: dict) -> smtplib.SMTP:
    server = profile["submission"]
    security = server["security"]
    if security == "auto":
        security = "tls" if server["port"] == 465 else "starttls"
    context = ssl.create_default_context()
    if profile.get("tls", {}).get("ca_file"):
        context.load_verify_locations(profile["tls"]["ca_file"])
    helo = server.get("helo")
    if security == "tls":
        return smtplib.SMTP_SSL(server["host"], server["port"], local_hostname=helo, timeout=60, context=context)
    smtp = smtplib.SMTP(server["host"], server["port"], local_hostname=helo, timeout=60)
    if security == "starttls":
        smtp.starttls(context=context)  # raises when the server does not offer it
    return smtp


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 64
    config = configuration()
    document = json.loads(config.read_text(encoding="utf-8"))
    name = document["default"]
    profile = document["profiles"][name]
    if not profile["enabled"]:
        print(f"the profile {name} is switched off", file=sys.stderr)
        return 78
    recipients = [sys.argv[1], *profile.get("bcc", [])]
    if profile.get("test_mode", {}).get("enabled"):
        recipients = [profile["test_mode"]["address"]]

    message = EmailMessage()
    author = profile["from"]
    message["From"] = Address(author.get("name", ""), addr_spec=author["address"])
    message["To"] = sys.argv[1]
    message["Subject"] = sys.argv[2]
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=author["address"].rpartition("@")[2])
    if profile.get("reply_to"):
        message["Reply-To"] = profile["reply_to"]
    message.set_content(sys.stdin.read())

    with connect(profile) as smtp:
        if profile["submission"].get("auth") != "none":
            # smtplib signs in with CRAM-MD5, PLAIN or LOGIN. Its login() takes ASCII only, so that a password with other
            # letters goes by PLAIN in UTF-8 (RFC 4616).
            user, password = profile["submission"]["username"], secret(config, name, profile["credential"])
            if (user + password).isascii():
                smtp.login(user, password)
            else:
                smtp.ehlo_or_helo_if_needed()
                code, reply = smtp.docmd("AUTH", "PLAIN " + plain(user, password))
                if code != 235:
                    raise smtplib.SMTPAuthenticationError(code, reply)
        smtp.send_message(message, from_addr=author["address"], to_addrs=recipients)
    return 0


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


if __name__ == "__main__":
    sys.exit(main())
