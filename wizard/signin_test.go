package wizard

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/presets"
)

// microsoft names a client, as a vendor file would.
var microsoft = map[string]Client{"microsoft": {ID: "11111111-2222-4333-8444-555555555555"}}

const outlook = "marie@outlook.com"

// toSignIn goes to step 5 of an account that accepts no passwords.
func toSignIn(t *testing.T, o Options) *driver {
	t.Helper()
	if o.Address == "" {
		o.Address = outlook
	}
	if o.Clients == nil {
		o.Clients = microsoft
	}
	k := begin(t, o)
	k.enter()
	k.at(StepProvider)
	k.enter()
	k.at(StepPrepare)
	k.enter()
	k.at(StepCredential)
	return k
}

// tellNoSignIn tells the wizard that no earlier sign-in was found.
func (k *driver) tellNoSignIn() {
	k.t.Helper()
	k.tell(Outcome{ID: k.last(DoSignInFind).ID, Kind: DoSignInFind, Done: true})
}

// tellPrompt asks for a code and tells the wizard one.
func (k *driver) tellPrompt() {
	k.t.Helper()
	k.do(ActSignIn)
	k.tell(Outcome{ID: k.last(DoSignInBegin).ID, Kind: DoSignInBegin, Done: true, Prompt: &SignInPrompt{
		Flow: presets.FlowDevice, URL: "https://microsoft.com/devicelogin", Code: "ABCD-EFGH",
		QR: "https://microsoft.com/devicelogin", Lasts: 15 * time.Minute,
	}})
}

// tellSignedIn tells the wizard that the person approved.
func (k *driver) tellSignedIn() {
	k.t.Helper()
	r := k.last(DoSignIn)
	made := r.SignIn
	made.Pending, made.Account = true, outlook
	k.tell(Outcome{ID: r.ID, Kind: DoSignIn, Done: true, SignIn: &made})
}

// tellSignInFailure tells the wizard that the sign-in failed.
func (k *driver) tellSignInFailure(kind RequestKind, cause string, change func(*Outcome)) {
	k.t.Helper()
	o := Outcome{
		ID: k.last(kind).ID, Kind: kind, Done: true, Err: Msg("oauth.problem.denied"),
		Reports: []Report{{ID: "oauth.sign-in", Status: check.Fail, Cause: check.Cause(cause)}},
	}
	if change != nil {
		change(&o)
	}
	k.tell(o)
}

func TestSignInByDevice(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	if k.requested(DoSignInBegin) != 0 {
		t.Fatal("a code is asked for before the person wants one")
	}
	k.tellPrompt()
	begin, wait := k.last(DoSignInBegin), k.last(DoSignIn)
	if begin.Flow != presets.FlowDevice || begin.SignIn.ClientID != microsoft["microsoft"].ID || wait.Begun != begin.ID {
		t.Errorf("%+v %+v", begin, wait)
	}
	v := k.s.Screen()
	if v.Busy == nil || !v.Busy.Countdown || v.Busy.GivesUp != 15*time.Minute || len(v.Copy) != 2 || !v.Copy[0].QR ||
		v.Copy[1].Text != "ABCD-EFGH" {
		t.Errorf("%+v %+v", v.Busy, v.Copy)
	}
	k.says("oauth.prompt.warning")
	for phase, key := range map[string]string{
		"slower": "slower", "offline": "offline", "ailing": "ailing",
		"saving": "saving",
	} {
		k.tell(Outcome{ID: wait.ID, Kind: DoSignIn, Phase: phase})
		if got := k.s.Screen().Busy.Text.Msg.Key; got != "wizard.busy.signin-"+key {
			t.Errorf("%s is said as %s", phase, got)
		}
	}
	k.tellSignedIn()
	k.at(StepSubmission)
	k.says("oauth.prompt.done")
	if r := k.last(DoSubmission); !r.SignedIn || !r.Secret.Empty() || r.Draft.SecretType != config.SecretOAuth ||
		r.Draft.SignIn == nil || !r.Draft.SignIn.Pending {
		t.Errorf("%+v", r)
	}
	k.passes(DoSubmission)
	k.enter()
	k.at(StepSent)
	if !k.last(DoSent).SignedIn {
		t.Error("the mailbox is read without the sign-in")
	}
	k.passes(DoSent)
	k.enter()
	k.passes(DoDNS)
	k.enter()
	k.passes(DoTest)
	k.enter()
	k.enter()
	k.at(StepReview)
	k.enter()
	r := k.last(DoSave)
	if r.Draft.Profile != "marie" || r.Draft.SignIn.Name != "marie" || !r.SignedIn || r.Draft.AskEach {
		t.Errorf("%+v", r.Draft)
	}
	k.tellSaved()
	k.at(StepDone)
}

