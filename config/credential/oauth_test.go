package credential

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safefile/safefiletest"
	"postier/internal/secret"
)

func TestOAuthTokens(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	var asked []string
	store := &Store{Folder: dir, OAuth: OAuthTokens{
		Folder: dir,
		Access: func(_ context.Context, path string, reference config.Credential) (secret.Value, error) {
			asked = append(asked, path+" "+reference.Tenant)
			return secret.New(canary), nil
		},
	}}
	reference := OAuthReference("durand", "microsoft", "durand.example", "client-1")
	for _, path := range []string{reference.Path, "", "elsewhere/x.json", "/var/lib/x.json"} {
		reference.Path = path
		value, err := store.Resolve(t.Context(), "durand", &config.Profile{Credential: reference})
		if err != nil || value.Reveal() != canary {
			t.Errorf("%q: %v", path, err)
		}
	}
	want := []string{
		dir + "/secrets/durand.oauth.json durand.example", dir + "/secrets/durand.oauth.json durand.example",
		dir + "/elsewhere/x.json durand.example", "/var/lib/x.json durand.example",
	}
	for i := range want {
		if asked[i] != want[i] {
			t.Errorf("asked for %q, want %q", asked[i], want[i])
		}
	}
}

// TestOAuthReferenceIsValid: what the wizard writes is what validate accepts.
func TestOAuthReferenceIsValid(t *testing.T) {
	t.Parallel()
	p := &config.Profile{
		Provider: "outlook", From: config.Address{Address: "marie@outlook.example"},
		Submission: config.Server{
			Host: "smtp.outlook.example", Port: 587, Security: config.SecurityStartTLS,
			Auth: config.MechanismAuto, Username: "marie",
		},
		Credential: OAuthReference("durand", "microsoft", "", "9e5f94bc-e8a4-4e73-b8be-63364c29d753"),
	}
	for _, fault := range config.ValidateProfile(p).Errors().Under("credential") {
		t.Errorf("%s: %s", fault.Path, locale.For(locale.English).Say(fault.Text))
	}
}

func TestRemoveTokens(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	store := &Store{Folder: dir}
	ours, theirs := store.OAuthFile("durand", config.Credential{}), filepath.Join(dir, "theirs.json")
	write(t, ours, "{}", 0o600)
	write(t, theirs, "{}", 0o600)
	for _, path := range []string{"", "theirs.json"} {
		reference := OAuthReference("durand", "google", "", "x")
		reference.Path = path
		if err := store.Remove(t.Context(), "durand", reference); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(ours); !os.IsNotExist(err) {
		t.Errorf("our tokens are still there: %v", err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("a file of somebody else is gone: %v", err)
	}
}
