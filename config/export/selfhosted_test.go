package export

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
)

var update = flag.Bool("update", false, "write the golden files")

// selfHosted are the programs whose exports are held word for word, in every kind of security.
var selfHosted = []string{
	"django", "dolibarr", "ghost", "gitlab", "grafana", "homeassistant", "keycloak", "laravel", "matomo", "mattermost",
	"odoo", "symfony", "vaultwarden",
}

// TestGolden compares whole exports, with the notes that come with them.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, format := range selfHosted {
		for kind, server := range map[string]config.Server{
			"tls":      {Port: 465, Security: config.SecurityTLS},
			"starttls": {Port: 587, Security: config.SecurityStartTLS},
			"command":  {Port: 465, Security: config.SecurityTLS},
			"none":     {Port: 25, Security: config.SecurityNone, Auth: config.MechanismNone},
		} {
			p := profile()
			p.ReplyTo = "reception@durand.example"
			server.Host = p.Submission.Host
			switch kind {
			case "none":
				server.Host, p.Credential = "127.0.0.1", config.Credential{}
			case "command":
				server.Username = p.Submission.Username
				p.Credential = config.Credential{Kind: config.CredentialKeyring, Name: "durand"}
			default:
				server.Username = p.Submission.Username
			}
			p.Submission = server
			artifacts, err := Export(format, "durand", p, options())
			if err != nil {
				if kind == "command" && slices.Contains([]string{"grafana", "symfony", "vaultwarden"}, format) {
					refused(t, err, "config.export.file_only")
				} else {
					t.Errorf("%s, %s: %v", format, kind, err)
				}
				continue
			}
			compareGolden(t, format+"-"+kind+".txt", artifacts)
		}
	}
}

// TestGoldenAuthority compares the exports of a profile with a certificate authority of its own.
func TestGoldenAuthority(t *testing.T) {
	t.Parallel()
	for _, format := range []string{
		"apple", "dotnet", "ghost", "gitea", "grafana", "keycloak", "kubernetes", "laravel", "matomo", "mattermost",
		"nextcloud", "opensmtpd", "symfony", "vaultwarden",
	} {
		p := withMailbox()
		p.Submission.Port, p.Submission.Security = 587, config.SecurityStartTLS
		artifacts, err := Export(format, "durand", p, options())
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		compareGolden(t, format+"-authority.txt", artifacts)
	}
}

// TestAuthorityInside is about the formats that hold the certificates themselves: they need one, and take nothing else
// from its file.
func TestAuthorityInside(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		if !format.HoldsAuthority() {
			continue
		}
		o := options()
		key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(canary)})
		o.Authority = append(key, o.Authority...)
		f, err := exportFiles(format.Name, withMailbox(), o)
		encoded := base64.StdEncoding.EncodeToString([]byte(canary))
		if err != nil || strings.Contains(joined(f), encoded) || strings.Contains(joined(f), "PRIVATE") {
			t.Errorf("%s: %v\n%s", format.Name, err, joined(f))
		}
		o.Authority = key
		_, err = Export(format.Name, "durand", withMailbox(), o)
		refused(t, err, "config.export.no_authority")
	}
}

// TestStartTLSOn465 is refused where it would silently become TLS from the start.
func TestStartTLSOn465(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"laravel", "nextcloud", "symfony"} {
		p := profile()
		p.Submission.Security = config.SecurityStartTLS
		_, err := Export(format, "durand", p, options())
		refused(t, err, "config.export.starttls465")
	}
}

func compareGolden(t *testing.T, name string, artifacts []Artifact) {
	t.Helper()
	var b strings.Builder
	for _, artifact := range artifacts {
		b.WriteString("==> " + artifact.Path + " <==\n" + string(artifact.Content) + "\n")
		for _, note := range artifact.Notes {
			b.WriteString("note: " + locale.For(locale.English).Say(note) + "\n")
		}
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, b.String(), want)
	}
}

