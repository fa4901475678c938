package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/diagnostics/report"
	"postier/internal/cli/command"
	"postier/internal/cli/command/schematest"
	"postier/internal/cli/setup"
	"postier/internal/exitcode"
	"postier/internal/rehearsal"
	"postier/internal/safefile/safefiletest"
	"postier/watch"
)

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
	{command: "alias set root marie@atelier-demo.example"},
	{schema: "alias-list", command: "alias list"},
	{command: "alias remove root"},
	{schema: "alias-import", command: "alias import ALIASES"},
	{schema: "config-validate", command: "config validate"},
	{schema: "config-path", command: "config path"},
	{schema: "config-show", command: "config show"},
	{schema: "config-migrate", command: "config migrate"},
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
	{command: "template edit second", stdin: "Subject: s\n\nt\n"},
	{command: "template remove second"},
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
	{
		schema: "send", command: "send --to marie@atelier-demo.example --queue",
		stdin: "To: marie@atelier-demo.example\nSubject: s\n\nt\n",
	},
	{schema: "queue-list", command: "queue list --all"},
	{command: "queue retry SENT"},
	{command: "queue remove SENT"},
	{command: "queue run"},
	{schema: "queue-mode", command: "queue mode"},
	{schema: "log", command: "log"},
	{command: "suppress add nobody@example.org --reason asked"},
	{schema: "suppress-list", command: "suppress list"},
	{command: "suppress edit nobody@example.org --reason twice"},
	{command: "suppress accept nobody@example.org"},
	{command: "suppress remove nobody@example.org"},
	{schema: "suppress-import", command: "suppress import ADDRESSES"},
	{command: "limits set office --per-day 90"},
	{schema: "limits-show", command: "limits show"},
	{command: "limits reset office"},
	{schema: "watch", command: "watch --once", of: reflect.TypeFor[watch.Round]()},
	{schema: "watch-status", command: "watch status"},
	{schema: "watch-set", command: "watch set --every-hours 24"},
	{schema: "version", command: "version", of: reflect.TypeFor[about]()},
	{command: "profile set office --label Office"},
	{command: "profile kind office invoice off"},
	{command: "profile test-mode office on"},
	{command: "profile fallback --none"},
	{command: "profile default office"},
	{command: "profile disable office"},
	{command: "profile enable office"},
	{command: "profile rename office bureau"},
	{command: "secret set bureau --password-file PASSWORD"},
	{command: "secret remove bureau"},
	{command: "profile remove bureau"},
}

// elsewhere are schemas of commands that TestSchemas cannot run, and the tests that judge them.
var elsewhere = map[string]string{
	"demo-serve":      "TestSchemaOfServedDemo: it stays up",
	"token":           "TestSchemaOfToken: a person has to sign in with a browser",
	"service-install": "TestSchemas of internal/cli/service: it changes the machine",
	"service-print":   "TestSchemas of internal/cli/service",
	"service-remove":  "TestSchemas of internal/cli/service: it changes the machine",
	"service-status":  "TestSchemas of internal/cli/service: it asks systemd",
}

