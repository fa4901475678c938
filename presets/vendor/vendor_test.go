package vendor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/presets"
)

const full = `{
  "version": 1,
  "product": {"name": "Crésus Devis", "label": "Crésus"},
  "support": {"name": "Crésus", "email": "aide@cresus.example", "phone": "+33 1 23 45 67 89", "url": "https://cresus.example/aide",
    "note": {"en": "Monday to Friday.", "fr": "Du lundi au vendredi.", "de": "Montag bis Freitag."}},
  "providers": [{
    "id": "cresus-mail", "name": "Crésus Mail", "kind": "mailbox", "domains": ["cresus.example"], "mx_suffixes": ["mx.cresus.example"],
    "smtp": [{"host": "smtp.cresus.example", "port": 465, "security": "tls"}], "imap": [], "auth": ["plain"],
    "username": {"rule": "{address}", "note": {"en": "The address.", "fr": "L'adresse.", "de": "Die Adresse."}},
    "credential": {"type": "password"}, "needs_app_password": "no", "sent_copy": {"mode": "none", "confidence": "verified"}}],
  "hidden": ["tuta", "hey"],
  "oauth": {"microsoft": {"client_id": "11111111-2222-3333-4444-555555555555", "tenant": "common"}},
  "fallback": {"name": "platform", "profile": {
    "enabled": true, "from": {"name": "Crésus", "address": "noreply@cresus.example"},
    "submission": {"host": "smtp.cresus.example", "port": 465, "security": "tls", "auth": "auto", "username": "noreply@cresus.example"},
    "credential": {"kind": "systemd", "name": "smtp-platform"}, "sent_copy": {"mode": "none"}}},
  "defaults": {"limits": {"per_day": 200, "recipients_per_message": 50}, "kinds": {"quote": true}, "bcc": ["archive@cresus.example"]},
  "tls": {"minimum": "1.3", "forbid_cleartext": true}
}`

func write(t *testing.T, text string, mode os.FileMode) (path string, getenv func(string) string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "vendor.json")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path, func(name string) string { return map[string]string{"POSTIER_VENDOR": path}[name] }
}

func TestLoad(t *testing.T) {
	t.Parallel()
	_, getenv := write(t, full, 0o644) // everyone may read it
	f, ok, err := Load(getenv)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	book := f.Apply(presets.Default())
	if m, ok := book.Domain("cresus.example"); !ok || m.ID != "cresus-mail" || m.Source != presets.SourceVendor {
		t.Errorf("%+v", m)
	}
	if _, ok := book.Domain("tuta.com"); ok {
		t.Error("a hidden provider is offered")
	}
	if f.Label() != "Crésus" || f.OAuth["microsoft"].Tenant != "common" || f.Fallback.Profile.Submission.Port != 465 ||
		f.Defaults.Limits.PerDay != 200 || f.TLS.Minimum != "1.3" {
		t.Errorf("%+v", f)
	}
	for lang, want := range map[locale.Lang]string{
		locale.English: "If nothing helps, ask Crésus: aide@cresus.example, +33 1 23 45 67 89, " +
			"https://cresus.example/aide. Monday to Friday.",
		locale.German: "Wenn nichts hilft, fragen Sie Crésus: aide@cresus.example, +33 1 23 45 67 89, " +
			"https://cresus.example/aide. Montag bis Freitag.",
	} {
		if got := f.Contact(lang); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
}

func TestWithoutAFile(t *testing.T) {
	t.Parallel()
	var none *File
	if none.Apply(presets.Default()) != presets.Default() || none.Label() != "" || none.Contact(locale.English) != "" {
		t.Error("no file is no change")
	}
	missing := filepath.Join(t.TempDir(), "vendor.json")
	if _, _, err := Load(func(string) string { return missing }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was named must be there: %v", err)
	}
	if path, _ := Path(func(string) string { return "" }); path == SharedPath {
		if f, ok, err := Load(func(string) string { return "" }); f != nil || ok || err != nil {
			t.Errorf("%v %v %v", f, ok, err)
		}
	}
}

// TestPlaces: a folder that this user cannot enter hides no file that is for everyone, and any other trouble with the
// first place is not passed over.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		own, shared error
		want        string
	}{
		{nil, nil, SystemPath},
		{fs.ErrNotExist, nil, SharedPath},
		{fs.ErrPermission, nil, SharedPath},
		{fs.ErrPermission, fs.ErrNotExist, SharedPath},
		{errors.New("input/output error"), nil, SystemPath},
	} {
		lstat := func(path string) (fs.FileInfo, error) {
			if path == SystemPath {
				return nil, row.own
			}
			return nil, row.shared
		}
		if got := first(lstat, SystemPath, SharedPath); got != row.want {
			t.Errorf("%v, %v: %s", row.own, row.shared, got)
		}
	}
}

