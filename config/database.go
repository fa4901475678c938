package config

import (
	"net/url"
	"path/filepath"
	"strings"

	"postier/internal/locale"
	"postier/internal/pattern"
)

// Database is where the state of sending is kept: a file or a PostgreSQL database. ParseDatabase is the only reader of
// queue.database, so that what Validate accepts is what is opened.
type Database struct {
	// File is a path; empty when URL is set.
	File string
	// URL is a PostgreSQL URL as the driver takes it, without a password.
	URL string
}

// String names the database for people. Of a URL it leaves out the parameters.
func (d Database) String() string {
	if d.URL == "" {
		return d.File
	}
	place, _, _ := strings.Cut(d.URL, "?")
	return place
}

// Under resolves a relative file in a folder.
func (d Database) Under(folder string) Database {
	if d.URL == "" && !filepath.IsAbs(d.File) {
		d.File = filepath.Join(folder, d.File)
	}
	return d
}

// They tell the forms of a database apart before any of them is parsed.
var (
	databaseScheme   = pattern.Of(`^[A-Za-z][A-Za-z0-9+.-]*:`) // RFC 3986 §3.1
	databaseKeywords = pattern.Of(`^\s*[A-Za-z_]+\s*=`)        // "host=… dbname=…" of libpq
	databasePassword = pattern.Of(`(?i)^[a-z][a-z0-9+.-]*:/*[^/@]*:.*@|password\s*=`)
)

// ParseDatabase reads a path, or a PostgreSQL URL without a password: that belongs in ~/.pgpass or a service file, or
// is not needed (peer authentication). Every other form is refused, because it would be taken for a file name.
func ParseDatabase(text string) (Database, Text) {
	malformed := locale.Msg("config.database.malformed")
	switch {
	case strings.Contains(text, "=") && databaseKeywords().MatchString(text), strings.HasPrefix(text, ":"):
		return Database{}, malformed
	case strings.HasPrefix(text, "~"), strings.HasPrefix(text, "$"):
		return Database{}, locale.Msg("config.database.expand")
	case !strings.Contains(text, ":") || !databaseScheme().MatchString(text):
		return Database{File: text}, ValidatePath(text)
	}
	u, err := url.Parse(text)
	if err != nil || hasHarmful(text) || len(text) > maxPath || u.Opaque != "" || u.Fragment != "" ||
		u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return Database{}, malformed
	}
	if hasPassword(text) {
		return Database{}, locale.Msg("config.database.password")
	}
	return Database{URL: u.Scheme + text[len(u.Scheme):]}, Text{} // the driver wants the scheme in lower case
}

// hasPassword reports whether a text that should name a database holds a password, in whatever form.
func hasPassword(text string) bool {
	plain, err := url.PathUnescape(text) // the name of a parameter may be encoded
	return databasePassword().MatchString(text) || err == nil && databasePassword().MatchString(plain)
}

// ValidateDatabase is ParseDatabase for a field.
func ValidateDatabase(database string) Text {
	_, text := ParseDatabase(database)
	return text
}

// MaskDatabase is what is shown of queue.database: nothing when it holds a password.
func MaskDatabase(text string) string {
	if hasPassword(text) {
		return hidden
	}
	return text
}
