package config

import (
	"slices"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// ValidateSetting judges a value by the name under which options, answers files and forms ask for it. A setting that
// may be left out may be empty. A name that is no setting of a profile passes.
func ValidateSetting(name, value string) Text {
	switch name {
	case "smtp-host":
		return ValidateHost(value)
	case "smtp-port":
		_, text := ParsePortField(value)
		return text
	case "imap-host":
		return ifGiven(ValidateHost, value)
	case "imap-port":
		_, text := Server{}.IMAPPort(value)
		return text
	case "smtp-security", "imap-security":
		return oneOf(value, Securities())
	case "auth":
		return oneOf(value, Mechanisms())
	case "user", "imap-user":
		return ValidateUsername(value)
	case "helo":
		return ifGiven(ValidateHelo, value)
	case "sent-copy":
		return oneOf(value, SentModes())
	case "sent-folder":
		return ifGiven(ValidateFolder, value)
	}
	return validateOption(name, value)
}

// validateOption checks the settings that do not describe a server.
func validateOption(name, value string) Text {
	switch name {
	case "address":
		return ValidateAddress(value)
	case "from", "reply-to", "test-address":
		return ifGiven(ValidateAddress, value)
	case "label", "from-name":
		return ValidateText(value)
	case "bcc":
		return each(ValidateAddress, value)
	case "senders":
		return each(ValidateSender, value)
	case "kinds-on", "kinds-off":
		return each(ValidateName, value)
	case "per-hour", "per-day", "per-week", "recipients-per-message", "batch-messages":
		_, text := ParseLimit(value)
		return text
	case "batch-wait":
		_, text := ParseWait(value)
		return text
	}
	return Text{}
}

func ifGiven(validate func(string) Text, value string) Text {
	if value == "" {
		return Text{}
	}
	return validate(value)
}

// each validates every member of a list.
func each(validate func(string) Text, value string) Text {
	for _, member := range ParseList(value) {
		if text := validate(member); !text.Empty() {
			return text
		}
	}
	return Text{}
}

// ParseList reads a list as a person types it: with commas, semicolons or spaces. Each member comes once.
func ParseList(s string) []string {
	var out []string
	for _, member := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; \n", r) }) {
		if !slices.Contains(out, member) {
			out = append(out, member)
		}
	}
	return out
}

func oneOf[T ~string](value string, allowed []T) Text {
	if slices.Contains(allowed, T(value)) {
		return Text{}
	}
	words := make([]string, len(allowed))
	for i, word := range allowed {
		words[i] = string(word)
	}
	if value == "" {
		return locale.Msg("config.enum.missing", "words", strings.Join(words, ", "))
	}
	return locale.Msg("config.enum", "value", safetext.FromRemote(value), "words", strings.Join(words, ", "))
}
