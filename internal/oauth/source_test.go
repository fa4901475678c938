package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/internal/secret"
	"postier/internal/wire"
)

// rotating is a token endpoint that takes each refresh token once and ends the sign-in when one comes twice.
type rotating struct {
	mu      sync.Mutex
	current string
	given   int
	life    int
	stolen  bool
}

func (r *rotating) answer(w http.ResponseWriter, form url.Values) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if form.Get("refresh_token") != r.current || form.Get("client_id") != clientID {
		r.stolen = true
		refuse(400, "invalid_grant", "reuse")(w, form)
		return
	}
	time.Sleep(5 * time.Millisecond) // long enough for others to come between
	r.given++
	r.current = fmt.Sprintf("%s-refresh-%d", canary, r.given)
	answer(http.StatusOK, map[string]any{
		"token_type": "Bearer", "access_token": fmt.Sprintf("%s-access-%d", canary, r.given), "refresh_token": r.current,
		"expires_in": r.life,
	})(w, form)
}

// signedIn is a provider with a sign-in whose access token ran out.
func signedIn(t *testing.T, life int) (*fake, *rotating, Reference) {
	t.Helper()
	endpoint := &rotating{current: canary + "-refresh-0", life: life}
	f := newFake(t, endpoint.answer)
	reference := f.request().reference()
	if err := os.Mkdir(filepath.Dir(reference.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, reference, f.now().Add(-time.Hour))
	return f, endpoint, reference
}

func write(t *testing.T, reference Reference, expires time.Time) {
	t.Helper()
	err := (Store{Path: reference.Path}).write(record{
		Reference: reference, account: mailbox, access: secret.New(canary + "-access-0"),
		refresh:      secret.New(canary + "-refresh-0"),
		clientSecret: secret.New(canary + "-client"), expires: expires,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRotationUnderManyHands: renewals run one after the other, none twice, and the file always holds the valid token.
func TestRotationUnderManyHands(t *testing.T) {
	t.Parallel()
	f, endpoint, reference := signedIn(t, 60) // below early: every caller has to renew
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			source := &Source{Client: &Client{Network: f.client.Network}, Provider: f.source().Provider}
			for range 3 {
				if _, err := source.Access(t.Context(), reference); err != nil {
					t.Error(err)
				}
			}
		})
	}
	hands.Wait()
	kept, err := (Store{Path: reference.Path}).read()
	if err != nil || endpoint.stolen || endpoint.given != 24 || kept.refresh.Reveal() != endpoint.current {
		t.Errorf("%v, given %d, reused %v", err, endpoint.given, endpoint.stolen)
	}
}

// TestOneRenewalForAll: eight callers that find the token expired cause one renewal.
func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	f, endpoint, reference := signedIn(t, 3600)
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			access, err := f.source().Access(t.Context(), reference)
			if err != nil || access.Token.Reveal() != canary+"-access-1" {
				t.Error(err)
			}
		})
	}
	hands.Wait()
	if endpoint.given != 1 {
		t.Errorf("%d renewals", endpoint.given)
	}
	if _, err := f.source().Renew(t.Context(), reference); err != nil || endpoint.given != 2 {
		t.Errorf("an asked-for renewal: %v, %d", err, endpoint.given)
	}
}

// The variables that make this test binary one of eight processes.
const (
	envURL, envPath = "OAUTH_TEST_URL", "OAUTH_TEST_PATH"
)

