package imap

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"

	"postier/internal/wire"
)

// Caps on what a server may send (docs/security.md T9). All are checked before memory is taken.
const (
	maxLine        = 64 << 10  // octets in one line of a response
	maxLiteral     = 64 << 10  // octets in a literal; folder names and quota roots are far smaller
	maxOwnLiteral  = 1 << 20   // octets in the literal that carries our own message back
	maxResponse    = 256 << 10 // octets in one response, its literals included, without our own message
	maxFlight      = 2 << 20   // octets in all responses to one flight of commands, our own message included
	maxElements    = 10_000    // atoms, strings and lists in one response
	maxNesting     = 32        // parentheses within parentheses
	maxUntagged    = 1_000     // untagged responses to one command
	maxEmpty       = 20        // empty lines before one response
	maxFolders     = 10_000    // names in a listing
	maxLiteralText = 200       // octets of a literal that the transcript shows
)

// ProtocolError says that a server broke the rules of IMAP.
type ProtocolError struct{ What string }

func (e *ProtocolError) Error() string { return "the server broke the protocol: " + e.What }

func broken(format string, args ...any) error { return &ProtocolError{fmt.Sprintf(format, args...)} }

type kind uint8

const (
	atom kind = iota
	text      // a quoted string or a literal
	list
	null
)

// value is one element of a response.
type value struct {
	kind  kind
	text  string
	items []value
}

// response is one response of the server (RFC 9051 §7).
type response struct {
	tag    string                  // "*", "+" or the tag of a command
	name   string                  // upper case: OK, NO, CAPABILITY, LIST, FETCH, …; empty for "+"
	number uint32                  // the 12 of "* 12 FETCH"
	status imap.StatusResponseType // the name of a response that carries a verdict, else empty
	code   imap.ResponseCode       // upper case, the ALERT of "[ALERT]"
	args   string                  // what follows the code inside the brackets
	text   string                  // human-readable text, or the data of "+"
	values []value
}

// verdict is the status that a response's name stands for, or empty.
func verdict(name string) imap.StatusResponseType {
	switch status := imap.StatusResponseType(name); status {
	case imap.StatusResponseTypeOK, imap.StatusResponseTypeNo, imap.StatusResponseTypeBad, imap.StatusResponseTypeBye,
		imap.StatusResponseTypePreAuth:
		return status
	}
	return ""
}

// scanner reads responses. It is not safe for use by several goroutines.
type scanner struct {
	in  source
	out func(text string) // is called with each line for the transcript

	// ownLiteral allows one literal of maxOwnLiteral in a response: the message that we filed ourselves.
	ownLiteral bool

	line     string
	pos      int
	size     int
	elements int
	flight   int

	// stack holds the elements of lists that are still open, lists those of closed ones. Both are used again for the
	// next response, since a response may have ten thousand elements and allocating them each time is costly.
	stack, lists []value
}

// source is the part of wire.Conn that a scanner needs.
type source interface {
	io.Reader
	// ReadLine returns a line without its line end, and keeps the rest for the next call.
	ReadLine(limit int) (string, error)
}

func newScanner(in source, out func(string)) *scanner { return &scanner{in: in, out: out} }

// next reads one response. Its values hold until the next call.
func (s *scanner) next() (*response, error) {
	s.size, s.elements, s.stack, s.lists = 0, 0, s.stack[:0], s.lists[:0]
	err := s.readLine()
	for empty := 0; err == nil && s.line == "" && empty < maxEmpty; empty++ {
		err = s.readLine() // some servers send an empty line after a response
	}
	if err != nil {
		return nil, err
	}
	return s.response()
}

func (s *scanner) readLine() error {
	line, err := s.in.ReadLine(maxLine)
	if err != nil {
		if line != "" {
			s.out(line)
		}
		return err
	}
	s.line, s.pos = line, 0
	s.out(line)
	s.size += len(line)
	return s.grow(len(line))
}

// grow counts n more octets of the response, before memory is allocated for them.
func (s *scanner) grow(n int) error {
	s.flight += n
	switch {
	case s.size > maxResponse:
		return &wire.LimitError{Limit: "response", Max: maxResponse}
	case s.flight > maxFlight:
		return &wire.LimitError{Limit: "flight", Max: maxFlight}
	}
	return nil
}

func (s *scanner) response() (*response, error) {
	r := &response{tag: s.word()}
	switch {
	case r.tag == "+":
		s.space()
		r.text = s.rest()
		return r, nil
	case r.tag == "":
		return nil, broken("empty lines or a line that begins with a blank")
	}
	if !s.space() {
		return nil, broken("a line of one word")
	}
	r.name = strings.ToUpper(s.word())
	if r.tag == "*" {
		if n, err := strconv.ParseUint(r.name, 10, 32); err == nil {
			r.number = uint32(n)
			s.space()
			r.name = strings.ToUpper(s.word())
		}
	}
	if r.name == "" {
		return nil, broken("a response without a name")
	}
	s.space()
	if r.status = verdict(r.name); r.status != "" {
		r.code, r.args = s.code()
		r.text = s.rest()
		return r, nil
	}
	if r.tag != "*" {
		return nil, broken("a tagged line that is neither OK, NO nor BAD")
	}
	var err error
	r.values, err = s.values(0)
	return r, err
}

