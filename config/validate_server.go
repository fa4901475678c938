package config

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"postier/internal/locale"
	"postier/internal/strictjson"
)

type serverRole int

const (
	submissionServer serverRole = iota
	imapServer
)

// Securities lists the values of Security in the order in which they are offered.
func Securities() []Security {
	return []Security{SecurityAuto, SecurityTLS, SecurityStartTLS, SecurityNone}
}

// Mechanisms lists the values of Mechanism in the order in which they are offered.
func Mechanisms() []Mechanism {
	return []Mechanism{
		MechanismAuto, MechanismNone, MechanismPlain, MechanismLogin, MechanismCRAMMD5, MechanismSCRAMSHA1,
		MechanismSCRAMSHA256, MechanismNTLM, MechanismXOAuth2, MechanismOAuthBearer,
	}
}

// SentModes lists the values of SentMode.
func SentModes() []SentMode { return []SentMode{SentAppend, SentServer, SentNone} }

// SecretTypes lists the values of SecretType.
func SecretTypes() []SecretType {
	return []SecretType{SecretPassword, SecretAppPassword, SecretDevicePassword, SecretAPIKey, SecretOAuth}
}

// CredentialKinds lists the kinds that may be written; inline is only read.
func CredentialKinds() []CredentialKind {
	return []CredentialKind{
		CredentialFile, CredentialCommand, CredentialSystemd, CredentialKeyring, CredentialEnv, CredentialAsk,
		CredentialOAuth,
	}
}

func enum[T ~string](v *validator, path string, value T, allowed []T) {
	v.check(path, oneOf(string(value), allowed))
}

func (v *validator) server(path string, s *Server, role serverRole) {
	v.check(strictjson.Join(path, "host"), ValidateHost(s.Host))
	v.check(strictjson.Join(path, "port"), ValidatePort(s.Port))
	enum(v, strictjson.Join(path, "security"), s.Security, Securities())
	if s.Auth != "" {
		enum(v, strictjson.Join(path, "auth"), s.Auth, Mechanisms())
	}
	switch {
	case s.Auth == MechanismNone && role == imapServer:
		v.add(strictjson.Join(path, "auth"), locale.Msg("config.imap.auth"))
	case s.Auth != MechanismNone:
		v.check(strictjson.Join(path, "username"), ValidateUsername(s.Username))
	default:
		v.optional(strictjson.Join(path, "username"), s.Username, ValidateUsername)
	}
	v.optional(strictjson.Join(path, "helo"), s.Helo, ValidateHelo)
	if text := WarnPort(s.Port, s.Security); !text.Empty() {
		v.warn(strictjson.Join(path, "port"), text)
	}
}

// WarnPort warns that a port and a kind of security do not usually go together. It is empty if they do, or if the port
// has no usual kind.
func WarnPort(port int, security Security) Text {
	switch usual := SecurityFor(port); {
	case usual == SecurityTLS && (security == SecurityStartTLS || security == SecurityNone):
		return locale.Msg("config.port.wants_tls", "port", port)
	case usual == SecurityStartTLS && security == SecurityTLS:
		return locale.Msg("config.port.wants_starttls", "port", port)
	}
	return Text{}
}

// insecure requires explicit consent before a password crosses a network in cleartext. Loopback does not count as a
// network.
func (v *validator) insecure(path string, p *Profile) {
	switch {
	case p.Insecure && (p.Submission.Cleartext() || p.SentCopy.IMAP.Cleartext()):
		v.warn(strictjson.Join(path, "insecure"), locale.Msg("config.insecure.on"))
	case p.Insecure:
	case p.Submission.Cleartext():
		v.add(strictjson.Join(path, "submission.security"), locale.Msg("config.insecure.needed"))
	case p.SentCopy.IMAP.Cleartext():
		v.add(strictjson.Join(path, "sent_copy.imap.security"), locale.Msg("config.insecure.needed"))
	}
}

func (v *validator) sentCopy(path string, s *SentCopy) {
	enum(v, strictjson.Join(path, "mode"), s.Mode, SentModes())
	if s.IMAP != nil {
		v.server(strictjson.Join(path, "imap"), s.IMAP, imapServer)
	} else if s.Mode == SentAppend {
		v.add(strictjson.Join(path, "imap"), locale.Msg("config.sent_copy.imap"))
	}
	if s.Folder != "" || s.Mode == SentAppend {
		v.check(strictjson.Join(path, "folder"), ValidateFolder(s.Folder))
	}
}

