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
