package tui

import (
	"slices"
	"strings"
	"testing"
)

// TestSqueeze: a page gives up as many empty lines as it has to, first those in the middle, last the one beneath the
// title; what is pointed at moves along. "-" is an empty line.
func TestSqueeze(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, keys string
		rows       int
		want, end  string
		fits       bool
	}{
		{"T - a b - c", "- k", 8, "T - a b - c", "- k", true},
		{"T - a b - c", "- k", 7, "T - a b c", "- k", true},
		{"T - a b - c", "- k", 6, "T - a b c", "k", true},
		{"T - a b - c", "- k", 5, "T a b c", "k", true},
		{"T - a b - c", "- k", 4, "T - a b - c", "- k", false},
		{"T - a b - c", "", 5, "T - a b c", "", true},
		{"T a", "k", 2, "T a", "k", false},
	} {
		p := sketch(c.text)
		if c.keys != "" {
			p.keys = sketch(c.keys)
		}
		p.want = span{slices.Index(strings.Fields(c.text), "c"), p.height()}
		fits := p.squeeze(c.rows)
		if got, end := drawn(p), drawn(p.keys); fits != c.fits || got != c.want || end != c.end {
			t.Errorf("%q and %q in %d rows: %q and %q, fits: %t", c.text, c.keys, c.rows, got, end, fits)
		}
		if at := slices.Index(strings.Fields(drawn(p)), "c"); p.want != (span{at, p.height()}) && at >= 0 {
			t.Errorf("%q in %d rows: wanted are %v, c is at %d of %d", c.text, c.rows, p.want, at, p.height())
		}
	}
}

// TestFit: keys stay beneath a page that is higher than the window, unless they would take most of it or the window is
// low; then they are the end of the page, and what they want to be seen with them.
func TestFit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x ", 20)
	for _, c := range []struct {
		text, keys string
		rows       int
		tight      bool
		left       int
		beneath    string
	}{
		{long, "- k", 12, false, 10, "- k"},
		{long, "- k l m n", 12, false, 8, "k l m n"},
		{long, "- k l m n o", 12, false, 12, ""},
		{long, "k", 12, true, 12, ""},
		{"x x", "- k", 12, false, 12, ""},
		{long, "", 12, false, 12, ""},
	} {
		p := sketch(c.text)
		p.dense.tight = c.tight
		if c.keys != "" {
			p.keys = sketch(c.keys)
			p.keys.want = span{0, p.keys.height()}
		}
		left, beneath := p.fit(c.rows)
		if got := drawn(&page{lines: beneath}); left != c.left || got != c.beneath {
			t.Errorf("%q in %d rows: %d are left above %q", c.keys, c.rows, left, got)
		}
		if joined := c.keys != "" && c.beneath == ""; joined &&
			(p.want.after != p.height() || p.lines[p.height()-1].text != c.keys[len(c.keys)-1:]) {
			t.Errorf("%q in %d rows: the page ends with %q, wanted are %v", c.keys, c.rows, drawn(p), p.want)
		}
	}
}

func sketch(text string) *page {
	p := &page{}
	for _, word := range strings.Fields(text) {
		p.lines = append(p.lines, line{text: strings.Trim(word, "-"), gap: word == "-"})
	}
	return p
}

func drawn(p *page) string {
	if p == nil {
		return ""
	}
	words := make([]string, len(p.lines))
	for i, l := range p.lines {
		if words[i] = l.text; l.gap {
			words[i] = "-"
		}
	}
	return strings.Join(words, " ")
}
