package importer

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var muttFormat = Format{
	Name: "mutt", Summary: locale.Msg("importer.format.mutt"), read: readMutt,
	mine: looksLike(`(?m)^\s*set\s+.*\bsmtp_url\s*=`),
}

// readMutt reads a muttrc(5) or neomuttrc. Commands between back quotes are not run.
func readMutt(source Source) ([]Account, error) {
	settings := map[string]string{}
	var sourced []string
	for line := range strings.Lines(string(source.Data)) {
		words := muttWords(strings.TrimSpace(line))
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "set":
			muttSet(settings, words[1:])
		case "source":
			sourced = append(sourced, words[1:]...)
		case "my_hdr":
			header := strings.Join(words[1:], " ")
			if value, found := strings.CutPrefix(header, "Reply-To:"); found {
				settings["reply-to"] = mailbox(value).Address
			}
		}
	}
	if settings["smtp_url"] == "" {
		return nil, nil
	}
	a, err := muttAccount(settings)
	if len(sourced) > 0 {
		a.note("sourced", "names", safetext.FromRemote(strings.Join(sourced, ", ")))
	}
	return []Account{a}, err
}

// muttSet reads name=value and name = value; a bare name is yes, with no in front it is no.
func muttSet(settings map[string]string, words []string) {
	for i := 0; i < len(words); i++ {
		key, value, found := strings.Cut(words[i], "=")
		switch {
		case found && value != "":
		case found && i+1 < len(words): // name= value, name = value
			i++
			value = words[i]
		case i+2 < len(words) && words[i+1] == "=":
			value, i = words[i+2], i+2
		case i+1 < len(words) && strings.HasPrefix(words[i+1], "="):
			value, i = words[i+1][1:], i+1
		case strings.HasPrefix(key, "no"):
			key, value = key[2:], "no"
		default:
			value = "yes"
		}
		settings[key] = value
	}
}

// muttWords parts a line: "…" with backslash escapes, '…' as it is, # begins a comment, ; another command, which is not
// looked at. A command between back quotes keeps them.
func muttWords(line string) []string {
	var words []string
	var b strings.Builder
	var quote byte
	inside, ticks := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '`' && quote != '\'':
			ticks = !ticks
			b.WriteByte(c)
			inside = true
		case ticks:
			b.WriteByte(c)
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
			inside = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inside = c, true
		case c == '#' || c == ';':
			i = len(line)
		case c == ' ' || c == '\t':
			if inside || b.Len() > 0 {
				words = append(words, b.String())
			}
			b.Reset()
			inside = false
		default:
			b.WriteByte(c)
		}
	}
	if inside || b.Len() > 0 {
		words = append(words, b.String())
	}
	return words
}

func muttAccount(settings map[string]string) (Account, error) {
	a := Account{}
	_, _, server, password, _, ok := mailURL(settings["smtp_url"])
	if !ok {
		return a, &Error{Format: "mutt", Reason: locale.Msg("importer.error.url", "name", "smtp_url")}
	}
	a.Submission, a.Secret = server, password
	switch pass := settings["smtp_pass"]; {
	case len(pass) > 2 && pass[0] == '`' && pass[len(pass)-1] == '`':
		a.Command = pass[1 : len(pass)-1]
	case strings.Contains(pass, "`"):
		a.note("password")
	case pass != "":
		a.Secret = secret.New(pass)
	}
	if words := strings.Split(settings["smtp_authenticators"], ":"); len(words) == 1 {
		a.mechanism(words[0])
	}
	a.From = mailbox(settings["from"])
	if name := settings["realname"]; name != "" {
		a.From.Name = name
	}
	a.ReplyTo = settings["reply-to"]
	if file := settings["ssl_ca_certificates_file"]; file != "" {
		a.CAFile = file
	}
	muttMailbox(&a, settings)
	a.settle(config.PortSubmission)
	return a, nil
}

// muttMailbox reads the server of the Sent copy. A folder is a URL, or + or = and a name below $folder.
func muttMailbox(a *Account, settings map[string]string) {
	folder := settings["folder"]
	record := settings["record"]
	if strings.HasPrefix(record, "+") || strings.HasPrefix(record, "=") {
		record = strings.TrimSuffix(folder, "/") + "/" + record[1:]
	}
	for _, text := range []string{record, folder, settings["spoolfile"]} {
		imap, path := imapURL(text)
		if imap == nil {
			continue
		}
		if imap.Username == "" {
			imap.Username = settings["imap_user"]
		}
		if text == record {
			a.SentFolder = path
		}
		a.IMAP = imap
		return
	}
}
