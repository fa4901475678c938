package command

import (
	"bufio"
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"postier/tui/plain"
	"postier/wizard/carrier"
)

// Streams are the input, output and environment of a run; tests supply their own.
type Streams struct {
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Getenv func(string) string
	// Printed sees each value that is printed as JSON, and the row of a list that is printed piece by piece. Only the
	// tests of the schemas set it.
	Printed func(value any, isRow bool)

	pending chan answer // a line that is being read
	keeper  *keeper     // of what is printed, nil where it is not kept
}

// answer is a line that was typed.
type answer struct {
	text string
	err  error
}

// Interactive reports whether a person is there to answer.
func (s *Streams) Interactive() bool { return plain.IsTerminal(s.In) && plain.IsTerminal(s.Out) }

// Line reads a line, or gives up when ctx ends; the read itself cannot be given up, and what it brings is the next
// one's. The small buffer leaves later lines to the next reader.
func (s *Streams) Line(ctx context.Context) (string, error) {
	if s.pending == nil {
		read := make(chan answer, 1)
		s.pending = read
		go func() {
			text, err := bufio.NewReaderSize(s.In, 16).ReadString('\n')
			read <- answer{text, err}
		}()
	}
	select {
	case a := <-s.pending:
		s.pending = nil
		s.keeper.typed()
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// WaitForEnter lets a person read before the screen is taken over.
func (s *Streams) WaitForEnter(ctx context.Context) error {
	if _, err := s.Line(ctx); err != nil {
		return carrier.ErrInterrupted
	}
	return nil
}

// Confirm asks a yes-or-no question; anything but a yes in the person's language is a no.
func (p *Printer) Confirm(ctx context.Context, question string) bool {
	word, answered := p.reply(ctx, question)
	return answered && slices.Contains(strings.Fields(p.T("diagnose.yes-words")), word)
}

// Agree asks about what the person has just asked for; anything but a no in the person's language is a yes. The end of
// the input is none.
func (p *Printer) Agree(ctx context.Context, question string) bool {
	word, answered := p.reply(ctx, question)
	return answered && !slices.Contains(strings.Fields(p.T("diagnose.no-words")), word)
}

// reply is the word that answers a question.
func (p *Printer) reply(ctx context.Context, question string) (word string, answered bool) {
	p.Question(question)
	line, err := p.Line(ctx)
	return strings.ToLower(strings.TrimSpace(line)), err == nil
}

// Colourless reports whether colours are off.
func (p *Printer) Colourless() bool { return p.NoColor || p.Getenv("NO_COLOR") != "" }

// Columns is the width of a terminal, 80 where it tells none.
func Columns(w io.Writer) int {
	const usual = 80
	if k, ok := w.(keeping); ok {
		w = k.Writer
	}
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return usual
}

// Drawable reports whether both ends are a terminal that can place text, and plain lines were not asked for.
func (p *Printer) Drawable() bool {
	term := p.Getenv("TERM")
	return !p.Plain && !p.JSON && term != "dumb" && term != "" && p.Getenv("ACCESSIBLE") == "" && p.Interactive()
}
