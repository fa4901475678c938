package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/config/export"
	"postier/internal/rehearsal/certificates"
)

// newExportHome is a person with one profile whose secret is in a file.
func newExportHome(t *testing.T) *importHome {
	t.Helper()
	h := &importHome{t: t, dir: t.TempDir(), env: map[string]string{"LANG": "C"}, secret: "CANARY hunter2"}
	path := filepath.Join(h.dir, "home", "config.json")
	h.env["POSTIER_CONFIG"] = path
	doc := config.New(path)
	doc.File.Default = "durand"
	doc.File.Profiles["durand"] = &config.Profile{
		Enabled: true, From: config.Address{Address: "contact@durand.example"},
		Submission: config.Server{
			Host: "smtp.durand.example", Port: 465, Security: config.SecurityTLS,
			Username: "contact@durand.example",
		},
		Credential: config.Credential{Kind: config.CredentialFile, Path: "secret"},
		SentCopy:   config.SentCopy{Mode: config.SentServer},
	}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "home", "secret"), []byte(h.secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestExportLists(t *testing.T) {
	t.Parallel()
	h := newExportHome(t)
	_, said := h.run("", "export", "--list", "--lang", "de")
	rows := strings.Split(strings.TrimSpace(said), "\n")
	if len(rows) != len(export.Formats()) {
		t.Errorf("got %d rows", len(rows))
	}
	for _, row := range rows {
		if name, summary, _ := strings.Cut(row, "\t"); name == "" || summary == "" || strings.HasPrefix(summary, "<") {
			t.Errorf("no words in %q", row)
		}
	}
}

func TestExportWrites(t *testing.T) {
	t.Parallel()
	h := newExportHome(t)
	out := filepath.Join(h.dir, "out")
	for _, row := range []struct {
		code  int
		args  []string
		says  string
		files []string
	}{
		{0, []string{"postfix"}, "==> postier/durand/relayhost <==", nil},
		{0, []string{"postfix", "--out", out}, "postfix reload", []string{
			"postier/durand/main.cf", "postier/durand/make-sasl_passwd.sh", "postier/durand/relayhost",
			"postier/durand/tls_policy",
		}},
		{
			0,
			[]string{"env", "--inline-secret", "--out", filepath.Join(out, "mail.env")},
			"EnvironmentFile",
			[]string{"mail.env"},
		},
		{0, []string{"symfony", "--inline-secret", "--out", out + "/"}, "", []string{".env.local"}},
		{64, []string{"msmtp", "--inline-secret"}, "--inline-secret", nil},
		{64, []string{"discourse"}, "--inline-secret", nil},
		{64, []string{"nothing"}, "discourse", nil},
		{65, []string{"apple"}, "IMAP", nil},
	} {
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		code, said := h.run("", append([]string{"export"}, row.args...)...)
		if code != row.code || !strings.Contains(said, row.says) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s", row.args, code, row.code, row.says, said)
		}
		var files []string
		_ = filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, _ := filepath.Rel(out, path)
			files = append(files, name)
			if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
			}
			return nil
		})
		if !slices.Equal(files, row.files) {
			t.Errorf("%v: got the files %v", row.args, files)
		}
		if slices.Contains(row.args, "--inline-secret") && len(files) == 1 {
			data, err := os.ReadFile(filepath.Join(out, files[0]))
			if err != nil || !strings.HasPrefix(string(data), "# contains a secret\n") ||
				!strings.Contains(string(data), "CANARY") {
				t.Errorf("%v: %v\n%s", row.args, err, data)
			}
		}
	}
}

// TestExportAuthority reads the profile's own authority for a format that holds the certificates themselves.
func TestExportAuthority(t *testing.T) {
	t.Parallel()
	h := newExportHome(t)
	doc, err := config.Load(h.env["POSTIER_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	doc.File.Profiles["durand"].TLS.CAFile = "own.pem" // in the folder of the configuration
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if code, said := h.run("", "export", "msmtp"); code != 0 || !strings.Contains(said, "/home/own.pem") {
		t.Errorf("a format that names the file does not read it: exit %d\n%s", code, said)
	}
	if code, said := h.run("", "export", "ghost"); code != 78 || !strings.Contains(said, "own.pem") {
		t.Errorf("the file is missing: exit %d\n%s", code, said)
	}
	authority, err := certificates.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "home", "own.pem"), authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := h.run("", "export", "ghost"); code != 0 || !strings.Contains(said, "BEGIN CERTIFICATE") {
		t.Errorf("the certificate is not in it: exit %d\n%s", code, said)
	}
}
