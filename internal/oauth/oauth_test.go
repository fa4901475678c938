package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/safefile"
	"postier/internal/secret"
	"postier/internal/wire"
)

var languages = []*locale.Catalogue{locale.For(locale.English), locale.For(locale.French), locale.For(locale.German)}

var approve = tokens("1", mailbox, nil)

// TestDeviceOutcomes: every way in which waiting for the other device can go.
func TestDeviceOutcomes(t *testing.T) {
	t.Parallel()
	still := refuse(400, "authorization_pending", "")
	for name, row := range map[string]struct {
		steps []step
		want  Problem // "" is success
		cause check.Cause
		slept []time.Duration // seconds
	}{
		"approved at once": {[]step{approve}, "", "", []time.Duration{5}},
		"approved later":   {[]step{still, still, approve}, "", "", []time.Duration{5, 5, 5}},
		"Google's 428":     {[]step{refuse(428, "authorization_pending", ""), approve}, "", "", []time.Duration{5, 5}},
		"slow_down adds up": {
			[]step{refuse(400, "slow_down", ""), refuse(429, "slow_down", ""), still, approve},
			"", "",
			[]time.Duration{5, 10, 15, 15},
		},
		"server error": {
			[]step{plainText(503, "<h1>no</h1>"), plainText(500, ""), still, approve},
			"", "",
			[]time.Duration{5, 10, 20, 5},
		},
		"reset connections": {[]step{cut, cut, cut, cut, approve}, "", "", []time.Duration{5, 10, 20, 30, 30}},
		"a gateway's page":  {[]step{plainText(200, "<h1>hotel</h1>"), approve}, "", "", []time.Duration{5, 10}},
		"too many requests": {[]step{plainText(429, ""), approve}, "", "", []time.Duration{5, 10}},
		"declined":          {[]step{still, refuse(400, "access_denied", "no")}, Denied, "oauth-denied", nil},
		"declined, Microsoft": {
			[]step{refuse(400, "authorization_declined", "AADSTS70018: x")},
			Denied, "oauth-denied", nil,
		},
		"run out":             {[]step{refuse(400, "expired_token", "")}, TimedOut, "oauth-timeout", nil},
		"never answered":      {[]step{still}, TimedOut, "oauth-timeout", nil},
		"off line to the end": {[]step{cut}, TimedOut, "oauth-timeout", nil},
		"used up":             {[]step{refuse(400, "invalid_grant", "")}, TimedOut, "oauth-timeout", nil},
		"unknown client": {
			[]step{refuse(401, "invalid_client", "AADSTS7000218: x")},
			ClientRefused,
			"oauth-not-configured", nil,
		},
		"client not allowed": {
			[]step{refuse(400, "unauthorized_client", "AADSTS700016: x")},
			ClientRefused,
			"oauth-not-configured", nil,
		},
		"conditional access": {
			[]step{refuse(400, "access_denied", "AADSTS53003: blocked")},
			Blocked, "oauth-scope-missing", nil,
		},
		"needs consent": {
			[]step{refuse(400, "invalid_grant", "AADSTS65001: consent")},
			NeedsConsent,
			"oauth-scope-missing", nil,
		},
		"unknown error":     {[]step{refuse(400, "weather", "rain")}, Refused, "oauth-denied", nil},
		"nonsense for ever": {[]step{plainText(200, "hello")}, BadAnswer, "protocol-error", nil},
		"a redirect":        {[]step{redirect}, BadAnswer, "protocol-error", nil},
		"an endless answer": {
			[]step{plainText(200, strings.Repeat("x", maxAnswer+1))},
			BadAnswer, "protocol-error", nil,
		},
		"no token in it": {
			[]step{answer(200, map[string]any{"token_type": "Bearer"})},
			BadAnswer, "protocol-error", nil,
		},
		"a MAC token": {
			[]step{tokens("1", mailbox, map[string]any{"token_type": "mac"})},
			BadAnswer,
			"protocol-error", nil,
		},
		"a token with a break": {
			[]step{tokens("1", mailbox, map[string]any{"access_token": canary + "\r\nX"})},
			BadAnswer,
			"protocol-error", nil,
		},
		"wrong account": {
			[]step{tokens("1", "paul@durand.example", nil)},
			WrongAccount, "oauth-scope-missing", nil,
		},
		"less than asked": {
			[]step{tokens("1", mailbox, map[string]any{"scope": "openid email"})},
			ScopeMissing,
			"oauth-scope-missing", nil,
		},
		"as much as asked": {[]step{tokens("1", mailbox, map[string]any{"scope": "openid MAIL:send"})}, "", "", nil},
		"nothing to renew": {
			[]step{tokens("1", mailbox, map[string]any{"refresh_token": nil})},
			NoRefresh,
			"oauth-scope-missing", nil,
		},
		"somebody else's ID": {
			[]step{tokens("1", "", map[string]any{"id_token": idToken(map[string]any{"aud": "other", "email": mailbox})})},
			BadAnswer, "protocol-error", nil,
		},
		"a broken ID": {[]step{tokens("1", "", map[string]any{"id_token": "a.b"})}, BadAnswer, "protocol-error", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, row.steps...)
			r := f.request()
			s := f.begin(r)
			var phases []State
			result, err := s.Wait(t.Context(), func(s State) { phases = append(phases, s) })
			noLeak(t, err)
			if row.want == "" {
				if err != nil || !result.Verified || result.Account.Raw() != mailbox || result.Path != r.Path {
					t.Fatalf("%+v, %v", result, err)
				}
				access, err := f.source().Access(t.Context(), r.reference())
				if err != nil || access.Token.Reveal() != canary+"-access-1" || access.Account != mailbox {
					t.Errorf("%q, %v", access.Account, err)
				}
			} else {
				e := problemOf(err)
				if e == nil || e.Problem != row.want || e.Cause() != row.cause {
					t.Fatalf("%v, want %s (%s)", err, row.want, row.cause)
				}
				if _, err := os.Stat(r.Path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("a file is left: %v", err)
				}
			}
			if row.slept != nil {
				var seconds []time.Duration
				for _, d := range f.slept {
					seconds = append(seconds, d/time.Second)
				}
				if !slices.Equal(seconds, row.slept) {
					t.Errorf("waited %v, want %v", seconds, row.slept)
				}
			}
			if len(phases) == 0 || phases[0].Phase != Waiting || phases[0].Remaining <= 0 {
				t.Errorf("no progress: %v", phases)
			}
		})
	}
}

