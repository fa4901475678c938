// Package export writes a profile in the formats of other programs.
//
// A format is one file of this package and one row in formats; most are a template of the file that they write. All
// formats follow these rules: a secret is named by reference, and written only if the format has no other way and the
// person has asked for it; NUL and line breaks are refused; a value that the format cannot hold is refused rather than
// changed; every artifact has mode 0600.
package export

import (
	"cmp"
	"fmt"
	"io/fs"
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
	// InlineSecret is written by formats that have no other way, if the person has asked for it. If it is empty, the
	// secret is named by reference.
	InlineSecret secret.Value
	// Authority is what the profile's tls.ca_file holds, in PEM form. Formats that name the file do not need it.
	Authority []byte
}

// secretUse is how a format carries the secret.
type secretUse int

const (
	byReference secretUse = iota // always by reference
	inlineToo                    // by reference; the value itself when asked for
	inlineOnly                   // the value itself or nothing
	asksItself                   // never: the program asks the person
)

// carry are the settings that not every format has a place for.
type carry uint

const (
	carriesReplyTo carry = 1 << iota
	carriesFromName
	carriesSentCopy
	carriesCAFile
	carriesHelo
	carriesMechanism
	carriesEverything carry = 1<<iota - 1
)

// optionalTLS is for programs that use STARTTLS where the server offers it, and have no setting to insist on it.
type optionalTLS int

const (
	never           optionalTLS = iota // it insists
	withoutPassword                    // only signing in fails without encryption
	always
)

// Format is one other program's format.
type Format struct {
	// Name is the word on the command line.
	Name string
	// Summary says whose format it is.
	Summary locale.Text

	secret  secretUse
	carries carry
	// token is true when the format can sign in with an OAuth token that changes.
	token bool
	// holdsAuthority is true when the file has the certificates of the profile's own authority in it.
	holdsAuthority bool
	// trust is the note that says how the program comes to trust an authority, where its format has no place for one.
	trust string
	// optionalTLS says when the program goes on without encryption if STARTTLS fails.
	optionalTLS optionalTLS
	write       func(source) ([]Artifact, error)
}

// TakesInlineSecret reports whether Options.InlineSecret may be set, and whether it must be.
func (f Format) TakesInlineSecret() (may, must bool) {
	return f.secret == inlineToo || f.secret == inlineOnly, f.secret == inlineOnly
}

// HoldsAuthority reports whether Options.Authority is needed for a profile that has an authority of its own.
func (f Format) HoldsAuthority() bool { return f.holdsAuthority }

// formats is the list of `export --list`; each row lives in the file of its name.
var formats = []Format{
	jsonFormat, envFormat, msmtpFormat,
	postfixFormat, eximFormat, opensmtpdFormat,
	muttFormat, neomuttFormat, aercFormat, himalayaFormat, gitFormat, thunderbirdFormat, appleFormat,
	phpFormat, symfonyFormat, laravelFormat, wordpressFormat, nextcloudFormat,
	ghostFormat, matomoFormat, dolibarrFormat, odooFormat,
	djangoFormat, springFormat, nodemailerFormat, railsFormat, discourseFormat, dotnetFormat, goFormat,
	giteaFormat, gitlabFormat, mattermostFormat, grafanaFormat, keycloakFormat, vaultwardenFormat, homeAssistantFormat,
	dockerFormat, kubernetesFormat, systemdFormat,
}

// Formats lists the formats.
func Formats() []Format { return append([]Format(nil), formats...) }

// Find returns a format by its name.
func Find(name string) (Format, bool) {
	for _, f := range formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// source is what a format reads.
type source struct {
	format  string
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
	if f, known := Find(format); known {
		return f.export(source{f.Name, name, p, options})
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return nil, &Error{
		format, "",
		locale.Msg("config.enum", "value", safetext.FromRemote(format), "words", strings.Join(names, ", ")),
	}
}

// export applies the rules of all formats, and says where the files go and what they leave out.
func (f Format) export(s source) ([]Artifact, error) {
	for _, value := range []string{s.options.Program, s.options.Config, s.options.InlineSecret.Reveal()} {
		if strings.ContainsAny(value, "\x00\r\n") {
			return nil, s.refuse("", "config.control")
		}
	}
	may, must := f.TakesInlineSecret()
	inline := !s.options.InlineSecret.Empty()
	switch {
	case inline && !may:
		return nil, s.refuse("", "config.export.no_inline")
	case s.hasPassword() && s.token() && !f.token:
		return nil, s.refuse("submission.auth", "config.export.token")
	case s.hasPassword() && must && !inline:
		return nil, s.refuse("credential", "config.export.inline_only")
	}
	artifacts, err := f.write(s)
	if err != nil {
		return nil, err
	}
	for i := range artifacts {
		artifacts[i].Mode = ownerOnly
	}
	first := &artifacts[0]
	put := locale.Msg("config.export.put."+f.Name, "path", first.Path, "name", s.name)
	first.Notes = append(append([]locale.Text{put}, first.Notes...), s.leftOut(f)...)
	return artifacts, nil
}

// refuse is the error with a sentence that names the format.
func (s source) refuse(field, key string, args ...any) error {
	return &Error{s.format, field, locale.Msg(key, append([]any{"format", s.format}, args...)...)}
}

// cannotHold refuses a value that the format has no way to write.
func (s source) cannotHold(field string) error {
	return s.refuse(field, "config.export.value", "field", field)
}

const ownerOnly fs.FileMode = 0o600

// security replaces auto for the submission server, because other programs do not try several ways.
func (s source) security() config.Security { return s.profile.Submission.Settled() }

// hasPassword reports whether signing in needs a secret.
func (s source) hasPassword() bool { return s.profile.Submission.Auth != config.MechanismNone }

// token reports whether the secret is an OAuth access token, which changes every hour.
func (s source) token() bool {
	return s.profile.Credential.Kind == config.CredentialOAuth || s.profile.Submission.Auth.TakesToken()
}

// leftOut notes the settings that another program's format has no place for.
func (s source) leftOut(f Format) []locale.Text {
	p := s.profile
	if f.carries == carriesEverything {
		return nil
	}
	var notes []locale.Text
	add := func(present bool, key string) {
		if present {
			notes = append(notes, locale.Msg("config.export.left_out."+key, "format", s.format))
		}
	}
	lacks := func(c carry) bool { return f.carries&c == 0 }
	optional := f.optionalTLS == always || f.optionalTLS == withoutPassword && !s.hasPassword()
	add(optional && s.security() == config.SecurityStartTLS, "starttls")
	add(len(p.BCC) > 0, "bcc")
	add(p.SentCopy.Mode == config.SentAppend && lacks(carriesSentCopy), "sent_copy")
	add(p.Limits != config.Limits{}, "limits")
	add(p.TestMode.Enabled, "test_mode")
	add(len(p.TLS.PinSHA256) > 0, "pins")
	add(p.ReplyTo != "" && lacks(carriesReplyTo), "reply_to")
	add(p.From.Name != "" && lacks(carriesFromName), "from_name")
	if s.ownRoots() != "" && lacks(carriesCAFile) {
		notes = append(notes, s.trustNote(cmp.Or(f.trust, "ca_file")))
	}
	add(p.Submission.Helo != "" && lacks(carriesHelo), "helo")
	add(s.mechanism() != "" && s.hasPassword() && lacks(carriesMechanism), "mechanism")
	return notes
}

// trustNote says how a program comes to trust the profile's own authority.
func (s source) trustNote(key string) locale.Text {
	return locale.Msg("config.export.left_out."+key, "format", s.format, "path", safetext.FromRemote(s.ownRoots()))
}
