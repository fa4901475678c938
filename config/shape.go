package config

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// This file compares a tree with the Go types of profile.go, which are the only list of keys. encoding/json alone would
// accept keys in any letter case, ignore unknown ones, and name no map keys in its errors.

var timeType = reflect.TypeFor[time.Time]()

// shaper walks a tree along a type. known becomes the tree without unknown keys and misfits.
type shaper struct {
	misfits Faults
	unknown Faults // keys that are unknown, and keys that are missing
}

// known returns the part of n that matches t, or nil.
func (s *shaper) known(n *node, t reflect.Type, path string) *node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	want := wantedKind(t)
	if n.kind != want {
		s.misfit(path, "config.shape."+string(want))
		return nil
	}
	switch {
	case t == timeType:
		// This is the function that decodes the value later; time.Parse accepts more.
		if err := new(time.Time).UnmarshalText([]byte(n.scalar.(string))); err != nil {
			s.misfit(path, "config.shape.time")
			return nil
		}
		return n
	case t.Kind() == reflect.Struct:
		return s.object(n, t, path)
	case t.Kind() == reflect.Map:
		out := &node{kind: kindObject}
		for _, m := range n.members {
			if value := s.known(m.value, t.Elem(), join(path, m.key)); value != nil {
				out.members = append(out.members, member{m.key, value})
			}
		}
		return out
	case t.Kind() == reflect.Slice:
		out := &node{kind: kindArray}
		for i, item := range n.items {
			if value := s.known(item, t.Elem(), join(path, strconv.Itoa(i))); value != nil {
				out.items = append(out.items, value)
			}
		}
		return out
	}
	return s.number(n, t, path)
}

func (s *shaper) object(n *node, t reflect.Type, path string) *node {
	fields := jsonFields(t)
	out := &node{kind: kindObject}
	for _, m := range n.members {
		field, ok := fields[m.key]
		if !ok {
			s.unknown = append(s.unknown, Fault{Path: join(path, m.key), Text: unknownKey(m.key, fields)})
			continue
		}
		if value := s.known(m.value, field.Type, join(path, m.key)); value != nil {
			out.members = append(out.members, member{m.key, value})
		}
	}
	s.required(n, t, path)
	return out
}

// required reports missing keys whose zero value is a valid choice; Validate finds the other missing keys.
func (s *shaper) required(n *node, t reflect.Type, path string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		silent := field.Type.Kind() == reflect.Bool || field.Type.Kind() == reflect.Map
		if options == "" && silent && n.get(name) == nil {
			s.unknown = append(s.unknown, Fault{Path: join(path, name), Text: locale.Msg("config.missing_key", "key", name)})
		}
	}
}

// number refuses what would not fit into an int; other scalars pass.
func (s *shaper) number(n *node, t reflect.Type, path string) *node {
	number, ok := n.scalar.(json.Number)
	if !ok {
		return n
	}
	if t.Kind() == reflect.Int {
		// 587.0 is the integer 587 for JSON Schema, but not for most readers.
		if _, err := strconv.ParseInt(number.String(), 10, 32); err != nil {
			s.misfit(path, "config.shape.integer")
			return nil
		}
		return n
	}
	if _, err := number.Float64(); err != nil {
		s.misfit(path, "config.shape.number")
		return nil
	}
	return n
}

func (s *shaper) misfit(path, key string) {
	s.misfits = append(s.misfits, Fault{Path: path, Text: locale.Msg(key)})
}

func wantedKind(t reflect.Type) nodeKind {
	switch {
	case t == timeType || t.Kind() == reflect.String:
		return kindString
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return kindObject
	case t.Kind() == reflect.Slice:
		return kindArray
	case t.Kind() == reflect.Bool:
		return kindBool
	}
	return kindNumber
}

func jsonFields(t reflect.Type) map[string]reflect.StructField {
	fields := make(map[string]reflect.StructField, t.NumField())
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field
	}
	return fields
}

// unknownKey offers the known key that differs only in letter case, - or _.
func unknownKey(key string, fields map[string]reflect.StructField) locale.Text {
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	for name := range fields {
		if plain(name) == plain(key) {
			return locale.Msg("config.unknown_key_like", "key", safetext.FromRemote(key), "suggestion", name)
		}
	}
	return locale.Msg("config.unknown_key", "key", safetext.FromRemote(key))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
