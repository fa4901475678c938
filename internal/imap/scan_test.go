package imap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"postier/internal/wire"
)

// lines is a source for a scanner that reads from memory.
type lines struct{ *bufio.Reader }

func (l lines) ReadLine(limit int) (string, error) {
	line, err := l.ReadString('\n')
	if len(line) > limit {
		return "", &wire.LimitError{Limit: "line", Max: limit}
	}
	return strings.TrimRight(line, "\r\n"), err
}

func scanAll(data []byte, visit func(*response)) error {
	s := newScanner(lines{bufio.NewReader(bytes.NewReader(data))}, func(string) {})
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		visit(r)
	}
}

func TestScanner(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready {3}`, "* OK/CAPABILITY/IMAP4rev1 AUTH=PLAIN/ready {3}"},
		{`P1 NO [ALERT] no`, "P1 NO/ALERT//no"},
		{`P1 NO [unclosed`, "P1 NO///[unclosed"},
		{`+ cj14`, "+ ///cj14"},
		{`+`, "+ ///"},
		{`* 12 EXISTS`, "* EXISTS///"},
		{"\r\n* 12 EXISTS", "* EXISTS///"},
		{`* LIST (\Sent) "/" "a \"b\" \\ c"`, "* LIST///|(|\\Sent|)|/|a \"b\" \\ c"},
		{"* LIST () NIL {5}\r\nab\r\nc", "* LIST///|(|)|NIL|ab\r\nc"},
		{
			"* 1 FETCH (UID 4 BODY[HEADER.FIELDS (FROM)] {2}\r\nhi FLAGS ())",
			"* FETCH///|(|UID|4|BODY[HEADER.FIELDS (FROM)]|hi|FLAGS|(|)|)",
		},
	} {
		var got strings.Builder
		var show func([]value)
		show = func(values []value) {
			for _, v := range values {
				switch v.kind {
				case list:
					got.WriteString("|(")
					show(v.items)
					got.WriteString("|)")
				case null:
					got.WriteString("|NIL")
				default:
					got.WriteString("|" + v.text)
				}
			}
		}
		err := scanAll([]byte(c.in+"\r\n"), func(r *response) {
			got.WriteString(r.tag + " " + r.name + "/" + string(r.code) + "/" + r.args + "/" + r.text)
			show(r.values)
		})
		if err != nil || got.String() != c.want {
			t.Errorf("%q: %q, %v; want %q", c.in, got.String(), err, c.want)
		}
	}
}

func TestScannerRefuses(t *testing.T) {
	t.Parallel()
	for in, limit := range map[string]string{
		"* LIST () \"/\" {65537}\r\n":                                               "literal",
		"* LIST () \"/\" {18446744073709551616}\r\n":                                "literal",
		"* X " + strings.Repeat("(", 100) + "\r\n":                                  "nesting",
		"* X " + strings.Repeat("a ", 20000) + "\r\n":                               "elements",
		"* " + strings.Repeat("x", maxLine) + "\r\n":                                "line",
		"* X" + strings.Repeat(" {60000}\r\n"+strings.Repeat("y", 60000), 5) + "\n": "response",
	} {
		var over *wire.LimitError
		err := scanAll([]byte(in), func(*response) {})
		if !errors.As(err, &over) || over.Limit != limit {
			t.Errorf("%.40q: %v, want limit %s", in, err, limit)
		}
	}
	for _, in := range []string{
		strings.Repeat("\r\n", maxEmpty+2), " * OK\r\n", "word\r\n", "* LIST (\r\n", "* LIST )\r\n", "* X \"open\r\n",
		"* X {x}\r\n", "* X {-1}\r\n", "* X {3} y\r\n", "P1 LIST\r\n", "* 7\r\n",
	} {
		var protocol *ProtocolError
		if err := scanAll([]byte(in), func(*response) {}); !errors.As(err, &protocol) {
			t.Errorf("%q: %v, want a protocol error", in, err)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		"* OK [CAPABILITY IMAP4rev1] hi\r\n", "* LIST (\\Sent) \"/\" \"Sent\"\r\nP1 OK done\r\n",
		"* LIST () NIL {4}\r\nS&-t\r\n",
		"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n", "* QUOTA \"\" (STORAGE 1 2)\r\n",
		"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n",
		"* ID (\"name\" \"x\")\r\n", "* XLIST (\\Spam) \".\" Junk\r\n", "+ go\r\n", "* LIST () \"/\" {99999999999999}\r\n",
		"* SEARCH 1 2\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var l Listing
		elements := 0
		var count func([]value)
		count = func(values []value) {
			for _, v := range values {
				elements++
				count(v.items)
			}
		}
		_ = scanAll(data, func(r *response) {
			elements = 0
			count(r.values)
			if elements > maxElements {
				t.Errorf("%d elements", elements)
			}
			l.add(r)
			l.namespace(r)
			l.identify(r)
			parseFetch(r)
		})
		for _, f := range l.Folders {
			if len(f.raw) > maxNameLength || strings.ContainsAny(f.Name.Escaped(), "\x1b\r\n") {
				t.Errorf("name %q", f.raw)
			}
		}
		l.Sent("", nil, []string{"Sent"})
		l.Junk([]string{"Junk"})
	})
}
