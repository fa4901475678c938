package setup

import (
	"os"
	"path/filepath"
	"testing"

	"postier/internal/cli/command"
	"postier/presets/vendor"
	"postier/wizard"
)

// TestClients: the vendor's clients and their secrets are used until a flag names another one, which has none.
func TestClients(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("installed-program\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := command.NewFactory(command.Streams{Getenv: func(string) string { return "" }}, "")
	if got := (ClientFlags{}).clients(f); len(got) != 0 {
		t.Errorf("a client is built in: %v", got)
	}
	f.Vendor = &vendor.File{OAuth: map[string]vendor.OAuthClient{
		"microsoft": {ClientID: "m", Tenant: "durand.example"}, "google": {ClientID: "g", SecretFile: file},
	}}
	got := ClientFlags{ID: "x"}.clients(f)
	if got["microsoft"] != (wizard.Client{ID: "m", Tenant: "durand.example"}) || got[wizard.AnyProvider].ID != "x" {
		t.Errorf("%v", got)
	}
	for flag, want := range map[string]string{"": "installed-program", "x": ""} {
		value, err := ClientFlags{ID: flag}.secret(f)(t.Context(), "google")
		if err != nil || value.Reveal() != want {
			t.Errorf("flag %q: %v, %v", flag, value.Reveal() == want, err)
		}
	}
	if value, err := (ClientFlags{}).secret(f)(t.Context(), "microsoft"); err != nil || !value.Empty() {
		t.Errorf("a secret without a file: %v", err)
	}
}