// TestRotationOverProcesses starts this binary eight times over one token file.
func TestRotationOverProcesses(t *testing.T) {
	t.Parallel()
	if os.Getenv(envURL) != "" {
		renewAsChild(t)
		return
	}
	endpoint := &rotating{current: canary + "-refresh-0", life: 60}
	f := newFake(t, endpoint.answer)
	plainServer := httpServer(t, f)
	reference := f.request().reference()
	if err := os.Mkdir(filepath.Dir(reference.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, reference, time.Now().Add(-time.Hour))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var children sync.WaitGroup
	for range 8 {
		children.Go(func() {
			child := exec.CommandContext(t.Context(), self, "-test.run=^TestRotationOverProcesses$", "-test.count=1")
			child.Env = append(os.Environ(), envURL+"="+plainServer, envPath+"="+reference.Path)
			if out, err := child.CombinedOutput(); err != nil || strings.Contains(string(out), canary) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	children.Wait()
	kept, err := (Store{Path: reference.Path}).read()
	if err != nil || endpoint.stolen || endpoint.given != 16 || kept.refresh.Reveal() != endpoint.current {
		t.Errorf("%v, given %d, reused %v", err, endpoint.given, endpoint.stolen)
	}
}

func renewAsChild(t *testing.T) {
	source := &Source{
		Client: &Client{Network: &wire.Network{Resolver: wire.SystemResolver()}, AllowLoopbackHTTP: true},
		Provider: func(string) (Provider, bool) {
			return Provider{Name: "fake", TokenURL: os.Getenv(envURL)}, true
		},
	}
	for range 2 {
		_, err := source.Access(t.Context(), Reference{Path: os.Getenv(envPath), Provider: "fake", ClientID: clientID})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestWrittenBeforeUse: the rotated token is on disk when the access token is handed out, and a store that cannot take
// it is noticed before the old one is spent.
func TestWrittenBeforeUse(t *testing.T) {
	t.Parallel()
	f, endpoint, reference := signedIn(t, 3600)
	dir := filepath.Dir(reference.Path)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := f.source().Access(t.Context(), reference)
	noLeak(t, err)
	if e := problemOf(err); e == nil || endpoint.given != 0 {
		t.Errorf("%v, %d renewals", err, endpoint.given)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	access, err := f.source().Access(t.Context(), reference)
	if err != nil || access.Account != mailbox || access.Expires.Before(f.now().Add(50*time.Minute)) {
		t.Fatalf("%+v, %v", access, err)
	}
	info, err := os.Stat(reference.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.Contains(e.Name(), "probe") {
			t.Errorf("%s is left over", e.Name())
		}
	}
}

// TestRenewalOutcomes: every way in which a renewal can end, and that the kept sign-in survives what may pass.
func TestRenewalOutcomes(t *testing.T) {
	t.Parallel()
	good := tokens("9", "", map[string]any{"refresh_token": nil})
	for name, row := range map[string]struct {
		steps []step
		want  Problem
	}{
		"no rotation":          {[]step{good}, ""},
		"a stumble":            {[]step{cut, plainText(500, ""), good}, ""},
		"withdrawn":            {[]step{refuse(400, "invalid_grant", "AADSTS50173: x")}, Expired},
		"declined":             {[]step{refuse(400, "access_denied", "")}, Expired},
		"wants the person":     {[]step{refuse(400, "interaction_required", "AADSTS50076: x")}, Expired},
		"client gone":          {[]step{refuse(401, "invalid_client", "")}, ClientRefused},
		"policy":               {[]step{refuse(400, "invalid_grant", "AADSTS53003: x")}, Blocked},
		"ill":                  {[]step{plainText(503, "")}, Ill},
		"named as ill":         {[]step{refuse(400, "temporarily_unavailable", "")}, Ill},
		"no connection":        {[]step{cut}, Unreachable},
		"another kind of page": {[]step{plainText(404, "<h1>not found</h1>")}, BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, row.steps...)
			reference := f.request().reference()
			if err := os.Mkdir(filepath.Dir(reference.Path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, reference, f.now().Add(time.Minute)) // within early
			access, err := f.source().Access(t.Context(), reference)
			noLeak(t, err)
			kept, readErr := (Store{Path: reference.Path}).read()
			if readErr != nil || kept.refresh.Reveal() != canary+"-refresh-0" {
				t.Errorf("the sign-in is gone: %v", readErr)
			}
			if row.want == "" {
				if err != nil || access.Token.Reveal() != canary+"-access-9" {
					t.Fatalf("%v", err)
				}
				return
			}
			if e := problemOf(err); e == nil || e.Problem != row.want {
				t.Errorf("%v, want %s", err, row.want)
			}
		})
	}
}

// TestReferences: what does not fit is never sent anywhere.
func TestReferences(t *testing.T) {
	t.Parallel()
	f, endpoint, reference := signedIn(t, 3600)
	for name, row := range map[string]struct {
		change func(*Reference)
		want   Problem
	}{
		"no file":             {func(r *Reference) { r.Path += "x" }, NotSignedIn},
		"another client":      {func(r *Reference) { r.ClientID = "client-2" }, NotSignedIn},
		"another tenant":      {func(r *Reference) { r.Tenant = "elsewhere.example" }, NotSignedIn},
		"no client":           {func(r *Reference) { r.ClientID = "" }, NotConfigured},
		"an unknown provider": {func(r *Reference) { r.Provider = "evil" }, NotConfigured},
		"a file for others": {func(r *Reference) {
			r.Path = copyOf(t, r.Path, "open.json", nil)
			_ = os.Chmod(r.Path, 0o644)
		}, Damaged},
		"a broken file": {func(r *Reference) {
			r.Path = copyOf(t, r.Path, "broken.json",
				[]byte(`{"refresh_token":"`+canary))
		}, Damaged},
		"a newer file": {func(r *Reference) {
			r.Path = copyOf(t, r.Path, "newer.json", []byte(`{"version":2,"refresh_token":"`+canary+`"}`))
		}, Damaged},
	} {
		other := reference
		row.change(&other)
		_, err := f.source().Access(t.Context(), other)
		noLeak(t, err)
		if e := problemOf(err); e == nil || e.Problem != row.want || endpoint.given != 0 {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	if account, ok := (Store{Path: reference.Path}).Present(reference); !ok || account != mailbox {
		t.Errorf("%q, %v", account, ok)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.source().Renew(ctx, reference); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func copyOf(t *testing.T, path, name string, data []byte) string {
	t.Helper()
	if data == nil {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(filepath.Dir(path), name)
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestRecordsPrintNothing: a record or grant that reaches a print verb by mistake.
func TestRecordsPrintNothing(t *testing.T) {
	t.Parallel()
	kept := record{access: secret.New(canary), refresh: secret.New(canary), clientSecret: secret.New(canary)}
	for _, v := range []any{
		kept, &kept,
		grant{access: secret.New(canary)},
		kept.give(),
		authorization{verifier: secret.New(canary)},
		device{code: secret.New(canary)},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if strings.Contains(fmt.Sprintf(verb, v), canary) {
				t.Errorf("%s of %T shows a secret", verb, v)
			}
		}
	}
}