func redirect(w http.ResponseWriter, _ url.Values) {
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// TestPhases: what the person sees while the connection is down.
func TestPhases(t *testing.T) {
	t.Parallel()
	f := newFake(t, cut, plainText(503, ""), refuse(400, "slow_down", ""), refuse(400, "authorization_pending", ""),
		approve)
	var seen []Phase
	if _, err := f.begin(f.request()).Wait(t.Context(), func(s State) {
		seen = append(seen, s.Phase)
		for _, lang := range languages {
			if said := lang.Say(s.Text()); strings.HasPrefix(said, "<") || strings.Contains(said, "{") {
				t.Errorf("%s: %q", lang.Lang(), said)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if want := []Phase{Waiting, Offline, Ailing, Slower, Waiting, Saving}; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
}

// TestDeviceAnswers: what the first answer may be.
func TestDeviceAnswers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change map[string]any
		good   bool
	}{
		"as it should be":      {nil, true},
		"Google's older name":  {map[string]any{"verification_uri": nil, "verification_url": "SELF/device"}, true},
		"no interval, no life": {map[string]any{"interval": nil, "expires_in": nil}, true},
		"a page elsewhere":     {map[string]any{"verification_uri": "https://evil.example/device"}, false},
		"a page in clear":      {map[string]any{"verification_uri": "http://127.0.0.1/device"}, false},
		"a page with a user":   {map[string]any{"verification_uri": "https://127.0.0.1@evil.example/"}, false},
		"a page with escapes":  {map[string]any{"verification_uri": "https://127.0.0.1/\x1b[2J"}, false},
		"no code to type":      {map[string]any{"user_code": nil}, false},
		"a hostile code":       {map[string]any{"user_code": "AB\x1b]0;x\x07"}, false},
		"an endless code":      {map[string]any{"user_code": strings.Repeat("A", 33)}, false},
		"no device code":       {map[string]any{"device_code": nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, approve)
			for key, value := range row.change {
				if text, ok := value.(string); ok {
					value = strings.ReplaceAll(text, "SELF", f.server.URL)
				}
				f.device[key] = value
			}
			s, err := f.client.Begin(t.Context(), f.request())
			if row.good {
				if err != nil || s.Prompt.Code != "WDJB-MJHT" || s.Prompt.URL != f.server.URL+"/device" || s.Prompt.QR() == "" {
					t.Fatalf("%+v, %v", s, err)
				}
				return
			}
			if e := problemOf(err); e == nil || e.Problem != BadAnswer {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("the address for the QR code leads elsewhere", func(t *testing.T) {
		t.Parallel()
		f := newFake(t, approve)
		f.device["verification_uri_complete"] = "https://evil.example/?code=WDJB-MJHT"
		if s := f.begin(f.request()); s.Prompt.Complete != "" || s.Prompt.QR() != s.Prompt.URL {
			t.Errorf("%+v", s.Prompt)
		}
	})
}

// TestBeginRefuses: requests that are refused before anything is sent.
func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	f := newFake(t, approve)
	for name, row := range map[string]struct {
		change func(*Request)
		want   Problem
	}{
		"no client id":         {func(r *Request) { r.ClientID = "" }, NotConfigured},
		"no such way":          {func(r *Request) { r.Provider.DeviceURL = ""; r.Flow = Device }, NotConfigured},
		"no way at all":        {func(r *Request) { r.Provider.DeviceURL, r.Provider.AuthURL = "", "" }, NotConfigured},
		"an endpoint in clear": {func(r *Request) { r.Provider.TokenURL = "http://127.0.0.1:1/token" }, NotConfigured},
		"a tenant that leads":  {func(r *Request) { r.Tenant = "a/../b" }, BadTenant},
		"a tenant of dots":     {func(r *Request) { r.Tenant = "a..b" }, BadTenant},
		"a redirect elsewhere": {func(r *Request) { r.Flow, r.Redirect = Code, "http://evil.example/" }, NotConfigured},
		"nothing listens":      {func(r *Request) { r.Provider.DeviceURL = "https://127.0.0.1:1/devicecode" }, Unreachable},
		"a folder others own": {func(r *Request) {
			dir := filepath.Join(filepath.Dir(filepath.Dir(r.Path)), "open")
			_ = os.Mkdir(dir, 0o700)
			_ = os.Chmod(dir, 0o777)
			r.Path = filepath.Join(dir, "x.oauth.json")
		}, Unwritable},
	} {
		r := f.request()
		row.change(&r)
		before := len(f.forms)
		_, err := f.client.Begin(t.Context(), r)
		if e := problemOf(err); e == nil || e.Problem != row.want {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if len(f.forms) != before {
			t.Errorf("%s: the provider was asked all the same", name)
		}
	}
	if e := (&Error{Problem: Unreachable, Kind: wire.KindRefused}); e.Cause() != "connection-refused" {
		t.Errorf("%s", e.Cause())
	}
}

// TestApprovalIsNotLost: when the file cannot be written after all, the same sign-in is kept by a second call.
func TestApprovalIsNotLost(t *testing.T) {
	t.Parallel()
	f := newFake(t, approve, refuse(400, "invalid_grant", ""))
	r := f.request()
	s := f.begin(r)
	dir := filepath.Dir(r.Path)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := s.Wait(t.Context(), nil)
	var file *safefile.Error
	if e := problemOf(err); e == nil || e.Problem != Unwritable || !errors.As(err, &file) || file.Fix == "" {
		t.Fatalf("%v", err)
	}
	noLeak(t, err)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestEscEndsWaiting(t *testing.T) {
	t.Parallel()
	f := newFake(t, refuse(400, "authorization_pending", ""))
	s := f.begin(f.request())
	ctx, cancel := context.WithCancel(t.Context())
	polls := 0
	_, err := s.Wait(ctx, func(State) {
		if polls++; polls == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || problemOf(err) != nil {
		t.Errorf("%v", err)
	}
}

// TestProblemsHaveWords: each in every language, with a cause.
func TestProblemsHaveWords(t *testing.T) {
	t.Parallel()
	all := []Problem{
		NotConfigured, BadTenant, ClientRefused, Denied, TimedOut, NeedsConsent, Blocked, ScopeMissing, WrongAccount,
		NoRefresh, Foreign,
		NotAnAddress, Expired, NotSignedIn, Damaged, Unreachable, Ill, BadAnswer, Unwritable, Busy, Refused,
	}
	for _, problem := range all {
		e := &Error{Problem: problem, Provider: "microsoft"}
		if e.Cause() == "" {
			t.Errorf("%s has no cause", problem)
		}
		for _, lang := range languages {
			if said := lang.Say(e.Text()); strings.HasPrefix(said, "<") || strings.Contains(said, "{") {
				t.Errorf("%s in %s: %q", problem, lang.Lang(), said)
			}
		}
	}
}

// TestPolicyHoldsForTokens: a provider below the policy's minimum TLS version is not asked.
func TestPolicyHoldsForTokens(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(http.StatusOK, nil))
	f.server.TLS.MaxVersion = tls.VersionTLS12
	f.client.Network.Policy.MinVersion = tls.VersionTLS13
	var failed *Error
	if _, err := f.client.Begin(t.Context(), f.request()); !errors.As(err, &failed) ||
		failed.Problem != Unreachable || failed.Kind != wire.KindVersion {
		t.Errorf("%v", err)
	}
}

// TestDemoFaultsThatPass: slow_down and an ailing server end well, at the demo's own server.
func TestDemoFaultsThatPass(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]Phase{"oauth-slow-down": Slower, "oauth-server-error": Offline} {
		provider, err := rehearsal.Start(t.Context(), rehearsal.Options{Fault: fault, Approval: time.Millisecond})
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
		client := &Client{
			Network: &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route},
			wait:    func(context.Context, time.Duration) error { time.Sleep(2 * time.Millisecond); return nil },
		}
		p := preset.OAuth
		s, err := client.Begin(t.Context(), Request{
			Provider: Provider{
				Name: p.Provider, AuthURL: p.AuthURL, TokenURL: p.TokenURL, DeviceURL: p.DeviceURL,
				Scopes: p.Scopes,
			},
			ClientID: rehearsal.OAuthClient, Accounts: []string{rehearsal.Address},
			Path: filepath.Join(t.TempDir(), "x.oauth.json"),
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[Phase]bool{}
		result, err := s.Wait(t.Context(), func(s State) { seen[s.Phase] = true })
		if err != nil || !result.Verified || !seen[want] {
			t.Errorf("%s: %+v, %v, phases %v", fault, result, err, seen)
		}
	}
}

func TestSameMailbox(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"Marie@Durand.example", "marie@durand.EXAMPLE", true},
		{"marie@durand.example", "paul@durand.example", false},
		{"marie.durand@gmail.com", "mariedurand@googlemail.com", true},
		{"marie.durand@durand.example", "mariedurand@durand.example", false},
		{"marie@durand.example.evil.example", "marie@durand.example", false},
	} {
		if got := SameMailbox(row.a, row.b); got != row.same {
			t.Errorf("%s and %s: %v", row.a, row.b, got)
		}
	}
}

func TestMicrosoft(t *testing.T) {
	t.Parallel()
	p := Provider{
		Name: "microsoft", TokenURL: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
		DeviceURL: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
	}
	own, err := p.ForTenant("durand.example")
	if err != nil || own.TokenURL != "https://login.microsoftonline.com/durand.example/oauth2/v2.0/token" ||
		!strings.Contains(own.DeviceURL, "/durand.example/") {
		t.Errorf("%+v, %v", own, err)
	}
	client := &Client{}
	for page, good := range map[string]bool{
		"https://microsoft.com/devicelogin": true, "https://www.microsoft.com/link": true,
		"https://login.microsoft.com/device":   true,
		"https://notmicrosoft.com/devicelogin": false, "https://microsoft.com.evil.example/": false,
		"http://microsoft.com/devicelogin": false,
	} {
		if client.page(p, page) != good {
			t.Errorf("%s: want %v", page, good)
		}
	}
	if !slices.Contains(p.scopes(), "openid") {
		t.Error("without openid nobody says whose mailbox it is")
	}
	if got := secret.New(canary); strings.Contains(
		(&Error{Said: (&call{sent: []secret.Value{got}}).redact("x " + got.Reveal())}).Error(), canary) {
		t.Error("a secret passes the cleaning")
	}
}
