package importer

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

var aercFormat = Format{
	Name: "aerc", Summary: locale.Msg("importer.format.aerc"), read: readAerc,
	mine: looksLike(`(?m)^\s*(outgoing|source)\s*=\s*\S`),
}

// readAerc reads an accounts.conf of aerc-accounts(5).
func readAerc(source Source) ([]Account, error) {
	var accounts []Account
	var first error
	for _, section := range goINI(string(source.Data)) {
		if section.values["outgoing"] == "" {
			continue
		}
		a, err := readAercAccount(section)
		if err == nil {
			accounts = append(accounts, a)
		} else if first == nil {
			first = err
		}
	}
	if len(accounts) > 0 {
		return accounts, nil // an account that sends in another way costs only itself
	}
	return nil, first
}

func readAercAccount(section iniSection) (Account, error) {
	a := Account{Name: section.name}
	get := func(key string) string { return section.values[key] }
	scheme, mechanism, server, password, _, ok := mailURL(get("outgoing"))
	if !ok {
		return a, &Error{
			Format: "aerc", Account: a.Name,
			Reason: locale.Msg("importer.error.sendmail", "account", safetext.FromRemote(a.Name)),
		}
	}
	a.Submission, a.Secret, a.Command = server, password, get("outgoing-cred-cmd")
	startTLS, _ := truth(get("smtp-starttls"))
	switch {
	case scheme == "smtps", startTLS: // as mailURL says
	case mechanism == "insecure":
		a.Submission.Security, mechanism = config.SecurityNone, ""
	default: // cleartext before version 0.15, STARTTLS since
		a.Submission.Security = config.SecurityAuto
	}
	a.mechanism(mechanism)
	a.From = mailbox(get("from"))
	if a.IMAP, _ = imapURL(get("source")); a.IMAP != nil {
		a.SentFolder = get("copy-to")
	}
	a.settle(config.PortSubmission)
	return a, nil
}

type iniSection struct {
	name   string
	values map[string]string
}

// goINI reads an INI file as the library go-ini does: values between back quotes or three double quotes are taken as
// they are; otherwise a comment begins at " #" or " ;", and one pair of quotes goes.
func goINI(text string) []iniSection { return iniOf(text, iniValue) }

// iniOf reads sections; value reads what stands behind the equals sign.
func iniOf(text string, value func(string) string) []iniSection {
	var sections []iniSection
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			name, _, _ := strings.Cut(line[1:], "]")
			sections = append(sections, iniSection{name, map[string]string{}})
		case len(sections) > 0:
			key, text, found := strings.Cut(line, "=")
			if found {
				sections[len(sections)-1].values[strings.TrimSpace(key)] = value(strings.TrimSpace(text))
			}
		}
	}
	return sections
}

func iniValue(value string) string {
	for _, mark := range []string{`"""`, "`"} {
		if inner, found := strings.CutPrefix(value, mark); found && strings.Contains(inner, mark) {
			return inner[:strings.LastIndex(inner, mark)]
		}
	}
	for _, mark := range []string{" #", " ;"} {
		if at := strings.Index(value, mark); at >= 0 {
			value = strings.TrimSpace(value[:at])
		}
	}
	for _, quote := range []string{`"`, "'"} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}
