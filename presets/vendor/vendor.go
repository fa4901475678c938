// Package vendor reads the file in which a product that ships postier sets its name, support contact, providers, OAuth
// clients, fallback profile, defaults and TLS policy.
//
// The file is what POSTIER_VENDOR names, or /etc/postier/vendor.json, or /usr/share/postier/vendor.json. It belongs to
// root or to the user, and no one else may change it; everyone may read it, because it holds no secret: credentials in
// it are references, and inline ones are refused. The package is part of presets, and not of config, because the file
// adds providers.
package vendor

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/presets"
)

// SystemPath is the file's path unless POSTIER_VENDOR names another. SharedPath is where it is looked for next: the
// folder of SystemPath may be that of the machine's service, which no other user can enter.
var (
	SystemPath = filepath.Join(filepath.Dir(config.SystemPath), "vendor.json")
	SharedPath = "/usr/share/postier/vendor.json"
)

// Version of the file format.
const Version = 1

// File is the whole file. Every part may be left out.
type File struct {
	Schema  string  `json:"$schema,omitempty"`
	Version int     `json:"version"`
	Product Product `json:"product,omitzero"`
	Support Support `json:"support,omitzero"`
	// Providers are the vendor's own; they win over built-in ones by id, by domain and by MX.
	Providers []*presets.Provider `json:"providers,omitempty"`
	// Hidden are ids of providers that are not offered.
	Hidden []string `json:"hidden,omitempty"`
	// OAuth holds the vendor's clients by the provider's OAuth name (microsoft, google, …).
	OAuth map[string]OAuthClient `json:"oauth,omitempty"`
	// Fallback is a profile of the platform, for customers who have no mailbox that can send.
	Fallback *Fallback `json:"fallback,omitempty"`
	Defaults Defaults  `json:"defaults,omitzero"`
	TLS      TLS       `json:"tls,omitzero"`
}

// Product is the program on whose behalf postier runs.
type Product struct {
	Name string `json:"name,omitempty"`
	// Label is what the person types as the name of an app password; empty means the name.
	Label string `json:"label,omitempty"`
}

// Support is the contact for a person who needs help.
type Support struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
	URL   string `json:"url,omitempty"`
	// Note is one sentence, such as the hours.
	Note presets.Text `json:"note,omitzero"`

	// Relay is the vendor's `postier serve` at which a person's step is offered to support: ssh://HOST[:PORT]. Its key has
	// the fingerprint HostKey (SHA256:…), and KeyFile is the private key of the role share.
	Relay   string `json:"relay,omitempty"`
	HostKey string `json:"host_key,omitempty"`
	KeyFile string `json:"key_file,omitempty"`
}

// RelayAddress is the relay's host, and host and port as they are dialled. Both are empty where there is none.
func (s Support) RelayAddress() (host, address string) {
	const usual = "22"
	u, err := url.Parse(s.Relay)
	if err != nil || u.Scheme != "ssh" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" {
		return "", ""
	}
	return u.Hostname(), net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual))
}

// OAuthClient is a registered client. Mail programs are public clients (RFC 8252 §8.4): there is no secret to keep.
type OAuthClient struct {
	ClientID string `json:"client_id"`
	// Tenant of Microsoft's sign-in; empty means that of the mailbox.
	Tenant string `json:"tenant,omitempty"`
	// SecretFile holds what some providers call a client secret of an installed program; it is read as a secret is.
	SecretFile string `json:"client_secret_file,omitempty"`
}

// Fallback is a complete profile with its name.
type Fallback struct {
	Name    string          `json:"name"`
	Profile *config.Profile `json:"profile"`
}

// Defaults are the values of a new profile until the person changes them.
type Defaults struct {
	ReplyTo  string          `json:"reply_to,omitempty"`
	BCC      []string        `json:"bcc,omitempty"`
	Kinds    map[string]bool `json:"kinds,omitempty"`
	Limits   config.Limits   `json:"limits,omitzero"`
	TestMode config.TestMode `json:"test_mode,omitzero"`
	// SentCopy is who files the copy of what was sent; empty means the provider's own rule.
	SentCopy config.SentMode `json:"sent_copy,omitempty"`
	// Keep is file, to store the secret, or ask, to ask for it at every send.
	Keep string `json:"keep,omitempty"`
}

// The values of Defaults.Keep.
const (
	KeepFile = "file"
	KeepAsk  = "ask"
)

