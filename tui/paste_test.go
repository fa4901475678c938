package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postier/internal/locale"
	"postier/wizard"
)

// TestPasteGuard feeds what a terminal sends, piece by piece. "|" is a pause after which nothing more comes within the
// time that the guard waits.
func TestPasteGuard(t *testing.T) {
	t.Parallel()
	const begin, end = pasteBegin, pasteEnd
	long := strings.Repeat("x", maxPaste)
	for name, row := range map[string]struct {
		sent []string
		want string
	}{
		"whole":                    {[]string{begin + "abc" + end + "x"}, begin + "abc" + end + "x"},
		"in pieces":                {[]string{"\x1b[2", "00~ab", "c\x1b[2", "01~x"}, begin + "abc" + end + "x"},
		"no end":                   {[]string{begin + "abc", "|"}, begin + "abc" + end},
		"no end, text later":       {[]string{begin + "abc", "|", "x", "\r"}, begin + "abc" + end + "x\r"},
		"no end, Ctrl-C":           {[]string{begin + "abc", "\x03", "y"}, begin + "abc" + end + "\x03y"},
		"no end, Esc":              {[]string{begin + "abc", "\x1b", "|", "y"}, begin + "abc" + end + "\x1by"},
		"Esc in the same piece":    {[]string{begin + "abc\x1b", "|"}, begin + "abc" + end + "\x1b"},
		"no end, Kitty's Ctrl-C":   {[]string{begin + "abc", "\x1b[99;5u"}, begin + "abc" + end + "\x1b[99;5u"},
		"no end, Kitty's Esc":      {[]string{begin + "abc", "\x1b[27u"}, begin + "abc" + end + "\x1b[27u"},
		"a key in pieces is lost":  {[]string{begin + "abc\x1b[99", ";5u", "x"}, begin + "abc\x1b[99" + end + "x"},
		"torn end":                 {[]string{begin + "abc[201~", "|", "x"}, begin + "abc[201~" + end + "x"},
		"colours":                  {[]string{begin + "\x1b[31mred" + end}, begin + "\x1b[31mred" + end},
		"two pastes":               {[]string{begin + "a", "|", begin + "b" + end}, begin + "a" + end + begin + "b" + end},
		"an empty one":             {[]string{begin + end + "x"}, begin + end + "x"},
		"no paste":                 {[]string{"abc\x1b", "|", "\x03", "\x1b[A"}, "abc\x1b\x03\x1b[A"},
		"too long":                 {[]string{begin + long + "more", "still more" + end + "x"}, begin + long + end + "x"},
		"too long, no end":         {[]string{begin + long + "more", "|", "x"}, begin + long + end + "x"},
		"too long, Ctrl-C":         {[]string{begin + long + "more", "\x03"}, begin + long + end + "\x03"},
		"Ctrl-C alone in the text": {[]string{begin + "a\x03b" + end}, begin + "a" + end + "\x03b" + end},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g pasteGuard
			var got strings.Builder
			for i, piece := range row.sent {
				if piece == "|" {
					continue
				}
				pause := i+1 < len(row.sent) && row.sent[i+1] == "|"
				out := g.watch([]byte(piece), func(time.Duration) bool { return !pause })
				if len(out) > 2*len(piece)+len(pasteEnd) {
					t.Errorf("%d octets became %d", len(piece), len(out))
				}
				got.Write(out)
			}
			if got.String() != row.want {
				t.Errorf("got %.200q\nwant %.200q", got.String(), row.want)
			}
		})
	}
}

// TestSecretIsOneLine: a paste of several lines gives the first of them to a secret, and says so.
func TestSecretIsOneLine(t *testing.T) {
	t.Parallel()
	for pasted, want := range map[string]string{
		"geheim-1234\nzweite zeile":       "geheim-1234",
		"geheim-1234\r\nzweite zeile\r\n": "geheim-1234",
		"\ngeheim-1234\rzweite":           "geheim-1234",
		"geheim-1234\n":                   "geheim-1234",
		"geheim-1234[201~":                "geheim-1234",
	} {
		s := newScript(wizard.Screen{
			Fields:  []wizard.Field{{ID: wizard.FieldSecret, Kind: wizard.KindSecret, Label: wizard.Literal("Password")}},
			Actions: []wizard.Action{action(wizard.ActNext, 0)},
		})
		d := drive(t, s, locale.English, 80, 24)
		d.send(tea.PasteMsg{Content: pasted})
		if several := strings.Contains(strings.Trim(pasted, "\r\n"), "zweite"); several {
			d.shows("Only the first was taken")
		}
		d.keys("enter")
		if got := s.last(t).Secret.Reveal(); got != want {
			t.Errorf("%q gives %q", pasted, got)
		}
	}
}
