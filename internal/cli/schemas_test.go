package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/jsonschema"
	"postier/internal/rehearsal"
	"postier/internal/safefile/safefiletest"
	"postier/internal/safetext"
	"postier/watch"
)

var updateSchemas = flag.Bool("update-schemas", false, "write docs/schemas")

// schemaRow is a command whose result has a schema of that name; further rows may name the same one.
type schemaRow struct {
	schema, command string
	code            int
	stdin           string
	// of is the type of a result that is not printed by the printer.
	of reflect.Type
}

// schemaRows run one after the other, with one account. PASSWORD and MSMTP stand for files.
var schemaRows = []schemaRow{
	{schema: "setup", command: "setup marie@atelier-demo.example --yes --profile office --password-file PASSWORD"},
	{schema: "setup", command: "demo --yes"},
	{schema: "setup", command: "demo --yes --fault spf-missing"},
	{schema: "error", command: "demo --yes --fault wrong-password", code: 77, of: reflect.TypeFor[failure]()},
	{schema: "error", command: "profile show nobody", code: 65, of: reflect.TypeFor[failure]()},
	{schema: "error", command: "profile fly", code: 64, of: reflect.TypeFor[failure]()},
	{schema: "discover", command: "discover marie@atelier-demo.example"},
	{schema: "discover", command: "discover anna@gmail.com --offline"},
	{schema: "diagnose", command: "diagnose office", of: reflect.TypeFor[report.Report]()},
	{schema: "diagnose", command: "diagnose office --arrival --transcript", of: reflect.TypeFor[report.Report]()},
	{
		schema: "diagnose", command: "diagnose marie@atelier-demo.example --from x@atelier-demo.example " +
			"--password-file PASSWORD --repair", code: 1, of: reflect.TypeFor[report.Report](),
	},
	{schema: "diagnose", command: "diagnose dns atelier-demo.example", of: reflect.TypeFor[report.Report]()},
	{
		schema:  "diagnose-spf",
		command: "diagnose spf --ip 192.0.2.25 --sender marie@atelier-demo.example --helo h.example",
	},
	{
		schema: "diagnose-message", command: "diagnose message",
		stdin: "From: marie@atelier-demo.example\n\nt\n", code: 1,
	},
	{schema: "explain", command: "explain A-14"},
	{schema: "explain", command: "explain --reply 550"},
	{schema: "explain-check", command: "explain smtp.auth"},
	{schema: "guide", command: "guide gmail"},
	{schema: "report", command: "report office", of: reflect.TypeFor[report.Bundle]()},
	{schema: "profile-list", command: "profile list"},
	{schema: "profile-show", command: "profile show office"},
	{schema: "profile-route", command: "profile route marie@atelier-demo.example"},
	{schema: "", command: "alias set root marie@atelier-demo.example"},
	{schema: "alias-list", command: "alias list"},
	{schema: "config-validate", command: "config validate"},
	{schema: "config-path", command: "config path"},
	{schema: "config-show", command: "config show"},
	{schema: "export-list", command: "export --list"},
	{schema: "demo-faults", command: "demo --list-faults"},
	{schema: "explain-list", command: "explain --list"},
	{schema: "guide-list", command: "guide --list"},
	{
		schema: "diagnose", command: "diagnose smtp smtp.atelier-demo.example:465",
		code: 69, of: reflect.TypeFor[report.Report](),
	},
	{
		schema: "diagnose", command: "diagnose imap imap.atelier-demo.example:993",
		code: 69, of: reflect.TypeFor[report.Report](),
	},
	{schema: "template-list", command: "template list"},
	{schema: "template-show", command: "template show invoice"},
	{schema: "import", command: "import msmtp MSMTP", code: 78}, // for lack of a password,
	{
		schema: "send-dry-run", command: "send --to marie@atelier-demo.example --dry-run",
		stdin: "To: marie@atelier-demo.example\nSubject: s\n\nt\n",
	},
	{
		schema: "send", command: "send --to marie@atelier-demo.example",
		stdin: "To: marie@atelier-demo.example\nSubject: s\n\nt\n",
	},
	{schema: "send", command: "sendmail -t", stdin: "To: marie@atelier-demo.example\nSubject: s\n\nt\n"},
	{
		schema: "send-hand-over", command: "send --to marie@atelier-demo.example --hand-over",
		stdin: "To: marie@atelier-demo.example\nSubject: s\n\nt\n",
	},
	{schema: "queue-list", command: "queue list --all"},
	{schema: "queue-mode", command: "queue mode"},
	{schema: "log", command: "log"},
	{schema: "", command: "suppress add nobody@example.org --reason asked"},
	{schema: "suppress-list", command: "suppress list"},
	{schema: "limits-show", command: "limits show"},
	{schema: "watch", command: "watch --once", of: reflect.TypeFor[watch.Round]()},
	{schema: "watch-status", command: "watch status"},
	{schema: "watch-set", command: "watch set --every-hours 24"},
	{schema: "version", command: "version", of: reflect.TypeFor[about]()},
}

