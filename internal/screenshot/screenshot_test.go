package screenshot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

func TestTextAndPicture(t *testing.T) {
	t.Parallel()
	screen := New(20, 3)
	if _, err := screen.Write(
		[]byte("plain \x1b[1mbold\x1b[0m\r\n\x1b[30;42m OK \x1b[0m <é>\r\n\x1b[7mreverse\x1b[0m")); err != nil {
		t.Fatal(err)
	}
	if got, want := screen.Text(), "plain bold\n OK  <é>\nreverse\n"; got != want {
		t.Errorf("text is %q, expected %q", got, want)
	}
	svg := string(screen.SVG("a <title>"))
	for _, want := range []string{
		"a &lt;title&gt;", `font-weight="bold" textLength="33.6" lengthAdjust="spacingAndGlyphs">bold</text>`,
		`fill="#4caf50" class="c2"`, "@media (prefers-color-scheme: light) { .c0 { fill: #fbfcfd }", `fill="#1b1f27" class="c0" textLength="16.8" lengthAdjust="spacingAndGlyphs">OK</text>`, "&lt;é&gt;",
		`fill="#1b1f27" class="c0" textLength="58.8" lengthAdjust="spacingAndGlyphs">reverse</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %s:\n%s", want, svg)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
	}
}

// TestPiecesHaveNoSpacesToLose: several spaces and those at an end are drawn by no one the same way.
func TestPiecesHaveNoSpacesToLose(t *testing.T) {
	t.Parallel()
	screen := New(30, 1)
	if _, err := screen.Write([]byte("  one two   漢x  end")); err != nil {
		t.Fatal(err)
	}
	svg := string(screen.SVG("spaces"))
	for _, want := range []string{
		`<text x="28.8" y="25.5" fill="#d8dee9" class="c7" textLength="58.8" lengthAdjust="spacingAndGlyphs">one two</text>`,
		`<text x="112.8" y="25.5" fill="#d8dee9" class="c7" textLength="25.2" lengthAdjust="spacingAndGlyphs">漢x</text>`,
		`<text x="154.8" y="25.5" fill="#d8dee9" class="c7" textLength="25.2" lengthAdjust="spacingAndGlyphs">end</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %s:\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "> ") || strings.Contains(svg, " </text>") {
		t.Errorf("a text begins or ends with a space:\n%s", svg)
	}
}

func TestAnswersQuestions(t *testing.T) {
	t.Parallel()
	screen := New(10, 2)
	read, write := io.Pipe()
	go screen.Answer(write)
	go func() { _, _ = screen.Write([]byte("ab\x1b[6n")) }()
	buf := make([]byte, 16)
	n, err := read.Read(buf)
	if err != nil || string(buf[:n]) != "\x1b[1;3R" {
		t.Errorf("the cursor report is %q, %v", buf[:n], err)
	}
	_ = screen.Close()
}

func TestResizeAndFullScreen(t *testing.T) {
	t.Parallel()
	screen := New(10, 2)
	screen.Resize(4, 1)
	_, _ = screen.Write([]byte("\x1b[?1049hhi"))
	if !screen.Full() || screen.Text() != "hi\n" {
		t.Errorf("full %v, text %q", screen.Full(), screen.Text())
	}
}

// TestLightColoursCanBeRead measures the contrast of each colour on the light background, and of light text on it
// (WCAG 2.2, 1.4.3: at least 4.5).
func TestLightColoursCanBeRead(t *testing.T) {
	t.Parallel()
	luminance := func(hex string) float64 {
		var r, g, b uint8
		if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b); err != nil {
			t.Fatal(err)
		}
		linear := func(octet uint8) float64 {
			c := float64(octet) / 255
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	for n, c := range light[1:] {
		if contrast := (luminance(light[0]) + 0.05) / (luminance(c) + 0.05); contrast < 4.5 {
			t.Errorf("colour %d has a contrast of %.1f", n+1, contrast)
		}
	}
}
