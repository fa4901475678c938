package importer

import (
	"maps"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/secret"
)

var ssmtpFormat = Format{
	Name: "ssmtp", Summary: locale.Msg("importer.format.ssmtp"), read: readSSMTP,
	mine: looksLike(`(?mi)^\s*mailhub\s*=`),
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// readSSMTP reads an ssmtp.conf(5). There # begins a comment wherever it stands, even inside a password, and a value
// ends at the first space or =.
func readSSMTP(source Source) ([]Account, error) {
	a := Account{}
	s := &a.Submission
	var rest []string
	tls, startTLS := false, false
	for line := range strings.Lines(string(source.Data)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("= \t\r\n", r) })
		if len(words) < 2 {
			continue
		}
		key, value := words[0], words[1]
		switch strings.ToLower(key) {
		case "mailhub":
			s.Host, s.Port = hostPort(value)
		case "authuser":
			s.Username = value
		case "authpass":
			a.Secret = secret.New(value)
		case "authmethod":
			a.mechanism(value)
		case "usetls":
			tls, _ = truth(value)
		case "usestarttls":
			startTLS, _ = truth(value)
		case "root":
			if config.ValidateAddress(value).Empty() {
				a.From.Address = value
			}
		case "hostname":
			s.Helo = value
		case "tls_ca_file":
			a.CAFile = value
		case "fromlineoverride":
		default:
			rest = append(rest, key)
		}
	}
	if s.Host == "" {
		return nil, nil
	}
	s.Security = protection(tls && !startTLS, startTLS)
	if s.Username == "" {
		s.Auth = config.MechanismNone
	}
	port := 25 // ssmtp's own, with TLS as well
	a.settle(port)
	a.ignored(rest)
	return []Account{a}, nil
}
