// Package screenshot is a terminal without a display: it feeds a program's output to a terminal emulator, returns the
// screen as text, and draws it as SVG for the manual. Tests and the pictures in the documentation use it.
package screenshot

import (
	"fmt"
	"html"
	"image/color"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// Terminal is an emulated screen. Several goroutines may write to it and read it.
type Terminal struct {
	mu sync.Mutex
	// The emulator's own safe wrapper returns pointers to live cells, so this type has its own lock.
	screen *vt.Emulator
}

// New returns an empty screen of the given size in cells.
func New(width, height int) *Terminal {
	return &Terminal{screen: vt.NewEmulator(width, height)}
}

// Write takes a program's output. What was drawn for a window that has become smaller since may be outside of the
// screen. Terminals pass over that, and the program draws it again; the emulator fails with an index out of range.
func (t *Terminal) Write(p []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() {
		switch what := recover().(type) {
		case nil:
		case runtime.Error:
			n = len(p)
		default:
			panic(what)
		}
	}()
	return t.screen.Write(p)
}

// Answer copies what the terminal answers to a program's questions to w, until the terminal is closed.
func (t *Terminal) Answer(w io.Writer) { _, _ = io.Copy(w, t.screen) }

// Close ends Answer. It closes the emulator's pipe and not the emulator, whose Close must not run at the same time as
// its Read.
func (t *Terminal) Close() error {
	if pipe, ok := t.screen.InputPipe().(io.Closer); ok {
		return pipe.Close()
	}
	return nil
}

// Resize changes the size in cells.
func (t *Terminal) Resize(width, height int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.Resize(width, height)
}

// Full reports whether the program uses the alternate, full screen.
func (t *Terminal) Full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.IsAltScreen()
}

// Text is the screen line by line, without spaces at the ends of lines.
func (t *Terminal) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for y := range t.screen.Height() {
		var line strings.Builder
		for x := 0; x < t.screen.Width(); {
			text, width, _ := t.cell(x, y)
			line.WriteString(text)
			x += width
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func (t *Terminal) cell(x, y int) (text string, width int, style uv.Style) {
	c := t.screen.CellAt(x, y)
	if c == nil || c.Content == "" {
		if c != nil {
			style = c.Style
		}
		return " ", 1, style
	}
	return c.Content, max(1, c.Width), c.Style
}

// Measures of the picture: a monospaced font at 14 px has cells of about 8.4 by 18.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	baseline   = 13.5
	border     = 12.0
	fontSize   = 14
)

// The page's own colours, and the 16 of the terminal.
const (
	foreground = "#d8dee9"
	background = "#1b1f27"
)

var palette = [16]string{
	"#1b1f27", "#c0392b", "#4caf50", "#d4a72c", "#3f7fd0", "#a05fc0", "#2ba3a3", "#d8dee9",
	"#6b7280", "#e06c75", "#7ecf7e", "#f0c94a", "#6fa8ff", "#c594e8", "#5fd7d7", "#ffffff",
}

// light are the same colours for readers whose pages are light, each dark enough to be read on the first one.
var light = [16]string{
	"#fbfcfd", "#b3261e", "#1b7a2f", "#8a6100", "#1d5fb4", "#7b3fa0", "#0b7285", "#24292f",
	"#59636e", "#b3261e", "#1b7a2f", "#8a6100", "#1d5fb4", "#7b3fa0", "#0b7285", "#000000",
}

// fill is the attribute for a colour, with the class by which a light page changes it. Viewers that know no style
// sheets show the dark picture.
func fill(c string) string {
	if n := slices.Index(palette[:], c); n >= 0 {
		return fmt.Sprintf(`fill="%s" class="c%d"`, c, n)
	}
	return fmt.Sprintf(`fill="%s"`, c)
}

// styleSheet has the colours of light pages.
func styleSheet() string {
	var b strings.Builder
	b.WriteString("<style>@media (prefers-color-scheme: light) {")
	for n, c := range light {
		fmt.Fprintf(&b, " .c%d { fill: %s }", n, c)
	}
	return b.String() + " }</style>\n"
}

// SVG draws the screen.
func (t *Terminal) SVG(title string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	width := float64(t.screen.Width())*cellWidth + 2*border
	height := float64(t.screen.Height())*cellHeight + 2*border
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.1f %.1f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	b.WriteString(styleSheet())
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" %s/>`+"\n", fill(background))
	fmt.Fprintf(&b, `<g font-family="'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace" font-size="%d" xml:space="preserve">`+"\n", fontSize)
	for y := range t.screen.Height() {
		t.line(&b, y)
	}
	b.WriteString("</g>\n</svg>\n")
	return []byte(b.String())
}

// line draws the runs of cells of one line that look alike.
func (t *Terminal) line(b *strings.Builder, y int) {
	for x := 0; x < t.screen.Width(); {
		text, cells, style := t.cell(x, y)
		from, texts := x, []string{text}
		x += cells
		for x < t.screen.Width() {
			more, width, other := t.cell(x, y)
			if !other.Equal(&style) {
				break
			}
			// A wide character is followed by nothing, so that a text has the number of its cell.
			texts = append(append(texts, make([]string, x-from-len(texts))...), more)
			x += width
		}
		texts = append(texts, make([]string, x-from-len(texts))...)
		run(b, from, y, texts, style)
	}
}

func run(b *strings.Builder, x, y int, texts []string, style uv.Style) {
	fg, bg := colour(style.Fg, foreground), colour(style.Bg, "")
	if style.Attrs&uv.AttrReverse != 0 {
		if bg == "" {
			bg = background
		}
		fg, bg = bg, fg
	}
	left, top := border+float64(x)*cellWidth, border+float64(y)*cellHeight
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`+"\n", left, top,
			float64(len(texts))*cellWidth, cellHeight, fill(bg))
	}
	weight := ""
	if style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	ink := fill(fg)
	if bg != "" && fg == palette[15] {
		ink = strings.Replace(ink, `"c15"`, `"c0"`, 1) // white on a coloured mark is white on light pages, too
	}
	for from, to := range pieces(texts) {
		// textLength keeps the columns straight whatever font the reader has.
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s%s textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
			left+float64(from)*cellWidth, top+baseline, ink, weight, float64(to-from)*cellWidth,
			html.EscapeString(strings.Join(texts[from:to], "")))
	}
}

// pieces are what stands between spaces at the ends of a run, or several spaces inside of it: some browsers draw
// several spaces as one and none at an end, and textLength would stretch the rest to fill their place.
func pieces(texts []string) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for at := 0; at < len(texts); {
			if texts[at] == " " {
				at++
				continue
			}
			from, to := at, at
			for at = from; at < len(texts) && (texts[at] != " " || at+1 < len(texts) && texts[at+1] != " "); at++ {
				to = at + 1
			}
			if !yield(from, to) {
				return
			}
		}
	}
}

// colour is a colour of the terminal as the picture shows it.
func colour(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	if n, basic := basicIndex(c); basic {
		return palette[n]
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// basicIndex is the number of one of the 16 colours.
func basicIndex(c color.Color) (int, bool) {
	if basic, ok := c.(ansi.BasicColor); ok && int(basic) < len(palette) {
		return int(basic), true
	}
	if indexed, ok := c.(ansi.IndexedColor); ok && int(indexed) < len(palette) {
		return int(indexed), true
	}
	return 0, false
}
