package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/exitcode"
)

// withPlatform adds the profile of a vendor file to the configuration, as the first set-up does.
func (o *office) withPlatform() {
	o.t.Helper()
	platform := &config.Profile{
		Enabled: true, From: config.Address{Address: "noreply@platform.example"},
		Submission: config.Server{
			Host: "127.0.0.1", Port: 1, Security: config.SecurityTLS, Auth: config.MechanismPlain, Username: "noreply",
		},
		Credential: config.Credential{Kind: config.CredentialFile, Path: "secrets/platform", Type: config.SecretPassword},
		SentCopy:   config.SentCopy{Mode: config.SentNone},
	}
	doc, err := config.Load(o.path)
	if err == nil {
		err = doc.Put("platform", platform)
	}
	if err == nil {
		doc.File.Fallback = "platform"
		err = doc.Save()
	}
	if err != nil {
		o.t.Fatal(err)
	}
	file, err := json.Marshal(map[string]any{
		"version": 1, "product": map[string]string{"name": "Dayboard"},
		"fallback": map[string]any{"name": "platform", "profile": platform},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.vendor = filepath.Join(o.t.TempDir(), "vendor.json")
	if err := os.WriteFile(o.vendor, file, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// TestPlatformIsTheVendors: the profile of the vendor file is not changed, switched off or read out by any command, and
// is marked wherever it is shown.
func TestPlatformIsTheVendors(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.withPlatform()
	// The installer stores the secret; a customer does not replace it.
	o.want(0, "C4nary#platform-7\n", "postier", "secret", "set", "platform", "--password-stdin")
	before, err := os.ReadFile(o.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"profile rename platform mine", "profile remove platform", "profile disable platform",
		"profile set platform --label x", "profile test-mode platform on", "profile kind platform quote off",
		"limits set platform --per-day 9", "limits reset platform",
		"setup --edit platform --yes --label x", "setup a@durand.example --profile platform --yes",
		"secret get platform --show", "secret remove platform", "secret set platform --password-stdin",
		"token platform --show", "export msmtp platform", "export msmtp platform --inline-secret",
	} {
		stdout, stderr := o.want(exitcode.NoPerm, "x\n", append([]string{"postier"}, strings.Fields(command)...)...)
		if stdout != "" || !strings.Contains(stderr, "platform belongs to Dayboard") {
			t.Errorf("%s: %s%s", command, stdout, stderr)
		}
	}
	if after, err := os.ReadFile(o.path); err != nil || string(after) != string(before) {
		t.Errorf("the configuration was changed: %v", err)
	}
	if list, _ := o.want(0, "", "postier", "profile", "list"); !strings.Contains(list, "fallback, of Dayboard") {
		t.Errorf("not marked: %s", list)
	}
	if _, note := o.want(0, "", "postier", "profile", "show", "platform"); !strings.Contains(note, "belongs to Dayboard") {
		t.Errorf("not said: %s", note)
	}
	// What decides about the person's own mail stays possible (M-1).
	o.want(0, "", "postier", "profile", "default", "platform")
	o.want(0, "", "postier", "profile", "fallback", "--none")
}

// TestProfileOfThatName: a profile of the customer's own that is only named like the vendor's is not locked.
func TestProfileOfThatName(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.withPlatform()
	o.edit("noreply@platform.example", "me@durand.example")
	o.want(0, "", "postier", "profile", "set", "platform", "--label", "mine")
	o.want(0, "", "postier", "profile", "remove", "platform")
}
