package export

import "postier/internal/locale"

// ghostFormat is the part mail of config.production.json, whose options are nodemailer's. The password comes from the
// environment, in quotes that systemd, Docker Compose and a shell read alike.
var ghostFormat = Format{
	Name: "ghost", Summary: locale.Msg("config.export.ghost"),
	carries: carriesFromName | carriesHelo | carriesMechanism | carriesCAFile, holdsAuthority: true, write: writeGhost,
}

func writeGhost(s source) ([]Artifact, error) {
	authority, err := s.authorityPEM()
	if err != nil {
		return nil, err
	}
	return s.fill(map[string]string{"authority": authority}, template{"config.production.json", all(jsonQuote), `{
  "mail": {
    "transport": "SMTP",
    "from": {mailbox},
    "options": {
      "host": {host},
      "port": {=port},
      "name": {helo},
      "auth": { "user": {user} },
      "authMethod": {nodemechanism},
      "tls": { "ca": {authority} },
{?starttls}      "requireTLS": true,
{?none}      "ignoreTLS": true,
{?tls}      "secure": true
{^tls}      "secure": false
    }
  }
}
`}, s.secretScript("ghost-secret.sh", "ghost.env", ghostSed, "mail__options__auth__pass='", "'"))
}

// ghostSed makes a JSON string of a value that holds the quote, or that Ghost could read as JSON: a password of digits
// alone would become a number. All others it leaves as they are, because systemd before version 246 drops a backslash
// inside single quotes.
const ghostSed = `/'|^[-0-9"[{ ]|^(true|false|null|undefined)$/{` + sedJSON + `; s/'/\\u0027/g; s/.*/"&"/; }`
