package config

import (
	"cmp"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// maxPortField bounds the text that is parsed; the longest sensible field is below 100 octets.
const maxPortField = 256

// PortField is what a person may type after the port number (C-4 to C-7).
type PortField struct {
	// Port is 0 when the field does not say one.
	Port int
	// Auth and Security are "" when the field does not mention them.
	Auth     Mechanism
	Security Security
	// Messages and WaitSeconds are nil when the field does not mention them.
	Messages    *int
	WaitSeconds *float64
}

// ParsePortField reads `587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5`. The words may stand in any order and case;
// LIMIT is LIMITE, a comma is a decimal point. The number may be left out (C-1). The text is empty when the field is
// right.
func ParsePortField(s string) (PortField, Text) {
	if len(s) > maxPortField {
		return PortField{}, locale.Msg("config.portfield.long", "max", maxPortField)
	}
	words := strings.Fields(strings.ReplaceAll(s, ": ", ":"))
	var field PortField
	if len(words) > 0 && !strings.Contains(words[0], ":") {
		port, text := ParsePort(words[0])
		if !text.Empty() {
			return PortField{}, text
		}
		field.Port, words = port, words[1:]
	}
	for _, word := range words {
		if text := field.read(word); !text.Empty() {
			return PortField{}, text
		}
	}
	return field, Text{}
}

func (p *PortField) read(word string) Text {
	key, value, found := strings.Cut(word, ":")
	if !found {
		return locale.Msg("config.portfield.word", "word", safetext.FromRemote(word))
	}
	twice := locale.Msg("config.portfield.twice", "word", safetext.FromRemote(key))
	switch strings.ToUpper(key) {
	case "AUTH":
		if p.Auth != "" {
			return twice
		}
		return p.readAuth(value)
	case "CONN":
		if p.Security != "" {
			return twice
		}
		return p.readSecurity(value)
	case "LIMITE", "LIMIT":
		if p.Messages != nil {
			return twice
		}
		n, text := ParseLimit(value)
		if value == "" {
			text = locale.Msg("config.limit.range", "max", maxLimit)
		}
		p.Messages = &n
		return text
	case "WAIT":
		if p.WaitSeconds != nil {
			return twice
		}
		seconds, text := ParseWait(value)
		if value == "" {
			text = locale.Msg("config.wait.range", "max", MaxWaitSeconds)
		}
		p.WaitSeconds = &seconds
		return text
	}
	return locale.Msg("config.portfield.word", "word", safetext.FromRemote(word))
}

// portAuth and portSecurity are the words of the port field, in the order in which they are shown.
var (
	portAuth = []struct {
		word      string
		mechanism Mechanism
	}{
		{"AUTO", MechanismAuto},
		{"NONE", MechanismNone},
		{"CRAM_MD5", MechanismCRAMMD5},
		{"LOGIN", MechanismLogin},
		{"PLAIN", MechanismPlain},
		{"NTLM", MechanismNTLM},
		{"XOAUTH2", MechanismXOAuth2},
		{"OAUTHBEARER", MechanismOAuthBearer},
		{"SCRAM_SHA_1", MechanismSCRAMSHA1},
		{"SCRAM_SHA_256", MechanismSCRAMSHA256},
	}
	portSecurity = []struct {
		word     string
		security Security
	}{
		{"AUTO", SecurityAuto},
		{"PLAINTEXT", SecurityNone},
		{"SSL_TLS", SecurityTLS},
		{"STARTTLS", SecurityStartTLS},
	}
)

// portAlias are other spellings that people type: those of the flags.
var portAlias = map[string]string{"TLS": "SSL_TLS", "SSL": "SSL_TLS", "SSL/TLS": "SSL_TLS"}

func portWord(value string) string { return strings.ToUpper(strings.ReplaceAll(value, "-", "_")) }

func (p *PortField) readAuth(value string) Text {
	var words []string
	for _, row := range portAuth {
		if row.word == portWord(value) {
			p.Auth = row.mechanism
			return Text{}
		}
		words = append(words, row.word)
	}
	return locale.Msg("config.portfield.auth", "value", safetext.FromRemote(value), "words", strings.Join(words, ", "))
}

func (p *PortField) readSecurity(value string) Text {
	var words []string
	for _, row := range portSecurity {
		word := portWord(value)
		if alias, ok := portAlias[word]; ok {
			word = alias
		}
		if row.word == word {
			p.Security = row.security
			return Text{}
		}
		words = append(words, row.word)
	}
	return locale.Msg("config.portfield.conn", "value", safetext.FromRemote(value), "words", strings.Join(words, ", "))
}

// Apply changes what the field mentions and nothing else; a port that it does not mention is the usual one.
func (p PortField) Apply(server *Server, batch *Batch) {
	if p.Auth != "" {
		server.Auth = p.Auth
	}
	if p.Security != "" {
		server.Security = p.Security
	}
	server.Port = cmp.Or(p.Port, server.usualPort(PortSMTP, PortSubmissions))
	if p.Messages != nil {
		batch.Messages = *p.Messages
	}
	if p.WaitSeconds != nil {
		batch.WaitSeconds = *p.WaitSeconds
	}
}
