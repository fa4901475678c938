package worker

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/presets"
	"postier/wizard"
)

// signInFixture is a fixture whose provider accepts sign-ins by browser, approved after a moment or never by itself.
func signInFixture(t *testing.T, fault string, approval time.Duration) *fixture {
	t.Helper()
	return newFixtureWith(t, rehearsal.Options{
		Fault: fault, Lang: locale.French, Slow: 50 * time.Millisecond, OAuth: true,
		Approval: approval,
	})
}

func (h *fixture) signInDraft() wizard.Draft {
	d := h.draft()
	d.SecretType, d.SentFolder = config.SecretOAuth, "Envoyés"
	return d
}

func (h *fixture) signInRequest(kind wizard.RequestKind) wizard.Request {
	return wizard.Request{
		ID: 7, Kind: kind, Draft: h.signInDraft(), Flow: presets.FlowDevice,
		SignIn: wizard.SignIn{Provider: rehearsal.OAuthName, ClientID: rehearsal.OAuthClient, Name: "atelier"},
	}
}

// signedIn goes through the device flow and returns the draft with the sign-in.
func (h *fixture) signedIn() wizard.Draft {
	h.t.Helper()
	if out, _ := h.do(context.Background(), h.signInRequest(wizard.DoSignInBegin)); out.Prompt == nil {
		h.t.Fatalf("no prompt: %s", words(h.t, out.Err))
	}
	wait := h.signInRequest(wizard.DoSignIn)
	wait.Begun = 7
	out, _ := h.do(context.Background(), wait)
	if out.SignIn == nil {
		h.t.Fatalf("not signed in: %s", words(h.t, out.Err))
	}
	d := h.signInDraft()
	d.SignIn = out.SignIn
	return d
}

var tokenShape = regexp.MustCompile(`\b[ar]t-[A-Z2-7]{20,}`)

// tokenFiles are the files below the folder that hold tokens.
func (h *fixture) tokenFiles() []string {
	h.t.Helper()
	var out []string
	err := filepath.WalkDir(h.folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if tokenShape.Match(data) {
			name, _ := filepath.Rel(h.folder, path)
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *fixture) keptOnlyIn(want ...string) {
	h.t.Helper()
	if got := h.tokenFiles(); strings.Join(got, " ") != strings.Join(want, " ") {
		h.t.Errorf("tokens lie in %q, want %q", got, want)
	}
}

// TestSignInFromCodeToProfile: the code, the approval, every check with the token, and a profile that refers to it.
func TestSignInFromCodeToProfile(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", time.Millisecond)
	ctx := context.Background()
	out, _ := h.do(ctx, h.signInRequest(wizard.DoSignInBegin))
	p := out.Prompt
	if p == nil || p.URL != "https://"+rehearsal.LoginHost+"/device" || len(p.Code) != 9 || p.QR == "" || !p.Complete ||
		p.Lasts < 4*time.Minute || p.Lasts > 5*time.Minute {
		t.Fatalf("%+v", p)
	}
	d := h.signedIn()
	if d.SignIn.Account != rehearsal.Address || !d.SignIn.Pending {
		t.Errorf("%+v", d.SignIn)
	}
	h.keptOnlyIn("secrets/atelier.draft.oauth.json")
	for kind, id := range map[wizard.RequestKind]string{
		wizard.DoSubmission: "smtp.auth", wizard.DoSent: "imap.auth",
		wizard.DoTest: "arrival.delivered",
	} {
		r := wizard.Request{ID: 7, Kind: kind, Draft: d, SignedIn: true}
		out, outcomes := h.do(ctx, r)
		if got := find(t, out.Reports, check.ID(id)); got.Status != check.Pass {
			t.Errorf("%s: %+v", id, got)
		}
		data, err := json.Marshal(append(outcomes, out))
		if err != nil {
			t.Fatal(err)
		}
		if tokenShape.Match(data) {
			t.Errorf("%s tells a token", kind)
		}
	}
	d.Profile = "renamed" // another name was taken at the review
	r := wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: d, SignedIn: true}
	if out, _ := h.do(ctx, r); out.Saved == nil ||
		out.Saved.Secret != filepath.Join(h.folder, "secrets/renamed.oauth.json") {
		t.Fatalf("%+v %s", out.Saved, words(t, out.Err))
	}
	h.keptOnlyIn("secrets/renamed.oauth.json")
	doc, err := config.Load(h.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Credential{
		Kind: config.CredentialOAuth, Type: config.SecretOAuth, Path: "secrets/renamed.oauth.json",
		Provider: rehearsal.OAuthName, ClientID: rehearsal.OAuthClient,
	}
	if got := doc.File.Profiles["renamed"]; !credentialEqual(got.Credential, want) || !got.Proven() {
		t.Errorf("%+v", got.Credential)
	}
	access, err := account.TokenSource(h.Network, h.Book).Access(ctx,
		h.reference(wizard.SignIn{Provider: rehearsal.OAuthName, ClientID: rehearsal.OAuthClient, Name: "renamed"},
			wizard.Draft{}))
	if err != nil || access.Token.Empty() {
		t.Errorf("the saved sign-in gives no token: %v", err)
	}
}

func credentialEqual(a, b config.Credential) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// TestSignInFaults: every rehearsed failure ends in its cause, and a temporary one in a sign-in.
func TestSignInFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range rehearsal.Faults() {
		if !fault.SignIn {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			h := signInFixture(t, fault.Name, time.Millisecond)
			if out, _ := h.do(context.Background(), h.signInRequest(wizard.DoSignInBegin)); out.Prompt == nil {
				t.Fatal(words(t, out.Err))
			}
			wait := h.signInRequest(wizard.DoSignIn)
			wait.Begun = 7
			if fault.Cause == "" {
				// Its waits are real: RFC 8628 makes each slow_down five seconds.
				ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
				defer cancel()
				out, outcomes := h.do(ctx, wait)
				if len(outcomes) == 0 && out.SignIn == nil {
					t.Errorf("no progress and no end: %s", words(t, out.Err))
				}
				return
			}
			out, _ := h.do(context.Background(), wait)
			r := find(t, out.Reports, "oauth.sign-in")
			if string(r.Cause) != string(fault.Cause) || r.Status != check.Fail || out.SignIn != nil || out.Approved {
				t.Errorf("%+v %+v", r, out)
			}
			if said := words(t, out.Err); fault.Name == "oauth-wrong-account" && !strings.Contains(said, rehearsal.Colleague) {
				t.Errorf("does not name who signed in: %s", said)
			}
			if r.Meaning.Empty() || len(r.Remedy) == 0 {
				t.Error("the cause has no page")
			}
			h.keptOnlyIn()
		})
	}
}

