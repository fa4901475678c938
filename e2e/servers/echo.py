"""A mail server that says the password it was given in its refusal, in forms in which programs write it down.

    echo.py serve ADDRESS PORT SECRET    refuses every AUTH with 535
    echo.py find SECRET FILE...          prints which forms the files hold, also inside the strings of JSON
"""

import base64
import html
import json
import pathlib
import quopri
import socketserver
import sys
import urllib.parse


def forms(secret):
    octets = secret.encode()
    return {
        "raw": secret,
        "percent": urllib.parse.quote(secret, safe=""),
        "query": urllib.parse.quote_plus(secret),
        "entities": html.escape(secret),
        "quoted-printable": quopri.encodestring(octets).decode().replace("=\n", ""),
        "repr": repr(secret)[1:-1],
        "json": json.dumps(secret)[1:-1],
        "hex": octets.hex(),
        "HEX": octets.hex().upper(),
        "hex with blanks": octets.hex(" "),
        "base64": base64.b64encode(octets).decode(),
        "base64 of PLAIN": base64.b64encode(b"\0anna@postier.test\0" + octets).decode(),
        "base64 at offset 1": base64.b64encode(b"x" + octets).decode(),
        "base64 at offset 2": base64.b64encode(b"xx" + octets).decode(),
        "base64 of UTF-16": base64.b64encode(secret.encode("utf-16le")).decode(),
        "reversed": secret[::-1],
    }


def serve(address, port, secret):
    said = list(forms(secret).items())

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")

        def refuse(self):
            for n, (name, text) in enumerate(said):
                self.say(f"535{'-' if n < len(said) - 1 else ' '}5.7.8 {name}: {text}")

        def handle(self):
            self.say("220 echo ESMTP")
            for line in self.rfile:
                verb = line.strip().upper()[:4]
                if verb == b"EHLO":
                    self.say("250-echo")
                    self.say("250 AUTH PLAIN LOGIN")
                elif verb == b"AUTH":
                    self.refuse()
                elif verb == b"QUIT":
                    self.say("221 2.0.0 bye")
                    return
                else:
                    self.say("250 2.0.0 ok")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    Server((address, int(port)), Handler).serve_forever()


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def find(secret, files):
    for file in files:
        text = pathlib.Path(file).read_text(encoding="utf-8", errors="replace")
        try:
            text += "\n".join(strings(json.loads(text)))
        except ValueError:
            pass
        text = html.unescape(text) + text
        for name, form in forms(secret).items():
            if form.removeprefix(form[:4] if "offset" in name else "") in text:
                print(f"{file}: {name}")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]).read_text().rstrip("\n"))
    else:
        find(pathlib.Path(sys.argv[2]).read_text().rstrip("\n"), sys.argv[3:])
