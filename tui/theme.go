package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// theme holds what can be drawn on this terminal: its characters and the styles.
type theme struct {
	ascii  bool // the locale is not UTF-8: no character beyond ASCII is drawn
	colour bool
	glyphs glyphs
	styles styles
}

// glyphs are the few signs that are not words.
type glyphs struct {
	rule, done    string // the line under the header, and its part for steps already done
	focus         string // before what has the focus, one cell
	bullet        string
	above, below  string
	bar           string // after the word that marks the server's own lines
	dot           string // between two remarks
	star          string
	edge          string // to the left of a card and of the field in focus
	good, remark  string // marks before a verdict, one cell each
	bad, none     string
	echo          rune
	unprintable   string // in place of a character that must not reach a terminal, one cell
	ellipsis      string
	left, right   string // ends of a text that goes on
	upDown        string // the keys upwards and downwards
	waiting, busy string
}

// styles use bold, reverse and the 16 colours only. Text keeps the terminal's own colours, so that it is as readable as
// everything else there. Badges and the first key set both foreground and background, so that their contrast is the
// same on dark and light terminals. Marks, edges and the progress are signs, whose colour only helps.
type styles struct {
	plain, bold, chosen, key lipgloss.Style
	pass, warn, fail, skip   lipgloss.Style // badges
	first                    lipgloss.Style // the key in focus
	accent                   lipgloss.Style // the edge of the field in focus, and the progress
	good, remark, bad        lipgloss.Style // marks and the edge of a card
	dark, light              lipgloss.Style // modules of a QR code
}

func newTheme(getenv func(string) string, noColour bool) theme {
	l := theme{ascii: !utf8Locale(getenv), colour: !noColour && getenv("NO_COLOR") == ""}
	l.glyphs = glyphs{
		rule: "─", done: "━", focus: "▸", bullet: "•", above: "▲", below: "▼", bar: "│", dot: "·", star: "★",
		echo: '•', unprintable: "�", ellipsis: "…", left: "‹", right: "›", waiting: "·", busy: "…",
		upDown: "↑↓", edge: "┃", good: "✓", remark: "!", bad: "✗", none: "–",
	}
	if l.ascii {
		l.glyphs = glyphs{
			rule: "-", done: "=", focus: ">", bullet: "*", above: "^", below: "v", bar: "|", dot: "-", star: "*",
			echo: '*', unprintable: "?", ellipsis: "~", left: "<", right: ">", waiting: ".", busy: "...",
			upDown: "^v", edge: "|", good: "+", remark: "!", bad: "x", none: "-",
		}
	}
	l.styles = newStyles(l.colour)
	return l
}

// Colours by their number among the 16.
const (
	black  = "0"
	red    = "1"
	green  = "2"
	yellow = "3"
	cyan   = "6"
	amber  = "11" // the bright yellow: the other one is a brown on some terminals, too dark behind black letters
	white  = "15"
)

func newStyles(colour bool) styles {
	plain := lipgloss.NewStyle()
	bold := plain.Bold(true)
	s := styles{
		plain: plain, bold: bold, chosen: bold.Reverse(true), key: bold,
		pass: bold, warn: bold, fail: bold.Reverse(true), skip: plain,
		first: bold.Reverse(true), accent: plain, good: plain, remark: plain, bad: plain,
		dark: plain, light: plain,
	}
	if colour {
		badge := func(fg, bg string) lipgloss.Style {
			return plain.Foreground(lipgloss.Color(fg)).Background(lipgloss.Color(bg))
		}
		s.pass, s.warn, s.fail = badge(black, green), badge(black, amber), badge(white, red).Bold(true)
		s.first = badge(black, cyan)
		sign := func(colour string) lipgloss.Style { return plain.Foreground(lipgloss.Color(colour)) }
		s.accent, s.good, s.remark, s.bad = sign(cyan), sign(green), sign(yellow), sign(red)
		s.dark, s.light = badge(black, white), badge(black, white)
	}
	return s
}

// utf8Locale reports whether the character set of the locale is UTF-8 (POSIX: LC_ALL, then LC_CTYPE, then LANG).
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
