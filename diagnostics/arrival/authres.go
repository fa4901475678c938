package arrival

import (
	"encoding/json"
	"errors"
	"strings"

	"postier/internal/safetext"
)

// Limits for one Authentication-Results field. Real ones have a dozen results at most.
const (
	maxResults    = 50
	maxProperties = 30
	maxComments   = 20 // nesting of comments
)

// AuthResults is one Authentication-Results field (RFC 8601 §2.2). All text is the receiver's, unescaped.
type AuthResults struct {
	// ServiceID is the authserv-id: who judged. Microsoft leaves it out.
	ServiceID string
	// Results is empty when the receiver wrote "none": no method was tried.
	Results []MethodResult
}

// MethodResult is the verdict of one method, such as spf=pass.
type MethodResult struct {
	Method string // lower case: spf, dkim, dmarc, arc, …
	Result string // lower case: pass, fail, softfail, neutral, none, temperror, permerror, policy, …
	Reason string
	// Properties are what the method examined, such as smtp.mailfrom or header.d, in the field's order.
	Properties []Property
	// Comment is the text in parentheses after the verdict, where receivers say why.
	Comment string
}

// Property is ptype.property=value.
type Property struct{ Name, Value string }

// MarshalJSON writes the field with its text escaped.
func (a AuthResults) MarshalJSON() ([]byte, error) {
	results := a.Results
	if results == nil {
		results = []MethodResult{}
	}
	return json.Marshal(struct {
		ServiceID safetext.Remote `json:"authserv_id"`
		Results   []MethodResult  `json:"results"`
	}{safetext.FromRemote(a.ServiceID), results})
}

// MarshalJSON writes the verdict with its text escaped.
func (m MethodResult) MarshalJSON() ([]byte, error) {
	type property struct {
		Name  safetext.Remote `json:"name"`
		Value safetext.Remote `json:"value"`
	}
	properties := make([]property, 0, len(m.Properties))
	for _, p := range m.Properties {
		properties = append(properties, property{safetext.FromRemote(p.Name), safetext.FromRemote(p.Value)})
	}
	return json.Marshal(struct {
		Method     safetext.Remote `json:"method"`
		Result     safetext.Remote `json:"result"`
		Reason     safetext.Remote `json:"reason"`
		Comment    safetext.Remote `json:"comment"`
		Properties []property      `json:"properties"`
	}{
		safetext.FromRemote(m.Method), safetext.FromRemote(m.Result), safetext.FromRemote(m.Reason),
		safetext.FromRemote(m.Comment), properties,
	})
}

// Property returns the value of one property, such as "header.d"; names are lower case.
func (m MethodResult) Property(name string) string {
	for _, p := range m.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

var errAuthResults = errors.New("not an Authentication-Results field (RFC 8601)")

// ParseAuthResults reads the value of an Authentication-Results field. It accepts what some receivers write: no
// authserv-id, unquoted values, unknown methods. It leaves out parts of a result that it cannot read.
func ParseAuthResults(value string) (AuthResults, error) {
	if len(value) > maxHeader {
		return AuthResults{}, errAuthResults
	}
	var out AuthResults
	for i, segment := range segments(value) {
		if i == 0 && !isMethod(segment) {
			for _, t := range segment {
				if t.kind == word {
					out.ServiceID = t.text
					break
				}
			}
			if out.ServiceID == "" {
				return out, errAuthResults
			}
			continue
		}
		if result, ok := methodResult(segment); ok && len(out.Results) < maxResults {
			out.Results = append(out.Results, result)
		}
	}
	return out, nil
}

type tokenKind uint8

const (
	word    tokenKind = iota // a token or quoted string, its quotes removed
	equals                   // "="
	comment                  // text in parentheses
)

type token struct {
	kind tokenKind
	text string
}

// segments splits the value at semicolons outside quotes and comments.
func segments(value string) [][]token {
	out := [][]token{nil}
	add := func(t token) { out[len(out)-1] = append(out[len(out)-1], t) }
	for i := 0; i < len(value); {
		switch c := value[i]; c {
		case ' ', '\t', '\r', '\n':
			i++
		case ';':
			out = append(out, nil)
			i++
		case '=':
			add(token{equals, "="})
			i++
		case '(':
			text, end := readComment(value, i)
			add(token{comment, text})
			i = end
		case '"':
			text, end := readQuoted(value, i)
			add(token{word, text})
			i = end
		default:
			start := i
			for i < len(value) && !strings.ContainsRune(" \t\r\n;=(\"", rune(value[i])) {
				i++
			}
			// RFC 8601 §2.2: a value may contain "=", as header.b of a signature does; only the first "=" separates it from the
			// name.
			if n := len(out[len(out)-1]); n > 0 && out[len(out)-1][n-1].kind == equals {
				for i < len(value) && !strings.ContainsRune(" \t\r\n;(\"", rune(value[i])) {
					i++
				}
			}
			if i == start {
				i++
			}
			add(token{word, value[start:i]})
		}
	}
	return out
}

// readComment reads from an opening parenthesis to the one that closes it, or to the end (RFC 5322 §3.2.2).
func readComment(s string, i int) (text string, end int) {
	var b strings.Builder
	depth := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '(':
			if depth++; depth > maxComments {
				return b.String(), len(s)
			}
			if depth > 1 {
				b.WriteByte(c)
			}
		case c == ')':
			if depth--; depth == 0 {
				return b.String(), i + 1
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(s)
}

func readQuoted(s string, i int) (text string, end int) {
	var b strings.Builder
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			return b.String(), i + 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(s)
}

// isMethod reports whether a segment holds method=result.
func isMethod(segment []token) bool {
	_, ok := methodResult(segment)
	return ok
}

// methodResult reads: method ["/" version] "=" result [reason=value] *(ptype.property=value), with comments and spaces
// anywhere between the parts, also around "/" and "." (RFC 8601 §2.2, appendix B.7).
func methodResult(segment []token) (MethodResult, bool) {
	var result MethodResult
	named, valued := false, false
	name := ""
	for _, t := range segment {
		switch {
		case t.kind == comment:
			if named && name == "" && len(result.Properties) == 0 && result.Comment == "" { // right after the verdict
				result.Comment = t.text
			}
		case t.kind == equals:
			valued = name != ""
		case valued:
			result.set(name, t.text, !named)
			name, valued, named = "", false, true
		case name != "" && (strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") || strings.HasPrefix(t.text, "/") ||
			strings.HasPrefix(t.text, ".")):
			name += strings.ToLower(t.text)
		default:
			name = strings.ToLower(t.text)
		}
	}
	return result, result.Method != ""
}

// set stores one name=value. The first one is the verdict itself.
func (m *MethodResult) set(name, value string, verdict bool) {
	switch {
	case verdict:
		m.Method, _, _ = strings.Cut(name, "/")
		m.Result = strings.ToLower(value)
	case name == "reason":
		m.Reason = value
	case len(m.Properties) < maxProperties:
		m.Properties = append(m.Properties, Property{name, value})
	}
}
