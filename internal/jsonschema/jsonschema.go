// Package jsonschema builds a JSON Schema (draft 2020-12) from Go types, so that a key is named in one place only. What
// the types cannot say (patterns, ranges, descriptions) comes as rules.
package jsonschema

import (
	"bytes"
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"time"
)

// Object is a JSON object with sorted keys, so that every generation writes the same text.
type Object = map[string]any

// Rule adds keywords to the schemas of some properties.
type Rule struct {
	// Path is the end of a property's path; ^ ties it to the beginning. * stands for map values and list items.
	Path string
	Add  Object
}

// TimePattern is RFC 3339 with a full date and time.
const TimePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`

// Schema describes the schema to build.
type Schema struct {
	Type  reflect.Type
	ID    string
	Title string
	// Rules are applied in order, later ones on top.
	Rules []Rule
	// Keys are the keys that maps with this key type may have; other maps may have any.
	Keys map[reflect.Type][]string
	// Types are the schemas of types that write their JSON in a way of their own.
	Types map[reflect.Type]Object
	// Lenient does not make keys required; rules may do so for some objects.
	Lenient bool
}

// Build returns the schema with a final line end.
func (s Schema) Build() []byte {
	root := s.of(s.Type, "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = s.ID
	root["title"] = s.Title
	s.apply(root, "")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		panic("jsonschema: plain values always marshal: " + err.Error())
	}
	return out.Bytes()
}

func (s Schema) of(t reflect.Type, path string) Object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var o Object
	known, found := s.Types[t]
	switch {
	case found:
		o = maps.Clone(known)
	case t.Kind() == reflect.Interface:
		o = Object{}
	case t == reflect.TypeFor[time.Time]():
		o = Object{"type": "string", "format": "date-time", "pattern": TimePattern}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		o = Object{"type": "string"}
	case t.Kind() == reflect.Struct:
		o = s.structure(t, path)
	case t.Kind() == reflect.Map && len(s.Keys[t.Key()]) > 0:
		properties := Object{}
		for _, key := range s.Keys[t.Key()] {
			properties[key] = s.of(t.Elem(), path+"."+key)
		}
		o = Object{"type": "object", "properties": properties, "required": []string{}, "additionalProperties": false}
	case t.Kind() == reflect.Map:
		o = Object{"type": "object", "additionalProperties": s.of(t.Elem(), path+".*")}
	case t.Kind() == reflect.Slice:
		o = Object{"type": "array", "items": s.of(t.Elem(), path+".*")}
	default:
		o = Object{"type": jsonType(t.Kind())}
	}
	s.apply(o, path)
	return o
}

func (s Schema) apply(o Object, path string) {
	for _, rule := range s.Rules {
		if matches(rule.Path, path) {
			for key, value := range rule.Add {
				o[key] = value
			}
		}
	}
}

// matches compares the end of a path: "submission.port" is a rule for every server of that name, "*.port" for any.
func matches(rule, path string) bool {
	if rest, found := strings.CutPrefix(rule, "^"); found {
		return rest == path
	}
	return path == rule || strings.HasSuffix(path, "."+rule)
}

func (s Schema) structure(t reflect.Type, path string) Object {
	properties := Object{}
	required := []string{}
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if field.Anonymous && name == "" { // its keys are among those of the outer one
			of, always := field.Type, true
			if of.Kind() == reflect.Pointer {
				of, always = of.Elem(), false
			}
			inner := s.structure(of, path)
			maps.Copy(properties, inner["properties"].(Object))
			if always {
				required = append(required, inner["required"].([]string)...)
			}
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		properties[name] = s.of(field.Type, at)
		if options == "" && !s.Lenient {
			required = append(required, name)
		}
	}
	return Object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func jsonType(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	default:
		return "string"
	}
}
