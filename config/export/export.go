// Package export writes a profile in the formats of other programs.
//
// A format is one file of this package and one row in formats. The rules of all: a secret is named by reference, never
// written; NUL and line breaks are refused; a value that the format cannot hold is refused rather than bent; every artifact
// has mode 0600.
package export

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// Artifact is one file to write or to print.
type Artifact struct {
	// Path is a hint: the usual name of the file, relative.
	Path string
	// Mode is always 0600.
	Mode    fs.FileMode
	Content []byte
	// Notes say what the format cannot hold, and what to do with the file.
	Notes []locale.Text
}

// Options say where things are.
type Options struct {
	// Program is this program's absolute path.
	Program string
	// Config is the configuration's absolute path.
	Config string
	// DefaultConfig is true when Config is found without --config.
	DefaultConfig bool
	// InlineSecret is written by formats that can hold it, when the person has asked for that. Empty: by reference.
	InlineSecret secret.Value
}

// Format is one other program's format.
type Format struct {
	// Name is the word on the command line.
	Name string
	// Summary says whose format it is.
	Summary locale.Text
	write   func(source) ([]Artifact, error)
}

// formats is the list of `export --list`; each row lives in the file of its name.
var formats = []Format{jsonFormat, envFormat, msmtpFormat}

// Formats lists the formats.
func Formats() []Format { return append([]Format(nil), formats...) }

// source is what a format reads.
type source struct {
	name    string
	profile *config.Profile
	options Options
}

// Error says why a profile cannot be written in a format.
type Error struct {
	Format string
	// Field is the path in the profile, or "".
	Field  string
	Reason locale.Text
}

// Error has the English sentence.
func (e *Error) Error() string {
	return fmt.Sprintf("export %s %s: %s", safetext.Escape(e.Format), e.Field, locale.For(locale.English).Say(e.Reason))
}

// Text is the sentence.
func (e *Error) Text() locale.Text { return e.Reason }

// Export writes one profile. The profile must be valid: an invalid one is refused with *config.InvalidError.
func Export(format, name string, p *config.Profile, options Options) ([]Artifact, error) {
	if faults := config.ValidateProfile(p).Errors(); len(faults) > 0 {
		return nil, &config.InvalidError{Path: options.Config, Faults: faults}
	}
	if text := config.ValidateName(name); !text.Empty() {
		return nil, &Error{format, "", text}
	}
	for _, f := range formats {
		if f.Name == format {
			return f.write(source{name, p, options})
		}
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return nil, &Error{format, "", locale.Msg("config.enum", "value", safetext.FromRemote(format), "words", strings.Join(names, ", "))}
}

const ownerOnly fs.FileMode = 0o600

// absolute resolves a path of the configuration, which may be relative to its folder.
func (s source) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.options.Config), path)
}

// secretCommand is the argument list that prints the secret of the profile.
func (s source) secretCommand() []string {
	argv := []string{s.options.Program}
	if !s.options.DefaultConfig {
		argv = append(argv, "--config", s.options.Config)
	}
	return append(argv, "secret", "get", s.name)
}

// shellFree are the characters that no shell gives a meaning to, at least not inside a word that begins with another one.
const shellFree = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,@:"

// shellCommand joins an argument list for a program that runs it through a shell. It refuses what would need quoting: two
// layers of quotes, the other program's and the shell's, are one too many to trust.
func shellCommand(format string, argv []string) (string, error) {
	if !filepath.IsAbs(argv[0]) {
		return "", &Error{format, "", locale.Msg("config.export.program", "path", safetext.FromRemote(argv[0]))}
	}
	for _, word := range argv {
		if word == "" || strings.Trim(word, shellFree) != "" {
			return "", &Error{format, "", locale.Msg("config.export.path", "path", safetext.FromRemote(word))}
		}
	}
	return strings.Join(argv, " "), nil
}

// security settles auto: implicit TLS on port 465, STARTTLS elsewhere, never cleartext.
func (s source) security() config.Security {
	submission := s.profile.Submission
	switch {
	case submission.Security != config.SecurityAuto:
		return submission.Security
	case submission.Port == 465: // RFC 8314 §7.3
		return config.SecurityTLS
	default:
		return config.SecurityStartTLS
	}
}

// hasPassword reports whether signing in needs a secret.
func (s source) hasPassword() bool { return s.profile.Submission.Auth != config.MechanismNone }

// leftOut notes the settings that another program's format has no place for.
func (s source) leftOut(format string) []locale.Text {
	p := s.profile
	var notes []locale.Text
	add := func(present bool, key string) {
		if present {
			notes = append(notes, locale.Msg("config.export.left_out."+key, "format", format))
		}
	}
	add(len(p.BCC) > 0, "bcc")
	add(p.SentCopy.Mode == config.SentAppend, "sent_copy")
	add(p.Limits != config.Limits{}, "limits")
	add(p.TestMode.Enabled, "test_mode")
	add(len(p.TLS.PinSHA256) > 0, "pins")
	return notes
}
