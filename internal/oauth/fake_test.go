package oauth

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	mailbox  = "marie@durand.example"
	clientID = "client-1"
	// canary is in every secret of these tests, so that a leak is found by one word.
	canary = "CANARYsecret"
)

// step answers one request to the token endpoint.
type step func(w http.ResponseWriter, form url.Values)

// fake is an authorization server that follows a script: one step a token request, the last one for ever.
type fake struct {
	t      *testing.T
	server *httptest.Server
	client *Client

	mu     sync.Mutex
	device map[string]any
	steps  []step
	forms  []url.Values

	clock time.Time
	slept []time.Duration
}

func newFake(t *testing.T, steps ...step) *fake {
	t.Helper()
	f := &fake{t: t, steps: steps, clock: time.Now()}
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(f.handle))
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	ca := scripted.StartCA(t)
	f.server.TLS = &tls.Config{Certificates: []tls.Certificate{*scripted.Leaf(t, ca, certificates.Good, "127.0.0.1")}}
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	f.device = map[string]any{
		"device_code": canary + "-device", "user_code": "WDJB-MJHT", "verification_uri": f.server.URL + "/device",
		"verification_uri_complete": f.server.URL + "/device?code=WDJB-MJHT", "expires_in": 900, "interval": 5,
	}
	f.client = &Client{
		Network: &wire.Network{Resolver: wire.SystemResolver(), Roots: ca.Roots()},
		Now:     f.now,
		wait: func(ctx context.Context, d time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.clock = f.clock.Add(d)
			f.slept = append(f.slept, d)
			return ctx.Err()
		},
	}
	return f
}

func (f *fake) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fake) handle(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		f.t.Error(err)
	}
	f.mu.Lock()
	f.forms = append(f.forms, r.PostForm)
	if r.URL.Path == "/devicecode" {
		body := f.device
		f.mu.Unlock()
		answer(http.StatusOK, body)(w, r.PostForm)
		return
	}
	next := f.steps[0]
	if len(f.steps) > 1 {
		f.steps = f.steps[1:]
	}
	f.mu.Unlock()
	next(w, r.PostForm)
}

func (f *fake) provider() Provider {
	return Provider{
		Name: "fake", Scopes: []string{"mail:send", "offline_access", "openid", "email"},
		AuthURL: f.server.URL + "/authorize", TokenURL: f.server.URL + "/token", DeviceURL: f.server.URL + "/devicecode",
	}
}

func (f *fake) request() Request {
	return Request{
		Provider: f.provider(), ClientID: clientID, ClientSecret: secret.New(canary + "-client"), Accounts: []string{mailbox},
		Path: filepath.Join(f.t.TempDir(), "secrets", "durand.oauth.json"),
	}
}

// begin starts a sign-in that is not what the test is about.
func (f *fake) begin(r Request) *SignIn {
	f.t.Helper()
	s, err := f.client.Begin(f.t.Context(), r)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fake) source() *Source {
	p := f.provider()
	return &Source{Client: f.client, Provider: func(name string) (Provider, bool) { return p, name == p.Name }}
}

func (r Request) reference() Reference {
	return Reference{Path: r.Path, Provider: r.Provider.Name, Tenant: r.Tenant, ClientID: r.ClientID}
}

// answer is one JSON answer.
func answer(status int, body map[string]any) step {
	return func(w http.ResponseWriter, _ url.Values) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

// refuse is an error of RFC 6749 §5.2. It quotes what was sent, as some servers do.
func refuse(status int, code, description string) step {
	return func(w http.ResponseWriter, form url.Values) {
		said := description
		for _, name := range []string{"device_code", "code", "code_verifier", "refresh_token", "client_secret"} {
			if form.Get(name) != "" {
				said += " " + name + "=" + form.Get(name)
			}
		}
		answer(status, map[string]any{"error": code, "error_description": said})(w, form)
	}
}

func plainText(status int, text string) step {
	return func(w http.ResponseWriter, _ url.Values) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// cut resets the connection.
func cut(w http.ResponseWriter, _ url.Values) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if inner, ok := conn.(*tls.Conn); ok {
		if tcp, ok := inner.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = inner.NetConn().Close()
	}
}

// tokens is a good answer; account "" leaves out the ID token.
func tokens(n string, account string, more map[string]any) step {
	body := map[string]any{
		"token_type": "Bearer", "access_token": canary + "-access-" + n, "refresh_token": canary + "-refresh-" + n,
		"expires_in": 3600,
	}
	if account != "" {
		body["id_token"] = idToken(map[string]any{"aud": clientID, "email": account})
	}
	for name, value := range more {
		if value == nil {
			delete(body, name)
			continue
		}
		body[name] = value
	}
	return answer(http.StatusOK, body)
}

func idToken(claims map[string]any) string {
	data, _ := json.Marshal(claims)
	return "e30." + base64.RawURLEncoding.EncodeToString(data) + ".c2ln"
}

// noLeak fails when an error shows a secret in any form.
func noLeak(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if e := problemOf(err); e != nil {
		for _, lang := range languages {
			text += " " + lang.Say(e.Text())
		}
		text += " " + e.Said.Escaped() + " " + e.Account.Escaped()
	}
	for _, form := range secret.New(canary).Forms() {
		if strings.Contains(text, form) {
			t.Errorf("a secret is in %q", text)
		}
	}
}

// httpServer is the same server in clear on loopback, for children that do not share its certificate; it returns its
// token endpoint.
func httpServer(t *testing.T, f *fake) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(f.handle))
	t.Cleanup(server.Close)
	return server.URL + "/token"
}
