package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/internal/cli/profile"
	"postier/internal/exitcode"
	"postier/internal/rehearsal"
	"postier/internal/wire"
	"postier/presets"
)

const tokenProfile = `{
  "version": 1, "default": "marie",
  "profiles": {
    "marie": {
      "enabled": true, "provider": "poste-demo", "from": {"address": "marie@atelier-demo.example"},
      "submission": {"host": "smtp.poste-demo.example", "port": 465, "security": "tls", "auth": "auto", "username": "marie@atelier-demo.example"},
      "credential": {"kind": "oauth", "type": "oauth", "provider": "poste-demo", "client_id": "CLIENT", "path": "secrets/marie.oauth.json"},
      "sent_copy": {"mode": "none"}, "limits": {}, "test_mode": {}
    },
    "paul": {
      "enabled": true, "provider": "custom", "from": {"address": "paul@atelier-demo.example"},
      "submission": {"host": "smtp.poste-demo.example", "port": 465, "security": "tls", "auth": "auto", "username": "paul@atelier-demo.example"},
      "credential": {"kind": "ask"}, "sent_copy": {"mode": "none"}, "limits": {}, "test_mode": {}
    }
  }
}`

// tokenRig is `postier token` at the demo's provider.
type tokenRig struct {
	f        *command.Factory
	provider *rehearsal.Provider
	out, err bytes.Buffer
}

func newTokenRig(t *testing.T, o rehearsal.Options, client string) *tokenRig {
	t.Helper()
	provider, err := rehearsal.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		t.Fatal(err)
	}
	preset, err := provider.Preset()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(tokenProfile, "CLIENT", client)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &tokenRig{provider: provider}
	r.f = command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: &r.out, Err: &r.err, Getenv: func(string) string { return "" },
	}, version)
	r.f.ConfigFlag, r.f.Providers = path, presets.Default().With(preset)
	r.f.Network = func() (*wire.Network, error) {
		return &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route}, nil
	}
	return r
}

// token runs the command and returns its exit code.
func (r *tokenRig) token(t *testing.T, name string, flags ...string) int {
	t.Helper()
	r.out.Reset()
	r.err.Reset()
	cmd := profile.NewToken(r.f, nil)
	cmd.SetArgs(append(flags, name))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return exit(r.f, cmd.ExecuteContext(t.Context()))
}

func TestToken(t *testing.T) {
	t.Parallel()
	r := newTokenRig(t, rehearsal.Options{OAuth: true, Approval: time.Millisecond}, rehearsal.OAuthClient)
	if code := r.token(t, "marie"); code != 77 ||
		!strings.Contains(r.err.String(), "postier token marie --sign-in") {
		t.Errorf("without a sign-in: %d %q", code, r.err.String())
	}
	if code := r.token(t, "paul"); code != exitcode.Config ||
		!strings.Contains(r.err.String(), "secret get paul") {
		t.Errorf("a profile of another kind: %d %q", code, r.err.String())
	}
	if code := r.token(t, "marie", "--sign-in"); code != exitcode.OK || r.out.Len() != 0 {
		t.Fatalf("sign-in: %d %q", code, r.err.String())
	}
	for _, want := range []string{
		"https://" + rehearsal.LoginHost + "/device\n", "Never enter a code",
		"Signed in as " + rehearsal.Address,
	} {
		if !strings.Contains(r.err.String(), want) {
			t.Errorf("%q lacks %q", r.err.String(), want)
		}
	}
	if code := r.token(t, "marie"); code != exitcode.OK || !strings.HasPrefix(r.out.String(), "at-") ||
		r.err.Len() != 0 {
		t.Errorf("%d %q", code, r.err.String())
	}
	first := strings.TrimSpace(r.out.String())
	if code := r.token(t, "marie", "--check"); code != exitcode.OK || strings.Contains(r.out.String(), "at-") {
		t.Errorf("check: %d %q", code, r.out.String())
	}
	r.f.JSON = true
	var report map[string]any
	if code := r.token(t, "marie"); code != exitcode.OK || json.Unmarshal(r.out.Bytes(), &report) != nil {
		t.Fatalf("%d %q", code, r.out.String())
	}
	expires, err := time.Parse(time.RFC3339, report["expires"].(string))
	if err != nil || time.Until(expires) < 50*time.Minute || report["token_type"] != "Bearer" ||
		report["access_token"] == first ||
		report["username"] != rehearsal.Address || report["account"] != rehearsal.Address ||
		report["expires_in"].(float64) < 3000 {
		t.Errorf("%v, %v", report, err)
	}
	if code := r.token(t, "marie", "--check"); code != exitcode.OK ||
		strings.Contains(r.out.String(), "token") {
		t.Errorf("check with --json: %d %q", code, r.out.String())
	}
	r.f.JSON = false
	r.provider.OAuthEnd()
	if code := r.token(t, "marie", "--check"); code != 77 {
		t.Errorf("withdrawn: %d %q", code, r.err.String())
	}
	r.provider.Close()
	if code := r.token(t, "marie", "--check"); code != 69 {
		t.Errorf("unreachable: %d %q", code, r.err.String())
	}
}

func TestTokenSignInFails(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		options rehearsal.Options
		client  string
		flags   []string
		code    int
		says    string
	}{
		"declined": {
			rehearsal.Options{Fault: "oauth-declined", Approval: time.Millisecond},
			rehearsal.OAuthClient,
			nil,
			77, "was not given",
		},
		"wrong account": {
			rehearsal.Options{Fault: "oauth-wrong-account", Approval: time.Millisecond},
			rehearsal.OAuthClient,
			nil,
			77, rehearsal.Colleague,
		},
		"another client": {rehearsal.Options{OAuth: true}, "nobody", nil, exitcode.Config, "application id"},
		"nothing pasted": {
			rehearsal.Options{OAuth: true},
			rehearsal.OAuthClient,
			[]string{"--paste"},
			65,
			"There is no code",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTokenRig(t, row.options, row.client)
			r.f.In = strings.NewReader("https://atelier-demo.example/\n")
			if code := r.token(t, "marie", append(row.flags, "--sign-in")...); code != row.code ||
				!strings.Contains(r.err.String(), row.says) {
				t.Errorf("%d %q, want %d with %q", code, r.err.String(), row.code, row.says)
			}
		})
	}
}

// TestTokenNewClient: --client-id fixes a profile, and is remembered.
func TestTokenNewClient(t *testing.T) {
	t.Parallel()
	r := newTokenRig(t, rehearsal.Options{OAuth: true, Approval: time.Millisecond}, "nobody")
	if code := r.token(t, "marie", "--sign-in", "--client-id", rehearsal.OAuthClient); code != exitcode.OK {
		t.Fatalf("%d %q", code, r.err.String())
	}
	if code := r.token(t, "marie"); code != exitcode.OK || !strings.HasPrefix(r.out.String(), "at-") {
		t.Errorf("%d %q", code, r.err.String())
	}
}

// TestOAuthProviders: every preset with a way in for programs leads to endpoints that the client takes.
func TestOAuthProviders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"microsoft", "google", "yandex", "fastmail"} {
		p, ok := account.EndpointsNamed(presets.Default(), name)
		if !ok || len(p.Flows()) == 0 || !strings.HasPrefix(p.TokenURL, "https://") || len(p.Scopes) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, name := range []string{"yahoo", "evil", ""} {
		if p, ok := account.EndpointsNamed(presets.Default(), name); ok {
			t.Errorf("%q: %+v", name, p)
		}
	}
}
