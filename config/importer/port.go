package importer

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/secret"
)

var portFormat = Format{
	Name: "port", Summary: locale.Msg("importer.format.port"), read: readPort,
	mine: looksLike(
		`(?mi)^\s*((port|smtp-port)\s*[:=]\s*)?[0-9]{1,5}(\s+(AUTH|CONN|LIMITE?|WAIT):\S*)*\s*$`),
}

// portKeys are the words that may stand next to the port field, in the languages in which such notes are written.
var portKeys = map[string]string{
	"host": "host", "server": "host", "smtp": "host", "serveur": "host", "hôte": "host",
	"user": "user", "username": "user", "login": "user", "utilisateur": "user", "benutzer": "user", "identifiant": "user",
	"password": "password", "pass": "password", "mot de passe": "password", "passwort": "password", "kennwort": "password",
	"from": "from", "email": "from", "e-mail": "from", "address": "from", "adresse": "from", "de": "from", "von": "from",
	"port": "port", "smtp-port": "port",
}

// readPort reads `587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5` (C-4 to C-7), alone or after "port", with the rest
// of the settings as KEY: VALUE or KEY=VALUE lines next to it.
func readPort(source Source) ([]Account, error) {
	a := Account{}
	found := false
	for line := range strings.Lines(string(source.Data)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		key, value := portLine(line)
		switch key {
		case "host":
			host, port := hostPort(value)
			a.Submission.Host = host
			if port != 0 && !found {
				a.Submission.Port = port
			}
		case "user":
			a.Submission.Username = value
		case "password":
			a.Secret = secret.New(value)
		case "from":
			a.From = mailbox(value)
		case "port":
			field, text := config.ParsePortField(value)
			if !text.Empty() {
				return nil, &Error{Format: "port", Field: "smtp-port", Reason: text}
			}
			field.Apply(&a.Submission, &a.Batch)
			found = true
		}
	}
	if !found {
		return nil, nil
	}
	a.settle(config.PortSubmission)
	return []Account{a}, nil
}

// portLine is one line; one that begins with a digit is the field itself.
func portLine(line string) (key, value string) {
	if line == "" || line[0] == '#' {
		return "", ""
	}
	if line[0] >= '0' && line[0] <= '9' {
		return "port", line
	}
	at := strings.IndexAny(line, ":=")
	if at < 0 {
		return "", ""
	}
	return portKeys[strings.ToLower(strings.TrimSpace(line[:at]))], strings.TrimSpace(line[at+1:])
}
