package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/rehearsal"
)

// importHome is a person with a provider: the demonstration's servers.
type importHome struct {
	t        *testing.T
	dir      string
	env      map[string]string
	smtpPort string
	secret   string
}

func newImportHome(t *testing.T) *importHome {
	t.Helper()
	p, err := rehearsal.Start(context.Background(), rehearsal.Options{Lang: locale.English})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ca, err := p.CAFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{rehearsal.SMTPHost, rehearsal.IMAPHost} {
		if err := p.Names().Remove(host, "AAAA"); err != nil {
			t.Fatal(err)
		}
	}
	address, ok := p.Route("tcp4", rehearsal.SMTPHost, 587)
	if !ok {
		t.Fatal("the demonstration has no port 587")
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return &importHome{t, dir, map[string]string{
		"HOME": dir, "XDG_CONFIG_HOME": filepath.Join(dir, "config"), "POSTIER_RESOLVER": p.DNSAddr(), "POSTIER_CA_FILE": ca,
		"LANG": "C",
	}, port, p.Typed.Reveal()}
}

func (h *importHome) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// run gives what was printed. The secret must never be part of it.
func (h *importHome) run(in string, args ...string) (code int, said string) {
	h.t.Helper()
	var out bytes.Buffer
	code = run(append([]string{"postier"}, args...), command.Streams{
		In: strings.NewReader(in), Out: &out, Err: &out, Getenv: func(name string) string { return h.env[name] },
	})
	if strings.Contains(out.String(), h.secret) {
		h.t.Errorf("the secret is shown:\n%s", out.String())
	}
	return code, out.String()
}

func (h *importHome) msmtp(password string) string {
	return fmt.Sprintf("account work\nhost %s\nport %s\ntls on\nauth on\nuser %s\nfrom %s\n%s\n", rehearsal.SMTPHost,
		h.smtpPort, rehearsal.Address, rehearsal.Address, password)
}

func TestImportTakesOver(t *testing.T) {
	h := newImportHome(t)
	path := h.write("msmtprc", h.msmtp("password "+h.secret))

	code, said := h.run("", "import", "auto", path, "--dry-run")
	if code != 0 || !strings.Contains(said, rehearsal.SMTPHost) ||
		!strings.Contains(said, "The password is in the file.") {
		t.Errorf("exit %d:\n%s", code, said)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "config")); err == nil {
		t.Error("a dry run wrote something")
	}

	code, said = h.run("", "import", "msmtp", path, "--profile", "work", "--imap-host=", "--sent-copy=none")
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	doc, err := config.Load(filepath.Join(h.dir, "config", "postier", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := doc.Profile("work")
	if err != nil {
		t.Fatal(err)
	}
	if p.Submission.Host != rehearsal.SMTPHost || p.Submission.Security != config.SecurityStartTLS ||
		p.From.Address != rehearsal.Address || p.Validated == nil {
		t.Errorf("got %+v", p)
	}
	if p.Credential.Kind != config.CredentialFile {
		t.Errorf("the secret is kept as %s", p.Credential.Kind)
	}
	if code, _ := h.run("", "config", "validate"); code != 0 {
		t.Errorf("the configuration does not validate: %d", code)
	}
}

func TestImportChecksFirst(t *testing.T) {
	h := newImportHome(t)
	path := h.write("msmtprc", h.msmtp("password not-the-right-one"))
	code, said := h.run("", "import", "auto", path, "--imap-host=", "--sent-copy=none")
	if code != 77 {
		t.Errorf("a wrong password ends with %d:\n%s", code, said)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "config", "postier", "config.json")); err == nil {
		t.Error("what failed was saved")
	}
}

// TestImportRunsNoCommandUnasked: a command line in a file is a stranger's until the person says otherwise.
func TestImportRunsNoCommandUnasked(t *testing.T) {
	h := newImportHome(t)
	mark := filepath.Join(h.dir, "ran")
	secret := h.write("secret", h.secret)
	path := h.write("msmtprc", h.msmtp(fmt.Sprintf("passwordeval \"touch '%s' && cat '%s'\"", mark, secret)))
	code, said := h.run("", "import", "auto", path, "--imap-host=", "--sent-copy=none")
	if code != 78 || !strings.Contains(said, "--run-command") {
		t.Errorf("exit %d:\n%s", code, said)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Fatal("the command ran")
	}
	if code, said = h.run("", "import", "auto", path, "--imap-host=", "--sent-copy=none", "--run-command"); code != 0 {
		t.Errorf("exit %d:\n%s", code, said)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Error("the command did not run")
	}
}

func TestImportExitCodes(t *testing.T) {
	t.Parallel()
	h := &importHome{t, t.TempDir(), map[string]string{"LANG": "C"}, "587", "CANARY-hunter2"}
	h.env["XDG_CONFIG_HOME"] = filepath.Join(h.dir, "config")
	two := h.write("two", "account a\nhost a.example\nuser u@a.example\npassword CANARY-hunter2\naccount b\nhost "+
		"b.example\nuser u@b.example\n")
	bare := h.write("bare", "587 AUTH:LOGIN\n")
	noise := h.write("noise", "nothing\n")
	bad := h.write("bad", "account a\nhost a b\n")
	for _, row := range []struct {
		code int
		args []string
		says string
	}{
		{64, []string{"import", "auto"}, ""},
		{64, []string{"import", "nope", bare}, "msmtp"},
		{74, []string{"import", "auto", filepath.Join(h.dir, "missing")}, "missing"},
		{74, []string{"import", "auto", h.dir}, "regular"},
		{65, []string{"import", "auto", noise}, "postfix"},
		{65, []string{"import", "auto", bad}, "smtp-host"},
		{65, []string{"import", "auto", two}, "a, b"},
		{65, []string{"import", "auto", two, "--account", "c"}, "a, b"},
		{65, []string{"import", "port", bare, "--password-file", noise}, "--from"},
		{78, []string{"import", "auto", two, "--account", "b"}, "--password-file"},
		{0, []string{"import", "auto", two, "--account", "a", "--dry-run", "--json"}, `"secret": "value"`},
		{0, []string{"import", "port", bare, "--dry-run", "--lang", "de"}, "Passwort"},
	} {
		code, said := h.run("", row.args...)
		if code != row.code || !strings.Contains(said, row.says) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s", row.args, code, row.code, row.says, said)
		}
	}
	if code, said := h.run("587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5\n", "import", "auto", "-", "--dry-run",
		"--json"); code != 0 || !strings.Contains(said, `"batch-wait": "15.5"`) {
		t.Errorf("exit %d:\n%s", code, said)
	}
}
