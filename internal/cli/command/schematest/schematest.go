// Package schematest holds the JSON of the commands to its schemas in docs/schemas, for the tests of all commands.
package schematest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/internal/check"
	"postier/internal/jsonschema"
	"postier/internal/safetext"
)

var update = flag.Bool("update-schemas", false, "write docs/schemas")

// Check compares the file of a schema with the one that is built from the type of what a command prints.
func Check(t testing.TB, name string, of reflect.Type) {
	t.Helper()
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	built := jsonschema.Schema{
		Type: of, ID: "urn:postier:" + name, Title: "postier: " + strings.ReplaceAll(name, "-", " ") + " --json",
		Types: ownJSON,
	}.Build()
	path := filepath.Join(Folder(t), name+".json")
	if *update {
		if err := os.WriteFile(path, built, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, built) {
		t.Errorf("docs/schemas/%s.json is not that of what is printed now: -update-schemas, then read the difference", name)
	}
}

// Obeys judges by its schema what a command has printed.
func Obeys(t testing.TB, name string, printed []byte) {
	t.Helper()
	compiled, err := validator.NewCompiler().Compile(filepath.Join(Folder(t), name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := validator.UnmarshalJSON(bytes.NewReader(printed))
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, printed)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", name, err, printed)
	}
}

// Folder is docs/schemas, seen from the package of the test.
func Folder(t testing.TB) string {
	t.Helper()
	root := "."
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return filepath.Join(root, "docs", "schemas")
		}
		if len(root) > len("../../../../../../") {
			t.Fatal("the test runs outside of the tree")
		}
		root = filepath.Join("..", root)
	}
}

// ownJSON are types with a form of their own.
var ownJSON = map[reflect.Type]jsonschema.Object{
	reflect.TypeFor[safetext.Remote](): {"type": "string"},
	reflect.TypeFor[diagnostics.Evidence](): {"type": "array", "items": jsonschema.Object{
		"type": "object", "required": []string{"kind"}, "properties": jsonschema.Object{
			"kind": jsonschema.Object{"type": "string"}, "text": jsonschema.Object{"type": "string"},
		},
	}},
	reflect.TypeFor[arrival.AuthResults](): {"type": "object", "required": []string{"authserv_id", "results"}},
	reflect.TypeFor[json.RawMessage]():     {},
	reflect.TypeFor[check.Status]():        oneOf([]check.Status{check.Pass, check.Warn, check.Fail, check.Skip}),
	reflect.TypeFor[check.ID]():            oneOf(check.All()),
	reflect.TypeFor[config.Security]():     oneOf(config.Securities()),
	reflect.TypeFor[config.Mechanism]():    oneOf(config.Mechanisms()),
	reflect.TypeFor[config.SentMode]():     oneOf(config.SentModes()),
}

// oneOf is a word of a list that may grow: whoever reads the schema of one version must expect others from the next.
func oneOf[W ~string](words []W) jsonschema.Object {
	return jsonschema.Object{"type": "string", "enum": words}
}