// TestSignInEndings: after every failure of a sign-in the screen explains it and offers an action.
func TestSignInEndings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cause  string
		at     RequestKind
		change func(*Outcome)
		first  ActionID
		asks   RequestKind // what the first action asks for
	}{
		"declined":          {cause: "oauth-denied", at: DoSignIn, first: ActSignIn, asks: DoSignInBegin},
		"expired":           {cause: "oauth-timeout", at: DoSignIn, first: ActSignIn, asks: DoSignInBegin},
		"wrong account":     {cause: "oauth-scope-missing", at: DoSignIn, first: ActSignIn, asks: DoSignInBegin},
		"blocked":           {cause: "oauth-scope-missing", at: DoSignInBegin, first: ActSignIn, asks: DoSignInBegin},
		"unwritable before": {cause: "file-failed", at: DoSignInBegin, first: ActSignIn, asks: DoSignInBegin},
		"unwritable after": {
			cause: "file-failed", at: DoSignIn, change: func(o *Outcome) { o.Approved = true },
			first: ActRetry, asks: DoSignIn,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := toSignIn(t, Options{})
			k.tellNoSignIn()
			if c.at == DoSignIn {
				k.tellPrompt()
			} else {
				k.do(ActSignIn)
			}
			begun := k.last(DoSignInBegin).ID
			k.tellSignInFailure(c.at, c.cause, c.change)
			k.at(StepCredential)
			v := k.s.Screen()
			if v.Finding == nil || string(v.Finding.Cause) != c.cause || v.Busy != nil || v.Actions[0].ID != c.first {
				t.Fatalf("%+v", v)
			}
			if c.first == ActSignIn && (!k.offers(ActPaste) || !k.offers(gotoPrefix+ActionID(StepProvider))) {
				t.Error("no other way is offered")
			}
			before := k.requested(c.asks)
			k.do(c.first)
			if k.requested(c.asks) != before+1 {
				t.Fatalf("%s asks for nothing", c.first)
			}
			if c.asks == DoSignIn {
				if k.last(DoSignIn).Begun != begun {
					t.Error("the approval is lost")
				}
				k.tellSignedIn()
				k.at(StepSubmission)
			}
		})
	}
}

// TestSignInIsStopped: the person can stop the sign-in, and a late outcome changes nothing.
func TestSignInIsStopped(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	wait := k.last(DoSignIn)
	k.do(ActCancel)
	k.says("wizard.cancelled")
	if r := k.last(DoCancel); r.ID != wait.ID {
		t.Errorf("cancelled %d, want %d", r.ID, wait.ID)
	}
	before := snapshot(k.s)
	made := wait.SignIn
	k.tell(Outcome{ID: wait.ID, Kind: DoSignIn, Done: true, SignIn: &made})
	if snapshot(k.s) != before {
		t.Error("a late answer changes the conversation")
	}
}

// TestSignInGoesOn: going back to read something neither loses the code nor ends the wait.
func TestSignInGoesOn(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	k.do(ActBack)
	k.at(StepPrepare)
	k.enter()
	if v := k.s.Screen(); len(v.Copy) != 2 || v.Busy == nil {
		t.Errorf("the code is gone: %+v", v)
	}
	k.do(ActBack)
	k.tellSignedIn()
	k.at(StepPrepare)
	k.says("oauth.prompt.done")
	k.enter()
	k.at(StepCredential)
	k.enter()
	k.at(StepSubmission)
}

// TestSignInByPasting: the address that the browser ends on is pasted, and a wrong paste can be corrected in place.
func TestSignInByPasting(t *testing.T) {
	t.Parallel()
	const canary = "http://127.0.0.1:50000/?code=kanarien-code&state=x"
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	k.do(ActPaste)
	if k.last(DoSignInBegin).Flow != presets.FlowCode {
		t.Fatal("another flow was begun")
	}
	k.tell(Outcome{ID: k.last(DoSignInBegin).ID, Kind: DoSignInBegin, Done: true, Prompt: &SignInPrompt{
		Flow: presets.FlowCode, URL: "https://login.microsoftonline.com/authorize?x", Redirect: "http://127.0.0.1:50000/",
		Lasts: 15 * time.Minute,
	}})
	k.answer(Answer{Action: ActNext})
	k.refused(FieldSecret)
	k.password("https://elsewhere.example/")
	k.tell(Outcome{
		ID: k.last(DoSignIn).ID, Kind: DoSignIn, Done: true, Again: true,
		Err: Msg("oauth.problem.foreign_paste"),
	})
	k.at(StepCredential)
	k.refused(FieldSecret)
	k.password(canary)
	if r := k.last(DoSignIn); r.Secret.Reveal() != canary || r.Begun != k.last(DoSignInBegin).ID {
		t.Errorf("%+v", r)
	}
	k.tellSignedIn()
	k.at(StepSubmission)
	var all strings.Builder
	for _, r := range k.requests {
		data, err := json.Marshal(r.Draft)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
		if r.Kind != DoSignIn && !r.Secret.Empty() {
			t.Errorf("%s carries what was pasted", r.Kind)
		}
	}
	if strings.Contains(all.String(), "kanarien") {
		t.Error("a draft holds what was pasted")
	}
}

