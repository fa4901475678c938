package oauth

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"postier/internal/secret"
)

// landed is the address that the browser ends on.
func landed(t *testing.T, s *SignIn, change map[string]string) string {
	t.Helper()
	opened, err := url.Parse(s.Prompt.URL)
	if err != nil {
		t.Fatal(err)
	}
	values := url.Values{"code": {canary + "/code-1"}, "state": {opened.Query().Get("state")}}
	for name, value := range change {
		values.Set(name, value)
		if value == "" {
			values.Del(name)
		}
	}
	return s.Prompt.Redirect + "?" + values.Encode()
}

// withNonce is a good answer to a code, the nonce of the request in its ID token.
func (f *fake) withNonce(t *testing.T, s *SignIn) step {
	opened, err := url.Parse(s.Prompt.URL)
	if err != nil {
		t.Fatal(err)
	}
	return tokens("1", "", map[string]any{
		"id_token": idToken(map[string]any{
			"aud": []string{"x", clientID}, "preferred_username": mailbox,
			"nonce": opened.Query().Get("nonce"),
		}),
	})
}

func codeSignIn(t *testing.T, steps ...step) (*fake, *SignIn) {
	t.Helper()
	f := newFake(t, steps...)
	r := f.request()
	r.Flow = Code
	s := f.begin(r)
	f.steps = append(f.steps, f.withNonce(t, s))
	return f, s
}

func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	_, s := codeSignIn(t)
	opened, err := url.Parse(s.Prompt.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := opened.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "code_challenge_method": "S256", "redirect_uri": s.Prompt.Redirect,
		"code_challenge": oauth2.S256ChallengeFromVerifier(s.code.verifier.Reveal()),
		"scope":          "mail:send offline_access openid email",
		"login_hint":     mailbox,
	} {
		if got := query.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(s.Prompt.Redirect, "http://127.0.0.1:") || len(query.Get("state")) < 20 || s.Prompt.QR() != "" {
		t.Errorf("%+v", s.Prompt)
	}
	if strings.Contains(s.Prompt.URL, s.code.verifier.Reveal()) || strings.Contains(s.Prompt.URL, canary) {
		t.Error("the address holds what only this side may know")
	}
}

// TestPastes: what people paste, and what it is taken for.
func TestPastes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		paste func(t *testing.T, s *SignIn) string
		want  Problem
	}{
		"the whole address": {func(t *testing.T, s *SignIn) string { return landed(t, s, nil) }, ""},
		"broken into lines": {func(t *testing.T, s *SignIn) string {
			text := landed(t, s, nil)
			return " <" + text[:30] + "\r\n   " + text[30:] + "> \n"
		}, ""},
		"without the scheme": {func(t *testing.T,
			s *SignIn,
		) string {
			return strings.TrimPrefix(landed(t, s, nil), "http://")
		}, ""},
		"only the query": {func(t *testing.T, s *SignIn) string {
			_, query, _ := strings.Cut(landed(t, s, nil), "?")
			return query
		}, ""},
		"with a fragment": {func(t *testing.T, s *SignIn) string { return landed(t, s, nil) + "#_=_" }, ""},
		"the code alone":  {func(*testing.T, *SignIn) string { return canary + "/code-1" }, ""},
		"another state": {
			func(t *testing.T, s *SignIn) string { return landed(t, s, map[string]string{"state": "x"}) },
			Foreign,
		},
		"no state": {
			func(t *testing.T, s *SignIn) string { return landed(t, s, map[string]string{"state": ""}) },
			Foreign,
		},
		"the address to open": {func(_ *testing.T, s *SignIn) string { return s.Prompt.URL }, NotAnAddress},
		"nothing":             {func(*testing.T, *SignIn) string { return " \n" }, NotAnAddress},
		"another page":        {func(*testing.T, *SignIn) string { return "https://durand.example/" }, NotAnAddress},
		"escapes":             {func(*testing.T, *SignIn) string { return "ab\x1b[2J" }, NotAnAddress},
		"a novel":             {func(*testing.T, *SignIn) string { return strings.Repeat("x", maxPasted+1) }, NotAnAddress},
		"declined": {func(t *testing.T, s *SignIn) string {
			return landed(t, s, map[string]string{"code": "", "error": "access_denied"})
		}, Denied},
		"declined, forged": {func(t *testing.T, s *SignIn) string {
			return landed(t, s, map[string]string{"code": "", "error": "access_denied", "state": "x"})
		}, Foreign},
		"needs consent": {func(t *testing.T, s *SignIn) string {
			return landed(t, s, map[string]string{"code": "", "error": "consent_required"})
		}, NeedsConsent},
		"a strange error": {func(t *testing.T, s *SignIn) string {
			return landed(t, s, map[string]string{"code": "", "error": "slow_down"})
		}, Refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s := codeSignIn(t)
			result, err := s.Paste(t.Context(), secret.New(row.paste(t, s)))
			noLeak(t, err)
			if row.want == "" {
				if err != nil || !result.Verified {
					t.Fatalf("%+v, %v", result, err)
				}
				sent := f.forms[len(f.forms)-1]
				if sent.Get("code") != canary+"/code-1" || sent.Get("code_verifier") != s.code.verifier.Reveal() ||
					sent.Get("redirect_uri") != s.Prompt.Redirect {
					t.Errorf("sent %v", sent)
				}
				return
			}
			e := problemOf(err)
			if e == nil || e.Problem != row.want {
				t.Fatalf("%v, want %s", err, row.want)
			}
			if !e.Again() {
				return
			}
			if len(f.forms) != 0 {
				t.Error("the provider was asked all the same")
			}
			if _, err := s.Paste(t.Context(), secret.New(landed(t, s, nil))); err != nil {
				t.Errorf("a second paste: %v", err)
			}
		})
	}
}

// TestExchange: what the provider says to the code.
func TestExchange(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first []step
		want  Problem
	}{
		"a stumble":    {[]step{cut, plainText(503, "")}, ""},
		"used before":  {[]step{refuse(400, "invalid_grant", "used")}, TimedOut},
		"ill for long": {[]step{plainText(503, ""), plainText(503, ""), plainText(503, "")}, Ill},
		"cut for long": {[]step{cut, cut, cut}, Unreachable},
		"an older sign-in": {[]step{tokens("1", "",
			map[string]any{"id_token": idToken(map[string]any{"aud": clientID, "email": mailbox, "nonce": "x"})})}, BadAnswer},
		"nobody named": {[]step{tokens("1", "", nil)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, approve)
			r := f.request()
			r.Flow = Code
			s := f.begin(r)
			f.steps = append(row.first, f.withNonce(t, s))
			result, err := s.Paste(t.Context(), secret.New(landed(t, s, nil)))
			noLeak(t, err)
			if e := problemOf(err); row.want == "" && err != nil || row.want != "" && (e == nil || e.Problem != row.want) {
				t.Fatalf("%v, want %q", err, row.want)
			}
			if name == "nobody named" && (result.Verified || !result.Account.Empty()) {
				t.Error("nobody was named, and yet somebody is vouched for")
			}
			if _, err := os.Stat(r.Path); (err == nil) != (row.want == "") {
				t.Errorf("file: %v", err)
			}
		})
	}
}
