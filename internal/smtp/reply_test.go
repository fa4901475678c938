package smtp

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"net"
	"slices"
	"strings"
	"testing"

	"postier/internal/wire"
)

// lines is a lineReader over text, with the same cap as wire.Conn.
type lines struct{ r *bufio.Reader }

func (l lines) ReadLine(limit int) (string, error) {
	line, err := l.r.ReadString('\n')
	if len(line) > limit+2 {
		return "", &wire.LimitError{Limit: "line", Max: limit}
	}
	if err != nil {
		return line, err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

func reply(text string) (Reply, error) {
	return readReply(lines{bufio.NewReader(strings.NewReader(text))})
}

func TestReadReply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		code     int
		enhanced string
		words    string
		fault    string // of ProtocolError
	}{
		{"250 ok\r\n", 250, "", "ok", ""},
		{"250\r\n", 250, "", "", ""},
		{"250 ok\n", 250, "", "ok", ""},
		{"250-a\r\n250-b\r\n250 c\r\n", 250, "", "a b c", ""},
		{"250-\r\n250 \r\n", 250, "", " ", ""},
		{"535-5.7.8 one\r\n535 5.7.8 two\r\n", 535, "5.7.8", "5.7.8 one 5.7.8 two", ""},
		{"535 5.7.8\r\n", 535, "5.7.8", "5.7.8", ""},
		{"250 5.7.8 of another class\r\n", 250, "", "5.7.8 of another class", ""},
		{"550 5.7.1234 too long\r\n", 550, "", "5.7.1234 too long", ""},
		{"550 5..1 x\r\n", 550, "", "5..1 x", ""},
		{"452 4.2.2 full\r\n", 452, "4.2.2", "4.2.2 full", ""},
		{"250-a\r\n550 no\r\n250 end\r\n", 0, "", "", "mixed-codes"},
		{"250-a\r\n354 go\r\n", 0, "", "", "mixed-codes"},
		{"250_a\r\n", 0, "", "", "separator"},
		{"250a\r\n", 0, "", "", "separator"},
		{"199 a\r\n", 0, "", "", "code"},
		{"600 a\r\n", 0, "", "", "code"},
		{"25x a\r\n", 0, "", "", "code"},
		{"25\r\n", 0, "", "", "code"},
		{"\r\n", 0, "", "", "code"},
		{"* OK IMAP\r\n", 0, "", "", "code"},
		{"\x15\x03\x03\x00\x02\x02\x28", 0, "", "", "tls-record"},
		{"\x16\x03\x01\x00\x0a\n", 0, "", "", "tls-record"},
	} {
		r, err := reply(test.text)
		if test.fault != "" {
			var fault *ProtocolError
			if !errors.As(err, &fault) || fault.What != test.fault {
				t.Errorf("%q: %v, want fault %s", test.text, err, test.fault)
			}
			continue
		}
		if err != nil || r.Code != test.code || r.Enhanced != test.enhanced || r.Words() != test.words {
			t.Errorf("%q: %d %q %q %v", test.text, r.Code, r.Enhanced, r.Words(), err)
		}
	}
}

func TestReplyCaps(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"lines":  strings.Repeat("250-x\r\n", wire.MaxReply) + "250 x\r\n",
		"octets": strings.Repeat("250-"+strings.Repeat("x", 7000)+"\r\n", 10) + "250 x\r\n",
		"line":   "250 " + strings.Repeat("x", wire.MaxLine) + "\r\n",
	} {
		var limit *wire.LimitError
		if _, err := reply(text); !errors.As(err, &limit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := reply(strings.Repeat("250-x\r\n", wire.MaxReply-1) + "250 x\r\n"); err != nil ||
		len(r.Lines) != wire.MaxReply {
		t.Errorf("the longest reply: %d lines, %v", len(r.Lines), err)
	}
	if _, err := reply("250-a\r\n"); !errors.Is(err, io.EOF) {
		t.Errorf("a reply that breaks off: %v", err)
	}
}

func TestParseEHLO(t *testing.T) {
	t.Parallel()
	e := parseEHLO([]string{
		"mail.example greets you", "pipelining", "Size 1000", "AUTH=LOGIN PLAIN", "auth plain cram-md5", "8BITMIME", "",
		"STARTTLS ",
	})
	if e.Domain != "mail.example" || !e.Has("PIPELINING") || !e.Has("STARTTLS") || e.Size() != 1000 || e.Has("SMTPUTF8") {
		t.Errorf("%+v", e)
	}
	if got := strings.Join(e.Mechanisms(), " "); got != "LOGIN PLAIN CRAM-MD5" {
		t.Errorf("mechanisms %q", got)
	}
	for params, want := range map[string]int64{
		"SIZE": 0, "SIZE 0": 0, "SIZE -5": 0, "SIZE 99999999999999999999": 0,
		"SIZE x": 0, "SIZE 12 34": 12,
	} {
		if got := parseEHLO([]string{"x", params}).Size(); got != want {
			t.Errorf("%s: %d", params, got)
		}
	}
	if n := len(parseEHLO(strings.Split(strings.Repeat("X\n", 1000), "\n")).List); n > maxExtensions {
		t.Errorf("%d extensions kept", n)
	}
}

func TestHeloName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ configured, ip, want string }{
		{"", "127.0.0.1", "[127.0.0.1]"},
		{"", "2001:db8::1", "[IPv6:2001:db8::1]"},
		{"", "::ffff:192.0.2.1", "[192.0.2.1]"},
		{"pc.durand.example", "127.0.0.1", "pc.durand.example"},
	} {
		if got := heloName(test.configured, &net.TCPAddr{IP: net.ParseIP(test.ip), Port: 5}); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// written joins the pieces of a message.
func written(t *testing.T, message string) string {
	t.Helper()
	var text strings.Builder
	ended := 0
	for piece := range pieces([]byte(message), nil) {
		if ended > 0 || len(piece.text) > pieceSize {
			t.Errorf("a piece of %d octets, %d after the last one", len(piece.text), ended)
		}
		if piece.last {
			ended++
		}
		text.Write(piece.text)
	}
	if ended != 1 {
		t.Errorf("%d pieces are the last one", ended)
	}
	return text.String()
}

// A message of several pieces is written as it would be in one.
func TestPieces(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 70, 997} {
		line := "." + strings.Repeat("x", length) + "\n"
		const lines = 3 * pieceSize / 70
		want := strings.Repeat("."+line[:len(line)-1]+"\r\n", lines)
		if got := written(t, strings.Repeat(line, lines)); got != want {
			t.Errorf("lines of %d octets: %d octets, want %d", length, len(got), len(want))
		}
	}
}

