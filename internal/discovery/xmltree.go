package discovery

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Caps on a file's shape (docs/security.md T11).
const (
	maxElements = 2000
	maxDepth    = 32
)

var errXML = errors.New("the file is not what it should be")

// element is a parsed element with the text that it directly contains.
type element struct {
	name     string // without its namespace
	attrs    map[string]string
	text     string
	children []*element
}

// parseXML reads a file into a tree. Document types, and with them entities, are refused.
func parseXML(data []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = true
	d.Entity = nil
	root := new(element)
	stack := []*element{root}
	count := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth {
				return nil, errXML
			}
			e := &element{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				if len(e.attrs) == maxElements {
					return nil, errXML
				}
				e.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			top.text = strings.TrimSpace(top.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 1 {
				top.text += string(t)
			}
		case xml.Directive:
			return nil, errXML
		}
	}
	if len(root.children) != 1 {
		return nil, errXML
	}
	return root.children[0], nil
}

// all are the children with this name.
func (e *element) all(name string) []*element {
	var out []*element
	for _, c := range e.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// at follows a path of first children; it gives an empty element where there is none.
func (e *element) at(path ...string) *element {
	for _, name := range path {
		list := e.all(name)
		if len(list) == 0 {
			return new(element)
		}
		e = list[0]
	}
	return e
}
