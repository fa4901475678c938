package tui

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/wizard"
)

// speech puts things into words of one language. What its methods return holds no character that a terminal would act
// on, wherever the text came from.
type speech struct {
	lang    locale.Lang
	product string
	theme   theme
}

// t returns a message of the front end's own.
func (s speech) t(key string, args ...any) string {
	return s.escape(s.typeset(locale.For(s.lang).T("tui."+key, args...)))
}

// say returns the wizard's words as text. A message may have several lines.
func (s speech) say(w wizard.Words) string { return s.escape(w.Join(s.lang, s.product, s.typeset)) }

// list returns several words as one text.
func (s speech) list(words []wizard.Words, between string) string {
	said := make([]string, 0, len(words))
	for _, w := range words {
		said = append(said, s.say(w))
	}
	return strings.Join(said, between)
}

// colon puts a colon after a label.
func (s speech) colon(label string) string {
	return s.escape(s.typeset(locale.For(s.lang).Colon(label)))
}

// frenchSpaces puts no-break spaces where French typography has a space next to a sign, so that the sign stays with its
// word.
var frenchSpaces = strings.NewReplacer(" ;", "\u00a0;", " :", "\u00a0:", " ?", "\u00a0?", " !", "\u00a0!", " »",
	"\u00a0»", "« ", "«\u00a0")

// typeset keeps a French line from beginning with a punctuation mark.
func (s speech) typeset(text string) string {
	if s.lang != locale.French {
		return text
	}
	return frenchSpaces.Replace(text)
}

// escape escapes text line by line; the no-break space stays, because French needs it.
func (s speech) escape(text string) string {
	const noBreak = "\u00a0"
	lines := strings.Split(strings.ReplaceAll(text, "\u202f", noBreak), "\n")
	for i, line := range lines {
		pieces := strings.Split(line, noBreak)
		for j := range pieces {
			pieces[j] = safetext.Escape(pieces[j])
		}
		lines[i] = strings.Join(pieces, noBreak)
	}
	text = strings.Join(lines, "\n")
	if s.theme.ascii {
		text = toASCII(text)
	}
	return text
}

// toASCII writes text with ASCII characters: accents go, other characters become a question mark.
func toASCII(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case r < unicode.MaxASCII:
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteString(asciiFor(r))
		}
	}
	return b.String()
}

func asciiFor(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'æ':
		return "ae"
	case '’', '‘', '‚':
		return "'"
	case '“', '”', '„', '«', '»':
		return `"`
	case '–', '—', '‑', '·':
		return "-"
	case '…':
		return "..."
	case '→':
		return "->"
	case '•':
		return "*"
	case '│':
		return "|"
	case '\u00a0':
		return " "
	default:
		return "?"
	}
}

// status returns the word for a check's status; colour only supports it.
func (s speech) status(status check.Status) string {
	switch status {
	case check.Pass, check.Warn, check.Fail, check.Skip:
		return s.escape(locale.For(s.lang).T("common." + string(status)))
	default:
		return ""
	}
}

func (s speech) took(d time.Duration) string {
	return locale.For(s.lang).Seconds(d, 1)
}

// languageKey returns the label of the language key: the name of the language that it switches to.
func (s speech) languageKey(short bool) string {
	next := s.lang.Next()
	if short {
		return "F2 " + strings.ToUpper(string(next))
	}
	return s.escape("F2 " + next.Name())
}
