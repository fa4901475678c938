package plain

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"postier/internal/secret"
	"postier/wizard/carrier"
)

// maxInput is the longest line of input that is accepted; a longer one is an accidental paste.
const maxInput = 16 << 10

// reply is one line of input.
type reply struct {
	text   string
	secret secret.Value
	err    error
}

// display returns the line for recognising a command, and nothing for a longer line, so that a secret is not held as
// plain text.
func (r reply) display() string {
	if r.secret.Empty() {
		return r.text
	}
	if s := r.secret.Reveal(); len(s) <= 2 {
		return s
	}
	return ""
}

// input reads lines one at a time. A read from a terminal cannot be cancelled, so the next prompt goes on with one that
// is still under way.
type input struct {
	reader   interface{ ReadString(byte) (string, error) }
	terminal bool
	fd       int
	pending  chan reply
	echo     *console // to restore, while echo is off
	// news is told while a line is waited for; asked is the question that is then asked again.
	news  *sharing
	asked string
}

func newInput(r io.Reader) *input { return inputFrom(bufio.NewReaderSize(r, maxInput), r) }

// lineInput takes no more than the line that is asked for: what follows is for whoever asks next.
func lineInput(r io.Reader) *input { return inputFrom(byteReader{r}, r) }

// byteReader reads a line octet by octet.
type byteReader struct{ io.Reader }

// ReadString reads up to and including the delimiter.
func (b byteReader) ReadString(end byte) (string, error) {
	var line []byte
	octet := make([]byte, 1)
	for len(line) < maxInput {
		n, err := b.Read(octet)
		if n > 0 {
			line = append(line, octet[0])
			if octet[0] == end {
				return string(line), nil
			}
		}
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}

func inputFrom(lines interface{ ReadString(byte) (string, error) }, r io.Reader) *input {
	in := &input{reader: lines}
	if f, ok := r.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		in.terminal, in.fd = true, int(f.Fd())
	}
	return in
}

// next starts reading a line, or goes on with the read under way.
func (in *input) next() <-chan reply {
	if in.pending == nil {
		in.pending = make(chan reply, 1)
		go func(out chan<- reply) {
			text, err := in.reader.ReadString('\n')
			if err != nil && text == "" {
				out <- reply{err: err}
				return
			}
			out <- reply{text: unmarked(strings.TrimRight(text, "\r\n"))}
		}(in.pending)
	}
	return in.pending
}

// unmarked removes the marks of a bracketed paste from a line. A program that ran before may have left them switched
// on.
func unmarked(line string) string {
	return strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[200~"), "\x1b[201~")
}

func (in *input) read(ctx context.Context) (string, error) {
	for {
		select {
		case r := <-in.next():
			in.pending = nil
			if r.err != nil {
				return "", carrier.ErrInterrupted
			}
			return r.text, nil
		case <-in.news.changed():
			if in.news.tell() {
				in.news.prompt(in.asked)
			}
		case <-ctx.Done():
			return "", carrier.ErrInterrupted
		}
	}
}

// ask prints a question.
func (in *input) ask(p *printer, label string) {
	in.asked = label
	p.prompt(label)
}

// readSecret reads a line without echo.
func (in *input) readSecret(ctx context.Context) (reply, error) {
	in.echoOff()
	text, err := in.read(ctx)
	in.close()
	if err != nil {
		return reply{}, err
	}
	return reply{secret: secret.New(text)}, nil
}

// echoOff switches the terminal's echo off; line editing stays on.
func (in *input) echoOff() {
	if !in.terminal || in.echo != nil {
		return
	}
	in.echo = silence(in.fd)
}

// close restores the terminal's echo. Of a secret that was pasted with more lines than one the others are still to be
// read: they are dropped, since the next question would show them and take one for its answer.
func (in *input) close() {
	if in.echo != nil {
		in.echo.restore(in.fd)
		in.echo = nil
	}
}

func (d *dialog) read(ctx context.Context, key string, _ bool) (string, error) {
	d.input.ask(&d.printer, d.t(key))
	return d.input.read(ctx)
}

func (d *dialog) readLabel(ctx context.Context, label, shown string) (string, error) {
	if shown != "" {
		label += " [" + shown + "]"
	}
	d.input.ask(&d.printer, label)
	return d.input.read(ctx)
}

func (d *dialog) readSecret(ctx context.Context, label string) (reply, error) {
	d.input.ask(&d.printer, label+" "+d.t("plain.hidden"))
	r, err := d.input.readSecret(ctx)
	if d.input.terminal {
		d.printLine("")
	}
	return r, err
}

// ReadSecret asks for one secret on a terminal, without echo.
func ReadSecret(ctx context.Context, in io.Reader, out io.Writer, label string) (secret.Value, error) {
	i := newInput(in)
	defer i.close()
	_, _ = io.WriteString(out, label+": ")
	r, err := i.readSecret(ctx)
	_, _ = io.WriteString(out, "\n")
	return r.secret, err
}
