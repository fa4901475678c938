package strictjson

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file compares a tree with Go types, which are the only list of keys. encoding/json alone would accept keys in
// any letter case, ignore unknown ones, and name no map keys in its errors.

var timeType = reflect.TypeFor[time.Time]()

// Misfit is a place where a tree does not match a type.
type Misfit struct {
	// Path is the keys and indices that lead to it, with dots.
	Path string
	// Want is what belongs there: a Kind, "integer" or "time". It is empty where a key is unknown or missing.
	Want string
	// Key is unknown, unless Missing. Like is the known key that differs only in letter case, - or _.
	Key, Like string
	Missing   bool
}

// Fit returns the part of a tree that matches t, nil for none, and the places that do not match. The maps whose key
// type is in keys have those keys only.
func Fit(n *Node, t reflect.Type, keys map[reflect.Type][]string) (known *Node, misfits []Misfit) {
	s := shaper{keys: keys}
	return s.known(n, t, ""), s.misfits
}

type shaper struct {
	keys    map[reflect.Type][]string
	misfits []Misfit
}

func (s *shaper) known(n *Node, t reflect.Type, path string) *Node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	want := wantedKind(t)
	if n.Kind != want {
		return s.misfit(path, string(want))
	}
	switch {
	case t == timeType:
		// This is the function that decodes the value later; time.Parse accepts more.
		if err := new(time.Time).UnmarshalText([]byte(n.Scalar.(string))); err != nil {
			return s.misfit(path, "time")
		}
		return n
	case t.Kind() == reflect.Struct:
		return s.object(n, t, path)
	case t.Kind() == reflect.Map:
		return s.dictionary(n, t, path)
	case t.Kind() == reflect.Slice:
		out := &Node{Kind: Array}
		for i, item := range n.Items {
			if value := s.known(item, t.Elem(), Join(path, strconv.Itoa(i))); value != nil {
				out.Items = append(out.Items, value)
			}
		}
		return out
	}
	return s.number(n, t, path)
}

func (s *shaper) dictionary(n *Node, t reflect.Type, path string) *Node {
	out := &Node{Kind: Object}
	for _, m := range n.Members {
		if keys, limited := s.keys[t.Key()]; limited && !slices.Contains(keys, m.Key) {
			s.misfits = append(s.misfits, Misfit{Path: Join(path, m.Key), Key: m.Key})
			continue
		}
		if value := s.known(m.Value, t.Elem(), Join(path, m.Key)); value != nil {
			out.Members = append(out.Members, Member{m.Key, value})
		}
	}
	return out
}

func (s *shaper) object(n *Node, t reflect.Type, path string) *Node {
	fields := Fields(t)
	out := &Node{Kind: Object}
	for _, m := range n.Members {
		field, ok := fields[m.Key]
		if !ok {
			s.misfits = append(s.misfits, Misfit{Path: Join(path, m.Key), Key: m.Key, Like: similar(m.Key, fields)})
			continue
		}
		if value := s.known(m.Value, field.Type, Join(path, m.Key)); value != nil {
			out.Members = append(out.Members, Member{m.Key, value})
		}
	}
	s.required(n, t, path)
	return out
}

// required reports missing keys whose zero value is a valid choice; Validate of the file finds the others.
func (s *shaper) required(n *Node, t reflect.Type, path string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		silent := field.Type.Kind() == reflect.Bool || field.Type.Kind() == reflect.Map
		if options == "" && silent && n.Get(name) == nil {
			s.misfits = append(s.misfits, Misfit{Path: Join(path, name), Key: name, Missing: true})
		}
	}
}

// number refuses what would not fit into an int; other scalars pass.
func (s *shaper) number(n *Node, t reflect.Type, path string) *Node {
	number, ok := n.Scalar.(json.Number)
	if !ok {
		return n
	}
	if t.Kind() == reflect.Int {
		// 587.0 is the integer 587 for JSON Schema, but not for most readers.
		if _, err := strconv.ParseInt(number.String(), 10, 32); err != nil {
			return s.misfit(path, "integer")
		}
		return n
	}
	if _, err := number.Float64(); err != nil {
		return s.misfit(path, "number")
	}
	return n
}

func (s *shaper) misfit(path, want string) *Node {
	s.misfits = append(s.misfits, Misfit{Path: path, Want: want})
	return nil
}

func wantedKind(t reflect.Type) Kind {
	switch {
	case t == timeType || t.Kind() == reflect.String:
		return String
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return Object
	case t.Kind() == reflect.Slice:
		return Array
	case t.Kind() == reflect.Bool:
		return Bool
	}
	return Number
}

// Fields are the exported fields of a struct by their JSON names.
func Fields(t reflect.Type) map[string]reflect.StructField {
	fields := make(map[string]reflect.StructField, t.NumField())
	for i := range t.NumField() {
		if field := t.Field(i); field.IsExported() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			fields[name] = field
		}
	}
	return fields
}

// similar is the known key that differs only in letter case, - or _.
func similar(key string, fields map[string]reflect.StructField) string {
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	for name := range fields {
		if plain(name) == plain(key) {
			return name
		}
	}
	return ""
}

// Join appends a key to a path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
