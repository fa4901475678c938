package vendor

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"testing"

	"postier/config"
	"postier/internal/jsonschema"
	"postier/internal/locale"
	"postier/presets"
)

var update = flag.Bool("update", false, "write vendor.schema.json again; read the difference before committing it")

// TestSchemaIsCurrent fails if `go generate ./presets/vendor` has to be run.
func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	switch built := builtSchema(); {
	case bytes.Equal(Schema(), built):
	case !*update:
		t.Error("vendor.schema.json is not what the types say; run: go generate ./presets/vendor")
	default:
		if err := os.WriteFile("vendor.schema.json", built, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type object = jsonschema.Object

// builtSchema is the schema that the types give, so that a key is named in one place only.
func builtSchema() []byte {
	const line = `^[^\x00-\x1f\x7f]*$`
	https := object{"pattern": "^https://"}
	var languages []string
	for _, lang := range locale.Written() {
		languages = append(languages, string(lang))
	}
	rules := []jsonschema.Rule{
		{Path: "", Add: object{"required": []string{"version"}}},
		{Path: "^version", Add: object{"const": Version, "description": "Version of the file format."}},
		{Path: "^product", Add: object{"description": "The program on whose behalf postier runs."}},
		{Path: "^product.name", Add: object{"maxLength": maxName, "pattern": line}},
		{
			Path: "^product.label",
			Add: object{
				"maxLength": maxName, "pattern": line,
				"description": "What the person types as the name of an app password.",
			},
		},
		{Path: "^support", Add: object{"description": "Shown whenever something fails."}},
		{Path: "^support.name", Add: object{"maxLength": maxLine, "pattern": line}},
		{Path: "^support.phone", Add: object{"maxLength": maxLine, "pattern": line}},
		{Path: "^support.email", Add: object{"pattern": "^[^@\\s]+@[^@\\s]+$"}},
		{Path: "^support.url", Add: https},
		{Path: "^support.relay", Add: object{
			"pattern": "^ssh://", "description": "Your postier serve, at which a person's step is offered to support.",
		}},
		{Path: "^support.host_key", Add: object{"pattern": "^SHA256:[A-Za-z0-9+/]{43}$"}},
		{Path: "^support.key_file", Add: object{"pattern": "^/"}},
		{Path: "^support.note", Add: object{"required": languages}},
		{Path: "^providers", Add: object{"description": "Providers of your own, in the form of presets/data/README.md."}},
		{Path: "^providers.*", Add: object{"required": []string{
			"id", "name", "kind", "credential", "needs_app_password",
			"sent_copy",
		}}},
		{Path: "^providers.*.id", Add: object{"pattern": "^[^A-Z/\\\\ ]+$"}},
		{
			Path: "^providers.*.kind",
			Add:  object{"enum": []presets.Kind{presets.KindMailbox, presets.KindTransactional, presets.KindRelay}},
		},
		{Path: "^providers.*.credential.type", Add: object{"enum": config.SecretTypes()}},
		{
			Path: "^providers.*.sent_copy.mode",
			Add:  object{"enum": []config.SentMode{config.SentAppend, config.SentServer, config.SentNone}},
		},
		{Path: "^providers.*.docs_url", Add: https},
		{Path: "^providers.*.app_password_url", Add: https},
		{Path: "port", Add: object{"minimum": 1, "maximum": 65535}},
		{Path: "security", Add: object{"enum": config.Securities()}},
		{Path: "^hidden", Add: object{"description": "Ids of providers that are not offered."}},
		{Path: "^oauth", Add: object{"description": "Your registered clients, by OAuth provider."}},
		{Path: "^oauth.*", Add: object{"required": []string{"client_id"}}},
		{Path: "^oauth.*.client_id", Add: object{"pattern": "^[!-~]+$"}},
		{Path: "^oauth.*.client_secret_file", Add: object{"pattern": "^/"}},
		{Path: "^fallback", Add: object{
			"required":    []string{"name", "profile"},
			"description": "A profile of the platform, with a name and as in the configuration.",
		}},
		{Path: "^fallback.name", Add: object{"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}},
		{Path: "^defaults", Add: object{"description": "What a new profile begins with."}},
		{Path: "^defaults.sent_copy", Add: object{"enum": config.SentModes()}},
		{Path: "^defaults.keep", Add: object{"enum": []string{KeepFile, KeepAsk}}},
		{Path: "^tls", Add: object{"description": "What is allowed beyond the built-in rules: less, never more."}},
		{Path: "^tls.minimum", Add: object{"enum": []string{"", "1.2", "1.3"}}},
		{Path: "^tls.ca_file", Add: object{"pattern": "^$|^/"}},
	}
	return jsonschema.Schema{
		Type: reflect.TypeFor[File](), ID: "urn:postier:vendor:1", Title: "postier vendor file", Rules: rules, Lenient: true,
		Keys: map[reflect.Type][]string{reflect.TypeFor[locale.Lang](): languages},
	}.Build()
}