// word reads up to a space.
func (s *scanner) word() string {
	start := s.pos
	for s.pos < len(s.line) && s.line[s.pos] != ' ' {
		s.pos++
	}
	return s.line[start:s.pos]
}

// space skips spaces; some servers send two.
func (s *scanner) space() bool {
	start := s.pos
	for s.pos < len(s.line) && s.line[s.pos] == ' ' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) rest() string {
	rest := s.line[s.pos:]
	s.pos = len(s.line)
	return rest
}

// code reads "[NAME arguments] " (RFC 9051 §7.1).
func (s *scanner) code() (code imap.ResponseCode, args string) {
	if s.pos >= len(s.line) || s.line[s.pos] != '[' {
		return "", ""
	}
	end := strings.IndexByte(s.line[s.pos:], ']')
	if end < 0 {
		return "", ""
	}
	name, args, _ := strings.Cut(s.line[s.pos+1:s.pos+end], " ")
	s.pos += end + 1
	s.space()
	return imap.ResponseCode(strings.ToUpper(name)), args
}

// values reads elements up to the end of the response, or up to the parenthesis that closes the list at this depth.
func (s *scanner) values(depth int) ([]value, error) {
	if depth > maxNesting {
		return nil, &wire.LimitError{Limit: "nesting", Max: maxNesting}
	}
	mark := len(s.stack)
	for {
		s.space()
		if s.pos == len(s.line) {
			if depth > 0 {
				return nil, broken("a list that is not closed")
			}
			return s.closeList(mark), nil
		}
		if s.line[s.pos] == ')' {
			if depth == 0 {
				return nil, broken("a parenthesis that closes nothing")
			}
			s.pos++
			return s.closeList(mark), nil
		}
		if s.elements++; s.elements > maxElements {
			return nil, &wire.LimitError{Limit: "elements", Max: maxElements}
		}
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		s.stack = append(s.stack, v)
	}
}

// closeList moves the elements from mark on from the stack to the closed lists.
func (s *scanner) closeList(mark int) []value {
	start := len(s.lists)
	s.lists = append(s.lists, s.stack[mark:]...)
	s.stack = s.stack[:mark]
	return slices.Clip(s.lists[start:])
}

func (s *scanner) value(depth int) (value, error) {
	switch s.line[s.pos] {
	case '(':
		s.pos++
		items, err := s.values(depth + 1)
		return value{kind: list, items: items}, err
	case '"':
		str, err := s.quoted()
		return value{kind: text, text: str}, err
	case '{':
		str, err := s.literal()
		return value{kind: text, text: str}, err
	}
	str := s.atom()
	if strings.EqualFold(str, "NIL") {
		return value{kind: null}, nil
	}
	return value{kind: atom, text: str}, nil
}

// atom reads up to a space or parenthesis. Brackets hold spaces and parentheses: BODY[HEADER.FIELDS (FROM)].
func (s *scanner) atom() string {
	start := s.pos
	inside := false
	for ; s.pos < len(s.line); s.pos++ {
		switch c := s.line[s.pos]; {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case !inside && (c == ' ' || c == '(' || c == ')'):
			return s.line[start:s.pos]
		}
	}
	return s.line[start:s.pos]
}

func (s *scanner) quoted() (string, error) {
	inside := s.line[s.pos+1:]
	if end := strings.IndexAny(inside, `"\`); end >= 0 && inside[end] == '"' {
		s.pos += end + 2
		return inside[:end], nil
	}
	var b strings.Builder
	for i := s.pos + 1; i < len(s.line); i++ {
		switch s.line[i] {
		case '"':
			s.pos = i + 1
			return b.String(), nil
		case '\\':
			if i++; i == len(s.line) {
				return "", broken("a quoted string that is not closed")
			}
		}
		b.WriteByte(s.line[i])
	}
	return "", broken("a quoted string that is not closed")
}

// literal reads "{n}" at the end of a line, n octets, and the line that follows. The size is checked before memory is
// allocated.
func (s *scanner) literal() (string, error) {
	digits, found := strings.CutSuffix(s.line[s.pos+1:], "}")
	digits = strings.TrimSuffix(digits, "+") // only clients may send the sign, but some servers do too
	if !found || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", broken("a brace that announces no literal")
	}
	limit, name := uint64(maxLiteral), "literal"
	own := s.ownLiteral
	if own {
		limit = maxOwnLiteral
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > limit {
		return "", &wire.LimitError{Limit: name, Max: int(limit)}
	}
	if own {
		s.ownLiteral = false // one a response at most
	} else {
		s.size += int(n)
	}
	if err := s.grow(int(n)); err != nil {
		return "", err
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return "", err
	}
	if own || n > maxLiteralText {
		s.out(fmt.Sprintf("(%d octets)", n))
	} else {
		s.out(string(body))
	}
	return string(body), s.readLine()
}
