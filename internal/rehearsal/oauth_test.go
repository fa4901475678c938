package rehearsal_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/oauth"
	"postier/internal/rehearsal"
	"postier/internal/secret"
	"postier/internal/wire"
)

// login is a provider with its sign-in, and all that a sign-in needs.
type login struct {
	*rehearsal.Provider
	client  *oauth.Client
	request oauth.Request
}

func startLogin(t *testing.T, o rehearsal.Options) login {
	t.Helper()
	provider, err := rehearsal.Start(context.Background(), o)
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
	p := preset.OAuth
	return login{provider, &oauth.Client{Network: &wire.Network{
		Resolver: resolver, Roots: provider.Roots,
		Route: provider.Route,
	}}, oauth.Request{
		Provider: oauth.Provider{
			Name: p.Provider, AuthURL: p.AuthURL, TokenURL: p.TokenURL, DeviceURL: p.DeviceURL, Scopes: p.Scopes,
		},
		ClientID: rehearsal.OAuthClient, Accounts: []string{rehearsal.Address},
		Path: filepath.Join(t.TempDir(), "marie.oauth.json"),
	}}
}

// browser speaks to the sign-in pages and follows no redirect.
func (l login) browser() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:     l.client.Network.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: l.Roots}, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func post(t *testing.T, client *http.Client, address string, form url.Values) *http.Response {
	t.Helper()
	response, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

// TestBrowserSignIn: the page takes the code, and the token opens SMTP and IMAP for its own mailbox and no other.
func TestBrowserSignIn(t *testing.T) {
	t.Parallel()
	l := startLogin(t, rehearsal.Options{OAuth: true, Approval: -1})
	signIn, err := l.client.Begin(t.Context(), l.request)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(signIn.Prompt.Complete, signIn.Prompt.Code) {
		t.Errorf("%q does not hold the code", signIn.Prompt.Complete)
	}
	if r := post(t, l.browser(), signIn.Prompt.URL,
		url.Values{"user_code": {"XXXX-XXXX"}, "answer": {"yes"}}); r.StatusCode != http.StatusNotFound {
		t.Errorf("a code out of thin air: %s", r.Status)
	}
	post(t, l.browser(), signIn.Prompt.URL,
		url.Values{"user_code": {strings.ToLower(signIn.Prompt.Code)}, "answer": {"yes"}})
	result, err := signIn.Wait(t.Context(), nil)
	if err != nil || !result.Verified || result.Account.Raw() != rehearsal.Address {
		t.Fatalf("%+v, %v", result, err)
	}
	source := &oauth.Source{
		Client:   l.client,
		Provider: func(string) (oauth.Provider, bool) { return l.request.Provider, true },
	}
	access, err := source.Access(t.Context(), l.reference())
	if err != nil {
		t.Fatal(err)
	}
	for _, mechanism := range []config.Mechanism{
		config.MechanismAuto, config.MechanismXOAuth2,
		config.MechanismOAuthBearer,
	} {
		if bad := l.failures(t, mechanism, rehearsal.Address, access.Token); bad != "" {
			t.Errorf("%s: %s", mechanism, bad)
		}
	}
	if bad := l.failures(t, config.MechanismXOAuth2, rehearsal.Alias, access.Token); !strings.Contains(bad, "smtp.auth") ||
		!strings.Contains(bad, "imap.auth") {
		t.Errorf("another user name with this token: %s", bad)
	}
	l.OAuthEnd()
	if bad := l.failures(t, config.MechanismOAuthBearer, rehearsal.Address, access.Token); !strings.Contains(bad,
		"smtp.auth") || !strings.Contains(bad, "imap.auth") {
		t.Errorf("a withdrawn token: %s", bad)
	}
	if _, err := source.Renew(t.Context(), l.reference()); !errors.Is(err, &oauth.Error{Problem: oauth.Expired}) {
		t.Errorf("renewal of a withdrawn sign-in: %v", err)
	}
}

func (l login) reference() oauth.Reference {
	return oauth.Reference{Path: l.request.Path, Provider: l.request.Provider.Name, ClientID: l.request.ClientID}
}

// failures are the checks of the mail servers that do not pass, with their causes.
func (l login) failures(t *testing.T, mechanism config.Mechanism, username string, token secret.Value) string {
	t.Helper()
	target := account.Target{
		Address: rehearsal.Address, Submission: l.Submission, IMAP: &l.IMAP, Secret: token, SecretType: config.SecretOAuth,
	}
	incoming := l.IMAP
	target.IMAP = &incoming
	target.Submission.Auth, target.IMAP.Auth = mechanism, mechanism
	target.Submission.Username, target.IMAP.Username = username, username
	var bad []string
	for _, r := range diagnostics.Run(t.Context(), nil,
		smtp.Plan(l.client.Network, target, smtp.Options{}), imap.Plan(l.client.Network, target, imap.Options{})) {
		if r.Status == check.Fail || r.Status == check.Warn {
			bad = append(bad, string(r.ID)+" "+string(r.Cause))
		}
	}
	return strings.Join(bad, ", ")
}

// TestSignInFaults: each ends in its cause, and those without one end well.
func TestSignInFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range rehearsal.Faults() {
		if !fault.SignIn || fault.Name == "oauth-slow-down" || fault.Name == "oauth-server-error" {
			continue // these two only take longer: internal/oauth walks them with a clock of its own
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			l := startLogin(t, rehearsal.Options{Fault: fault.Name, Approval: time.Millisecond})
			signIn, err := l.client.Begin(t.Context(), l.request)
			if err != nil {
				t.Fatal(err)
			}
			_, err = signIn.Wait(t.Context(), nil)
			var ended *oauth.Error
			if !errors.As(err, &ended) || string(ended.Cause()) != string(fault.Cause) {
				t.Errorf("%v, want %s", err, fault.Cause)
			}
		})
	}
}

// TestPastedAddress: the authorization code, as a person with a browser elsewhere walks it.
func TestPastedAddress(t *testing.T) {
	t.Parallel()
	l := startLogin(t, rehearsal.Options{OAuth: true})
	l.request.Flow = oauth.Code
	signIn, err := l.client.Begin(t.Context(), l.request)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := url.Parse(signIn.Prompt.URL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := l.browser().Get(signIn.Prompt.URL)
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", page, err)
	}
	_ = page.Body.Close()
	form := opened.Query()
	form.Set("answer", "yes")
	landed := post(t, l.browser(), "https://"+rehearsal.LoginHost+"/authorize", form).Header.Get("Location")
	if !strings.HasPrefix(landed, signIn.Prompt.Redirect) {
		t.Fatalf("the browser lands on %q", landed)
	}
	if _, err := signIn.Paste(t.Context(), secret.New(landed)); err != nil {
		t.Error(err)
	}
	// Without PKCE, and to elsewhere than loopback, there is no page.
	for name, value := range map[string]string{"code_challenge": "", "redirect_uri": "https://evil.example/"} {
		query := opened.Query()
		query.Set(name, value)
		page, err := l.browser().Get("https://" + rehearsal.LoginHost + "/authorize?" + query.Encode())
		if err != nil || page.StatusCode != http.StatusBadRequest {
			t.Errorf("%s=%q: %v, %v", name, value, page.Status, err)
		}
		_ = page.Body.Close()
	}
}