// TestBothWays: where a password works too, a key switches between the two methods, and neither loses its values.
func TestBothWays(t *testing.T) {
	t.Parallel()
	k := known(t, Options{Clients: map[string]Client{"google": {ID: "client"}}})
	if !k.offers(ActBrowser) {
		t.Fatal("the browser is not offered")
	}
	k.do(ActBrowser)
	k.tellNoSignIn()
	if v := k.s.Screen(); v.Title.Msg.Key != "wizard.signin.title" || !k.offers(ActPassword) {
		t.Errorf("%+v", v)
	}
	k.says("wizard.prepare.alert") // step 4 is about an app password, and passed over now
	k.do(ActBack)
	k.at(StepProvider)
	k.enter()
	k.at(StepCredential)
	k.do(ActPassword)
	k.at(StepPrepare)
	k.enter()
	k.password(appPassword)
	k.at(StepSubmission)
	if r := k.last(DoSubmission); r.SignedIn || r.Secret.Empty() || r.Draft.SecretType != config.SecretAppPassword {
		t.Errorf("%+v", r)
	}
	// Without a client there is no sign-in by browser.
	if known(t, Options{}).offers(ActBrowser) {
		t.Error("the browser is offered without a client")
	}
}

// TestDefaultWay: the browser is the default where passwords are about to end, unless a password was given, and where a
// client was named for this run.
func TestDefaultWay(t *testing.T) {
	t.Parallel()
	work := candidates("marie@durand.example", "durand-example.mail.protection.outlook.com")
	for name, c := range map[string]struct {
		o       Options
		browser bool
	}{
		"retiring":             {Options{Clients: microsoft}, true},
		"retiring, no client":  {Options{}, false},
		"a password was given": {Options{Clients: microsoft, Secret: secret.New("given")}, false},
		"client by flag":       {Options{Clients: map[string]Client{AnyProvider: {ID: "x", Tenant: "durand.example"}}}, true},
	} {
		c.o.Address = "marie@durand.example"
		k := begin(t, c.o)
		k.enter()
		k.tell(Outcome{ID: k.last(DoDiscover).ID, Kind: DoDiscover, Done: true, Candidates: work})
		k.enter()
		k.at(StepPrepare)
		k.enter()
		k.at(StepCredential)
		if got := k.s.Draft().SecretType == config.SecretOAuth; got != c.browser {
			t.Errorf("%s: by browser is %v", name, got)
		}
		if name == "retiring, no client" {
			k.says("wizard.signin.no-client")
		}
		if name == "client by flag" {
			if r := k.last(DoSignInFind); r.SignIn.ClientID != "x" || r.SignIn.Tenant != "durand.example" {
				t.Errorf("%+v", r.SignIn)
			}
		}
	}
}

// TestSignInIsForItsServers: a token is sent only to the servers, and used only for the account, that it was issued for
// (docs/security.md T5).
func TestSignInIsForItsServers(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	k.tellSignedIn()
	k.passes(DoSubmission)
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter("smtp-host", "smtp.elsewhere.example")
	k.enter()
	if k.s.Draft().SignIn != nil || k.requested(DoSignOut) != 1 {
		t.Error("the sign-in is kept for another server")
	}
	before := len(k.requests)
	k.enter()
	for _, r := range k.requests[before:] {
		if r.SignedIn {
			t.Errorf("%s signs in at another server", r.Kind)
		}
	}

	k = toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	k.tellSignedIn()
	finds := k.requested(DoSignInFind)
	k.do(gotoPrefix + ActionID(StepServer))
	k.enter("user", "paul@outlook.com")
	k.enter()
	k.enter()
	k.at(StepCredential)
	k.says("wizard.signin.other-account")
	if k.s.Draft().SignIn != nil || k.requested(DoSignInFind) != finds {
		t.Error("the sign-in of one account serves for another")
	}

	k = toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	k.tellSignedIn()
	k.do(gotoPrefix + ActionID(StepAddress))
	k.enter("address", "paul@outlook.com")
	if k.s.Draft().SignIn != nil || k.last(DoSignOut).SignIn.Account != outlook {
		t.Error("another address keeps the sign-in")
	}
}

