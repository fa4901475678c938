package export

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/secret"
)

const canary = "CANARY-hunter2"

// awkward is a value that every format must either carry or refuse.
const awkward = `pa'ss"$(id)` + "`" + `#%n;\ ü é`

func profile() *config.Profile {
	return &config.Profile{
		Enabled: true,
		From:    config.Address{Name: "Cabinet Durand", Address: "contact@durand.example"},
		Submission: config.Server{
			Host: "smtp.durand.example", Port: 465, Security: config.SecurityTLS,
			Username: "contact@durand.example",
		},
		Credential: config.Credential{Kind: config.CredentialFile, Path: "secrets/durand"},
		SentCopy:   config.SentCopy{Mode: config.SentServer},
	}
}

func options() Options {
	return Options{
		Program: "/usr/bin/postier", Config: "/home/m/.config/postier/config.json", DefaultConfig: true,
		Authority: []byte("an authority for tests\n" + authorityPEM),
	}
}

// authorityPEM was made once, with a key that nobody has.
const authorityPEM = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUNyaHtgNenw7o6+/Fscf771y2avEwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMQW4gYXV0aG9yaXR5MCAXDTI2MTEzMDExMTExNFoYDzIxMjYx
MTA2MTExMTE0WjAXMRUwEwYDVQQDDAxBbiBhdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASl5xsSdcTMEa7aiq4H+bX//8FTW/ulsTCNZJV81THeKYi3
ULbIweiFrcyL6/PEgDCz/2OVVYiBOVRJwL0saCJmo1MwUTAdBgNVHQ4EFgQUCl3S
HuFrjkJqQfZjOn7waFSh87IwHwYDVR0jBBgwFoAUCl3SHuFrjkJqQfZjOn7waFSh
87IwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBDb1qhlTUdq/OM
cU7zs/LQpLPGirAZvg+skEg7bcQUZgIhAK56KCwmCk7rstzYu5dISoCYQADB0llw
ksnQZwBvwBFz
-----END CERTIFICATE-----
`

func export(t *testing.T, format string, p *config.Profile, o Options) Artifact {
	t.Helper()
	artifacts, err := Export(format, "durand", p, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(artifacts) != 1 || artifacts[0].Mode != 0o600 {
		t.Fatalf("got %+v", artifacts)
	}
	for _, note := range artifacts[0].Notes {
		says(t, note)
	}
	return artifacts[0]
}

func says(t *testing.T, text locale.Text) {
	t.Helper()
	for _, lang := range locale.All() {
		if said := locale.For(lang).Say(text); said == "" || strings.HasPrefix(said, "<") || strings.Contains(said, "{") {
			t.Errorf("%s: %s is no sentence: %q", lang, text.Key, said)
		}
	}
}

func refused(t *testing.T, err error, key string) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || typed.Reason.Key != key {
		t.Errorf("got %v, want %s", err, key)
		return
	}
	says(t, typed.Text())
}

// msmtpAccount is a reader by msmtp's own rules (msmtp 1.8.23, conf.c): lines of at most 499 octets; blanks at both
// ends drop; # begins a comment only at the start; the first word is the command, the rest its argument, without one
// pair of double quotes around it.
func msmtpAccount(t *testing.T, content []byte) map[string]string {
	t.Helper()
	settings := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if len(line) > 500 {
			t.Fatalf("msmtp refuses a line of %d octets", len(line))
		}
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, argument, _ := strings.Cut(line, " ")
		argument = strings.TrimLeft(argument, " \t")
		if len(argument) > 1 && argument[0] == '"' && argument[len(argument)-1] == '"' {
			argument = argument[1 : len(argument)-1]
		}
		if _, twice := settings[key]; twice && key != "account" {
			t.Errorf("%s stands there twice", key)
		}
		settings[key] = argument
	}
	return settings
}

func TestMSMTP(t *testing.T) {
	t.Parallel()
	const want = `account durand