// TestSignInCannotBeKept: no approval is requested when the tokens could not be stored. When the disk is full after the
// approval, storing can be repeated without another one.
func TestSignInCannotBeKept(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", time.Millisecond)
	ctx := context.Background()
	h.write("secrets", "a file where the folder should be")
	if out, _ := h.do(ctx, h.signInRequest(wizard.DoSignInBegin)); out.Prompt != nil ||
		find(t, out.Reports, "oauth.sign-in").Cause != "file-failed" {
		t.Errorf("a code is given although nothing can be kept: %+v", out)
	}
	if err := os.Remove(filepath.Join(h.folder, "secrets")); err != nil {
		t.Fatal(err)
	}
	if out, _ := h.do(ctx, h.signInRequest(wizard.DoSignInBegin)); out.Prompt == nil {
		t.Fatal(words(t, out.Err))
	}
	if err := os.RemoveAll(filepath.Join(h.folder, "secrets")); err != nil {
		t.Fatal(err)
	}
	h.write("secrets", "again")
	wait := h.signInRequest(wizard.DoSignIn)
	wait.Begun = 7
	if out, _ := h.do(ctx, wait); !out.Approved || out.SignIn != nil {
		t.Fatalf("%+v", out)
	}
	if err := os.Remove(filepath.Join(h.folder, "secrets")); err != nil {
		t.Fatal(err)
	}
	if out, _ := h.do(ctx, wait); out.SignIn == nil {
		t.Errorf("the approval is lost: %s", words(t, out.Err))
	}
	h.keptOnlyIn("secrets/atelier.draft.oauth.json")
}

// TestSignInByPaste goes through the authorization code flow as a browser would.
func TestSignInByPaste(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", -1)
	ctx := context.Background()
	begin := h.signInRequest(wizard.DoSignInBegin)
	begin.Flow = presets.FlowCode
	out, _ := h.do(ctx, begin)
	if out.Prompt == nil || out.Prompt.QR != "" || out.Prompt.Redirect == "" {
		t.Fatalf("%+v", out)
	}
	paste := h.signInRequest(wizard.DoSignIn)
	paste.Begun, paste.Secret = 7, secretOf(out.Prompt.Redirect+"?code=x&state=of-another")
	if again, _ := h.do(ctx, paste); !again.Again || len(again.Reports) != 0 {
		t.Errorf("%+v", again)
	}
	paste.Secret = secretOf(h.browse(out.Prompt.URL))
	if out, _ := h.do(ctx, paste); out.SignIn == nil || out.SignIn.Account != rehearsal.Address {
		t.Errorf("%+v %s", out, words(t, out.Err))
	}
}