// TLS restricts what is allowed; it never permits more.
type TLS struct {
	// Minimum is 1.2 or 1.3; empty means 1.2.
	Minimum string `json:"minimum,omitempty"`
	// ImplicitOnly refuses STARTTLS.
	ImplicitOnly bool `json:"implicit_only,omitempty"`
	// ForbidCleartext refuses cleartext, which a technician could otherwise allow.
	ForbidCleartext bool `json:"forbid_cleartext,omitempty"`
	// ForbidPins refuses certificates that are accepted only because of a pin.
	ForbidPins bool `json:"forbid_pins,omitempty"`
	// CAFile holds roots in PEM form that are trusted besides the system's; an absolute path.
	CAFile string `json:"ca_file,omitempty"`
}

// Path is the file in use, and whether someone named it.
func Path(getenv func(string) string) (path string, named bool) {
	if path = getenv("POSTIER_VENDOR"); path != "" {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		return path, true
	}
	return first(os.Lstat, SystemPath, SharedPath), false
}

// first is the first of the paths at which there is something that this user may know of, or the last one.
func first(lstat func(string) (fs.FileInfo, error), paths ...string) string {
	for _, path := range paths {
		if _, err := lstat(path); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return path
		}
	}
	return paths[len(paths)-1]
}

// Load reads the file. ok is false when there is none and none was named. A file with a fault is a
// *config.InvalidError; the other errors are *safefile.Error and *SyntaxError.
func Load(getenv func(string) string) (f *File, ok bool, err error) {
	path, named := Path(getenv)
	f, faults, err := Check(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case len(faults.Errors()) > 0:
		return nil, false, &config.InvalidError{Path: path, Faults: faults.Errors(), Command: "config validate --vendor"}
	}
	return f, true, nil
}

// Check reads the file and names everything that is wrong. f is nil if the JSON itself is wrong.
func Check(path string) (f *File, faults config.Faults, err error) {
	data, err := safefile.ReadWith(path, safefile.ReadOptions{Public: true})
	if err != nil {
		return nil, nil, err
	}
	f, faults, err = Parse(data)
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		syntax.Path = path
	}
	return f, faults, err
}

// Apply adds the vendor's providers to a book and takes the hidden ones out.
func (f *File) Apply(book *presets.Book) *presets.Book {
	if f == nil {
		return book
	}
	if len(f.Providers) > 0 {
		book = book.With(f.Providers...)
	}
	if len(f.Hidden) > 0 {
		book = book.Without(f.Hidden...)
	}
	return book
}

// Label is the name to type at the provider, or "" when the file names no product.
func (f *File) Label() string {
	switch {
	case f == nil:
		return ""
	case f.Product.Label != "":
		return f.Product.Label
	}
	return f.Product.Name
}

// empty reports whether the file names no contact.
func (s Support) empty() bool {
	return s.Name == "" && s.Phone == "" && s.Email == "" && s.URL == "" && s.Note.Empty()
}

// Contact is the support contact in words, empty when there is none.
func (f *File) Contact(lang locale.Lang) string {
	if f == nil || f.Support.empty() {
		return ""
	}
	c := locale.For(lang)
	s := f.Support
	var ways []any
	text := ""
	add := func(way string) {
		switch {
		case way == "":
		case text == "":
			text = way
		default:
			text += ", " + way
		}
	}
	add(s.Email)
	add(s.Phone)
	add(s.URL)
	ways = append(ways, "name", safetext.FromRemote(s.Name), "ways", safetext.FromRemote(text))
	key := "vendor.support"
	switch {
	case s.Name == "":
		key = "vendor.support.nameless"
	case text == "":
		key = "vendor.support.name"
	}
	line := c.T(key, ways...)
	if !s.Note.Empty() {
		line += " " + safetext.Escape(s.Note.In(lang))
	}
	return line
}

// SyntaxError says that the file is not JSON.
type SyntaxError struct {
	Path string
	Err  error
}

// Error is the technical text.
func (e *SyntaxError) Error() string { return "vendor file " + e.Path + ": " + e.Err.Error() }

// Unwrap gives the decoder's error.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Text is the sentence.
func (e *SyntaxError) Text() locale.Text {
	return locale.Msg("vendor.error.syntax", "path", safetext.FromRemote(e.Path), "error",
		safetext.FromRemote(e.Err.Error()))
}
