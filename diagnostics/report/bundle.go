package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// Bundle is a report for support. It contains what is listed here and nothing else. It never holds a secret, a path to
// one, a command, or the environment.
type Bundle struct {
	Schema  int    `json:"schema"`
	Kind    string `json:"kind"`    // "support-bundle"
	Created string `json:"created"` // RFC 3339, UTC
	// Masked says that names, mail addresses and IP addresses were replaced.
	Masked   bool      `json:"masked"`
	System   System    `json:"system"`
	Settings *Settings `json:"settings,omitempty"`
	Report   Report    `json:"report"`

	info    Info
	results []diagnostics.Result
	mask    *Mask
	secrets []secret.Value
	users   []string
}

// System is where the program ran.
type System struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// Terminal is the value of TERM, Locale the language in use, Interactive whether it was used at a terminal.
	Terminal    string `json:"terminal"`
	Locale      string `json:"locale"`
	Interactive bool   `json:"interactive"`
}

// Settings are the parts of a profile that help support.
type Settings struct {
	Provider   string          `json:"provider,omitempty"`
	Enabled    bool            `json:"enabled"`
	Disabled   check.Cause     `json:"disabled_cause,omitempty"`
	Code       string          `json:"disabled_code,omitempty"` // of that cause
	From       safetext.Remote `json:"from"`
	Username   safetext.Remote `json:"username"`
	SMTP       Server          `json:"smtp"`
	IMAP       *Server         `json:"imap,omitempty"`
	SentMode   config.SentMode `json:"sent_copy"`
	SentFolder safetext.Remote `json:"sent_folder,omitzero"`
	// Credential is the kind and type of the secret, never where it is.
	Credential config.CredentialKind     `json:"credential"`
	SecretType config.SecretType         `json:"secret_type,omitempty"`
	Insecure   bool                      `json:"insecure"`
	Pins       int                       `json:"pins"`
	Limits     config.Limits             `json:"limits"`
	TestMode   bool                      `json:"test_mode"`
	Validated  string                    `json:"validated,omitempty"` // RFC 3339, UTC
	Checks     map[check.ID]check.Status `json:"validated_checks,omitempty"`
}

// SettingsOf copies from a profile what support may see.
func SettingsOf(p *config.Profile) *Settings {
	s := &Settings{
		Provider: p.Provider, Enabled: p.Enabled, From: safetext.FromRemote(p.From.Address),
		Username: safetext.FromRemote(p.Submission.Username),
		SMTP:     *server(p.Submission), SentMode: p.SentCopy.Mode, SentFolder: safetext.FromRemote(p.SentCopy.Folder),
		Credential: p.Credential.Kind, SecretType: p.Credential.Type, Insecure: p.Insecure, Pins: len(p.TLS.PinSHA256),
		Limits: p.Limits, TestMode: p.TestMode.Enabled,
	}
	if p.SentCopy.IMAP != nil {
		s.IMAP = server(*p.SentCopy.IMAP)
	}
	if p.Disabled != nil {
		s.Disabled, s.Code = p.Disabled.Cause, explain.Code(p.Disabled.Cause)
	}
	if p.Validated != nil {
		s.Validated, s.Checks = p.Validated.At.UTC().Format(time.RFC3339), p.Validated.Checks
	}
	return s
}

// NewBundle makes a bundle, always with the transcript. A nil mask leaves names and addresses as they are. The secret
// is replaced in whatever is not the program's own text.
func NewBundle(info Info, results []diagnostics.Result, system System, settings *Settings, mask *Mask) Bundle {
	info.Transcript, info.Verbose = true, true
	users := []string{info.Target.Submission.Username, info.Target.Address}
	results = rewritten(results, func(text string) string { return info.Target.Secret.Redact(text, users...) })
	return Bundle{
		Schema: Schema, Kind: "support-bundle", Created: info.Started.UTC().Format(time.RFC3339), Masked: mask != nil,
		System: system, Settings: settings,
		Report: Build(info, results), info: info, results: results, mask: mask,
		secrets: []secret.Value{info.Target.Secret}, users: users,
	}
}