// browse agrees on the provider's page and returns the address that the browser ends on.
func (h *fixture) browse(page string) string {
	h.t.Helper()
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: h.Network.DialContext, TLSClientConfig: &tls.Config{RootCAs: h.provider.Roots}, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	u, err := url.Parse(page)
	if err != nil {
		h.t.Fatal(err)
	}
	form := url.Values{"answer": {"yes"}}
	for _, name := range []string{"redirect_uri", "state", "scope", "nonce", "code_challenge"} {
		form.Set(name, u.Query().Get(name))
	}
	response, err := client.PostForm("https://"+rehearsal.LoginHost+"/authorize", form)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.Header.Get("Location")
}

// TestFoundAgain: after a lost connection, and for a saved profile, the earlier sign-in is used and the person need not
// approve again. The sign-in of another account is not used.
func TestFoundAgain(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", time.Millisecond)
	ctx := context.Background()
	seek := h.signInRequest(wizard.DoSignInFind)
	found := func(r wizard.Request) *wizard.SignIn {
		out, _ := h.do(ctx, r)
		return out.SignIn
	}
	if s := found(seek); s != nil {
		t.Errorf("found without any: %+v", s)
	}
	d := h.signedIn()
	if s := found(seek); s == nil || !s.Pending || s.Account != rehearsal.Address {
		t.Errorf("%+v", s)
	}
	other := seek
	other.Draft.Address, other.Draft.Submission.Username = rehearsal.Colleague, rehearsal.Colleague
	if found(other) != nil {
		t.Error("another account takes it over")
	}
	other = seek
	other.SignIn.ClientID = "another-client"
	if found(other) != nil {
		t.Error("another client takes it over")
	}
	if out, _ := h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: d}); out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	doc, err := config.Load(h.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	seek.Draft = wizard.DraftOf("atelier", doc.File.Profiles["atelier"], true)
	s := found(seek)
	if s == nil || s.Pending {
		t.Fatalf("%+v", s)
	}
	edited := seek.Draft
	edited.SignIn = s
	if out, _ := h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: edited}); out.Saved == nil {
		t.Error(words(t, out.Err))
	}
	h.keptOnlyIn("secrets/atelier.oauth.json")
}

// TestSavedSignInStays: a new sign-in of an edited profile replaces the old one only together with the configuration.
func TestSavedSignInStays(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", time.Millisecond)
	ctx := context.Background()
	h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: h.signedIn()})
	first := h.file("secrets/atelier.oauth.json")
	doc, err := config.Load(h.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	d := wizard.DraftOf("atelier", doc.File.Profiles["atelier"], true)
	d.SignIn = h.signedIn().SignIn
	h.saveHook = func(*config.Document) error {
		return &os.PathError{Op: "write", Path: "config.json", Err: os.ErrPermission}
	}
	if out, _ := h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: d}); out.Saved != nil {
		t.Fatal("saved")
	}
	if h.file("secrets/atelier.oauth.json") != first {
		t.Error("the old sign-in is gone although nothing was saved")
	}
	h.keptOnlyIn("secrets/atelier.draft.oauth.json", "secrets/atelier.oauth.json")
	h.saveHook = nil
	if out, _ := h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSave, Draft: d}); out.Saved == nil {
		t.Fatal(words(t, out.Err))
	}
	if now := h.file("secrets/atelier.oauth.json"); now == first || now == "" {
		t.Error("the new sign-in was not taken")
	}
	h.keptOnlyIn("secrets/atelier.oauth.json")
	// Signing out removes what no profile refers to, and nothing else.
	pending := h.signedIn().SignIn
	h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSignOut, SignIn: *pending})
	h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSignOut, SignIn: wizard.SignIn{Name: "atelier"}})
	h.keptOnlyIn("secrets/atelier.oauth.json")
}

// TestWithdrawnSignIn: when no token can be fetched, the check of the sign-in fails with the cause and leads to step 5.
func TestWithdrawnSignIn(t *testing.T) {
	t.Parallel()
	h := signInFixture(t, "", time.Millisecond)
	ctx := context.Background()
	d := h.signedIn()
	h.provider.OAuthEnd()
	out, _ := h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSubmission, Draft: d, SignedIn: true})
	if r := find(t, out.Reports, "smtp.auth"); r.Cause != "oauth-token-expired" || r.Step != wizard.StepCredential {
		t.Errorf("%+v", r)
	}
	if err := os.Remove(filepath.Join(h.folder, "secrets/atelier.draft.oauth.json")); err != nil {
		t.Fatal(err)
	}
	out, _ = h.do(ctx, wizard.Request{ID: 7, Kind: wizard.DoSent, Draft: d, SignedIn: true})
	if r := find(t, out.Reports, "imap.auth"); r.Cause != "oauth-token-expired" || r.Step != wizard.StepCredential {
		t.Errorf("%+v", r)
	}
}