// A rest goes on wherever the beginning ends, within a line or between CR and LF, and wherever its own pieces do.
func TestPiecesOfRest(t *testing.T) {
	t.Parallel()
	const message = "a\r\n.\r\n.b\rc\n\n..\r\n\r\rd."
	want := written(t, message)
	for cut := range len(message) {
		for _, size := range []int{1, 2, 3, len(message)} {
			var got strings.Builder
			for piece := range pieces([]byte(message[:cut]), rest{message[cut:], size, nil}) {
				got.Write(piece.text)
			}
			if got.String() != want {
				t.Errorf("cut at %d, pieces of %d: %q, want %q", cut, size, got.String(), want)
			}
		}
	}
	var last error
	for piece := range pieces([]byte(message), rest{message, 1, io.ErrUnexpectedEOF}) {
		if last = piece.err; piece.last {
			t.Error("a message whose rest cannot be read has an end")
		}
	}
	if !errors.Is(last, io.ErrUnexpectedEOF) {
		t.Error(last)
	}
}

// rest is a text in pieces of a size, at whose end there is an error.
type rest struct {
	text string
	size int
	err  error
}

func (r rest) Size() int64 { return int64(len(r.text)) }

func (r rest) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for piece := range slices.Chunk([]byte(r.text), r.size) {
			if !yield(piece, nil) {
				return
			}
		}
		if r.err != nil {
			yield(nil, r.err)
		}
	}
}

func TestDotStuff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                  "\r\n",
		"a":                 "a\r\n",
		"a\r\n":             "a\r\n",
		"a\n.\nb\n":         "a\r\n..\r\nb\r\n",
		".a\r\n..b":         "..a\r\n...b\r\n",
		"a\r.\rb":           "a\r\n..\r\nb\r\n", // a bare CR is a line end to some servers: SMTP smuggling
		"a\n.\r\nMAIL":      "a\r\n..\r\nMAIL\r\n",
		"a\r\n.\rQUIT\r\n":  "a\r\n..\r\nQUIT\r\n",
		"a\r\n\x00.\r\nb\n": "a\r\n\x00.\r\nb\r\n",
	} {
		got := written(t, in)
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if strings.Contains("\r\n"+got, "\r\n.\r\n") {
			t.Errorf("%q ends early: %q", in, got)
		}
	}
}

func TestQueueID(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"2.0.0 Ok: queued as 0FB409BA029": "0FB409BA029",
		"OK id=1xUr8k-00012d-0e":          "1xUr8k-00012d-0e",
		"2.6.0 <a1@x.example> [InternalId=70523842985986, Hostname=X] Queued mail for delivery": "70523842985986",
		"2.0.0 OK  1700000000 ffacd0b85a97d-332f8a1b2c3si123456f8f.12 - gsmtp":                  "ffacd0b85a97d-332f8a1b2c3si123456f8f.12 - gsmtp",
		"2.0.0 ok": "",
	} {
		if got := queueID(words); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"250 ok\r\n", "250-a\r\n250 b\r\n", "250-a\r\n550 b\r\n", "535 5.7.8 x\n",
		"\x15\x03\x03", "25", "", "250-\r\n\r\n250 \r\n", "220 \x1b[2J\xff\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := reply(text)
		if err != nil {
			return
		}
		if r.Code < 200 || r.Code > 599 || len(r.Lines) == 0 || len(r.Lines) > wire.MaxReply {
			t.Errorf("%q: %+v", text, r)
		}
		for _, line := range r.raw {
			if line[:3] != r.raw[0][:3] || strings.Contains(line, "\n") {
				t.Errorf("%q: lines %q", text, r.raw)
			}
		}
		parseEHLO(r.Lines)
		queueID(r.Words())
	})
}

func FuzzEHLO(f *testing.F) {
	for _, seed := range []string{
		"mail\nSIZE 10\nAUTH=LOGIN", "m\nauth  plain\tlogin", "\n\n",
		"x\nSIZE 9999999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := parseEHLO(strings.Split(text, "\n"))
		if len(e.List) > maxExtensions || e.Size() < 0 {
			t.Errorf("%q: %+v", text, e)
		}
		seen := map[string]bool{}
		for _, m := range e.Mechanisms() {
			if m == "" || seen[m] || m != strings.ToUpper(m) {
				t.Errorf("%q: mechanisms %q", text, e.Mechanisms())
			}
			seen[m] = true
		}
	})
}
