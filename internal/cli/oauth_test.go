package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/presets/vendor"
	"postier/tui/plain"
	"postier/wizard"
)

// TestSetupWithoutSignIn: a run without a person ends as refused (docs/reference.md §4), and says what to do.
func TestSetupWithoutSignIn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{streams: streams{out: &out, err: &out, getenv: func(string) string { return "" }}}
	if code := a.exit(&plain.Stopped{Step: wizard.StepCredential, SignIn: true, Question: true}); code != 77 ||
		!strings.Contains(out.String(), "step 5") {
		t.Errorf("%d %q", code, out.String())
	}
}

// TestClients: the vendor's clients and their secrets are used until a flag names another one, which has none.
func TestClients(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("installed-program\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{streams: streams{getenv: func(string) string { return "" }}}
	if got := a.clients(oauthFlags{}); len(got) != 0 {
		t.Errorf("a client is built in: %v", got)
	}
	a.vendor = &vendor.File{OAuth: map[string]vendor.OAuthClient{
		"microsoft": {ClientID: "m", Tenant: "durand.example"}, "google": {ClientID: "g", SecretFile: file},
	}}
	got := a.clients(oauthFlags{clientID: "x"})
	if got["microsoft"] != (wizard.Client{ID: "m", Tenant: "durand.example"}) || got[wizard.AnyProvider].ID != "x" {
		t.Errorf("%v", got)
	}
	for flag, want := range map[string]string{"": "installed-program", "x": ""} {
		value, err := a.clientSecret(oauthFlags{clientID: flag})(t.Context(), "google")
		if err != nil || value.Reveal() != want {
			t.Errorf("flag %q: %v, %v", flag, value.Reveal() == want, err)
		}
	}
	if value, err := a.clientSecret(oauthFlags{})(t.Context(), "microsoft"); err != nil || !value.Empty() {
		t.Errorf("a secret without a file: %v", err)
	}
}
