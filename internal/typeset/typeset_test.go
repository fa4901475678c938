package typeset_test

import (
	"slices"
	"strings"
	"testing"

	"postier/internal/typeset"
)

func TestWidth(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{
		"": 0, "abc": 3, "Déjà": 4, "De\u0301ja": 4, "請求書": 6, "📧": 2, "👩‍💻": 2, "\x1b[1mbold\x1b[0m": 4,
	} {
		if got := typeset.Width(s); got != want {
			t.Errorf("%q: %d cells, want %d", s, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, rest, s string
		width          int
		want           []string
	}{
		"nothing":                              {"", "", "", 10, []string{""}},
		"one line":                             {"- ", "  ", "a b", 10, []string{"- a b"}},
		"hanging":                              {"- ", "  ", "one two three", 9, []string{"- one two", "  three"}},
		"quotation marks stay with their word": {"", "", "avant « all » ici", 9, []string{"avant", "« all »", "ici"}},
		"a long word is whole": {
			"", "", "see https://login.example/device now", 12,
			[]string{"see", "https://login.example/device", "now"},
		},
		"wide characters":    {"", "", "請求書 請求書", 12, []string{"請求書", "請求書"}},
		"accents as marks":   {"", "", "De\u0301ja\u0300 vu\u0301", 8, []string{"De\u0301ja\u0300 vu\u0301"}},
		"French punctuation": {"", "", "vous avez raison !", 16, []string{"vous avez raison !"}},
		"no-break space":     {"", "", "il y a 25\u00a0Mo", 10, []string{"il y a", "25 Mo"}},
		"wide indent":        {"請 ", "   ", "a b c", 6, []string{"請 a b", "   c"}},
	} {
		if got := typeset.Fill(test.first, test.rest, test.s, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestDatesStayWhole: a line ends at the hyphen of a word, and never within a date or a range.
func TestDatesStayWhole(t *testing.T) {
	t.Parallel()
	for width := 12; width < 40; width++ {
		lines := typeset.Wrap("all good on 2026-11-20, see the sub-domain or 1024-2048 bits", width)
		for _, whole := range []string{"2026-11-20", "1024-2048"} {
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, whole) }) {
				t.Errorf("at %d: %q", width, lines)
			}
		}
	}
	if got := typeset.Wrap("a sub-domain", 6); !slices.Equal(got, []string{"a sub-", "domain"}) {
		t.Errorf("%q", got)
	}
}

func TestWrapFits(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "one two three", "請求書請求書請求書", strings.Repeat("x", 30), "a 請求書 b"} {
		for width := 2; width < 12; width++ {
			for _, line := range typeset.Wrap(s, width) {
				if typeset.Width(line) > width {
					t.Errorf("%q at %d: %q has %d cells", s, width, line, typeset.Width(line))
				}
			}
		}
	}
}

func TestShortenAndPad(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "abc", "請求書", "請求書請求書"} {
		for width := 1; width < 9; width++ {
			short := typeset.Shorten(s, width, "…")
			if typeset.Width(short) > width || typeset.Width(s) <= width && short != s {
				t.Errorf("%q at %d: %q", s, width, short)
			}
			if padded := typeset.Pad(short, width); typeset.Width(padded) != width {
				t.Errorf("%q at %d: %q is %d cells wide", s, width, padded, typeset.Width(padded))
			}
		}
	}
}

// TestWhole: a command stays on its line, however long it is.
func TestWhole(t *testing.T) {
	t.Parallel()
	const said = "Run `postier --config /srv/mail.json setup --edit office` and then `postier send`."
	got := typeset.Fill("", "", typeset.Whole(said), 24)
	want := []string{
		"Run", "`postier --config /srv/mail.json setup --edit office`", "and then `postier send`.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if lone := typeset.Whole("one ` alone"); lone != "one ` alone" {
		t.Errorf("%q", lone)
	}
}
