package importer

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var wordpressFormat = Format{
	Name: "wordpress", Summary: locale.Msg("importer.format.wordpress"), read: readWordPress,
	mine: looksLike(`define\s*\(\s*['"](WPMS_)?SMTP_`),
}

// readWordPress reads the constants of WP Mail SMTP, and those that many themes and plugins call SMTP_HOST, SMTP_USER
// and so on. Only literals are read, and a password that comes from a file by its name; PHP itself is not run.
func readWordPress(source Source) ([]Account, error) {
	constants := phpConstants(string(source.Data))
	get := func(names ...string) (phpValue, bool) {
		for _, name := range names {
			if value, found := constants[name]; found {
				return value, true
			}
		}
		return phpValue{}, false
	}
	text := func(names ...string) string { value, _ := get(names...); return value.text }
	a := Account{}
	s := &a.Submission
	s.Host = text("WPMS_SMTP_HOST", "SMTP_HOST", "SMTP_SERVER")
	if s.Host == "" {
		return nil, nil
	}
	s.Port = portOf(text("WPMS_SMTP_PORT", "SMTP_PORT"))
	s.Username = text("WPMS_SMTP_USER", "SMTP_USER", "SMTP_USERNAME")
	port := config.PortSubmission
	switch strings.ToLower(text("WPMS_SSL", "SMTP_SECURE", "SMTP_SSL")) {
	case "ssl":
		s.Security, port = config.SecurityTLS, config.PortSubmissions
	case "tls":
		s.Security = config.SecurityStartTLS
	default:
		s.Security = config.SecurityAuto
	}
	if value, found := get("WPMS_SMTP_AUTH", "SMTP_AUTH"); found && strings.EqualFold(value.text, "false") {
		s.Auth = config.MechanismNone
	}
	a.From = config.Address{
		Name:    text("WPMS_MAIL_FROM_NAME", "SMTP_NAME", "SMTP_FROM_NAME"),
		Address: text("WPMS_MAIL_FROM", "SMTP_FROM"),
	}
	switch value, found := get("WPMS_SMTP_PASS", "SMTP_PASS", "SMTP_PASSWORD"); {
	case found && value.literal:
		a.Secret = secret.New(value.text)
	case found && value.file != "":
		a.SecretFile = value.file
	case found:
		a.note("password")
	}
	if mailer, found := get("WPMS_MAILER"); found && mailer.text != "smtp" {
		a.note("mailer", "value", safetext.FromRemote(mailer.text))
	}
	a.settle(port)
	return []Account{a}, nil
}

// phpValue is the value of a constant: a literal, or an expression that reads a file.
type phpValue struct {
	text    string
	literal bool
	file    string
}

var phpDefine = pattern.Of(`\bdefine\s*\(\s*['"]([A-Z0-9_]+)['"]\s*,\s*`)

// phpFile is the beginning of an expression that reads a file. The export for WordPress has it in a function, which
// throws where there is no password.
var phpFile = pattern.Of(`^(?:\(static function \(\): string \{\s*\$secret = )?` +
	`(?:r?trim\s*\(\s*)?(?:\(string\)\s*)?file_get_contents\s*\(\s*`)

var phpWord = pattern.Of(`^(?i)(true|false|[0-9]+)\s*\)`)

// phpConstants finds define('NAME', VALUE) outside comments.
func phpConstants(text string) map[string]phpValue {
	text = phpWithoutComments(text)
	constants := map[string]phpValue{}
	for _, place := range phpDefine().FindAllStringSubmatchIndex(text, -1) {
		name, rest := text[place[2]:place[3]], text[place[1]:]
		if _, ok := constants[name]; ok {
			continue // PHP keeps the first definition
		}
		value := phpValue{}
		if literal, after, ok := phpString(rest); ok && strings.HasPrefix(strings.TrimSpace(after), ")") {
			value = phpValue{text: literal, literal: true}
		} else if word := phpWord().FindStringSubmatch(rest); word != nil {
			value = phpValue{text: word[1], literal: true}
		} else if head := phpFile().FindString(rest); head != "" {
			if file, _, ok := phpString(rest[len(head):]); ok {
				value.file = file
			}
		}
		constants[name] = value
	}
	return constants
}

// phpString reads a string literal. In double quotes only the plain escapes are known; one with a variable is no
// literal.
func phpString(text string) (value, after string, ok bool) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return "", "", false
	}
	quote := text[0]
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return b.String(), text[i+1:], true
		case c == '$' && quote == '"':
			return "", "", false
		case c == '\\' && i+1 < len(text) && (text[i+1] == quote || text[i+1] == '\\' || quote == '"' && text[i+1] == '$'):
			i++
			b.WriteByte(text[i])
		case c == '\\' && quote == '"' && i+1 < len(text) && strings.IndexByte("nrtvef0123456789xu", text[i+1]) >= 0:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// phpWithoutComments replaces comments with spaces; strings stay as they are.
func phpWithoutComments(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		rest := text[i:]
		end := 0
		switch {
		case rest[0] == '\'' || rest[0] == '"':
			end = phpStringEnd(rest)
			b.WriteString(rest[:end])
			i += end
			continue
		case strings.HasPrefix(rest, "/*"):
			end = strings.Index(rest, "*/") + 2
			if end < 2 {
				end = len(rest)
			}
		case rest[0] == '#' || strings.HasPrefix(rest, "//"):
			end = strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
		default:
			b.WriteByte(rest[0])
			i++
			continue
		}
		b.WriteByte(' ')
		i += end
	}
	return b.String()
}

// phpStringEnd is how long the string literal at the beginning is.
func phpStringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}
