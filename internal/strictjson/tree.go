// Package strictjson reads JSON files that people write, and says where they do not fit.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// maxDepth is the nesting that a reader follows; the format itself needs seven levels.
const maxDepth = 32

// Node is a JSON value that keeps what encoding/json forgets: the order of keys and the spelling of numbers.
type Node struct {
	// Exactly one of these is in use: Members for an object, Items for an array, Scalar for the rest.
	Members []Member
	Items   []*Node
	Scalar  any // nil, bool, string or json.Number
	Kind    Kind
}

// Member is a key of an object with its value.
type Member struct {
	Key   string
	Value *Node
}

// Kind is a kind of JSON value.
type Kind string

// The kinds of values.
const (
	Object Kind = "object"
	Array  Kind = "array"
	String Kind = "string"
	Number Kind = "number"
	Bool   Kind = "bool"
	Null   Kind = "null"
)

// Get returns the value of a key of an object, nil if it has none.
func (n *Node) Get(key string) *Node {
	for _, m := range n.Members {
		if m.Key == key {
			return m.Value
		}
	}
	return nil
}

// SyntaxError says that a file is not strict JSON.
type SyntaxError struct {
	Path         string
	Line, Column int // from 1; the column counts characters
	Problem      locale.Text
}

// Error has the place and the English sentence.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, locale.For(locale.English).Say(e.Problem))
}

// Text is the sentence with the place.
func (e *SyntaxError) Text() locale.Text {
	text := e.Problem
	text.Args = append([]any{"path", safetext.FromRemote(e.Path), "line", e.Line, "column", e.Column}, text.Args...)
	return text
}

type treeParser struct {
	data    []byte
	decoder *json.Decoder
}

// Parse reads one JSON value (RFC 8259) and refuses doubled keys, trailing data, invalid UTF-8 and deep nesting.
func Parse(data []byte) (*Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // RFC 8259 §8.1: a reader may ignore a byte order mark
	p := &treeParser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	if !utf8.Valid(data) {
		at := 0
		for r, size := utf8.DecodeRune(data); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRune(data[at:]) {
			at += size
		}
		return nil, p.fault(at, locale.Msg("config.syntax.utf8"))
	}
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	end := p.next()
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, p.fault(end, locale.Msg("config.syntax.trailing"))
	}
	return root, nil
}

func (p *treeParser) value(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, p.fault(int(p.decoder.InputOffset()), locale.Msg("config.syntax.deep", "max", maxDepth))
	}
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case string:
		return &Node{Kind: String, Scalar: token}, nil
	case json.Number:
		return &Node{Kind: Number, Scalar: token}, nil
	case bool:
		return &Node{Kind: Bool, Scalar: token}, nil
	}
	return &Node{Kind: Null}, nil
}

func (p *treeParser) object(depth int) (*Node, error) {
	object := &Node{Kind: Object}
	seen := map[string]bool{}
	for p.decoder.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, p.fault(int(p.decoder.InputOffset()), locale.Msg("config.syntax.json"))
		}
		if seen[key] {
			return nil, p.fault(int(p.decoder.InputOffset()), locale.Msg("config.syntax.twice", "key", safetext.FromRemote(key)))
		}
		seen[key] = true
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		object.Members = append(object.Members, Member{key, value})
	}
	_, err := p.token()
	return object, err
}

func (p *treeParser) array(depth int) (*Node, error) {
	array := &Node{Kind: Array}
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array.Items = append(array.Items, item)
	}
	_, err := p.token()
	return array, err
}

func (p *treeParser) token() (json.Token, error) {
	token, err := p.decoder.Token()
	if err == nil {
		return token, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, p.fault(p.next(), locale.Msg("config.syntax.json"))
	case len(bytes.TrimSpace(p.data)) == 0:
		return nil, p.fault(0, locale.Msg("config.syntax.empty"))
	}
	return nil, p.fault(len(p.data), locale.Msg("config.syntax.end"))
}

// next is the decoder's position after any spaces: where the text begins that it cannot read.
func (p *treeParser) next() int {
	at := min(int(p.decoder.InputOffset()), len(p.data))
	for at < len(p.data) && strings.IndexByte(" \t\r\n", p.data[at]) >= 0 {
		at++
	}
	return at
}

func (p *treeParser) fault(offset int, text locale.Text) *SyntaxError {
	before := p.data[:min(offset, len(p.data))]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line: 1 + bytes.Count(before, []byte("\n")), Column: 1 + utf8.RuneCount(before[lineStart:]),
		Problem: text,
	}
}

// Encode writes the tree as indented JSON with a final line end. Characters that could act on a terminal are escaped.
func (n *Node) Encode() []byte {
	var b bytes.Buffer
	n.write(&b, "")
	b.WriteByte('\n')
	return b.Bytes()
}

const indentStep = "  "

func (n *Node) write(b *bytes.Buffer, indent string) {
	switch n.Kind {
	case Object:
		writeList(b, '{', '}', indent, len(n.Members), func(i int, inner string) {
			writeString(b, n.Members[i].Key)
			b.WriteString(": ")
			n.Members[i].Value.write(b, inner)
		})
	case Array:
		writeList(b, '[', ']', indent, len(n.Items), func(i int, inner string) { n.Items[i].write(b, inner) })
	case String:
		writeString(b, n.Scalar.(string))
	case Number:
		b.WriteString(n.Scalar.(json.Number).String())
	case Bool:
		b.WriteString(strconv.FormatBool(n.Scalar.(bool)))
	default:
		b.WriteString("null")
	}
}

func writeList(b *bytes.Buffer, open, end byte, indent string, length int, item func(i int, inner string)) {
	b.WriteByte(open)
	inner := indent + indentStep
	for i := range length {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + inner)
		item(i, inner)
	}
	if length > 0 {
		b.WriteString("\n" + indent)
	}
	b.WriteByte(end)
}

func writeString(b *bytes.Buffer, s string) { b.Write(safetext.EscapeJSON(s)) }

// Compact writes the tree on one line, as `config get` prints an object.
func (n *Node) Compact() string {
	var b bytes.Buffer
	if err := json.Compact(&b, n.Encode()); err != nil {
		panic("strictjson: own JSON is always readable: " + err.Error())
	}
	return b.String()
}
