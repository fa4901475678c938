package importer

import (
	"maps"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var msmtpFormat = Format{
	Name: "msmtp", Summary: locale.Msg("importer.format.msmtp"), read: readMSMTP,
	mine: looksLike(`(?m)^\s*(account|host|defaults|passwordeval)([ \t]|$)`),
}

// msmtpAccount is an account as written in the file; the last line of a setting wins.
type msmtpAccount struct {
	name     string
	settings map[string]string
}

// readMSMTP reads an msmtprc(5): a setting a line, defaults for the accounts that follow, accounts built on others.
func readMSMTP(source Source) ([]Account, error) {
	defaults := map[string]string{}
	var accounts []*msmtpAccount
	byName := map[string]*msmtpAccount{}
	chosen := ""
	current := defaults
	for line := range strings.Lines(string(source.Data)) {
		key, value := msmtpLine(line)
		switch key {
		case "":
		case "defaults":
			defaults = map[string]string{} // msmtprc(5): this command resets the earlier ones
			current = defaults
		case "account":
			name, bases, _ := strings.Cut(value, ":")
			name = strings.TrimSpace(name)
			settings := map[string]string{}
			for base := range strings.SplitSeq(bases, ",") {
				if other := byName[strings.TrimSpace(base)]; other != nil {
					maps.Copy(settings, other.settings)
					if name == "default" {
						chosen = other.name
					}
				}
			}
			if bases == "" {
				maps.Copy(settings, defaults)
			}
			account := &msmtpAccount{name, settings}
			if name != "default" || bases == "" {
				accounts = append(accounts, account)
			}
			byName[name], current = account, settings
		default:
			current[key] = value
		}
	}
	if len(accounts) == 0 && defaults["host"] != "" {
		accounts = append(accounts, &msmtpAccount{"default", defaults})
	}
	var out []Account
	for _, account := range accounts {
		if account.settings["host"] != "" {
			a := account.read()
			a.Default = account.name == chosen || account.name == "default"
			out = append(out, a)
		}
	}
	return out, nil
}

// msmtpLine is one line: spaces at the ends go, # begins a comment only at the start, and the argument loses one pair
// of double quotes.
func msmtpLine(line string) (key, value string) {
	line = strings.Trim(line, " \t\r\n")
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	value = strings.TrimLeft(line[end:], " \t")
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	return line[:end], value
}

func (m *msmtpAccount) read() Account {
	a := Account{Name: m.name}
	s := &a.Submission
	var rest []string
	on := map[string]bool{"tls": false, "tls_starttls": true, "tls_certcheck": true} // the program's own defaults
	for _, key := range sortedKeys(m.settings) {
		value := m.settings[key]
		switch key {
		case "host":
			s.Host = value
		case "port":
			s.Port = portOf(value)
		case "user":
			s.Username = value
		case "domain":
			s.Helo = value
		case "from":
			a.From.Address = value
		case "from_full_name":
			a.From.Name = value
		case "auth":
			a.mechanism(value)
		case "password":
			a.Secret = secret.New(value)
		case "passwordeval":
			a.Command = value
		case "tls_trust_file":
			if value != "system" && value != "/etc/ssl/certs/ca-certificates.crt" {
				a.CAFile = value
			}
		case "tls", "tls_starttls", "tls_certcheck":
			on[key] = value != "off" // on is also what a setting without an argument means
		default:
			rest = append(rest, key)
		}
	}
	s.Security = protection(on["tls"] && !on["tls_starttls"], on["tls"])
	if _, given := m.settings["auth"]; !given && s.Username == "" {
		s.Auth = config.MechanismNone
	}
	port := 25
	if s.Security == config.SecurityTLS {
		port = config.PortSubmissions
	}
	a.settle(port)
	if !on["tls_certcheck"] {
		a.note("certificate", "name", safetext.FromRemote("tls_certcheck"))
	}
	a.ignored(rest)
	return a
}
