package account

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"postier/config"
	"postier/config/credential"
	"postier/internal/scripted"
	"postier/internal/wire"
)

func profileOf(provider string, kind config.SecretType) *config.Profile {
	return &config.Profile{
		Provider: provider, From: config.Address{Address: "a@x.example"},
		Submission: config.Server{Host: "smtp.x.example", Auth: config.MechanismAuto},
		Credential: config.Credential{Type: kind},
		SentCopy:   config.SentCopy{IMAP: &config.Server{Host: "imap.x.example"}},
	}
}

// TestTheOnlyMechanismForTokens: Exchange offers OAUTHBEARER but refuses it, so deliveries must use XOAUTH2 like the
// checks.
func TestTheOnlyMechanismForTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    *config.Profile
		smtp config.Mechanism
		imap config.Mechanism
	}{
		{"one mechanism", profileOf("outlook", config.SecretOAuth), config.MechanismXOAuth2, config.MechanismXOAuth2},
		{"two mechanisms", profileOf("gmail", config.SecretOAuth), config.MechanismAuto, ""},
		{"a password", profileOf("outlook", config.SecretAppPassword), config.MechanismAuto, ""},
		{"servers by hand", profileOf("custom", config.SecretOAuth), config.MechanismAuto, ""},
	} {
		target := Of("main", c.p, nil)
		if target.Submission.Auth != c.smtp || target.IMAP.Auth != c.imap {
			t.Errorf("%s: %q and %q, want %q and %q", c.name, target.Submission.Auth, target.IMAP.Auth, c.smtp, c.imap)
		}
		if c.p.SentCopy.IMAP.Auth != "" {
			t.Errorf("%s: the profile itself was changed", c.name)
		}
	}
	chosen := profileOf("outlook", config.SecretOAuth)
	chosen.Submission.Auth = config.MechanismOAuthBearer
	if got := Of("main", chosen, nil).Submission.Auth; got != config.MechanismOAuthBearer {
		t.Errorf("a mechanism that somebody chose became %q", got)
	}
}

func TestProviderFacts(t *testing.T) {
	t.Parallel()
	target := Of("main", profileOf("google-workspace", config.SecretAppPassword), nil)
	if !slices.Contains(target.SPFInclude, "_spf.google.com") ||
		len(target.SentFolders) == 0 || len(target.Selectors) == 0 {
		t.Errorf("%+v", target)
	}
}

func TestCleartext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host     string
		insecure bool
		want     bool
	}{
		{"smtp.x.example", false, false},
		{"smtp.x.example", true, true},
		{"localhost", false, true},
		{"[::1]", false, true},
		{"192.0.2.1", false, false},
	} {
		p := profileOf("custom", config.SecretPassword)
		p.Insecure, p.SentCopy.IMAP.Host = c.insecure, c.host
		target := Of("main", p, nil)
		if got := target.AllowsCleartext(*target.IMAP); got != c.want || target.Mailbox().AllowCleartext != c.want {
			t.Errorf("%s, insecure %t: %t", c.host, c.insecure, got)
		}
	}
}

func TestProfileWithItsSecretAndRoots(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.pem", string(scripted.StartCA(t).PEM()))
	write("empty.pem", "nothing")
	write("secret", "C4nary\n")
	path := filepath.Join(folder, "config.json")
	source := &Source{Network: &wire.Network{}, ConfigPath: path, Credentials: credential.For(path)}
	p := profileOf("custom", config.SecretPassword)
	p.Credential = config.Credential{Kind: config.CredentialFile, Path: "secret"}

	target, network, err := source.Profile(t.Context(), "main", p)
	if err != nil || target.Secret.Reveal() != "C4nary" || network != source.Network {
		t.Errorf("%v, %v, own roots %t", target, err, network != source.Network)
	}
	p.TLS.CAFile = "ca.pem"
	if _, network, err = source.Profile(t.Context(), "main", p); err != nil || network == source.Network {
		t.Errorf("the roots of ca_file: %v", err)
	}
	p.TLS.CAFile = "empty.pem"
	if _, _, err = source.Profile(t.Context(), "main", p); !errors.Is(err, ErrNoCertificate) {
		t.Errorf("a file without certificates: %v", err)
	}
	p.TLS.CAFile = "gone.pem"
	if _, _, err = source.Profile(t.Context(), "main", p); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	p.TLS.CAFile, p.Credential = "", config.Credential{}
	p.Submission.Auth = config.MechanismNone
	if target, _, err = source.Profile(t.Context(), "main", p); err != nil || !target.Secret.Empty() {
		t.Errorf("without a sign-in: %v", err)
	}
}
