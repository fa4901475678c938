package screenshot

import (
	"encoding/xml"
	"errors"
	"io"
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
		`fill="#4caf50"`, `fill="#1b1f27" textLength="33.6" lengthAdjust="spacingAndGlyphs"> OK </text>`, "&lt;é&gt;",
		`fill="#1b1f27" textLength="58.8" lengthAdjust="spacingAndGlyphs">reverse</text>`,
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
