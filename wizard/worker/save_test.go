package worker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/safefile"
	"postier/wizard"
)

func mode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
	}
}

func (h *fixture) save(change func(*wizard.Request)) wizard.Outcome {
	h.t.Helper()
	r := h.request(wizard.DoSave)
	r.Draft.SentFolder = "Envoyés"
	r.Draft.Proven = map[check.ID]check.Status{"smtp.auth": "pass", "dns.spf": "warn"}
	if change != nil {
		change(&r)
	}
	out, _ := h.do(context.Background(), r)
	if out.Err.Empty() == (out.Saved == nil) {
		h.t.Fatalf("neither saved nor refused: %+v", out)
	}
	return out
}

func (h *fixture) load() *config.Document {
	h.t.Helper()
	doc, err := config.Load(h.ConfigPath)
	if err != nil {
		h.t.Fatal(err)
	}
	return doc
}

func TestSave(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	out := h.save(nil)
	if !out.Err.Empty() {
		t.Fatal(words(t, out.Err))
	}
	if out.Saved.Path != h.ConfigPath || out.Saved.Profile != "atelier" || !out.Saved.Default ||
		out.Saved.Secret != filepath.Join(h.folder, "secrets/atelier") {
		t.Errorf("%+v", out.Saved)
	}
	mode(t, h.ConfigPath, 0o600)
	mode(t, out.Saved.Secret, 0o600)
	mode(t, filepath.Dir(out.Saved.Secret), 0o700)
	doc := h.load()
	if faults := doc.Validate(); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	p := doc.File.Profiles["atelier"]
	if !p.Proven() || p.Validated.Checks["dns.spf"] != "warn" || p.Validated.Checks["smtp.auth"] != "pass" {
		t.Errorf("%+v", p.Validated)
	}
	if h.file("config.schema.json") != string(config.Schema()) {
		t.Error("no schema next to the configuration")
	}
	if strings.Contains(h.file("config.json"), h.provider.Typed.Reveal()) {
		t.Error("the secret stands in the configuration")
	}
	if got := h.file("secrets/atelier"); got != h.provider.Typed.Reveal()+"\n" {
		t.Errorf("secret %q", got)
	}
	// A second profile does not become the default by itself.
	out = h.save(func(r *wizard.Request) { r.Draft.Profile, r.Draft.Default = "zweites", false })
	if out.Saved == nil || out.Saved.Default || h.load().File.Default != "atelier" || len(h.load().File.Profiles) != 2 {
		t.Errorf("%+v", out)
	}
}

// TestSaveRefusals: when a save fails, the old configuration, the old secret and the draft are unchanged, and the error
// is a sentence.
func TestSaveRefusals(t *testing.T) {
	t.Parallel()
	full := &safefile.Error{Op: "write", Path: "config.json", Problem: safefile.DiskFull, Err: syscall.ENOSPC}
	for name, c := range map[string]struct {
		config string
		hook   func(*config.Document) error
		change func(*wizard.Request)
		says   string
	}{
		"newer version": {config: `{"version": 2, "profiles": {}}`, says: "version"},
		"damaged":       {config: `{"version": 1, "profiles": {`, says: "config.json"},
		"wrong types":   {config: `{"version": "one", "profiles": 7}`, says: "config.json"},
		"disk full":     {hook: func(*config.Document) error { return full }, says: "space"},
		"read-only": {hook: func(*config.Document) error {
			return &safefile.Error{Op: "write", Path: "config.json", Problem: safefile.ReadOnly, Err: syscall.EROFS}
		}},
		"invalid":   {change: func(r *wizard.Request) { r.Draft.TestMode.Enabled = true }},
		"no secret": {change: func(r *wizard.Request) { r.Secret = secretOf("") }},
		"something else": {
			hook: func(*config.Document) error { return errors.New("strange \x1b[2J") },
			says: `strange \x1b[2J`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, "")
			h.do(context.Background(), h.request(wizard.DoDraft))
			h.write("secrets/atelier", "the old secret\n")
			if c.config != "" {
				h.write("config.json", c.config)
			}
			h.saveHook = c.hook
			out := h.save(c.change)
			if out.Err.Empty() {
				t.Fatal("saved")
			}
			if text := words(t, out.Err); !strings.Contains(text, c.says) {
				t.Errorf("says %q", text)
			}
			if h.file("config.json") != c.config {
				t.Error("the configuration changed")
			}
			if got := h.file("secrets/atelier"); got != "the old secret\n" {
				t.Errorf("the secret changed: %q", got)
			}
			if h.file("draft.json") == "" {
				t.Error("the draft is gone")
			}
			// Once the cause is fixed, the same conversation saves.
			if h.saveHook = nil; c.config != "" {
				_ = os.Remove(h.ConfigPath)
			}
			if out := h.save(nil); out.Saved == nil {
				t.Errorf("after the fix: %s", words(t, out.Err))
			}
		})
	}
	t.Run("new secret", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, "")
		h.saveHook = func(*config.Document) error { return full }
		h.save(nil)
		if h.file("secrets/atelier") != "" {
			t.Error("a secret without a profile is left")
		}
	})
	t.Run("folder is a file", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, "")
		h.write("place", "x")
		h.ConfigPath = filepath.Join(h.folder, "place", "config.json")
		words(t, h.save(nil).Err)
	})
	t.Run("too open", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, "")
		h.save(nil)
		if err := os.Chmod(h.ConfigPath, 0o644); err != nil {
			t.Fatal(err)
		}
		out := h.save(func(r *wizard.Request) { r.Draft.Editing = true })
		if !strings.Contains(words(t, out.Err), "chmod") {
			t.Errorf("says %q", words(t, out.Err))
		}
	})
}

