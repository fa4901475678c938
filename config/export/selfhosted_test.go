package export

import (
	"flag"
	"os"
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
	"django", "dolibarr", "ghost", "gitlab", "grafana", "homeassistant", "keycloak", "matomo", "mattermost", "odoo",
	"vaultwarden",
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
				if kind == "command" && slices.Contains([]string{"grafana", "vaultwarden"}, format) {
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
		f, err := exportFiles(format, profile(), options())
		if err != nil {
			t.Fatal(err)
		}
		script := f.one(t, "-secret.sh")
		for _, value := range []string{"12345", " a ", "a\tb", strings.Join(values, " ")} {
			_, output := runWithSecret(t, script, value)
			if got := printed(t, format, output); got != value {
				t.Errorf("%s: %q comes back as %q from %q", format, value, got, output)
			}
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
	p.Submission.Port, p.Submission.Security = 465, config.SecurityStartTLS
	_, err = Export("grafana", "durand", p, options())
	refused(t, err, "config.export.port465")
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