const (
	maxArguments = 64   // of a command
	maxArgument  = 4096 // octets of one argument
)

// credentialKeys lists the keys of each kind besides kind and type; true marks what may not be left out.
var credentialKeys = map[CredentialKind]map[string]bool{
	CredentialFile:    {"path": true},
	CredentialCommand: {"command": true},
	CredentialSystemd: {"name": true},
	CredentialKeyring: {"name": true},
	CredentialEnv:     {"name": true},
	CredentialAsk:     {},
	CredentialOAuth:   {"provider": true, "path": false, "tenant": false, "client_id": false},
	CredentialInline:  {"value": true},
}

func (v *validator) credential(path string, p *Profile) {
	c := &p.Credential
	needed := p.Submission.Auth != MechanismNone || p.SentCopy.IMAP != nil
	if c.Kind == "" && !needed && c.isZero() {
		return
	}
	if c.Kind == CredentialInline {
		v.warn(path, locale.Msg("config.credential.inline"))
	} else {
		enum(v, strictjson.Join(path, "kind"), c.Kind, CredentialKinds())
	}
	if c.Type != "" {
		enum(v, strictjson.Join(path, "type"), c.Type, SecretTypes())
	}
	allowed, known := credentialKeys[c.Kind]
	if !known {
		return
	}
	given := c.given()
	for _, key := range slices.Sorted(maps.Keys(given)) {
		required, ok := allowed[key]
		switch {
		case !ok && given[key]:
			v.add(strictjson.Join(path, key), locale.Msg("config.credential.foreign_key", "key", key, "kind", c.Kind))
		case required && !given[key]:
			v.add(strictjson.Join(path, key), locale.Msg("config.credential.missing_key", "key", key, "kind", c.Kind))
		case ok && given[key]:
			v.check(strictjson.Join(path, key), c.validate(key))
		}
	}
}

func (c *Credential) isZero() bool {
	for _, given := range c.given() {
		if given {
			return false
		}
	}
	return c.Type == ""
}

// given says which keys besides kind and type are present.
func (c *Credential) given() map[string]bool {
	return map[string]bool{
		"path": c.Path != "", "command": len(c.Command) > 0, "name": c.Name != "", "provider": c.Provider != "",
		"tenant": c.Tenant != "", "client_id": c.ClientID != "", "value": c.Value != "",
	}
}

func (c *Credential) validate(key string) Text {
	switch key {
	case "path":
		return ValidatePath(c.Path)
	case "command":
		return ValidateCommand(c.Command)
	case "name":
		return ValidateCredentialName(c.Kind, c.Name)
	case "provider":
		return ValidateName(c.Provider)
	case "tenant":
		return validateToken(c.Tenant)
	case "client_id":
		return validateToken(c.ClientID)
	}
	return Text{} // value: any octets that its server likes; the sign-in will show whether it works
}

// ValidateCommand accepts an argument list whose program is an absolute path.
func ValidateCommand(argv []string) Text {
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
		return locale.Msg("config.command.absolute")
	}
	if len(argv) > maxArguments {
		return locale.Msg("config.too_many", "max", maxArguments)
	}
	for _, argument := range argv {
		switch {
		case hasHarmful(argument):
			return locale.Msg("config.control")
		case len(argument) > maxArgument:
			return locale.Msg("config.text.long", "max", maxArgument)
		}
	}
	return Text{}
}

// ValidateCredentialName accepts the name of a systemd credential, of a key ring entry or of an environment variable.
func ValidateCredentialName(kind CredentialKind, name string) Text {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const digits = "0123456789"
	switch kind {
	case CredentialEnv:
		// POSIX.1 §8.1, with lower case, which some programs use.
		if name == "" || strings.Trim(name, letters+digits+"_") != "" || strings.Contains(digits, name[:1]) ||
			len(name) > maxUser {
			return locale.Msg("config.credential.env_name")
		}
	case CredentialSystemd:
		// systemd.exec(5): a credential name is a file name.
		if name == "" || strings.Trim(name, letters+digits+"_.@-") != "" || name == "." || name == ".." ||
			len(name) > maxUser {
			return locale.Msg("config.credential.systemd_name")
		}
	default:
		return ValidateUsername(name)
	}
	return Text{}
}

// validateToken accepts an identifier of an OAuth provider.
func validateToken(token string) Text {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return locale.Msg("config.credential.token")
		}
	}
	if len(token) > maxUser {
		return locale.Msg("config.text.long", "max", maxUser)
	}
	return Text{}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