// withoutSchema are commands that print no JSON of their own, or none that a test can have, and why.
var withoutSchema = map[string]string{
	"join": "it is a screen", "serve": "it stays up", "man": "it prints a page", "completion": "it prints a script",
	"config schema": "it prints a schema", "config get": "it prints one value", "log export": "its rows are those of log",
	"suppress export": "it prints a file", "secret get": "it prints the secret", "template edit": "it opens an editor",
	"token": "it needs a sign-in by browser, as in e2e/oauth", "service status": "it asks systemd",
	"service install": "it says what it did", "service remove": "it says what it did",
	"log resend":      "it prints what send does",
	"suppress import": "it says what it did", "alias import": "it says what it did",
	"help": "it prints help", "": "it is a screen", "secret": "it prints help", "service": "it prints help",
}

// silent commands only change something.
var silent = []string{
	"alias remove", "config migrate", "limits reset", "limits set", "profile default", "profile disable", "profile enable",
	"profile fallback", "profile kind", "profile remove", "profile rename", "profile set", "profile test-mode",
	"queue remove", "queue retry", "queue run", "secret remove", "secret set", "suppress accept", "suppress edit",
	"suppress remove", "template remove",
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
	return jsonschema.Object{"type": "string", "enum": texts(words)}
}

// TestSchemas: what each command prints with --json has a schema in docs/schemas, which is built from the type that is
// printed, and by which what was printed is judged again.
func TestSchemas(t *testing.T) {
	t.Parallel()
	provider, err := rehearsal.Start(t.Context(), rehearsal.Options{Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	home := safefiletest.Home(t)
	authority, err := provider.CAFile(home)
	if err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(home, "password")
	if err := os.WriteFile(password, []byte(provider.Typed.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(home, "msmtprc")
	for path, text := range map[string]string{
		filepath.Join(home, "postier", "templates", "invoice.txt"): "Subject: Invoice {{number}}\n\nHello {{name}}\n",
		sample: "account a\nhost smtp.example.org\nport 587\ntls on\nauth on\nuser a\nfrom a@example.org\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	environment := map[string]string{
		"HOME": home, "POSTIER_CONFIG": filepath.Join(home, "postier", "config.json"), "LC_ALL": "C",
		"POSTIER_RESOLVER": provider.DNSAddr(), "POSTIER_CA_FILE": authority,
	}
	types := map[string]reflect.Type{}
	for _, row := range schemaRows {
		args := []string{"postier"}
		for word := range strings.FieldsSeq(row.command + " --json") {
			args = append(args, strings.NewReplacer("PASSWORD", password, "MSMTP", sample).Replace(word))
		}
		printed := row.of
		var out, complaints bytes.Buffer
		code := run(args, command.Streams{
			In: strings.NewReader(row.stdin), Out: &out, Err: &complaints,
			Getenv: func(name string) string { return environment[name] },
			Printed: func(value any, isRow bool) {
				if printed = reflect.TypeOf(value); isRow {
					printed = reflect.SliceOf(printed)
				}
			},
		})
		switch {
		case code != row.code:
			t.Errorf("%s ends with %d:\n%s%s", row.command, code, out.String(), complaints.String())
			continue
		case row.schema == "":
			continue
		case printed == nil:
			t.Errorf("%s: no value was seen", row.command)
			continue
		}
		for printed.Kind() == reflect.Pointer {
			printed = printed.Elem()
		}
		if before := types[row.schema]; before == nil {
			types[row.schema] = printed
			checkSchema(t, row.schema, printed)
		} else if before != printed {
			t.Errorf("%s prints %s, and a row before prints %s", row.command, printed, before)
		}
		obeys(t, row, out.Bytes())
	}
	everyCommandHasASchema(t)
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "schemas", "*.json"))
	if err != nil || len(files) != len(types) {
		t.Errorf("%d schemas in docs/schemas, %d are used (%v)", len(files), len(types), err)
	}
}

func schemaPath(name string) string {
	return filepath.Join("..", "..", "docs", "schemas", name+".json")
}

// checkSchema compares the schema of a type with the file.
func checkSchema(t *testing.T, name string, of reflect.Type) {
	t.Helper()
	built := jsonschema.Schema{
		Type: of, ID: "urn:postier:" + name, Title: "postier: " + strings.ReplaceAll(name, "-", " ") + " --json",
		Types: ownJSON,
	}.Build()
	if *updateSchemas {
		if err := os.WriteFile(schemaPath(name), built, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaPath(name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, built) {
		t.Errorf("docs/schemas/%s.json is not that of what is printed now: -update-schemas, then read the difference", name)
	}
}

func obeys(t *testing.T, row schemaRow, printed []byte) {
	t.Helper()
	compiled, err := validator.NewCompiler().Compile(schemaPath(row.schema))
	if err != nil {
		t.Fatal(err)
	}
	value, err := validator.UnmarshalJSON(bytes.NewReader(printed))
	if err != nil {
		t.Fatalf("%s: %v\n%s", row.command, err, printed)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", row.command, err, printed)
	}
}

// everyCommandHasASchema, or a reason why not.
func everyCommandHasASchema(t *testing.T) {
	t.Helper()
	f := english()
	root := newRoot(f, "")
	each(root, nil, func(path []string) {
		name := strings.Join(path, " ")
		if cmd, _, err := root.Find(path); err == nil && cmd.HasSubCommands() && !cmd.Runnable() {
			return
		}
		has := slices.ContainsFunc(schemaRows, func(r schemaRow) bool {
			return r.command == name || strings.HasPrefix(r.command, name+" ")
		})
		if _, excused := withoutSchema[name]; !has && !excused && !slices.Contains(silent, name) {
			t.Errorf("no row runs %q with --json", name)
		}
	})
}