// TestResumedSignIn: after a lost connection the sign-in is found, and the person need not approve twice.
func TestResumedSignIn(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	k.tellNoSignIn()
	k.tellPrompt()
	k.tellSignedIn()
	data, err := json.Marshal(k.s.Draft())
	if err != nil {
		t.Fatal(err)
	}
	var d Draft
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	k = begin(t, Options{Draft: d, Clients: microsoft})
	k.at(StepCredential)
	r := k.last(DoSignInFind)
	if r.SignIn.Name != "marie" {
		t.Errorf("%+v", r.SignIn)
	}
	found := r.SignIn
	found.Pending, found.Account = true, outlook
	k.tell(Outcome{ID: r.ID, Kind: DoSignInFind, Done: true, SignIn: &found})
	k.enter()
	k.at(StepSubmission)
	if !k.last(DoSubmission).SignedIn {
		t.Error("not signed in")
	}
	// When the server refuses a token, the wizard offers a new sign-in and does not try the same token again.
	k.fails(DoSubmission, "smtp.auth", "oauth-token-expired", StepCredential, FieldSecret)
	if k.offers(ActRetry) {
		t.Error("the same token may be tried again")
	}
	k.do(ActFix)
	k.at(StepCredential)
	if v := k.s.Screen(); v.Actions[0].ID != ActSignIn {
		t.Errorf("%+v", v.Actions)
	}
	// A manipulated draft cannot name a file.
	d.SignIn.Name = "../../etc/passwd"
	if k := begin(t, Options{Draft: d, Clients: microsoft}); k.s.Draft().SignIn != nil ||
		strings.Contains(k.last(DoSignInFind).SignIn.Name, "/") {
		t.Error("a name that is none is taken")
	}
}

// TestEditedSignIn: a profile that signs in by browser keeps its client and directory.
func TestEditedSignIn(t *testing.T) {
	t.Parallel()
	p, _ := presets.Default().Get("outlook")
	smtp, imap := p.Servers(outlook)
	profile := &config.Profile{
		Enabled: true, Provider: "outlook", From: config.Address{Address: outlook}, Submission: smtp[0].Server,
		SentCopy: config.SentCopy{Mode: config.SentServer, IMAP: &imap[0].Server},
		Credential: config.Credential{
			Kind: config.CredentialOAuth, Type: config.SecretOAuth, Path: "secrets/marie.oauth.json", Provider: "microsoft",
			Tenant: "durand.example", ClientID: "own",
		},
	}
	k := begin(t, Options{Draft: DraftOf("marie", profile, true), Clients: microsoft, Names: []string{"marie"}})
	k.at(StepProvider)
	k.enter()
	k.enter()
	k.at(StepCredential)
	r := k.last(DoSignInFind)
	if r.SignIn.ClientID != "own" || r.SignIn.Tenant != "durand.example" || r.SignIn.Name != "marie" {
		t.Errorf("%+v", r.SignIn)
	}
	found := r.SignIn
	k.tell(Outcome{ID: r.ID, Kind: DoSignInFind, Done: true, SignIn: &found})
	k.enter()
	k.at(StepSubmission)
}

// TestSignInSaysEverything: every screen of the sign-in is translated into every language.
func TestSignInSaysEverything(t *testing.T) {
	t.Parallel()
	k := toSignIn(t, Options{})
	var screens []Screen
	keep := func() { screens = append(screens, k.s.Screen()) }
	keep()
	k.tellNoSignIn()
	keep()
	k.do(ActSignIn)
	keep()
	k.tellSignInFailure(DoSignInBegin, "oauth-denied", nil)
	keep()
	k.do(ActPaste)
	k.tell(Outcome{
		ID: k.last(DoSignInBegin).ID, Kind: DoSignInBegin, Done: true,
		Prompt: &SignInPrompt{Flow: presets.FlowCode, URL: "https://a.example/", Redirect: "http://127.0.0.1:1/"},
	})
	keep()
	k.do(ActCancel)
	k.tellPrompt()
	for _, phase := range []string{"waiting", "slower", "offline", "ailing", "saving"} {
		k.tell(Outcome{ID: k.last(DoSignIn).ID, Kind: DoSignIn, Phase: phase})
		keep()
	}
	k.tellSignInFailure(DoSignIn, "file-failed", func(o *Outcome) { o.Approved = true })
	keep()
	k.do(ActRetry)
	k.tellSignedIn()
	k.do(ActBack)
	keep()
	for i, v := range screens {
		if v.Help != "wizard.help.signin" || v.Title.Msg.Key != "wizard.signin.title" {
			t.Errorf("screen %d is titled %v", i, v.Title)
		}
		for _, lang := range locale.All() {
			if text := spoken(v, lang, "postier"); strings.Contains(text, "<wizard.") || strings.Contains(text, "<oauth.") {
				t.Errorf("screen %d, %s:\n%s", i, lang, text)
			}
			if v.Busy != nil && strings.HasPrefix(v.Busy.Text.Say(lang, ""), "<") {
				t.Errorf("screen %d, %s waits without words: %v", i, lang, v.Busy.Text)
			}
		}
	}
}