func TestWhoMayChangeIt(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o600, 0o640, 0o644, 0o444} {
		if _, getenv := write(t, full, mode); true {
			if _, _, err := Load(getenv); err != nil {
				t.Errorf("%o: %v", mode, err)
			}
		}
	}
	for _, mode := range []os.FileMode{0o664, 0o646, 0o666} {
		path, getenv := write(t, full, mode)
		_, _, err := Load(getenv)
		var file *safefile.Error
		if !errors.As(err, &file) || file.Problem != safefile.TooOpen || file.Fix != "chmod go-w "+path {
			t.Errorf("%o: %v", mode, err)
		}
	}
	path, _ := write(t, full, 0o644)
	link := filepath.Join(filepath.Dir(path), "fifo")
	if _, _, err := Load(func(string) string { return filepath.Dir(link) }); err == nil {
		t.Error("a folder is no file")
	}
}

func TestFaultsNameTheirPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, path, key string }{
		{`{}`, "version", "vendor.fault.version"},
		{`{"version": 2, "new": true}`, "version", "vendor.fault.version"},
		{`[]`, "", "vendor.fault.type.object"},
		{`{"version": 1, "produkt": {}}`, "produkt", "vendor.fault.unknown"},
		{`{"version": 1, "product": {"nam": "x"}}`, "product.nam", "vendor.fault.unknown"},
		{`{"version": 1, "product": "x"}`, "product", "vendor.fault.type.object"},
		{`{"version": 1, "hidden": "x"}`, "hidden", "vendor.fault.type.list"},
		{`{"version": 1, "hidden": [1]}`, "hidden.0", "vendor.fault.type.string"},
		{`{"version": 1, "tls": {"forbid_pins": 1}}`, "tls.forbid_pins", "vendor.fault.type.bool"},
		{`{"version": 1, "defaults": {"limits": {"per_day": "x"}}}`, "defaults.limits.per_day", "vendor.fault.type.number"},
		{`{"version": 1, "defaults": {"limits": {"per_day": 1.5}}}`, "defaults.limits.per_day", "vendor.fault.type.integer"},
		{`{"version": 1, "product": {"name": "` + strings.Repeat("x", 61) + `"}}`, "product.name", "vendor.fault.long"},
		{`{"version": 1, "product": {"label": "a\u202eb"}}`, "product.label", "vendor.fault.line"},
		{`{"version": 1, "support": {"phone": "1\n2"}}`, "support.phone", "vendor.fault.line"},
		{`{"version": 1, "support": {"email": "x"}}`, "support.email", ""},
		{`{"version": 1, "support": {"url": "http://x.example"}}`, "support.url", "vendor.fault.url"},
		{`{"version": 1, "support": {"url": "https://me:pw@x.example"}}`, "support.url", "vendor.fault.url"},
		{`{"version": 1, "support": {"note": {"en": "x"}}}`, "support.note", "vendor.fault.languages"},
		{`{"version": 1, "support": {"relay": "ssh://x.example"}}`, "support.host_key", "vendor.fault.host-key"},
		{`{"version": 1, "support": {"host_key": "SHA256:x"}}`, "support.relay", "vendor.fault.relay"},
		{`{"version": 1, "support": {"relay": "https://x.example"}}`, "support.relay", "vendor.fault.relay"},
		{`{"version": 1, "support": {"relay": "ssh://me:pw@x.example"}}`, "support.relay", "vendor.fault.relay"},
		{
			`{"version": 1, "support": {"relay": "ssh://x.example", "key_file": "key"}}`, "support.key_file",
			"vendor.fault.absolute",
		},
		{`{"version": 1, "providers": [null]}`, "providers.0", "vendor.fault.type.object"},
		{`{"version": 1, "providers": [{"id": "X"}]}`, "providers.0.id", "vendor.fault.provider"},
		{
			`{"version": 1, "providers": [{"id": "x", "smtp": [{"port": 1, "security": "tls"}]}]}`, "providers.0.smtp.0.host",
			"vendor.fault.provider",
		},
		{
			`{"version": 1, "providers": [{"id": "x", "smtp": [{"hosst": "a"}]}]}`, "providers.0.smtp.0.hosst",
			"vendor.fault.unknown",
		},
		{`{"version": 1, "oauth": {"microsoft": {"client_id": ""}}}`, "oauth.microsoft.client_id", "vendor.fault.client-id"},
		{
			`{"version": 1, "oauth": {"microsoft": {"client_id": "a", "client_secret_file": "x"}}}`,
			"oauth.microsoft.client_secret_file", "vendor.fault.absolute",
		},
		{
			`{"version": 1, "oauth": {"microsoft": {"client_id": "a", "tenant": "a/b"}}}`, "oauth.microsoft.tenant",
			"vendor.fault.tenant",
		},
		{
			`{"version": 1, "oauth": {"microsoft": {"client_id": "a", "client_secret": "x"}}}`, "oauth.microsoft.client_secret",
			"vendor.fault.unknown",
		},
		{`{"version": 1, "fallback": {"name": "platform"}}`, "fallback.profile", "vendor.fault.missing"},
		{
			strings.Replace(full, `"kind": "systemd", "name": "smtp-platform"`, `"kind": "inline", "value": "secret"`, 1),
			"fallback.profile.credential", "vendor.fault.secret",
		},
		{strings.Replace(full, `"port": 465, "security": "tls", "auth": "auto", "username": "noreply`,
			`"port": 0, "security": "tls", "auth": "auto", "username": "noreply`, 1), "fallback.profile.submission.port", ""},
		{strings.Replace(full, `"name": "platform"`, `"name": "Plat form"`, 1), "fallback.name", ""},
		{strings.Replace(full, `"per_day": 200`, `"per_day": -1`, 1), "defaults.limits.per_day", ""},
		{strings.Replace(full, `archive@cresus`, `archive cresus`, 1), "defaults.bcc.0", ""},
		{`{"version": 1, "tls": {"minimum": "1.1"}}`, "tls.minimum", "vendor.fault.tls-minimum"},
		{`{"version": 1, "tls": {"ca_file": "x.pem"}}`, "tls.ca_file", "vendor.fault.absolute"},
	} {
		_, faults, err := Parse([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		found := false
		for _, f := range faults.Errors() {
			found = found || f.Path == tt.path && (tt.key == "" || f.Text.Key == tt.key)
			for _, lang := range locale.All() {
				if say := locale.For(lang).Say(f.Text); strings.HasPrefix(say, "<") || strings.Contains(say, "{") &&
					!strings.Contains(say, "{ }") && !strings.Contains(say, "placeholder") && !strings.Contains(say, "{domain}") {
					t.Errorf("%s in %s: %q", tt.path, lang, say)
				}
			}
		}
		if !found {
			t.Errorf("%.80s…: no %s at %q in %+v", tt.text, tt.key, tt.path, faults)
		}
	}
	for _, text := range []string{"", "{", `{"version": 1} x`, "\xff", `{"version": 1, "version": 1}`} {
		if _, _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, faults, _ := Parse([]byte(full)); len(faults) != 0 {
		t.Errorf("the full example: %+v", faults)
	}
	for _, text := range []string{
		`{"version":1,"hidden":["nobody"]}`,
		`{"version":1,"oauth":{"acme":{"client_id":"a"}}}`,
	} {
		if _, faults, _ := Parse([]byte(text)); len(faults) != 1 || !faults[0].Warning {
			t.Errorf("%s: %+v", text, faults)
		}
	}
	_, getenv := write(t, `{"version": 1, "tls": {"minimum": "1.1"}}`, 0o644)
	var invalid *config.InvalidError
	if _, _, err := Load(getenv); !errors.As(err, &invalid) {
		t.Errorf("%v", err)
	}
}

// TestSchema: the schema takes and refuses what the reader does.
func TestSchema(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("vendor.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		full: true, `{"version": 1}`: true,
		`{}`: false, `{"version": 2}`: false, `{"version": 1, "x": 1}`: false,
		`{"version": 1, "tls": {"minimum": "1.1"}}`: false,
		`{"version": 1, "hidden": [1]}`:             false, `{"version": 1, "oauth": {"microsoft": {}}}`: false,
		`{"version": 1, "support": {"note": {"en": "x"}}}`: false,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != want {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"version":1,"providers":[{"id":"a"}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if file, _, err := Parse(data); err == nil && file != nil {
			file.Apply(presets.Default())
			file.Contact(locale.French)
		}
	})
}
