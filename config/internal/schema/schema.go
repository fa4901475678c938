// Package schema builds the JSON Schema (draft 2020-12) of the configuration from the Go types in config, so that a key
// is named in one place only. What the types cannot say (patterns, ranges, descriptions) is in rules.go.
package schema

import (
	"reflect"

	"postier/config"
	"postier/internal/jsonschema"
)

type object = jsonschema.Object

// id names this version of the schema.
const id = "urn:postier:config:1"

// Build returns the schema with a final line end.
func Build() []byte {
	s := jsonschema.Schema{Type: reflect.TypeFor[config.File](), ID: id, Title: "postier configuration"}
	for _, r := range rules {
		s.Rules = append(s.Rules, jsonschema.Rule{Path: r.path, Add: r.add})
	}
	return s.Build()
}