// TestSecretScripts runs the scripts with awkward passwords, and reads what they print as the programs do.
func TestSecretScripts(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"ghost", "homeassistant", "keycloak", "matomo", "mattermost"} {
		every := strings.Join(values, " ")
		if format == "matomo" {
			every = strings.NewReplacer("&lt;", "&lt", "&amp;", "&").Replace(every)
		}
		f, err := exportFiles(format, profile(), options())
		if err != nil {
			t.Fatal(err)
		}
		script := f.one(t, "-secret.sh")
		for _, value := range []string{"12345", " a ", "true", "undefined", "-e", "{}", "\"a\"", awkward, every} {
			_, output := runWithSecret(t, script, value)
			if got := printed(t, format, output); got != value {
				t.Errorf("%s: %q comes back as %q from %q", format, value, got, output)
			}
		}
	}
}

// TestSecretScriptsRefuse what the program would misread, rather than print it.
func TestSecretScriptsRefuse(t *testing.T) {
	t.Parallel()
	for format, values := range map[string][]string{
		"ghost": {"a\tb", "a\x1bb", "a\x7f"}, "homeassistant": {"a\tb", "a\x1bb", "a\x7f"}, "mattermost": {"\x01", "a\tb"},
		"matomo": {"a\tb", "a\x1bb", "&lt;", "a&amp;b", "&#36;", "&#x24;", "&frac12;"},
	} {
		f, err := exportFiles(format, profile(), options())
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			_, output, err := tryWithSecret(t, f.one(t, "-secret.sh"), value)
			var failed *exec.ExitError
			if !errors.As(err, &failed) || failed.ExitCode() != 65 || strings.Contains(output, value) ||
				!strings.Contains(output, "choose another one") {
				t.Errorf("%s: %q is not refused: %v, %q", format, value, err, output)
			}
		}
	}
}

// TestSecretScriptOfGhostNeedsNoBackslash where a value can be written plainly.
func TestSecretScriptOfGhostNeedsNoBackslash(t *testing.T) {
	t.Parallel()
	f, err := exportFiles("ghost", profile(), options())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{`a"b`, "truer", "a1", "#$`!"} {
		if _, output := runWithSecret(t, f.one(t, "-secret.sh"), value); output != "mail__options__auth__pass='"+value+"'\n" {
			t.Errorf("%q is printed as %q", value, output)
		}
	}
}

// TestKeycloakKeepsNamesApart holds names of profiles apart in the vault, where Keycloak looks for its file.
func TestKeycloakKeepsNamesApart(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"a-b": "REALM_smtp-a-b.", "a_b": "REALM_smtp-a__b."} {
		artifacts, err := Export("keycloak", name, profile(), options())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(artifacts[0].Content), "${vault.smtp-"+name+"}") ||
			!strings.Contains(string(artifacts[1].Content), file) {
			t.Errorf("%s: got %s%s", name, artifacts[0].Content, artifacts[1].Content)
		}
	}
}

// TestOptionalTLSIsSaid holds the programs that can be kept from STARTTLS to a note, and only where it matters.
func TestOptionalTLSIsSaid(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		for _, port := range []int{465, 587} {
			for _, auth := range []config.Mechanism{config.MechanismAuto, config.MechanismNone} {
				p := withMailbox()
				p.Submission.Port, p.Submission.Security, p.Submission.Auth = port, config.SecurityAuto, auth
				if _, must := format.TakesInlineSecret(); must {
					continue
				}
				artifacts, err := Export(format.Name, "durand", p, options())
				if err != nil {
					t.Fatal(err)
				}
				said := slices.ContainsFunc(artifacts[0].Notes, func(note locale.Text) bool {
					return note.Key == "config.export.left_out.starttls"
				})
				want := port == 587 && (slices.Contains([]string{"gitlab", "keycloak", "nextcloud"}, format.Name) ||
					format.Name == "mattermost" && auth == config.MechanismNone)
				if said != want {
					t.Errorf("%s on %d, %s: said %v, want %v", format.Name, port, auth, said, want)
				}
			}
		}
	}
}

