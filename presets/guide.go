package presets

import (
	"strings"

	"postier/internal/locale"
)

// Steps returns the guide to the app password or key, one instruction each, with the calling program's name as the
// label to type at the provider.
func (p *Provider) Steps(lang locale.Lang, product string) []string {
	steps := p.AppPasswordSteps.In(lang)
	out := make([]string, 0, len(steps))
	for _, step := range steps {
		out = append(out, strings.ReplaceAll(step, "{product}", product))
	}
	return out
}

// Impossible reports whether no program can send through this provider at all, and what to do instead.
func (p *Provider) Impossible() (wayOut Text, impossible bool) {
	return p.WayOut, p.PasswordAuth.Status == PasswordImpossible
}

// PasswordWorks reports whether a password of any kind, app password and key included, can open SMTP here.
func (p *Provider) PasswordWorks() bool {
	switch p.PasswordAuth.Status {
	case PasswordImpossible, PasswordOAuthOnly:
		return false
	default:
		return true
	}
}

// KnownReply finds the provider's own explanation of a reply: code as "535" or "535 5.7.8", text as the server sent it.
// The entry with the longest matching text wins.
func (p *Provider) KnownReply(code, text string) (Known, bool) {
	text = strings.ToLower(text)
	var best Known
	longest := 0
	for _, k := range p.KnownErrors {
		if !sameCode(k.Code, code) {
			continue
		}
		for match := range strings.SplitSeq(strings.ToLower(k.Match), " / ") {
			if len(match) > longest && strings.Contains(text, match) {
				longest, best = len(match), k
			}
		}
	}
	return best, longest > 0
}

// sameCode compares a listed code with a received one. A list may name a reply code alone, an enhanced code alone,
// both, or alternatives with a slash.
func sameCode(listed, got string) bool {
	for alternative := range strings.SplitSeq(listed, "/") {
		all := true
		for part := range strings.FieldsSeq(alternative) {
			all = all && containsField(got, part)
		}
		if all {
			return true
		}
	}
	return false
}

func containsField(fields, want string) bool {
	for f := range strings.FieldsSeq(fields) {
		if f == want {
			return true
		}
	}
	return false
}
