package importer

import (
	"strings"

	"postier/config"
)

// desktop fills in what the file of a mail program leaves open: the ports that belong to the form of TLS. Mail programs
// keep the password to themselves, which is said.
func (a *Account) desktop() {
	if imap := a.IMAP; imap != nil {
		if imap.Security == config.SecurityNone {
			imap.Security = config.SecurityAuto
		}
		if imap.Port == 0 {
			imap.Port = portFor(imap.Security, config.PortIMAPS, config.PortIMAP)
		}
	}
	a.settle(portFor(a.Submission.Security, config.PortSubmissions, config.PortSubmission))
	if a.Secret.Empty() {
		a.note("encrypted")
	}
}

func portFor(security config.Security, implicit, other int) int {
	if security == config.SecurityTLS {
		return implicit
	}
	return other
}

// sections are the parts of a key file by their names.
type sections map[string]map[string]string

// keyEscapes are those of a key file of GLib, where nothing behind a value is a comment.
var keyEscapes = strings.NewReplacer(`\s`, " ", `\n`, "\n", `\t`, "\t", `\r`, "\r", `\\`, `\`)

func readSections(text string) sections {
	s := sections{}
	for _, section := range iniOf(text, keyEscapes.Replace) {
		s[section.name] = section.values
	}
	return s
}
