package importer

import (
	"path/filepath"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

var evolutionFormat = Format{
	Name: "evolution", Summary: locale.Msg("importer.format.evolution"), read: readEvolution,
	mine: func(text string) bool { return strings.Contains(text, "[Data Source]") },
}

// readEvolution reads a source file of Evolution. That of an identity names the one of its transport, which is read
// from the same folder; that of a transport needs no other.
func readEvolution(source Source) ([]Account, error) {
	own := readSections(string(source.Data))
	a := Account{Name: own["Data Source"]["DisplayName"]}
	identity := own["Mail Identity"]
	a.From = config.Address{Name: identity["Name"], Address: identity["Address"]}
	a.ReplyTo = identity["ReplyTo"]
	transport := own
	if uid := own["Mail Submission"]["TransportUid"]; uid != "" {
		var err error
		if transport, err = readTransport(source, uid); err != nil {
			return nil, err
		}
	}
	if transport["Mail Transport"] == nil || transport["Authentication"]["Host"] == "" {
		return nil, nil
	}
	a.Submission = evolutionServer(transport)
	a.mechanism(evolutionMechanism(transport["Authentication"]["Method"]))
	a.desktop()
	return []Account{a}, nil
}

// readTransport reads the source file with this identifier.
func readTransport(source Source, uid string) (sections, error) {
	fault := func(reason string) error {
		return &Error{Format: "evolution", Reason: locale.Msg("importer.error.read",
			"path", safetext.FromRemote(uid), "error", safetext.FromRemote(reason))}
	}
	if source.Open == nil || uid != filepath.Base(uid) {
		return sections{}, fault("it is not in the same folder")
	}
	data, err := source.Open(filepath.Join(filepath.Dir(source.Path), uid+".source"))
	if err != nil {
		return sections{}, fault(err.Error())
	}
	return readSections(string(data)), nil
}

func evolutionServer(s sections) config.Server {
	sign := s["Authentication"]
	server := config.Server{Host: sign["Host"], Port: portOf(sign["Port"]), Username: sign["User"]}
	switch s["Security"]["Method"] {
	case "ssl-on-alternate-port":
		server.Security = config.SecurityTLS
	case "starttls-on-standard-port":
		server.Security = config.SecurityStartTLS
	case "none":
		server.Security = config.SecurityNone
	default:
		server.Security = config.SecurityAuto
	}
	return server
}

// evolutionMechanism leaves out the words that mean the usual one.
func evolutionMechanism(word string) string {
	switch strings.ToLower(word) {
	case "plain", "plain/password", "login", "password":
		return ""
	}
	return word
}
