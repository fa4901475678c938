package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/internal/oauth"
	"postier/internal/rehearsal"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard/worker"
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
	app      *app
	source   *oauth.Source
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
	r := &tokenRig{
		provider: provider,
		source: oauthSource(&wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route},
			presets.Default().With(preset)),
	}
	r.app = &app{
		configFlag: path,
		streams:    streams{in: strings.NewReader(""), out: &r.out, err: &r.err, getenv: func(string) string { return "" }},
	}
	return r
}

// token runs the command and returns its exit code.
func (r *tokenRig) token(t *testing.T, name string, o tokenOptions) int {
	t.Helper()
	r.out.Reset()
	r.err.Reset()
	return r.app.exit(r.app.token(t.Context(), r.source, name, &o))
}

func TestToken(t *testing.T) {
	t.Parallel()
	r := newTokenRig(t, rehearsal.Options{OAuth: true, Approval: time.Millisecond}, rehearsal.OAuthClient)
	if code := r.token(t, "marie", tokenOptions{}); code != 77 ||
		!strings.Contains(r.err.String(), "postier token marie --sign-in") {
		t.Errorf("without a sign-in: %d %q", code, r.err.String())
	}
	if code := r.token(t, "paul", tokenOptions{}); code != exitConfig ||
		!strings.Contains(r.err.String(), "secret get paul") {
		t.Errorf("a profile of another kind: %d %q", code, r.err.String())
	}
	if code := r.token(t, "marie", tokenOptions{signIn: true}); code != exitOK || r.out.Len() != 0 {
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
	if code := r.token(t, "marie", tokenOptions{}); code != exitOK || !strings.HasPrefix(r.out.String(), "at-") ||
		r.err.Len() != 0 {
		t.Errorf("%d %q", code, r.err.String())
	}
	first := strings.TrimSpace(r.out.String())
	if code := r.token(t, "marie", tokenOptions{check: true}); code != exitOK || strings.Contains(r.out.String(), "at-") {
		t.Errorf("check: %d %q", code, r.out.String())
	}
	r.app.json = true
	var report map[string]any
	if code := r.token(t, "marie", tokenOptions{}); code != exitOK || json.Unmarshal(r.out.Bytes(), &report) != nil {
		t.Fatalf("%d %q", code, r.out.String())
	}
	expires, err := time.Parse(time.RFC3339, report["expires"].(string))
	if err != nil || time.Until(expires) < 50*time.Minute || report["token_type"] != "Bearer" ||
		report["access_token"] == first ||
		report["username"] != rehearsal.Address || report["account"] != rehearsal.Address ||
		report["expires_in"].(float64) < 3000 {
		t.Errorf("%v, %v", report, err)
	}
	if code := r.token(t, "marie", tokenOptions{check: true}); code != exitOK ||
		strings.Contains(r.out.String(), "token") {
		t.Errorf("check with --json: %d %q", code, r.out.String())
	}
	r.app.json = false
	r.provider.OAuthEnd()
	if code := r.token(t, "marie", tokenOptions{check: true}); code != 77 {
		t.Errorf("withdrawn: %d %q", code, r.err.String())
	}
	r.provider.Close()
	if code := r.token(t, "marie", tokenOptions{check: true}); code != 69 {
		t.Errorf("unreachable: %d %q", code, r.err.String())
	}
}

func TestTokenSignInFails(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		options rehearsal.Options
		client  string
		token   tokenOptions
		code    int
		says    string
	}{
		"declined": {
			rehearsal.Options{Fault: "oauth-declined", Approval: time.Millisecond},
			rehearsal.OAuthClient,
			tokenOptions{},
			77, "was not given",
		},
		"wrong account": {
			rehearsal.Options{Fault: "oauth-wrong-account", Approval: time.Millisecond},
			rehearsal.OAuthClient,
			tokenOptions{},
			77, rehearsal.Colleague,
		},
		"another client": {rehearsal.Options{OAuth: true}, "nobody", tokenOptions{}, exitConfig, "application id"},
		"nothing pasted": {
			rehearsal.Options{OAuth: true},
			rehearsal.OAuthClient,
			tokenOptions{paste: true},
			65,
			"There is no code",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTokenRig(t, row.options, row.client)
			r.app.in = strings.NewReader("https://atelier-demo.example/\n")
			row.token.signIn = true
			if code := r.token(t, "marie", row.token); code != row.code || !strings.Contains(r.err.String(), row.says) {
				t.Errorf("%d %q, want %d with %q", code, r.err.String(), row.code, row.says)
			}
		})
	}
}

// TestTokenNewClient: --client-id mends a profile, and is remembered.
func TestTokenNewClient(t *testing.T) {
	t.Parallel()
	r := newTokenRig(t, rehearsal.Options{OAuth: true, Approval: time.Millisecond}, "nobody")
	if code := r.token(t, "marie", tokenOptions{signIn: true, clientID: rehearsal.OAuthClient}); code != exitOK {
		t.Fatalf("%d %q", code, r.err.String())
	}
	if code := r.token(t, "marie", tokenOptions{}); code != exitOK || !strings.HasPrefix(r.out.String(), "at-") {
		t.Errorf("%d %q", code, r.err.String())
	}
}

// TestOAuthProviders: every preset with a way in for programs leads to endpoints that the client takes.
func TestOAuthProviders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"microsoft", "google", "yandex", "fastmail"} {
		p, ok := worker.IdentityNamed(presets.Default(), name)
		if !ok || len(p.Flows()) == 0 || !strings.HasPrefix(p.TokenURL, "https://") || len(p.Scopes) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, name := range []string{"yahoo", "evil", ""} {
		if p, ok := worker.IdentityNamed(presets.Default(), name); ok {
			t.Errorf("%q: %+v", name, p)
		}
	}
}