// edited changes the request so that it saves the profile of the file as an edited one.
func (h *fixture) edited(r *wizard.Request) {
	h.t.Helper()
	doc := h.load()
	d := wizard.DraftOf("atelier", doc.File.Profiles["atelier"], doc.File.Default == "atelier")
	d.Step, d.Proven = wizard.StepReview, map[check.ID]check.Status{"smtp.auth": "pass"}
	r.Draft, r.Stored = d, true
}

const withUnknownKeys = `{
  "version": 1,
  "default": "atelier",
  "vendor": {"kept": [1, 2]},
  "profiles": {
    "atelier": {
      "enabled": false,
      "provider": "custom",
      "x-note": "kept",
      "from": {"address": "marie@atelier-demo.example"},
      "submission": {"host": "smtp.poste-demo.example", "port": 465, "security": "tls", "auth": "auto", "username": "marie@atelier-demo.example", "x-deep": true},
      "credential": {"kind": "command", "command": ["/bin/echo", "hello"]},
      "sent_copy": {"mode": "none"},
      "tls": {"pin_sha256": ["` + "abababababababababababababababababababababababababababababababab" + `"]}
    }
  }
}
`

// TestKept: where nothing was changed that a server has to prove, the proof keeps its date, what was switched off
// since stays off with its reason, and the credential is not touched, even if it cannot be read.
func TestKept(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.write("config.json", withUnknownKeys)
	if out := h.save(h.edited); out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	before := h.load().File.Profiles["atelier"]
	change := func(r *wizard.Request) {
		h.edited(r)
		r.Draft.Kept, r.Draft.ReplyTo, r.Stored = true, "x@atelier-demo.example", false
	}
	h.Now = func() time.Time { return before.Validated.At.Add(48 * time.Hour) }
	doc := h.load()
	off := doc.File.Profiles["atelier"]
	off.Enabled, off.Disabled = false, &config.Disabled{At: before.Validated.At, Cause: "account-suspended"}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if out := h.save(change); out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	after := h.load().File.Profiles["atelier"]
	if after.ReplyTo == "" || !after.Proven() || !after.Validated.At.Equal(before.Validated.At) {
		t.Errorf("%+v", after)
	}
	if after.Enabled || after.Disabled == nil || after.Disabled.Cause != "account-suspended" {
		t.Errorf("it is on again: %+v", after)
	}
	if after.Credential.Kind != before.Credential.Kind || h.file("secrets/atelier") != "" {
		t.Errorf("%+v", after.Credential)
	}
	// What was edited by hand since is not proven by a change that proves nothing.
	doc = h.load()
	doc.File.Profiles["atelier"].Submission.Port = 587
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if out := h.save(change); out.Saved == nil || h.load().File.Profiles["atelier"].Proven() {
		t.Error("settings that were edited by hand pass for proven")
	}
}

