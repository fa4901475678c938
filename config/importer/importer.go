// Package importer reads the accounts that other programs' configuration files describe.
//
// A format is one file of this package and one row in formats. All formats follow these rules: no command is run; only
// the named file and the password files that it names are opened; a password found there becomes a secret.Value at
// once; a setting that is not understood is reported, never guessed; a connection without encryption is not imported.
package importer

import (
	"errors"
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// Account is one way to send that a file describes. Fields that the file does not mention are zero.
type Account struct {
	// Name is the account's own name there.
	Name string
	// Default is true for the one that the file uses when none is named.
	Default    bool
	Submission config.Server
	IMAP       *config.Server
	From       config.Address
	ReplyTo    string
	SentFolder string
	Batch      config.Batch
	CAFile     string

	// The secret, as the file has it: its value, a file that holds it, or a command line for a shell that prints it.
	Secret     secret.Value
	SecretFile string
	Command    string

	// Notes name the settings that were not imported.
	Notes []locale.Text
}

// Source is a file to read.
type Source struct {
	Path string
	Data []byte
	// Open reads another file that this one names; nil where none may be read.
	Open func(path string) ([]byte, error)
}

// Format is one program's format.
type Format struct {
	// Name is the word on the command line.
	Name string
	// Summary says whose file it is.
	Summary locale.Text
	// mine reports whether a file looks like this format.
	mine func(text string) bool
	read func(Source) ([]Account, error)
}

// looksLike is a test of a file's text by an expression.
func looksLike(expression string) func(text string) bool {
	compiled := pattern.Of(expression)
	return func(text string) bool { return compiled().MatchString(text) }
}

// formats is also the order in which auto asks them: the surest marks first.
var formats = []Format{
	thunderbirdFormat, k9Format, appleFormat, autodiscoverFormat, autoconfigFormat, evolutionFormat, clawsFormat,
	wordpressFormat, aercFormat, muttFormat, postfixFormat, ssmtpFormat, msmtpFormat, portFormat,
}

// Auto lets Read find out the format.
const Auto = "auto"

// Error says why a file cannot be imported. It never contains a secret.
type Error struct {
	Format string
	// Account is the account with the fault, or "" if the fault is in the file itself.
	Account string
	// Field is the setting with the fault, named like its flag of setup, or "".
	Field  string
	Reason locale.Text
}

// Error has the English sentence.
func (e *Error) Error() string {
	return fmt.Sprintf("import %s %s %s: %s", safetext.Escape(e.Format), safetext.Escape(e.Account), e.Field,
		locale.For(locale.English).Say(e.Reason))
}

// Text is the sentence.
func (e *Error) Text() locale.Text { return e.Reason }

// ErrFormat is inside the error of Read for a format that does not exist.
var ErrFormat = errors.New("no such format")

// Unwrap gives ErrFormat where the format does not exist.
func (e *Error) Unwrap() error {
	if e.Reason.Key == "importer.error.format" {
		return ErrFormat
	}
	return nil
}

// Read returns the accounts of a file, at least one, and the format that it is in. The error is an *Error.
func Read(format string, source Source) (string, []Account, error) {
	text := string(source.Data)
	for _, f := range formats {
		if f.Name != format && (format != Auto || !f.mine(text)) {
			continue
		}
		accounts, err := f.read(source)
		if err == nil && len(accounts) == 0 {
			err = &Error{
				Format: f.Name,
				Reason: locale.Msg("importer.error.none", "path", safetext.FromRemote(source.Path)),
			}
		}
		if err == nil {
			accounts, err = usable(f.Name, accounts)
		}
		if err != nil {
			return f.Name, nil, err
		}
		return f.Name, accounts, nil
	}
	names := []string{Auto}
	for _, f := range formats {
		names = append(names, f.Name)
	}
	key := "importer.error.format"
	if format == Auto {
		key = "importer.error.unknown"
	}
	return "", nil, &Error{Format: format, Reason: locale.Msg(key,
		"format", safetext.FromRemote(format), "path", safetext.FromRemote(source.Path), "words", strings.Join(names, ", "))}
}

// usable checks the accounts. One without which nothing can be sent is left out, with a note on the others; where it is
// the only one, or the one that the file uses, that is the error.
func usable(format string, accounts []Account) ([]Account, error) {
	var kept []Account
	var lost []string
	var first error
	for _, a := range accounts {
		switch err := a.check(format); {
		case err == nil:
			kept = append(kept, a)
			continue
		case a.Default:
			return nil, err
		case first == nil:
			first = err
		}
		lost = append(lost, a.Name)
	}
	if len(kept) == 0 {
		return nil, first
	}
	for i := range kept {
		if len(lost) > 0 {
			kept[i].note("unusable", "names", safetext.FromRemote(strings.Join(lost, ", ")))
		}
	}
	return kept, nil
}

// check applies the rules of the configuration to what was read, so that no line break or control character gets
// further. Of a setting that breaks them only the note remains, apart from the server and the password, which nothing
// can stand in for.
func (a *Account) check(format string) error {
	fault := func(field string, text locale.Text) error {
		return &Error{Format: format, Account: a.Name, Field: field, Reason: text}
	}
	if text := config.ValidateHost(a.Submission.Host); !text.Empty() && a.Submission.Host != "" {
		return fault("smtp-host", text)
	}
	if strings.ContainsAny(a.Secret.Reveal(), "\x00\r\n") {
		return fault("password", locale.Msg("config.control"))
	}
	var lost []string
	if !config.ValidatePort(a.Submission.Port).Empty() {
		lost = append(lost, "smtp-port")
		a.Submission.Port = config.PortSubmission
		if a.Submission.Security == config.SecurityTLS {
			a.Submission.Port = config.PortSubmissions
		}
	}
	if a.IMAP != nil && !config.ValidateHost(a.IMAP.Host).Empty() {
		lost, a.IMAP, a.SentFolder = append(lost, "imap-host"), nil, ""
	}
	cleared, err := a.clear(fault)
	if err != nil {
		return err
	}
	lost = append(lost, cleared...)
	if a.From.Address == "" && config.ValidateAddress(a.Submission.Username).Empty() {
		a.From.Address = a.Submission.Username
	}
	if len(lost) > 0 {
		a.note("unusable", "names", safetext.FromRemote(strings.Join(lost, ", ")))
	}
	return nil
}

// clear empties the settings that break the rules of the configuration, and returns their names. A control character is
// no slip of a person and remains an error.
func (a *Account) clear(fault func(string, locale.Text) error) ([]string, error) {
	type field struct {
		name     string
		value    *string
		validate func(string) locale.Text
	}
	fields := []field{
		{"user", &a.Submission.Username, config.ValidateUsername},
		{"helo", &a.Submission.Helo, config.ValidateHelo},
		{"from", &a.From.Address, config.ValidateAddress},
		{"from-name", &a.From.Name, config.ValidateText},
		{"reply-to", &a.ReplyTo, config.ValidateAddress},
		{"sent-folder", &a.SentFolder, config.ValidateFolder},
	}
	var lost []string
	if imap := a.IMAP; imap != nil {
		fields = append(fields, field{"imap-user", &imap.Username, config.ValidateUsername})
		if !config.ValidatePort(imap.Port).Empty() {
			lost, imap.Port = append(lost, "imap-port"), config.PortIMAP
			if imap.Security == config.SecurityTLS {
				imap.Port = config.PortIMAPS
			}
		}
	}
	for _, f := range fields {
		if *f.value == "" {
			continue
		}
		switch text := f.validate(*f.value); {
		case text.Empty():
		case text.Key == "config.control":
			return nil, fault(f.name, text)
		default:
			lost, *f.value = append(lost, f.name), ""
		}
	}
	return lost, nil
}

func (a *Account) note(key string, args ...any) {
	a.Notes = append(a.Notes, locale.Msg("importer.note."+key, args...))
}

// settle fills in what the file leaves open: the port and the security. It allows cleartext only to this machine
// itself.
func (a *Account) settle(port int) {
	s := &a.Submission
	if s.Port == 0 {
		s.Port = port
	}
	if s.Security == "" {
		s.Security = config.SecurityAuto
	}
	if s.Cleartext() {
		s.Security = config.SecurityAuto
		a.note("cleartext")
	}
	if a.From.Address == "" && config.ValidateAddress(s.Username).Empty() {
		a.From.Address = s.Username
	}
}

// mechanism reads the name of a mechanism as programs write it: "cram-md5", "CRAM_MD5", "login".
func (a *Account) mechanism(word string) {
	word = strings.ToLower(strings.ReplaceAll(word, "_", "-"))
	switch word {
	case "", "on", "auto":
		return
	case "off", "none":
		a.Submission.Auth = config.MechanismNone
		return
	}
	for _, m := range config.Mechanisms() {
		if string(m) == word {
			a.Submission.Auth = m
			return
		}
	}
	a.note("mechanism", "value", safetext.FromRemote(word))
}
