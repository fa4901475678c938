package presets

import (
	"strings"
	"unicode"

	"postier/internal/locale"
)

// Shape is how the provider's app password or key looks.
type Shape struct {
	Description Text `json:"description"`
	// Length counts the characters without separators; 0 means that it differs.
	Length int `json:"length,omitempty"`
	// Groups is in how many equal groups it is shown, 0 or 1 for none.
	Groups int `json:"groups,omitempty"`
	// Separator stands between groups on the provider's page: space or dash.
	Separator Separator `json:"separator,omitempty"`
	// KeepSeparator is true when the separator is part of what must be typed.
	KeepSeparator bool `json:"keep_separator,omitempty"`
	// Alphabet are the characters that occur: any of a-z, A-Z and 0-9, written together. Empty means not known.
	Alphabet string `json:"alphabet,omitempty"`
	Example  string `json:"example_form,omitempty"`
}

// Separator stands between the groups of a shown app password.
type Separator string

// The separators.
const (
	SeparatorSpace Separator = "space"
	SeparatorDash  Separator = "dash"
)

// Change is one way in which cleaning changed a typed secret.
type Change string

// The changes, in the order in which they are reported.
const (
	ChangeSpaces    Change = "spaces"    // spaces, no-break spaces, tabs and line ends were taken out
	ChangeInvisible Change = "invisible" // zero-width and other invisible characters were taken out
	ChangeDashes    Change = "dashes"    // dashes were taken out, put back, or turned into plain ones
	ChangeCase      Change = "case"      // capitals became small letters
)

// Text is the change in words.
func (c Change) Text() locale.Text { return locale.Msg("presets.change." + string(c)) }

// CleanSecret brings a pasted app password into the form that the provider accepts, and reports what it changed. It
// does so only if the provider's shape is known and the result matches it. Otherwise it returns raw unchanged, because
// spaces may be part of a password.
func (p *Provider) CleanSecret(raw string) (cleaned string, changes []Change) {
	s := p.Shape
	if s == nil || s.Length == 0 || s.Alphabet == "" {
		return raw, nil
	}
	bare, changed := s.strip(raw)
	if len(bare) != s.Length || !s.allows(bare) {
		return raw, nil
	}
	cleaned = s.group(bare)
	if cleaned == raw {
		return raw, nil
	}
	if s.KeepSeparator && s.Separator == SeparatorDash && dashes(raw) == dashes(cleaned) {
		delete(changed, ChangeDashes)
	}
	for _, c := range []Change{ChangeSpaces, ChangeInvisible, ChangeDashes, ChangeCase} {
		if changed[c] {
			changes = append(changes, c)
		}
	}
	return cleaned, changes
}

// dashes counts the plain dashes in a secret.
func dashes(s string) int { return strings.Count(s, "-") }

// strip removes from a secret what its shape does not contain: spaces, invisible characters and dashes. It lowers
// capitals if the shape has none, because phones capitalise the first letter.
func (s *Shape) strip(raw string) (string, map[Change]bool) {
	changed := map[Change]bool{}
	var b strings.Builder
	for _, r := range raw {
		switch {
		case unicode.IsSpace(r):
			changed[ChangeSpaces] = true
		case invisible(r):
			changed[ChangeInvisible] = true
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			changed[ChangeDashes] = true
		case 'A' <= r && r <= 'Z' && !strings.Contains(s.Alphabet, "A-Z"):
			changed[ChangeCase] = true
			b.WriteRune(r + 'a' - 'A')
		default:
			b.WriteRune(r)
		}
	}
	if s.Separator == SeparatorDash && s.KeepSeparator && !strings.Contains(raw, "-") {
		changed[ChangeDashes] = true // group puts them back
	}
	return b.String(), changed
}

// invisible reports format characters (zero-width, direction marks, soft hyphen) and the variation selectors.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034f'
}

// group puts the separator back where it must be typed.
func (s *Shape) group(bare string) string {
	if !s.KeepSeparator || s.Groups < 2 || len(bare)%s.Groups != 0 {
		return bare
	}
	sep := " "
	if s.Separator == SeparatorDash {
		sep = "-"
	}
	size := len(bare) / s.Groups
	parts := make([]string, 0, s.Groups)
	for i := 0; i < len(bare); i += size {
		parts = append(parts, bare[i:i+size])
	}
	return strings.Join(parts, sep)
}

// allows reports whether the alphabet holds every character.
func (s *Shape) allows(text string) bool {
	for _, r := range text {
		if !s.allowsRune(r) {
			return false
		}
	}
	return true
}

func (s *Shape) allowsRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z':
		return strings.Contains(s.Alphabet, "a-z")
	case 'A' <= r && r <= 'Z':
		return strings.Contains(s.Alphabet, "A-Z")
	case '0' <= r && r <= '9':
		return strings.Contains(s.Alphabet, "0-9")
	default:
		return false
	}
}

// ShapeVerdict says how a typed secret compares with the provider's rule.
type ShapeVerdict string

// The verdicts.
const (
	ShapeUnknown  ShapeVerdict = "unknown"   // there is no rule: nothing can be said
	ShapeEmpty    ShapeVerdict = "empty"     // nothing was typed
	ShapeFits     ShapeVerdict = "fits"      // it looks as it should
	ShapeShort    ShapeVerdict = "too-short" // the right characters, but some are missing
	ShapeLong     ShapeVerdict = "too-long"  // the right characters, but too many
	ShapeAccount  ShapeVerdict = "account"   // looks like the password of the account
	ShapeWrongKey ShapeVerdict = "wrong-key" // a key of another kind from the same provider
	ShapeNoPrefix ShapeVerdict = "no-prefix" // does not begin as this provider's keys do
)

// Text is the verdict in words, for a person who just typed the secret. It is empty when there is nothing to say.
func (v ShapeVerdict) Text() locale.Text {
	if v == "" || v == ShapeUnknown {
		return locale.Text{}
	}
	return locale.Msg("presets.shape." + string(v))
}

// CheckShape compares a secret with the provider's rule. The verdict is advice: the person may always continue. Nothing
// of the secret is kept.
func (p *Provider) CheckShape(secret string) ShapeVerdict {
	if secret == "" {
		return ShapeEmpty
	}
	c := p.Credential
	switch {
	case c.WrongPrefix != "" && strings.HasPrefix(secret, c.WrongPrefix):
		return ShapeWrongKey
	case c.Prefix != "" && !strings.HasPrefix(secret, c.Prefix):
		return ShapeNoPrefix
	}
	s := p.Shape
	if s == nil || s.Length == 0 || s.Alphabet == "" || p.NeedsAppPassword != NeedYes {
		if c.Prefix != "" {
			return ShapeFits
		}
		return ShapeUnknown
	}
	bare, _ := s.strip(secret)
	switch {
	case !s.allows(bare):
		return ShapeAccount
	case len(bare) < s.Length:
		// Half the length without a separator is more likely a chosen password than an incomplete paste.
		if len(bare)*2 <= s.Length || !strings.ContainsAny(secret, " -\u00a0") && len(bare) < s.Length-2 {
			return ShapeAccount
		}
		return ShapeShort
	case len(bare) > s.Length:
		return ShapeLong
	default:
		return ShapeFits
	}
}