host smtp.durand.example
port 465
tls on
tls_starttls off
auth on
user contact@durand.example
passwordeval "/usr/bin/postier secret get durand"
from contact@durand.example
account default : durand
`
	if got := export(t, "msmtp", profile(), options()); string(got.Content) != want || got.Path != "msmtprc" {
		t.Errorf("got\n%s\nwant\n%s", got.Content, want)
	}
}

func TestMSMTPChoices(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		edit func(*config.Profile, *Options)
		want map[string]string
	}{
		"STARTTLS": {
			func(p *config.Profile, _ *Options) {
				p.Submission.Port, p.Submission.Security = 587, config.SecurityStartTLS
			},
			map[string]string{"tls": "on", "tls_starttls": "on", "port": "587"},
		},
		"auto on 465": {
			func(p *config.Profile, _ *Options) { p.Submission.Security = config.SecurityAuto },
			map[string]string{"tls": "on", "tls_starttls": "off"},
		},
		"auto elsewhere": {
			func(p *config.Profile, _ *Options) {
				p.Submission.Port, p.Submission.Security = 2525, config.SecurityAuto
			},
			map[string]string{"tls": "on", "tls_starttls": "on"},
		},
		"local relay": {func(p *config.Profile, _ *Options) {
			p.Submission = config.Server{Host: "127.0.0.1", Port: 25, Security: config.SecurityNone, Auth: config.MechanismNone}
		}, map[string]string{"tls": "off", "auth": "off", "user": "", "passwordeval": ""}},
		"mechanism": {
			func(p *config.Profile, _ *Options) { p.Submission.Auth = config.MechanismSCRAMSHA256 },
			map[string]string{"auth": "scram-sha-256"},
		},
		"international": {func(p *config.Profile, _ *Options) {
			p.Submission.Host, p.From.Address = "smtp.dürand.example", "jürg@dürand.example"
		}, map[string]string{"host": "smtp.xn--drand-kva.example", "from": "jürg@xn--drand-kva.example"}},
		"other configuration": {
			func(_ *config.Profile, o *Options) { o.DefaultConfig = false },
			map[string]string{"passwordeval": "/usr/bin/postier --config /home/m/.config/postier/config.json secret get durand"},
		},
		"own roots": {
			func(p *config.Profile, _ *Options) { p.TLS.CAFile = "own ca.pem" },
			map[string]string{"tls_trust_file": "/home/m/.config/postier/own ca.pem"},
		},
		"awkward user": {
			func(p *config.Profile, _ *Options) { p.Submission.Username = awkward },
			map[string]string{"user": awkward},
		},
		"quoted user": {
			func(p *config.Profile, _ *Options) { p.Submission.Username = `"a" "b"` },
			map[string]string{"user": `"a" "b"`},
		},
		"comment user": {
			func(p *config.Profile, _ *Options) { p.Submission.Username = "#a" },
			map[string]string{"user": "#a"},
		},
		"helo": {
			func(p *config.Profile, _ *Options) { p.Submission.Helo = "[192.0.2.1]" },
			map[string]string{"domain": "[192.0.2.1]"},
		},
	} {
		p, o := profile(), options()
		row.edit(p, &o)
		content := export(t, "msmtp", p, o).Content
		got := msmtpAccount(t, content)
		for key, want := range row.want {
			if got[key] != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got[key], want)
			}
		}
		if strings.Contains(string(content), "certcheck") {
			t.Errorf("%s: certificate checks are touched", name)
		}
	}
}

func TestShellWordsAreRefusedNotQuoted(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/opt/my apps/postier", "/opt/$(id)/postier", "/opt/a;b", "/opt/a'b", "/opt/ü",
		"/opt/~x", "/opt/a*",
	} {
		o := options()
		o.Program = path
		_, err := Export("msmtp", "durand", profile(), o)
		refused(t, err, "config.export.path")
		o = options()
		o.Config, o.DefaultConfig = path, false
		_, err = Export("msmtp", "durand", profile(), o)
		refused(t, err, "config.export.path")
	}
	o := options()
	o.Program = "postier"
	_, err := Export("msmtp", "durand", profile(), o)
	refused(t, err, "config.export.program")
	p := profile()
	p.TLS.CAFile = "/" + strings.Repeat("x", 500)
	_, err = Export("msmtp", "durand", p, options())
	refused(t, err, "config.export.value")
}

func TestNotes(t *testing.T) {
	t.Parallel()
	p := profile()
	p.ReplyTo, p.BCC = "r@durand.example", []string{"b@durand.example"}
	p.Limits.PerDay = 5
	p.TestMode = config.TestMode{Enabled: true, Address: "t@durand.example"}
	p.TLS.PinSHA256 = []string{strings.Repeat("a1", 32)}
	p.SentCopy = config.SentCopy{
		Mode: config.SentAppend, Folder: "Sent",
		IMAP: &config.Server{Host: "h", Port: 993, Security: config.SecurityTLS, Username: "u"},
	}
	var keys []string
	for _, note := range export(t, "msmtp", p, options()).Notes {
		keys = append(keys, strings.TrimPrefix(strings.TrimPrefix(note.Key, "config.export."), "left_out."))
	}
	if got := strings.Join(keys, " "); got != "put.msmtp bcc sent_copy limits test_mode pins reply_to from_name" {
		t.Errorf("got %s", got)
	}
	if notes := export(t, "env", profile(), options()).Notes; len(notes) != 1 {
		t.Errorf("nothing is left out, got %v", notes)
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	const want = `SMTP_HOST=smtp.durand.example
SMTP_PORT=465
SMTP_SECURITY=tls
SMTP_FROM=contact@durand.example
SMTP_FROM_NAME="Cabinet Durand"
SMTP_USERNAME=contact@durand.example
SMTP_PASSWORD_FILE=/home/m/.config/postier/secrets/durand
`
	if got := export(t, "env", profile(), options()); string(got.Content) != want {
		t.Errorf("got\n%s\nwant\n%s", got.Content, want)
	}
	p := profile()
	p.Credential = config.Credential{Kind: config.CredentialKeyring, Name: "durand"}
	if got := string(export(t, "env", p, options()).Content); !strings.Contains(got,
		`SMTP_PASSWORD_COMMAND="/usr/bin/postier secret get durand"`) {
		t.Errorf("got\n%s", got)
	}
}

// systemdValue reads one value as systemd's env-file.c does: quotes concatenate, and a backslash inside double quotes
// escapes only " \ ` and $.
func systemdValue(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && strings.IndexByte("\"\\`$", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestEnvQuotingForShellAndSystemd(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		awkward, "plain", "a b", "$HOME", "`id`", `\`, `\\n`, `"`, `'`, "%h", "#x", "a=b",
		" x ", "~", "ü", "!x", "*", "a\tb",
	} {
		o := options()
		o.InlineSecret = secret.New(value)
		content := string(export(t, "env", profile(), o).Content)
		if !strings.HasPrefix(content, "# contains a secret\n") {
			t.Errorf("no warning in\n%s", content)
		}
		_, quoted, _ := strings.Cut(content, "SMTP_PASSWORD=")
		quoted = strings.TrimSuffix(quoted, "\n")
		if got := systemdValue(quoted); got != value {
			t.Errorf("systemd reads %q as %q", value, got)
		}
		file := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("/bin/sh", "-c", `. "$0" && printf %s "$SMTP_PASSWORD"`, file).Output()
		if err != nil || string(out) != value {
			t.Errorf("sh reads %q as %q, %v", value, out, err)
		}
	}
	for _, value := range []string{"a\nb", "a\x00b", "a\rb"} {
		o := options()
		o.InlineSecret = secret.New(value)
		_, err := Export("env", "durand", profile(), o)
		refused(t, err, "config.control")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	p := profile()
	p.TLS.CAFile = "own.pem"
	got := string(export(t, "json", p, options()).Content)
	for _, want := range []string{
		`"name": "durand"`, `"path": "/home/m/.config/postier/secrets/durand"`,
		`"ca_file": "/home/m/.config/postier/own.pem"`, `"host": "smtp.durand.example"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if p.Credential.Path != "secrets/durand" {
		t.Error("the profile was changed")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := Export("sendmail.cf", "durand", profile(), options())
	refused(t, err, "config.enum")
	_, err = Export("env", "no name", profile(), options())
	refused(t, err, "config.name.malformed")
	p := profile()
	p.Submission.Username = "a\nb"
	for _, format := range Formats() {
		var invalid *config.InvalidError
		if _, err := Export(format.Name, "durand", p, options()); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v", format.Name, err)
		}
	}
}
