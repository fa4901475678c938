package importer

import (
	"net/url"
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

// readEvolution reads a source file of Evolution. An account is three of them in one folder: that of the identity names
// its transport, and the account with the mailbox, which names the identity. Whichever is given, the others are read
// too; that of a transport needs no other.
func readEvolution(source Source) ([]Account, error) {
	own := readSections(string(source.Data))
	identity, mailbox := own, sections(nil)
	var err error
	if uid := own["Mail Account"]["IdentityUid"]; uid != "" {
		if identity, err = evolutionSource(source, uid); err != nil {
			return nil, err
		}
		mailbox = own
	} else if uid := own["Data Source"]["Parent"]; uid != "" {
		mailbox, _ = evolutionSource(source, uid) // without it only the Sent folder is missing
	}
	transport := identity
	if uid := identity["Mail Submission"]["TransportUid"]; uid != "" {
		if transport, err = evolutionSource(source, uid); err != nil {
			return nil, err
		}
	}
	sends := transport["Mail Transport"]["BackendName"] == "smtp" && transport["Authentication"]["Host"] != ""
	if !sends || own["Data Source"]["Enabled"] == "false" {
		return nil, nil
	}
	who := identity["Mail Identity"]
	a := Account{
		Name: identity["Data Source"]["DisplayName"], From: config.Address{Name: who["Name"], Address: who["Address"]},
		ReplyTo: who["ReplyTo"], Submission: evolutionServer(transport),
	}
	a.mechanism(evolutionMechanism(transport["Authentication"]["Method"]))
	if strings.HasPrefix(mailbox["Mail Account"]["BackendName"], "imap") && mailbox["Authentication"]["Host"] != "" {
		imap := evolutionServer(mailbox)
		a.IMAP = &imap
		a.SentFolder = evolutionFolder(identity["Mail Submission"])
	}
	a.desktop()
	return []Account{a}, nil
}

// evolutionFolder is the folder of folder://ACCOUNT/FOLDER; one of "local" is on this machine.
func evolutionFolder(submission map[string]string) string {
	rest, isLink := strings.CutPrefix(submission["SentFolder"], "folder://")
	account, folder, found := strings.Cut(rest, "/")
	folder, err := url.PathUnescape(folder)
	if !isLink || !found || account == "local" || submission["UseSentFolder"] == "false" || err != nil {
		return ""
	}
	return folder
}

// evolutionSource reads the source file with this identifier.
func evolutionSource(source Source, uid string) (sections, error) {
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
	case "oauth2", "google", "outlook": // words of sources that GNOME's online accounts or older versions wrote
		return string(config.MechanismXOAuth2)
	}
	return word
}
