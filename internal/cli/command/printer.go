package command

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
	"postier/tui/plain"
)

// textWidth is the longest line of prose.
const textWidth = 76

// Printer prints in the user's language: results on standard output, everything else on standard error, so that a pipe
// gets only the result.
type Printer struct {
	Streams
	LangFlag string
	JSON     bool
	Plain    bool
	NoColor  bool
	Verbose  bool

	program   string // what starts a printed command, empty for the program alone
	unwritten error  // the first failed write of Raw
}

// Lang is the language of the flag, or that of the environment.
func (p *Printer) Lang() locale.Lang {
	if lang, ok := locale.Parse(p.LangFlag); ok {
		return lang
	}
	return locale.FromEnvironment(p.Getenv)
}

// T is a message of the catalogue.
func (p *Printer) T(key string, args ...any) string {
	return p.spell(locale.For(p.Lang()).T(key, args...))
}

// Say puts a text of another package into words.
func (p *Printer) Say(text locale.Text) string { return p.spell(locale.For(p.Lang()).Say(text)) }

// Println prints a line of the result, escaped. It keeps the first error for the exit code: a script that got only half
// a list or an empty password must not see 0.
func (p *Printer) Println(text string) { p.Raw(safetext.EscapeText(text)) }

// Raw prints a line as it is: a secret that a program asked for.
func (p *Printer) Raw(text string) {
	if _, err := fmt.Fprintln(p.Out, text); err != nil && p.unwritten == nil {
		p.unwritten = err
	}
}

// Unwritten is the first error of Raw.
func (p *Printer) Unwritten() error { return p.unwritten }

// PrintJSON prints a value as indented JSON.
func (p *Printer) PrintJSON(v any) error {
	p.show(v, false)
	text, err := documentOf(v, "")
	if err == nil {
		_, err = p.Out.Write(text)
	}
	return err
}

// show tells the observer of a test what is printed.
func (p *Printer) show(v any, isRow bool) {
	if p.Printed != nil {
		p.Printed(v, isRow)
	}
}

func documentOf(v any, prefix string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent(prefix, "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return safetext.EscapeDocument(text.Bytes()), nil
}

// Result prints a value as JSON with --json, and otherwise calls words.
func (p *Printer) Result(v any, words func()) error {
	if p.JSON {
		return p.PrintJSON(v)
	}
	words()
	return nil
}

// List prints rows as one JSON array with --json, and otherwise calls words for each of them.
func List[R any](p *Printer, rows []R, words func(R)) error {
	return p.Result(rows, func() {
		for _, row := range rows {
			words(row)
		}
	})
}

// Stream is List for rows that come one after the other, none of which is kept. each calls its argument for every row.
func Stream[R any](p *Printer, each func(func(R) error) error, words func(R)) (err error) {
	out, buffer := p.Out, bufio.NewWriter(p.Out)
	p.Out = buffer
	defer func() {
		p.Out = out
		err = cmp.Or(err, buffer.Flush())
	}()
	first := true
	err = each(func(row R) error {
		switch {
		case !p.JSON:
			words(row)
			return p.unwritten
		case first:
			first = false
			_, _ = buffer.WriteString("[\n  ")
		default:
			_, _ = buffer.WriteString(",\n  ")
		}
		p.show(row, true)
		text, err := documentOf(row, "  ")
		if err == nil {
			_, err = buffer.Write(bytes.TrimSuffix(text, []byte("\n")))
		}
		return err
	})
	switch {
	case !p.JSON || err != nil:
	case first:
		_, err = buffer.WriteString("[]\n")
	default:
		_, err = buffer.WriteString("\n]\n")
	}
	return err
}

// Prose prints text wrapped between words.
func (p *Printer) Prose(said string) { p.fill("", said) }

// Paragraph prints text wrapped, indented by two spaces.
func (p *Printer) Paragraph(said string) { p.fill("  ", said) }

func (p *Printer) fill(indent, said string) {
	for _, line := range typeset.Fill(indent, indent, said, min(textWidth, lineWidth(p.Out))) {
		p.Println(line)
	}
}

// lineWidth is the longest line: a narrow window would break a longer one anywhere.
func lineWidth(w io.Writer) int {
	const least = 20
	return max(least, Columns(w)-1)
}

// Note prints a line on standard error.
func (p *Printer) Note(text string) { _, _ = io.WriteString(p.Err, p.readable(text)+"\n") }

// Question prints a question, with the cursor after it.
func (p *Printer) Question(text string) { _, _ = io.WriteString(p.Err, p.readable(text)+" ") }

// readable breaks long lines between words for a person at a terminal, but never a command. A program gets whole lines.
func (p *Printer) readable(text string) string {
	text = safetext.EscapeText(text)
	if !plain.IsTerminal(p.Err) {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if width := lineWidth(p.Err); typeset.Width(line) > width {
			lines = append(lines, typeset.Fill("", "", typeset.Whole(line), width)...)
		} else {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Complain prints what went wrong on standard error, after the program's name.
func (p *Printer) Complain(text string) {
	if text != "" {
		p.Note("postier: " + text)
	}
}