// TestGrafanaNeedsTheUsualPorts refuses what the library of Grafana does in another way than the profile.
func TestGrafanaNeedsTheUsualPorts(t *testing.T) {
	t.Parallel()
	p := profile()
	p.Submission.Port = 2465
	_, err := Export("grafana", "durand", p, options())
	refused(t, err, "config.export.port465")
	for _, security := range []config.Security{config.SecurityStartTLS, config.SecurityNone} {
		p := profile()
		p.Submission.Host, p.Submission.Port, p.Submission.Security = "127.0.0.1", 465, security
		p.Submission.Auth = config.MechanismNone
		_, err = Export("grafana", "durand", p, options())
		refused(t, err, "config.export.port465")
	}
}

// TestMechanismsThatAProgramLacks are refused, not replaced by another one.
func TestMechanismsThatAProgramLacks(t *testing.T) {
	t.Parallel()
	for _, format := range []string{
		"dolibarr", "ghost", "gitlab", "matomo", "nodemailer", "rails", "spring", "vaultwarden",
	} {
		p := profile()
		p.Submission.Auth = config.MechanismSCRAMSHA256
		_, err := Export(format, "durand", p, options())
		refused(t, err, "config.export.value")
	}
}

// TestRubyStopsWithoutThePassword runs the line of Ruby, which would otherwise go on with an empty password.
func TestRubyStopsWithoutThePassword(t *testing.T) {
	t.Parallel()
	ruby := interpreter(t, "ruby")
	for program, want := range map[string]string{"/bin/echo": "secret get durand", "/bin/false": ""} {
		for _, format := range []string{"gitlab", "rails"} {
			p, o := profile(), options()
			p.Credential = config.Credential{Kind: config.CredentialKeyring, Name: "durand"}
			o.Program = program
			f, err := exportFiles(format, p, o)
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := strings.Cut(after(t, f.one(t, ".rb"), "IO.popen("), "\n")
			output, err := exec.Command(ruby, "-e", "print IO.popen("+strings.TrimSuffix(line, ",")).CombinedOutput()
			if (err == nil) != (want != "") || want != "" && string(output) != want {
				t.Errorf("%s with %s: %v, %s", format, program, err, output)
			}
		}
	}
}

// TestDjangoSignsInWithUTF8 runs the backend against a server that offers one mechanism after the other.
func TestDjangoSignsInWithUTF8(t *testing.T) {
	t.Parallel()
	python := interpreter(t, "python3")
	f, err := exportFiles("django", profile(), options())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	place := after(t, f.one(t, ".py"), "EMAIL_HOST_PASSWORD = ")
	line, _, _ := strings.Cut(place, "\n")
	for name, content := range map[string]string{
		"django/core/mail/backends/smtp.py": "class EmailBackend: pass\n",
		"mail.py":                           strings.Replace(f.one(t, ".py"), line, `"pässword-€"`, 1),
		"sign_in.py": `import base64, mail
class Server(mail._SMTP):
    def docmd(self, command, argument=""):
        asks = argument.startswith(("CRAM-MD5", "LOGIN"))
        return (334, base64.b64encode(b"<1@x>")) if asks else (235, b"")
    ehlo_or_helo_if_needed = lambda self: None
for mechanism in "CRAM-MD5", "PLAIN", "LOGIN":
    server = Server()
    server.esmtp_features = {"auth": mechanism}
    print(mechanism, server.login("dürand", mail.EMAIL_HOST_PASSWORD)[0])
`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output, err := exec.Command(python, filepath.Join(dir, "sign_in.py")).CombinedOutput()
	if want := "CRAM-MD5 235\nPLAIN 235\nLOGIN 235\n"; err != nil || string(output) != want {
		t.Errorf("got %v, %s", err, output)
	}
}

// interpreter finds the program that reads an export.
func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("no " + name + " here")
	}
	return path
}
