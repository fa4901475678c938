// Package schema builds the JSON Schema (draft 2020-12) of the configuration from the Go types in config, so that a key is
// named in one place only. What the types cannot say (patterns, ranges, descriptions) is in rules.go.
package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"postier/config"
)

// object is a JSON object with sorted keys: the schema reads alike after each generation.
type object = map[string]any

// id names this version of the schema.
const id = "urn:postier:config:1"

// Build returns the schema with a final line end.
func Build() []byte {
	root := structure(reflect.TypeFor[config.File](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = id
	root["title"] = "postier configuration"
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		panic("schema: plain values always marshal: " + err.Error())
	}
	return out.Bytes()
}

func of(t reflect.Type, path string) object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var s object
	switch {
	case t == reflect.TypeFor[time.Time]():
		s = object{"type": "string", "format": "date-time", "pattern": timePattern}
	case t.Kind() == reflect.Struct:
		s = structure(t, path)
	case t.Kind() == reflect.Map:
		s = object{"type": "object", "additionalProperties": of(t.Elem(), path+".*")}
	case t.Kind() == reflect.Slice:
		s = object{"type": "array", "items": of(t.Elem(), path+".*")}
	default:
		s = object{"type": jsonType(t.Kind())}
	}
	for _, rule := range rules {
		if matches(rule.path, path) {
			for key, value := range rule.add {
				s[key] = value
			}
		}
	}
	return s
}

// matches compares the end of a path: "submission.port" is a rule for every server of that name, "*.port" for any.
func matches(rule, path string) bool {
	if rest, found := strings.CutPrefix(rule, "^"); found {
		return rest == path
	}
	return path == rule || strings.HasSuffix(path, "."+rule)
}

func structure(t reflect.Type, path string) object {
	properties := object{}
	required := []string{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		properties[name] = of(field.Type, at)
		if options == "" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func jsonType(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	default:
		return "string"
	}
}
