package importer

import (
	"path/filepath"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var postfixFormat = Format{
	Name: "postfix", Summary: locale.Msg("importer.format.postfix"), read: readPostfix,
	mine: looksLike(
		`(?m)^(relayhost|smtp_sasl_password_maps|sender_dependent_relayhost_maps)[ \t]*=`),
}

// postfixDepth bounds how often a parameter may name another one.
const postfixDepth = 10

// postfix is a main.cf with the tables that it names.
type postfix struct {
	source     Source
	parameters map[string]string
	unread     []string // tables that could not be read
}

// readPostfix reads the relays of a main.cf: relayhost, and those by sender. Tables are read from their sources, since
// the compiled ones are databases.
func readPostfix(source Source) ([]Account, error) {
	p := &postfix{source: source, parameters: postfixParameters(string(source.Data))}
	passwords := p.table("smtp_sasl_password_maps")
	bySender := p.table("sender_dependent_relayhost_maps")
	var accounts []Account
	if relay := p.get("relayhost"); relay != "" {
		a := p.account(relay, passwords[relay])
		a.Name, a.Default = "relayhost", true
		accounts = append(accounts, a)
	}
	for _, sender := range sortedKeys(bySender) {
		if strings.HasPrefix(sender, "@") && len(accounts) > 0 && accounts[0].Submission.Host == relayHost(bySender[sender]) {
			continue // the same server for a whole domain
		}
		row, ok := passwords[sender]
		if !ok {
			row = passwords[bySender[sender]]
		}
		a := p.account(bySender[sender], row)
		a.Name = sender
		if config.ValidateAddress(sender).Empty() {
			a.From.Address = sender
		}
		accounts = append(accounts, a)
	}
	for i := range accounts {
		if len(p.unread) > 0 {
			accounts[i].note("table", "names", safetext.FromRemote(strings.Join(p.unread, ", ")))
		}
	}
	return accounts, nil
}

// postfixLines are the lines of main.cf and of its tables, as postconf(5) and postmap(1) say: a line that begins with a
// space continues the one before.
func postfixLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] != ' ' && line[0] != '\t':
			lines = append(lines, trimmed)
		case len(lines) > 0:
			lines[len(lines)-1] += " " + trimmed
		}
	}
	return lines
}

func postfixParameters(text string) map[string]string {
	parameters := map[string]string{}
	for _, line := range postfixLines(text) {
		key, value, _ := strings.Cut(line, "=")
		parameters[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return parameters
}

var postfixName = pattern.Of(`\$\$|\$\{?([A-Za-z0-9_]+)\}?`)

// get is the value of a parameter, with the parameters that it names filled in.
func (p *postfix) get(name string) string { return p.expand(p.parameters[name], 0) }

func (p *postfix) expand(text string, depth int) string {
	return postfixName().ReplaceAllStringFunc(text, func(match string) string {
		if match == "$$" {
			return "$"
		}
		name := postfixName().FindStringSubmatch(match)[1]
		value, known := p.parameters[name]
		if name == "config_directory" && !known {
			return filepath.Dir(p.source.Path)
		}
		if depth >= postfixDepth {
			return ""
		}
		return p.expand(value, depth+1)
	})
}

// table reads the tables of a parameter; the first one that has a key wins.
func (p *postfix) table(name string) map[string]string {
	rows := map[string]string{}
	for _, word := range strings.FieldsFunc(p.get(name), func(r rune) bool { return strings.ContainsRune(", \t", r) }) {
		kind, path, _ := strings.Cut(word, ":")
		switch kind {
		case "hash", "btree", "texthash", "lmdb", "cdb", "dbm":
		default:
			p.unread = append(p.unread, kind)
			continue
		}
		data, ok := p.open(path)
		if !ok {
			p.unread = append(p.unread, path)
			continue
		}
		for key, value := range postfixRows(string(data)) {
			if _, ok := rows[key]; !ok {
				rows[key] = value
			}
		}
	}
	return rows
}

// open reads a table where main.cf says, or next to main.cf when that was copied from another machine.
func (p *postfix) open(path string) ([]byte, bool) {
	if p.source.Open == nil {
		return nil, false
	}
	for _, place := range []string{path, filepath.Join(filepath.Dir(p.source.Path), filepath.Base(path))} {
		if data, err := p.source.Open(place); err == nil {
			return data, true
		}
	}
	return nil, false
}

func postfixRows(text string) map[string]string {
	rows := map[string]string{}
	for _, line := range postfixLines(text) {
		if end := strings.IndexAny(line, " \t"); end >= 0 {
			rows[strings.ToLower(line[:end])] = strings.TrimLeft(line[end:], " \t")
		}
	}
	return rows
}

// relayHost takes the brackets away, which only say that no MX record is looked up.
func relayHost(relay string) string {
	host, _ := hostPort(relay)
	return host
}

func (p *postfix) account(relay, row string) Account {
	a := Account{}
	s := &a.Submission
	if !strings.HasPrefix(relay, "[") {
		a.note("mx", "host", safetext.FromRemote(relay))
	}
	s.Host, s.Port = hostPort(relay)
	user, password, found := strings.Cut(row, ":")
	if found {
		s.Username, a.Secret = user, secret.New(password)
	} else if enabled, _ := truth(p.get("smtp_sasl_auth_enable")); !enabled {
		s.Auth = config.MechanismNone
	}
	if words := strings.Fields(p.get("smtp_sasl_mechanism_filter")); len(words) == 1 && !strings.HasPrefix(words[0], "!") {
		a.mechanism(words[0])
	}
	wrapped, _ := truth(p.get("smtp_tls_wrappermode"))
	level := p.get("smtp_tls_security_level")
	old, _ := truth(p.get("smtp_use_tls"))
	s.Security = protection(wrapped, old || level != "" && level != "none")
	s.Helo = p.get("smtp_helo_name")
	a.CAFile = p.get("smtp_tls_CAfile")
	if a.CAFile == "/etc/ssl/certs/ca-certificates.crt" {
		a.CAFile = ""
	}
	a.settle(config.PortSMTP)
	return a
}