// TestEditKeeps: editing keeps unknown keys, the reference to the secret, pins and whether the profile is enabled.
func TestEditKeeps(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.write("config.json", withUnknownKeys)
	out := h.save(h.edited)
	if out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	text := h.file("config.json")
	for _, kept := range []string{
		`"x-note": "kept"`, `"x-deep": true`, `"vendor"`, `"/bin/echo"`, "abababab",
		`"enabled": false`,
	} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s is lost:\n%s", kept, text)
		}
	}
	if p := h.load().File.Profiles["atelier"]; !p.Proven() || p.Credential.Kind != config.CredentialCommand {
		t.Errorf("%+v", p)
	}
	if h.file("secrets/atelier") != "" {
		t.Error("the secret was copied")
	}
	if out.Saved.Secret != "" {
		t.Errorf("says the secret is stored in %q", out.Saved.Secret)
	}
}

// TestEditSecret: a new secret replaces the reference, and one that is asked for is no longer stored.
func TestEditSecret(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.write("config.json", withUnknownKeys)
	h.save(func(r *wizard.Request) {
		h.edited(r)
		r.Stored, r.Secret = false, secretOf("new")
	})
	if p := h.load().File.Profiles["atelier"]; p.Credential.Kind != config.CredentialFile ||
		len(p.Credential.Command) != 0 || h.file("secrets/atelier") != "new\n" {
		t.Errorf("%+v", p.Credential)
	}
	h.save(func(r *wizard.Request) {
		h.edited(r)
		r.Draft.AskEach = true
	})
	if p := h.load().File.Profiles["atelier"]; p.Credential.Kind != config.CredentialAsk ||
		h.file("secrets/atelier") != "" {
		t.Errorf("%+v, secret %q", p.Credential, h.file("secrets/atelier"))
	}
	h.save(func(r *wizard.Request) {
		h.edited(r)
		r.Draft.Submission.Auth = config.MechanismNone
	})
	if p := h.load().File.Profiles["atelier"]; p.Credential.Kind != "" {
		t.Errorf("%+v", p.Credential)
	}
}

// TestInlineSecretMoves: a secret that was in the configuration file moves to a file of its own.
func TestInlineSecretMoves(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.write("config.json", strings.Replace(withUnknownKeys, `{"kind": "command", "command": ["/bin/echo", "hello"]}`,
		`{"kind": "inline", "value": "canary"}`, 1))
	out := h.save(func(r *wizard.Request) {
		h.edited(r)
		r.Secret = secretOf("canary")
	})
	if out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	if strings.Contains(h.file("config.json"), "canary") || h.file("secrets/atelier") != "canary\n" {
		t.Error("the secret still stands in the configuration")
	}
}

// TestNameTakenMeanwhile: a profile that another program saved during the conversation is not overwritten.
func TestNameTakenMeanwhile(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.save(nil)
	before, key := h.file("config.json"), h.file("secrets/atelier")
	out := h.save(func(r *wizard.Request) { r.Secret = secretOf("other") })
	if !strings.Contains(words(t, out.Err), "atelier") || h.file("config.json") != before ||
		h.file("secrets/atelier") != key {
		t.Errorf("%+v", out)
	}
}

// TestTwoSavesAtOnce: two saves at the same time both succeed, each with its own secret.
func TestTwoSavesAtOnce(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	var wg sync.WaitGroup
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		wg.Go(func() {
			h.save(func(r *wizard.Request) { r.Draft.Profile, r.Secret = name, secretOf("secret of "+name) })
		})
	}
	wg.Wait()
	if got := h.load().File.Names(); !slices.Equal(got, names) {
		t.Errorf("%v", got)
	}
	for _, name := range names {
		if got := h.file("secrets/" + name); got != "secret of "+name+"\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestAnotherProgramWrites: when another program changes the file between our reading and writing, its change is kept.
func TestAnotherProgramWrites(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.save(func(r *wizard.Request) { r.Draft.Profile = "first" })
	times := 0
	h.saveHook = func(*config.Document) error {
		if times++; times == 1 {
			other := h.load()
			other.File.Profiles["first"].Label = "changed by another program"
			return other.Save()
		}
		return nil
	}
	if out := h.save(nil); out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	if doc := h.load(); doc.File.Profiles["first"].Label != "changed by another program" || len(doc.File.Profiles) != 2 {
		t.Errorf("%+v", doc.File)
	}
	h.saveHook = func(*config.Document) error {
		other := h.load()
		other.File.Profiles["first"].Label += "!"
		return other.Save()
	}
	out := h.save(func(r *wizard.Request) { r.Draft.Profile = "third" })
	if out.Saved != nil || h.file("secrets/third") != "" {
		t.Errorf("%+v", out)
	}
	words(t, out.Err)
}