// Format is the form of a bundle.
type Format string

// The formats.
const (
	Markdown Format = "md"
	HTML     Format = "html"
	JSONFile Format = "json"
)

// Formats are all of them.
func Formats() []Format { return []Format{Markdown, HTML, JSONFile} }

// ErrFormat says that a format is not known.
var ErrFormat = errors.New("unknown report format")

// Render writes the bundle in one format, unless the secret stands in the result.
func (b Bundle) Render(format Format) ([]byte, error) {
	out, err := b.write(format)
	if err != nil {
		return nil, err
	}
	if err := b.inspect(string(out), format); err != nil {
		return nil, err
	}
	return out, nil
}

func (b Bundle) write(format Format) ([]byte, error) {
	switch format {
	case Markdown:
		return b.markdown(), nil
	case HTML:
		return b.html(), nil
	case JSONFile:
		return b.json()
	}
	return nil, fmt.Errorf("%w: %q", ErrFormat, format)
}

var jsonString = pattern.Of(`"(?:[^"\\]|\\.)*"`)

// json masks the finished text, in which every value is a string literal, whatever its type was.
func (b Bundle) json() ([]byte, error) {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, err
	}
	if b.mask != nil {
		data = jsonString().ReplaceAllFunc(data, func(literal []byte) []byte {
			var text string
			if json.Unmarshal(literal, &text) != nil {
				return literal
			}
			if masked := b.mask.Text(text); masked != text {
				return safetext.EscapeJSON(masked)
			}
			return literal
		})
	}
	return append(data, '\n'), nil
}

// section is a part of the readable formats: a heading in our own words, pairs of name and value, and preformatted
// lines.
type section struct {
	title string
	pairs [][2]string
	lines []string
}

// sections returns the bundle in the user's language, masked and escaped.
func (b Bundle) sections() []section {
	c := locale.For(b.info.Lang)
	list := []section{{title: c.T("diagnose.bundle.about"), pairs: b.about()}}
	if b.Settings != nil {
		list = append(list, section{title: c.T("diagnose.bundle.settings"), pairs: b.settings()})
	}
	list = append(list, section{
		title: c.T("diagnose.bundle.result"),
		lines: append(Closing(b.info, b.results), PortLines(b.info)...),
	})
	for _, r := range b.results {
		title := fmt.Sprintf("%s %s (%s)", Word(b.info.Lang, r.Status), Name(b.info.Lang, r.ID), r.ID)
		if step := b.info.step(r.ID); step > 0 {
			title = c.T("diagnose.bundle.step", "n", step) + ": " + title
		}
		list = append(list, section{title: title, lines: Lines(b.info, r)})
	}
	if b.mask == nil {
		return list
	}
	for i := range list {
		for j, pair := range list[i].pairs {
			list[i].pairs[j][1] = b.mask.Text(pair[1])
		}
		for j, line := range list[i].lines {
			list[i].lines[j] = b.mask.Text(line)
		}
	}
	return list
}

func (b Bundle) about() [][2]string {
	return [][2]string{
		{"version", b.Report.Tool.Name + " " + b.Report.Tool.Version},
		{"created", b.Created},
		{"system", b.System.OS + "/" + b.System.Arch},
		{"terminal", safetext.Escape(b.System.Terminal)},
		{"locale", safetext.Escape(b.System.Locale)},
		{"interactive", fmt.Sprint(b.System.Interactive)},
		{"masked", fmt.Sprint(b.Masked)},
	}
}

// settings lists the members of Settings by their JSON names, so that both formats say the same.
func (b Bundle) settings() [][2]string {
	data, err := json.Marshal(b.Settings)
	if err != nil {
		return nil
	}
	var pairs [][2]string
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	if _, err := decoder.Token(); err != nil {
		return nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return pairs
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return pairs
		}
		text := string(value)
		var plain string
		if json.Unmarshal(value, &plain) == nil {
			text = plain
		}
		pairs = append(pairs, [2]string{fmt.Sprint(name), safetext.Escape(text)})
	}
	return pairs
}
