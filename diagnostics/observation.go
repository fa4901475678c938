package diagnostics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"postier/internal/safetext"
)

// Observation is one thing that a check observed. Each kind is a struct whose json tags are the names in a report.
// Kinds that several packages read are defined here, the others in their area.
type Observation interface {
	// Kind is the word for it in the JSON contract.
	Kind() string
}

// Spoken is an Observation that quotes text: a server's reply, an address, an error.
type Spoken interface {
	Observation
	Said() safetext.Remote
}

// Briefer is an Observation that fits in the row of a check.
type Briefer interface {
	Observation
	// Brief is its short form, raw; it is empty when there is nothing to show.
	Brief() string
}

// Labelled is an Observation whose name on a screen depends on what it says.
type Labelled interface {
	Observation
	// Label is the key of its name below checks.evidence.
	Label() string
}

// shaped is an Observation whose fields have different names in different areas.
type shaped interface{ shape() any }

// Evidence is what a check observed, in order.
type Evidence []Observation

// MarshalJSON writes each observation as an object: kind first, then text, then the fields in alphabetical order.
func (e Evidence) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, 0, len(e))
	for _, o := range e {
		data, err := Encode(o)
		if err != nil {
			return nil, err
		}
		list = append(list, data)
	}
	return json.Marshal(list)
}

// Encode is the JSON of one observation.
func Encode(o Observation) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"kind":`)
	b.Write(safetext.EscapeJSON(o.Kind()))
	if s, ok := o.(Spoken); ok && !s.Said().Empty() {
		b.WriteString(`,"text":`)
		b.Write(safetext.EscapeJSON(s.Said().Raw()))
	}
	for _, m := range Members(o) {
		value, err := json.Marshal(m.Value)
		if err != nil {
			return nil, fmt.Errorf("evidence %s, field %s: %w", o.Kind(), m.Name, err)
		}
		b.WriteByte(',')
		b.Write(safetext.EscapeJSON(m.Name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Member is one field of an observation.
type Member struct {
	Name  string
	Value any
}

// Members are the fields that an observation has besides its text, in alphabetical order: those with a name in their
// json tag, without the zero values that omitzero leaves out.
func Members(o Observation) []Member {
	v := reflect.ValueOf(o)
	if s, ok := o.(shaped); ok {
		v = reflect.ValueOf(s.shape())
	}
	var list []Member
	for field, value := range v.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" || options == "omitzero" && value.IsZero() {
			continue
		}
		list = append(list, Member{name, value.Interface()})
	}
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Observed finds the first observation of a type.
func Observed[T Observation](e Evidence) (T, bool) {
	for _, o := range e {
		if found, ok := o.(T); ok {
			return found, true
		}
	}
	var none T
	return none, false
}

// quoted is the first line of the first observation of a type that has a text.
func quoted[T Spoken](e Evidence) safetext.Remote {
	for _, o := range e {
		if s, ok := o.(T); ok && !s.Said().Empty() {
			line, _, _ := strings.Cut(s.Said().Raw(), "\n")
			return safetext.FromRemote(strings.TrimRight(line, "\r"))
		}
	}
	return safetext.Remote{}
}

// complaint quotes the server, or else the local error, about what went wrong.
func (e Evidence) complaint() safetext.Remote {
	for _, find := range []func(Evidence) safetext.Remote{quoted[Reply], quoted[Failure], quoted[Protocol]} {
		if said := find(e); !said.Empty() {
			return said
		}
	}
	return safetext.Remote{}
}

// Brief is one line for the row of a check: what was found, or what the server said instead.
func (r Result) Brief() safetext.Remote {
	if said := r.Evidence.complaint(); r.Failed() && !said.Empty() {
		return said
	}
	for _, o := range r.Evidence {
		if b, ok := o.(Briefer); ok && b.Brief() != "" {
			return safetext.FromRemote(b.Brief())
		}
	}
	for _, find := range []func(Evidence) safetext.Remote{quoted[Banner], quoted[Sender], quoted[Recipient]} {
		if said := find(r.Evidence); !said.Empty() {
			return said
		}
	}
	return r.Evidence.complaint()
}

// mostNames is how many addresses or names fit into the row of a check.
const mostNames = 3

// Some joins the first few names of a list and appends how many more there are.
func Some[T any](list []T, name func(T) string) string {
	var names []string
	for _, e := range list[:min(len(list), mostNames)] {
		names = append(names, name(e))
	}
	joined := strings.Join(names, ", ")
	if more := len(list) - len(names); more > 0 {
		joined += fmt.Sprintf(" +%d", more)
	}
	return joined
}

// Joined joins the parts that are not empty.
func Joined(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), between)
}

// Octets formats a size for a row. It is empty for zero.
func Octets(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d B", n)
}
