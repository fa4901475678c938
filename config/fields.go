package config

import (
	"math"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"postier/internal/locale"
	"postier/internal/safetext"
)

const (
	maxName   = 64            // characters of a profile or kind name: it becomes a file name and an argument
	maxText   = 200           // characters of a label or a display name
	maxUser   = 255           // octets of a user name (RFC 4616 §2 allows 255)
	maxFolder = 255           // octets of an IMAP folder name; longer ones overflow servers' own file names
	maxPath   = 4096          // octets, PATH_MAX on Linux
	maxLimit  = 1_000_000_000 // messages or recipients; more is a typing mistake
	// MaxWaitSeconds is the longest pause between batches: one day.
	MaxWaitSeconds = 86400
	pinLength      = 64 // hex digits of a SHA-256
)

// ValidateName accepts the name of a profile or of a message kind: lower-case letters, digits, - and _, beginning with
// a letter or digit.
func ValidateName(name string) Text {
	switch {
	case name == "":
		return locale.Msg("config.name.empty")
	case len(name) > maxName:
		return locale.Msg("config.name.long", "max", maxName)
	}
	for i := range len(name) {
		if c := name[i]; !isLowerAlnum(c) && (i == 0 || c != '-' && c != '_') {
			return locale.Msg("config.name.malformed", "suggestion", Slug(name))
		}
	}
	return Text{}
}

// Slug makes a valid name out of any text: "Cabinet Müller & Fils" becomes "cabinet-muller-fils".
func Slug(text string) string {
	var b strings.Builder
	dash := false
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case r == 'ß':
			b.WriteString("ss")
		case r < utf8.RuneSelf && isLowerAlnum(byte(r)):
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			dash = true
		}
		if b.Len() >= maxName {
			break
		}
	}
	slug := b.String()
	slug = strings.TrimRight(slug[:min(len(slug), maxName)], "-")
	if slug == "" {
		return "mail"
	}
	return slug
}

// ValidateText accepts a label or the name that recipients see; empty is allowed.
func ValidateText(text string) Text {
	switch {
	case hasHarmful(text):
		return locale.Msg("config.control")
	case utf8.RuneCountInString(text) > maxText:
		return locale.Msg("config.text.long", "max", maxText)
	}
	return Text{}
}

// ValidateUsername accepts the name for signing in. It is sent unchanged, so spaces at the ends are refused rather than
// trimmed.
func ValidateUsername(name string) Text {
	switch {
	case name == "":
		return locale.Msg("config.username.empty")
	case hasHarmful(name):
		return locale.Msg("config.control")
	case strings.TrimSpace(name) != name:
		return locale.Msg("config.edge_blank")
	case len(name) > maxUser:
		return locale.Msg("config.username.long", "max", maxUser)
	}
	return Text{}
}

// ValidateLocalUser accepts the name of a user of this machine, or of a group with @ before it. Which names exist is
// the system's to say, and names from a directory may hold more than letters; none holds what separates fields and
// lists.
func ValidateLocalUser(name string) Text {
	bare := strings.TrimPrefix(name, "@")
	if bare == "" || len(name) > maxUser || hasHarmful(name) || strings.ContainsAny(bare, " \t:,/") ||
		strings.ContainsAny(bare[:1], "@-") {
		return locale.Msg("config.submit.user", "value", safetext.FromRemote(name))
	}
	return Text{}
}

// ValidateHelo accepts the argument of EHLO: a host name or an address literal (RFC 5321 §4.1.1.1, §4.1.3).
func ValidateHelo(helo string) Text {
	inner := strings.TrimSuffix(strings.TrimPrefix(helo, "["), "]")
	if len(inner)+2 == len(helo) {
		if literal := strings.TrimPrefix(inner, "IPv6:"); isIPLiteral(literal) {
			return Text{}
		}
		return locale.Msg("config.helo.literal")
	}
	if isIPLiteral(helo) {
		return locale.Msg("config.helo.literal")
	}
	return ValidateHost(helo)
}

func isIPLiteral(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

// ValidateFolder accepts an IMAP folder name as people read it. How it goes over the wire (modified UTF-7 or UTF-8,
// quoted or literal) is the client's work, so quotes and braces are fine.
func ValidateFolder(folder string) Text {
	switch {
	case folder == "":
		return locale.Msg("config.folder.empty")
	case hasHarmful(folder):
		return locale.Msg("config.control")
	case strings.TrimSpace(folder) != folder:
		return locale.Msg("config.edge_blank")
	case len(folder) > maxFolder:
		return locale.Msg("config.folder.long", "max", maxFolder)
	}
	return Text{}
}

// ValidatePort accepts 1 to 65535.
func ValidatePort(port int) Text {
	if port < 1 || port > math.MaxUint16 {
		return locale.Msg("config.port.range")
	}
	return Text{}
}

// ParsePort reads a port as a person types it.
func ParsePort(s string) (int, Text) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, locale.Msg("config.port.empty")
	}
	if strings.Trim(s, "0123456789") != "" {
		return 0, locale.Msg("config.port.number", "value", safetext.FromRemote(s))
	}
	port, err := strconv.Atoi(s)
	if err != nil {
		return 0, locale.Msg("config.port.range")
	}
	return port, ValidatePort(port)
}

// ValidateLimit accepts 0 (no limit) to a thousand million.
func ValidateLimit(n int) Text {
	if n < 0 || n > maxLimit {
		return locale.Msg("config.limit.range", "max", maxLimit)
	}
	return Text{}
}

// ParseLimit reads a limit as a person types it; empty means no limit.
func ParseLimit(s string) (int, Text) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, Text{}
	}
	n, err := strconv.Atoi(s)
	if err != nil || strings.HasPrefix(s, "+") {
		return 0, locale.Msg("config.limit.range", "max", maxLimit)
	}
	return n, ValidateLimit(n)
}

// ValidateWait accepts a pause of 0 to 86400 seconds, fractions allowed.
func ValidateWait(seconds float64) Text {
	if !(seconds >= 0 && seconds <= MaxWaitSeconds) { // written so that NaN fails
		return locale.Msg("config.wait.range", "max", MaxWaitSeconds)
	}
	return Text{}
}

// ParseWait reads seconds as a person types them, with a point or a comma; empty means none.
func ParseWait(s string) (float64, Text) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, Text{}
	}
	number := strings.Replace(s, ",", ".", 1)
	// ParseFloat also reads 1e3, 0x1p4, inf and nan, which no one types on purpose here.
	if strings.Trim(number, "0123456789.") != "" {
		return 0, locale.Msg("config.wait.range", "max", MaxWaitSeconds)
	}
	seconds, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, locale.Msg("config.wait.range", "max", MaxWaitSeconds)
	}
	return seconds, ValidateWait(seconds)
}

// ValidatePin accepts a SHA-256 in 64 lower-case hex digits.
func ValidatePin(pin string) Text {
	if len(pin) != pinLength || strings.Trim(pin, "0123456789abcdef") != "" {
		return locale.Msg("config.pin.malformed")
	}
	return Text{}
}

// ValidatePath accepts a file name: absolute, or relative to the configuration's folder and staying inside it.
func ValidatePath(path string) Text {
	switch {
	case path == "":
		return locale.Msg("config.path.empty")
	case hasHarmful(path):
		return locale.Msg("config.control")
	case len(path) > maxPath:
		return locale.Msg("config.path.long", "max", maxPath)
	case !filepath.IsAbs(path) && !filepath.IsLocal(path):
		return locale.Msg("config.path.outside")
	}
	return Text{}
}