// withoutSchema are commands whose result is no JSON of their own, and why.
var withoutSchema = map[string]string{
	"": "it is a screen", "join": "it is a screen", "serve": "it stays up and writes a log",
	"man": "it prints a page", "completion": "it prints a script",
	"config schema": "it prints a schema", "config get": "it prints one value of the file",
	"log export": "its rows are those of log, in a file", "log resend": "it prints what send does",
	"suppress export": "it prints a file", "secret get": "it prints the secret",
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
	aliases, addresses := filepath.Join(home, "aliases"), filepath.Join(home, "addresses.csv")
	for path, text := range map[string]string{
		aliases: "root: marie@atelier-demo.example\nbackup: |/bin/cat\n", addresses: "pattern,reason\na@example.org,asked\n",
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
	var last struct{ ID string } // of a message
	for _, row := range schemaRows {
		args := []string{"postier"}
		for word := range strings.FieldsSeq(row.command + " --json") {
			args = append(args, strings.NewReplacer("PASSWORD", password, "MSMTP", sample, "ALIASES", aliases, "ADDRESSES",
				addresses, "SENT", last.ID).Replace(word))
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
			if out.Len() > 0 {
				t.Errorf("%s only changes something, and prints %s", row.command, &out)
			}
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
			schematest.Check(t, row.schema, printed)
		} else if before != printed {
			t.Errorf("%s prints %s, and a row before prints %s", row.command, printed, before)
		}
		schematest.Obeys(t, row.schema, out.Bytes())
		if row.schema == "send" {
			if err := json.Unmarshal(out.Bytes(), &last); err != nil {
				t.Error(err)
			}
		}
	}
	everyCommandHasASchema(t)
	files, err := filepath.Glob(filepath.Join(schematest.Folder(t), "*.json"))
	if err != nil || len(files) != len(types)+len(elsewhere) {
		t.Errorf("%d schemas in docs/schemas, %d are used (%v)", len(files), len(types)+len(elsewhere), err)
	}
}

// TestSchemaOfServedDemo: the servers stay up until the run is interrupted, here as soon as they are announced.
func TestSchemaOfServedDemo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, complaints bytes.Buffer
	var printed reflect.Type
	f := command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: &out, Err: &complaints, Getenv: func(string) string { return "" },
		Printed: func(value any, _ bool) {
			printed = reflect.TypeOf(value)
			interrupt()
		},
	}, version)
	f.JSON = true
	cmd := setup.NewDemo(f, nil)
	cmd.SetArgs([]string{"--serve", "--keep", filepath.Join(safefiletest.Home(t), "kept")})
	if err := cmd.ExecuteContext(ctx); err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	schematest.Check(t, "demo-serve", printed)
	schematest.Obeys(t, "demo-serve", out.Bytes())
}

// TestSchemaOfToken: with --check the token itself is not printed.
func TestSchemaOfToken(t *testing.T) {
	t.Parallel()
	r := newTokenRig(t, rehearsal.Options{OAuth: true, Approval: time.Millisecond}, rehearsal.OAuthClient)
	if code := r.token(t, "marie", "--sign-in"); code != exitcode.OK {
		t.Fatalf("sign-in: %d %s", code, &r.err)
	}
	r.f.JSON = true
	for _, flags := range [][]string{nil, {"--check"}} {
		var printed reflect.Type
		r.f.Printed = func(value any, _ bool) { printed = reflect.TypeOf(value) }
		if code := r.token(t, "marie", flags...); code != exitcode.OK {
			t.Fatalf("%q: %d %s", flags, code, &r.err)
		}
		schematest.Check(t, "token", printed)
		schematest.Obeys(t, "token", r.out.Bytes())
	}
}

// everyCommandHasASchema, or a reason why not. Both lists name only what exists.
func everyCommandHasASchema(t *testing.T) {
	t.Helper()
	f := english()
	root := newRoot(f, "")
	commands := map[string]bool{}
	each(root, nil, func(path []string) {
		name := strings.Join(path, " ")
		commands[name] = true
		has := slices.ContainsFunc(schemaRows, func(r schemaRow) bool {
			return r.command == name || strings.HasPrefix(r.command, name+" ")
		})
		for schema := range elsewhere {
			has = has || strings.HasPrefix(schema+"-", strings.ReplaceAll(name, " ", "-")+"-")
		}
		_, excused := withoutSchema[name]
		switch {
		case !has && !excused:
			t.Errorf("no row runs %q with --json", name)
		case has && excused:
			t.Errorf("%q has a row, and is excused from having one", name)
		}
	})
	for name := range withoutSchema {
		if !commands[name] {
			t.Errorf("%q is excused, and is no command", name)
		}
	}
}
