package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safefile/safefiletest"
)

// onDisk writes a document to a new folder and returns its path.
func onDisk(t *testing.T, data string) string {
	t.Helper()
	path := filepath.Join(safefiletest.Home(t), "config.json")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string) *config.Document {
	t.Helper()
	doc, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, data, key string
		line, column    int
	}{
		{"empty", " \n", "config.syntax.empty", 1, 1},
		{"cut off", `{"version": 1,`, "config.syntax.end", 1, 15},
		{"comma too much", "{\"version\": 1,\n}", "config.syntax.json", 2, 1},
		{"comma missing", "{\"a\": 1\n \"é\" \"b\": 2}", "config.syntax.json", 2, 2},
		{"key twice", "{\"version\": 1,\n\"version\": 1}", "config.syntax.twice", 2, 10},
		{"key twice below", `{"profiles": {"a": {}, "a": {}}}`, "config.syntax.twice", 1, 27},
		{"key twice by escape", `{"a": 1, "\u0061": 2}`, "config.syntax.twice", 1, 18},
		{"trailing", "{\"version\": 1}\n{}", "config.syntax.trailing", 2, 1},
		{"trailing letter", "{\"version\": 1} x", "config.syntax.trailing", 1, 16},
		{"Latin-1", "{\"label\": \"\n\xe9\"}", "config.syntax.utf8", 2, 1},
		{"deep", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "config.syntax.deep", 1, 165},
		{"deep lists", strings.Repeat("[", 100000), "config.syntax.deep", 1, 34},
		{"comment", "// hello\n{}", "config.syntax.json", 1, 1},
		{"not a number", `{"version": 1e}`, "config.syntax.json", 1, 13},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("f.json", []byte(row.data))
			var syntax *config.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %v", err)
			}
			if syntax.Problem.Key != row.key || syntax.Line != row.line || syntax.Column != row.column {
				t.Errorf("got %s at %d:%d, want %s at %d:%d", syntax.Problem.Key, syntax.Line, syntax.Column, row.key, row.line,
					row.column)
			}
			says(t, syntax.Text())
		})
	}
}

func TestNewerVersionIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2", "1.5", "1e99", "99999999999999999999"} {
		data := `{"version": ` + version + `, "shape": "of the future", "profiles": 7}`
		path := onDisk(t, data)
		_, err := config.LoadOrNew(path)
		var newer *config.VersionError
		if !errors.As(err, &newer) || newer.Version != version {
			t.Fatalf("got %v", err)
		}
		says(t, newer.Text())
		// A document built in memory does not overwrite it either.
		var changed *config.ChangedError
		if err := config.New(path).Save(); !errors.As(err, &changed) {
			t.Errorf("got %v", err)
		}
		says(t, locale.Msg("config.error.changed", "path", path))
		if now, _ := os.ReadFile(path); string(now) != data {
			t.Errorf("the file became %s", now)
		}
	}
}

func TestLoadRefusals(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(filepath.Join(safefiletest.Home(t), "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	path := onDisk(t, contractJSON)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := config.LoadOrNew(path)
	var file *safefile.Error
	if !errors.As(err, &file) || file.Fix != "chmod 600 "+path {
		t.Errorf("too open: got %v", err)
	}
	if text, ok := config.Describe(err); !ok {
		t.Error("no words for a file that is too open")
	} else {
		says(t, text)
	}
	if _, ok := config.Describe(errors.New("other")); ok {
		t.Error("words for an unknown error")
	}
	path = onDisk(t, change(t, contractJSON, submission+"port", `"465"`))
	_, err = config.Load(path)
	var invalid *config.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Faults) != 1 ||
		invalid.Faults[0].Path != "profiles.durand.submission.port" {
		t.Fatalf("wrong type: got %v", err)
	}
	says(t, invalid.Text())
	if !strings.Contains(invalid.Error(), "profiles.durand.submission.port") {
		t.Errorf("got %q", invalid)
	}
	doc, err := config.Check(path)
	if err != nil || len(doc.Validate().Errors()) != 1 {
		t.Errorf("Check reads on: %v", err)
	}
	if err := doc.Save(); !errors.As(err, &invalid) {
		t.Errorf("a half-read document was saved: %v", err)
	}
}

func TestSaveKeepsOrderAndUnknownKeys(t *testing.T) {
	t.Parallel()
	const before = `{
  "x-note": {"by": "ops", "n": 1.50},
  "profiles": {
    "zeta": {
      "enabled": true,
      "x-color": "red",
      "from": {"x-title": "Dr", "address": "a@b.example"},
      "submission": {"port": 465, "host": "smtp.b.example", "security": "tls", "username": "a"},
      "credential": {"kind": "ask"},
      "limits": {"per_hour": 0, "x-burst": 3},
      "sent_copy": {"mode": "none", "folder": ""}
    }
  },
  "default": "zeta",
  "version": 1
}`
	const after = `{
  "x-note": {
    "by": "ops",
    "n": 1.50
  },
  "profiles": {
    "omega": {
      "enabled": true,
      "x-color": "red",
      "from": {
        "x-title": "Dr",
        "address": "new@b.example",
        "name": "A < B"
      },
      "submission": {
        "port": 465,
        "host": "smtp.b.example",
        "security": "tls",
        "username": "a"
      },
      "credential": {
        "kind": "ask"
      },
      "limits": {
        "per_hour": 0,
        "x-burst": 3
      },
      "sent_copy": {
        "mode": "none",
        "folder": ""
      },
      "label": "Omega"
    }
  },
  "default": "omega",
  "version": 1,
  "$schema": "./config.schema.json"
}
`
	path := onDisk(t, before)
	doc := load(t, path)
	p, err := doc.Profile("")
	if err != nil {
		t.Fatal(err)
	}
	p.Label, p.From.Address, p.From.Name = "Omega", "new@b.example", "A < B"
	if err := doc.Rename("zeta", "omega"); err != nil {
		t.Fatal(err)
	}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(after, "A < B", `A \u003c B`, 1); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if paths := len(doc.Validate().Errors()); paths != 4 {
		t.Errorf("the four unknown keys are errors for validate, got %d", paths)
	}
	for name, mode := range map[string]fs.FileMode{
		"config.json": 0o600, "config.schema.json": 0o600,
		"config.json.bak1": 0o600,
	} {
		if info, err := os.Stat(filepath.Join(filepath.Dir(path), name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A second save of the same document works, and a round trip changes nothing.
	if err := doc.Save(); err != nil {
		t.Error(err)
	}
	if again := load(t, path).Encode(); string(again) != string(got) {
		t.Errorf("a round trip changed the file:\n%s", again)
	}
}

func TestNothingInvalidIsWritten(t *testing.T) {
	t.Parallel()
	path := onDisk(t, contractJSON)
	doc := load(t, path)
	doc.File.Profiles["durand"].Submission.Port = 0
	var invalid *config.InvalidError
	if err := doc.Save(); !errors.As(err, &invalid) || invalid.Faults[0].Path != "profiles.durand.submission.port" {
		t.Errorf("got %v", err)
	}
	if now, _ := os.ReadFile(path); string(now) != contractJSON {
		t.Error("the file was touched")
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("something was left behind: %v", entries)
	}
}

func TestSomebodyElseSavedMeanwhile(t *testing.T) {
	t.Parallel()
	path := onDisk(t, contractJSON)
	first, second := load(t, path), load(t, path)
	first.File.Profiles["durand"].Label = "first"
	second.File.Profiles["durand"].Label = "second"
	if err := first.Save(); err != nil {
		t.Fatal(err)
	}
	var changed *config.ChangedError
	if err := second.Save(); !errors.As(err, &changed) {
		t.Fatalf("got %v", err)
	}
	says(t, changed.Text())
	if label := load(t, path).File.Profiles["durand"].Label; label != "first" {
		t.Errorf("the first save was lost: %q", label)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := first.Save(); !errors.As(err, &changed) {
		t.Errorf("a removed file came back: %v", err)
	}
}

func TestInlineIsReadAndNeverWritten(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-hunter2"
	path := onDisk(t, change(t, contractJSON, credential, `{"kind":"inline","value":"`+canary+`"}`))
	doc := load(t, path)
	for _, shown := range []string{
		get(t, doc, "profiles"), get(t, doc, "profiles.durand.credential"),
		get(t, doc, "profiles.durand.credential.value"),
	} {
		if strings.Contains(shown, canary) {
			t.Errorf("shown: %s", shown)
		}
	}
	doc.File.Profiles["durand"].Label = "changed"
	var invalid *config.InvalidError
	if err := doc.Save(); !errors.As(err, &invalid) || invalid.Faults[0].Path != "profiles.durand.credential" {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(invalid.Error(), canary) {
		t.Error("the secret is in the error")
	}
	// There is an older version with the same secret; moving the secret elsewhere removes that version too.
	if err := os.WriteFile(path+".bak1", []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	doc.File.Profiles["durand"].Credential = config.Credential{Kind: config.CredentialFile, Path: "secrets/durand"}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, entry := range entries {
		if data, _ := os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name())); strings.Contains(string(data), canary) {
			t.Errorf("the secret is still in %s", entry.Name())
		}
	}
}

func get(t *testing.T, doc *config.Document, key string) string {
	t.Helper()
	value, err := config.Get(doc, key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return value
}

func TestGet(t *testing.T) {
	t.Parallel()
	doc := parse(t, change(t, contractJSON, durand+"x-own", `{"a":[1,"b"]}`))
	for key, want := range map[string]string{
		"version":                                     "1",
		"default":                                     "durand",
		"profiles.durand.submission.host":             "smtp.gmail.com",
		"profiles.durand.submission.port":             "465",
		"profiles.durand.submission.helo":             "",
		"profiles.durand.senders.0":                   "durand.example",
		"profiles.durand.senders":                     `["durand.example"]`,
		"profiles.durand.insecure":                    "false",
		"profiles.durand.limits.batch.wait_seconds":   "15.5",
		"profiles.durand.limits.per_hour":             "0",
		"profiles.durand.validated.checks.smtp.auth":  "pass",
		"profiles.durand.validated.checks.dns.spf":    "warn",
		"profiles.durand.sent_copy.folder":            "Envoyés",
		"profiles.durand.x-own.a.1":                   "b",
		"profiles.platform.limits.per_day":            "0",
		"profiles.platform.bcc":                       "[]",
		"profiles.platform.test_mode":                 "{}",
		"profiles.durand.tls":                         `{"ca_file":"","pin_sha256":[]}`,
		"profiles.platform.sent_copy":                 `{"mode":"none"}`,
		"profiles.platform.submission.security":       "none",
		"profiles.platform.limits.batch.wait_seconds": "0",
	} {
		if got := get(t, doc, key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{
		"", "nothing", "profiles.nobody", "profiles.durand.senders.1",
		"profiles.durand.senders.x", "profiles.durand.submission.host.x", "profiles.platform.validated",
		"profiles.platform.sent_copy.imap.host", ".",
	} {
		_, err := config.Get(doc, key)
		var missing *config.KeyError
		if !errors.Is(err, config.ErrNoKey) || !errors.As(err, &missing) {
			t.Errorf("%q: got %v", key, err)
			continue
		}
		says(t, missing.Text())
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	doc := parse(t, contractJSON)
	refused := func(err error, key string) {
		t.Helper()
		var typed *config.OperationError
		if !errors.As(err, &typed) || typed.Reason.Key != key {
			t.Errorf("got %v, want %s", err, key)
			return
		}
		says(t, typed.Text())
	}
	_, err := doc.Profile("nobody")
	refused(err, "config.profile.unknown")
	refused(doc.Rename("nobody", "x"), "config.profile.unknown")
	refused(doc.Rename("durand", "platform"), "config.profile.taken")
	refused(doc.Rename("durand", "Mme Durand"), "config.name.malformed")
	refused(doc.Remove("nobody"), "config.profile.unknown")
	refused(doc.Remove("durand"), "config.profile.is_default")
	refused(doc.SetDefault("nobody"), "config.profile.unknown")
	refused(doc.Enable("nobody"), "config.profile.unknown")
	refused(doc.Disable("nobody", "", time.Time{}), "config.profile.unknown")
	refused(doc.Put("../x", &config.Profile{}), "config.name.malformed")

	if err := doc.Rename("durand", "durand"); err != nil {
		t.Error(err)
	}
	if err := doc.Rename("platform", "house"); err != nil || doc.File.Fallback != "house" {
		t.Errorf("fallback is %q, %v", doc.File.Fallback, err)
	}
	at := time.Date(2026, 11, 21, 20, 0, 0, 5, time.UTC)
	if err := doc.Disable("house", "auth-failed", at); err != nil ||
		doc.File.Profiles["house"].Disabled.Cause != "auth-failed" {
		t.Error("the cause of a switch-off is recorded", err)
	}
	refused(doc.SetDefault("house"), "config.profile.off")
	if err := doc.Enable("house"); err != nil || doc.File.Profiles["house"].Disabled != nil {
		t.Error("switching on forgets the cause", err)
	}
	if err := doc.SetDefault("house"); err != nil {
		t.Error(err)
	}
	refused(doc.SetFallback("nobody"), "config.profile.unknown")
	doc.File.Profiles["house"].Credential.Kind = config.CredentialAsk
	refused(doc.SetFallback("house"), "config.fallback.ask")
	if err := doc.SetFallback("durand"); err != nil || doc.File.Fallback != "durand" {
		t.Error(doc.File.Fallback, err)
	}
	if err := doc.SetFallback(""); err != nil || doc.File.Fallback != "" {
		t.Error(doc.File.Fallback, err)
	}
	if err := doc.SetFallback("house"); err == nil {
		t.Error("a profile that asks is the fallback")
	}
	doc.File.Fallback = "house"
	if err := doc.Disable("durand", "", at); err != nil || doc.File.Profiles["durand"].Disabled != nil ||
		doc.File.Profiles["durand"].Label == "" {
		t.Error("a person's switch-off keeps the settings and records no cause", err)
	}
	if err := doc.Remove("durand"); err != nil {
		t.Error(err)
	}
	if err := doc.Remove("house"); err != nil || doc.File.Default != "" || doc.File.Fallback != "" {
		t.Errorf("default %q, fallback %q, %v", doc.File.Default, doc.File.Fallback, err)
	}
	fresh := config.New("x.json")
	if err := fresh.Put("first", &config.Profile{}); err != nil || fresh.File.Default != "first" {
		t.Error("the first profile is the default", err)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ path, value, at, key string }{
		{submission + "port", `587`, "profiles.durand.submission.port", "config.port.wants_starttls"},
		{submission + "security", `"starttls"`, "profiles.durand.submission.port", "config.port.wants_tls"},
		{imap + "security", `"starttls"`, "profiles.durand.sent_copy.imap.port", "config.port.wants_tls"},
		{"default", ``, "default", "config.default.none"},
		{durand + "enabled", `false`, "default", "config.profile.off"},
		{durand + "bcc", `["a@b.example","a@b.example"]`, "profiles.durand.bcc.1", "config.doubled"},
		{"profiles/platform/senders", `["durand.example"]`, "profiles.platform.senders.0", "config.sender.shared"},
		{durand + "limits/batch", `{"wait_seconds":1}`, "profiles.durand.limits.batch.messages", "config.batch.messages"},
		{credential, `{"kind":"inline","value":"x"}`, "profiles.durand.credential", "config.credential.inline"},
		{"version", `1`, "profiles.durand.validated", "config.validated.stale"},
		{"version", `1`, "profiles.durand.disabled", "config.disabled.enabled"},
	} {
		warnings := parse(t, change(t, contractJSON, row.path, row.value)).Validate().Warnings()
		found := warnings.Under(row.at)
		if len(found) == 0 || found[0].Text.Key != row.key {
			t.Errorf("%s: got %v, want %s at %s", row.path, warnings, row.key, row.at)
			continue
		}
		says(t, found[0].Text)
	}
	insecure := change(t, change(t, contractJSON, submission+"security", `"none"`), durand+"insecure", `true`)
	found := parse(t, insecure).Validate()
	if len(found.Errors()) > 0 || len(found.Under("profiles.durand.insecure")) != 1 {
		t.Errorf("accepted cleartext is a warning: %v", found)
	}
}

// TestMissingValue: a choice that is left out is missing; it is not an empty word that is refused.
func TestMissingValue(t *testing.T) {
	t.Parallel()
	faults := parse(t, change(t, contractJSON, submission+"security", ``)).Validate().Errors()
	if len(faults) != 1 || faults[0].Path != "profiles.durand.submission.security" ||
		faults[0].Text.Key != "config.enum.missing" {
		t.Fatalf("%v", faults)
	}
	says(t, faults[0].Text)
}

func TestProven(t *testing.T) {
	t.Parallel()
	doc := parse(t, contractJSON)
	p := doc.File.Profiles["durand"]
	if p.Proven() {
		t.Fatal("zeros prove nothing")
	}
	p.Validated.Digest = p.Digest()
	// This value never changes: consumers in other languages compute the same digest.
	const want = "sha256:dc239a81a0e8d0700547527798ee7e0789c077e5805585b3f5093b7847cfa1a0"
	if got := p.Digest(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, edit := range map[string]func(*config.Profile){
		"label": func(p *config.Profile) { p.Label = "x" }, "limits": func(p *config.Profile) { p.Limits.PerDay = 1 },
		"name": func(p *config.Profile) { p.From.Name = "x" }, "enabled": func(p *config.Profile) { p.Enabled = false },
		"secret": func(p *config.Profile) { p.Credential.Value = "x" }, "bcc": func(p *config.Profile) { p.BCC = nil },
	} {
		edited := *p
		edit(&edited)
		if !edited.Proven() {
			t.Errorf("%s is not part of the proof", name)
		}
	}
	for name, edit := range map[string]func(*config.Profile){
		"address":    func(p *config.Profile) { p.From.Address = "x@durand.example" },
		"host":       func(p *config.Profile) { p.Submission.Host = "x" },
		"port":       func(p *config.Profile) { p.Submission.Port = 587 },
		"user":       func(p *config.Profile) { p.Submission.Username = "x" },
		"folder":     func(p *config.Profile) { p.SentCopy.Folder = "x" },
		"credential": func(p *config.Profile) { p.Credential.Path = "x" },
		"pin":        func(p *config.Profile) { p.TLS.PinSHA256 = []string{"x"} },
		"insecure":   func(p *config.Profile) { p.Insecure = true },
	} {
		edited := *p
		edit(&edited)
		if edited.Proven() {
			t.Errorf("%s is part of the proof", name)
		}
	}
}

func TestPathsAndFind(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, row := range []struct {
		getenv func(string) string
		want   string
	}{
		{env("POSTIER_CONFIG", "/p/c.json", "XDG_CONFIG_HOME", "/x"), "/p/c.json"},
		{env("XDG_CONFIG_HOME", "/x", "HOME", "/h"), "/x/postier/config.json /etc/postier/config.json"},
		{env("XDG_CONFIG_HOME", "relative", "HOME", "/h"), "/h/.config/postier/config.json /etc/postier/config.json"},
		{env(), "/etc/postier/config.json"},
	} {
		if got := strings.Join(config.Paths(row.getenv), " "); got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
	path := onDisk(t, contractJSON)
	if got, found := config.Find(path, env()); got != path || !found {
		t.Errorf("got %s, %v", got, found)
	}
	if got, found := config.Find("", env("POSTIER_CONFIG", path+".none")); got != path+".none" || found {
		t.Errorf("got %s, %v", got, found)
	}
	if got, _ := config.Find("rel.json", env()); !filepath.IsAbs(got) {
		t.Errorf("got %s", got)
	}
}

// What is opened is what was validated, and what is shown holds no password in any form.
func TestParseDatabase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.Database{
		"q.db": {File: "/etc/postier/q.db"}, "/var/q.db": {File: "/var/q.db"},
		"POSTGRES://mail@db.example/postier?sslmode=require": {URL: "postgres://mail@db.example/postier?sslmode=require"},
	} {
		got, fault := config.ParseDatabase(text)
		if got = got.Under("/etc/postier"); got != want || !fault.Empty() {
			t.Errorf("%q: %+v, %v", text, got, fault)
		}
		if shown := got.String(); shown == "" || strings.Contains(shown, "sslmode") {
			t.Errorf("%q is named %q", text, shown)
		}
	}
	for _, text := range []string{
		"postgres://mail:S3cret@db.example/postier", "POSTGRES://mail:S3c/ret@db.example/postier", "mysql://u:S3cret@h/d",
		"host=db.example password=S3cret", "host=h password = 'S3cret'", "postgres://h/d?sslPassword=S3cret",
		"postgres://h/d?pass%77ord=S3cret", "postgres:mail:S3cret@h/d",
	} {
		if _, fault := config.ParseDatabase(text); fault.Empty() {
			t.Errorf("%q is accepted", text)
		}
		doc := config.New("/config.json")
		doc.File.Queue.Database = text
		for _, key := range []string{"queue.database", "queue"} {
			if got, err := config.Get(doc, key); err != nil || strings.Contains(got, "S3c") {
				t.Errorf("%s of %q is shown as %s, %v", key, text, got, err)
			}
		}
	}
}

func TestQueueDatabase(t *testing.T) {
	t.Parallel()
	for database, key := range map[string]string{
		"": "", "queue.db": "", "/var/lib/postier/queue.db": "", "a=b/q.db": "config.database.malformed",
		"postgres://mail@db.example/postier": "", "postgresql:///postier?host=/run/postgresql": "",
		"POSTGRES://mail@db.example/postier": "", "/var/lib/~q$1:.db": "",
		"../queue.db": "config.path.outside", "mysql://db.example/postier": "config.database.malformed",
		"file:///var/q.db": "config.database.malformed", "sqlite:q.db": "config.database.malformed",
		"postgres:postier": "config.database.malformed", ":memory:": "config.database.malformed",
		"host=/run dbname=postier": "config.database.malformed", "user = a": "config.database.malformed",
		"~/q.db": "config.database.expand", "${HOME}/q.db": "config.database.expand", "$HOME/q.db": "config.database.expand",
		"postgres://mail:secret@db.example/postier":          "config.database.password",
		"postgres://db.example/postier?password=secret":      "config.database.password",
		"postgres://db.example/postier?sslpassword=secret":   "config.database.password",
		"postgres://db.example/postier?ssl%70assword=secret": "config.database.password",
	} {
		f := config.File{Version: 1, Queue: config.Queue{Database: database}}
		faults := config.Validate(&f).Under("queue.database")
		switch {
		case key == "" && len(faults) > 0:
			t.Errorf("%q: %v", database, faults)
		case key != "" && (len(faults) != 1 || faults[0].Text.Key != key):
			t.Errorf("%q: %v, want %s", database, faults, key)
		case key != "":
			says(t, faults[0].Text)
		}
	}
}
