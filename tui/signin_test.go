package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
	"postier/wizard"
)

// signInWalk goes through the sign-in by browser of a Microsoft account, as a worker and a person would.
func signInWalk(t *testing.T) []stop {
	t.Helper()
	w := &walker{t: t}
	w.state, w.asked = wizard.New(wizard.Options{
		Today: "2026-11-21", ConfigPath: "/home/marie/.config/postier/config.json", Address: "marie.durand@outlook.com",
		Clients: map[string]wizard.Client{"microsoft": {ID: "11111111-2222-4333-8444-555555555555"}},
	})
	w.answer(wizard.ActNext)
	w.at(wizard.StepProvider)
	w.keep("signin-provider")
	w.answer(wizard.ActNext)
	w.at(wizard.StepPrepare)
	w.answer(wizard.ActNext)
	w.at(wizard.StepCredential)
	w.tell(wizard.Outcome{ID: w.request(wizard.DoSignInFind).ID, Kind: wizard.DoSignInFind, Done: true})
	w.keep("signin-offer")
	w.prompt(wizard.ActSignIn, &wizard.SignInPrompt{
		Flow: presets.FlowDevice, URL: "https://microsoft.com/devicelogin", Code: "F7WKQX3RM",
		QR: "https://microsoft.com/devicelogin", Lasts: 15 * time.Minute,
	})
	w.keep("signin-code")
	w.tell(wizard.Outcome{
		ID: w.request(wizard.DoSignIn).ID, Kind: wizard.DoSignIn, Done: true, Err: wizard.Msg("oauth.problem.denied"),
		Reports: []wizard.Report{withWords(wizard.Report{
			ID: "oauth.sign-in", Status: check.Fail, Cause: "oauth-denied",
			Reply: wizard.Remote("access_denied: the person declined").Remote,
		})},
	})
	w.keep("signin-declined")
	w.prompt(wizard.ActPaste, &wizard.SignInPrompt{
		Flow: presets.FlowCode, Lasts: 15 * time.Minute, Redirect: "http://127.0.0.1:50123/",
		URL: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize" +
			"?client_id=11111111-2222-4333-8444-555555555555&code_challenge=" +
			strings.Repeat("x", 43) +
			"&code_challenge_method=S256&redirect_uri=http%3A%2F%2F127.0.0.1%3A50123%2F&response_type=code&state=" +
			strings.Repeat("y", 26),
	})
	w.keep("signin-paste")
	w.answer(wizard.ActNext, "secret", "https://elsewhere.example/")
	w.tell(wizard.Outcome{
		ID: w.request(wizard.DoSignIn).ID, Kind: wizard.DoSignIn, Done: true, Again: true,
		Err: wizard.Msg("oauth.problem.no_code"),
	})
	w.keep("signin-paste-again")
	w.answer(wizard.ActNext, "secret", "http://127.0.0.1:50123/?code=c&state=s")
	made := w.request(wizard.DoSignIn).SignIn
	made.Pending, made.Account = true, "marie.durand@outlook.com"
	w.tell(wizard.Outcome{ID: w.request(wizard.DoSignIn).ID, Kind: wizard.DoSignIn, Done: true, SignIn: &made})
	w.at(wizard.StepSubmission)
	w.answer(wizard.ActBack)
	w.keep("signin-done")
	return w.stops
}

// prompt begins a sign-in and tells the wizard the provider's prompt.
func (w *walker) prompt(action wizard.ActionID, p *wizard.SignInPrompt) {
	w.t.Helper()
	w.answer(action)
	w.tell(wizard.Outcome{ID: w.request(wizard.DoSignInBegin).ID, Kind: wizard.DoSignInBegin, Done: true, Prompt: p})
}

// TestGoldenSignIn compares the screens of the sign-in by browser with their approved files.
func TestGoldenSignIn(t *testing.T) {
	t.Parallel()
	for _, s := range signInWalk(t) {
		for _, lang := range locale.All() {
			for _, size := range sizes {
				name := fmt.Sprintf("%s-%s-%dx%d", s.name, lang, size.width, size.height)
				d := converse(t, s.state, lang, size.width, size.height)
				golden(t, name, d.view(), size.width, size.height)
			}
		}
	}
}

// TestCodeOnOneScreen: at 80x24, in every language, the page, the code, the warning and the time left are visible
// without scrolling. The address is whole and alone on its line; one key copies it and another shows it as a QR code.
func TestCodeOnOneScreen(t *testing.T) {
	t.Parallel()
	var code stop
	for _, s := range signInWalk(t) {
		if s.name == "signin-code" {
			code = s
		}
	}
	for lang, warning := range map[locale.Lang]string{
		locale.English: "Never enter a code that someone sent you.",
		locale.French:  "Ne saisissez jamais un code que quelqu’un vous a envoyé.",
		locale.German:  "Geben Sie nie einen Code ein",
	} {
		now := noon
		d := converse(t, code.state, lang, 80, 24)
		d.model.now = func() time.Time { return now }
		lines := strings.Split(d.view(), "\n")
		alone := false
		for _, l := range lines {
			alone = alone || strings.TrimSpace(l) == "https://microsoft.com/devicelogin"
		}
		if !alone {
			t.Errorf("%s: the address is not alone on a line:\n%s", lang, d.view())
		}
		d.shows("F7WKQX3RM")
		d.shows(warning)
		d.shows("marie.durand@outlook.com")
		d.shows("15:00")
		now = now.Add(61 * time.Second)
		d.shows("13:59")
		d.keys("enter") // another Enter must not stop the sign-in
		d.shows("F7WKQX3RM")
		d.keys("q")
		if v := d.view(); !strings.Contains(v, "▀") {
			t.Errorf("%s: no picture:\n%s", lang, v)
		}
		d.keys("esc", "c", "c")
		if d.clipboard != "https://microsoft.com/devicelogin" {
			t.Errorf("%s: copied %q", lang, d.clipboard)
		}
	}
}

// TestPictureOfCode: the QR code holds the address that includes the code where the provider has one; the screen shows
// the short address.
func TestPictureOfCode(t *testing.T) {
	t.Parallel()
	c := copyable{text: "https://a.example/device", picture: "https://a.example/device?code=X"}
	if c.code() != c.picture || c.clipboard() != c.text || (copyable{text: "x"}).code() != "x" {
		t.Errorf("%q %q", c.code(), c.clipboard())
	}
	if got := (copyable{text: "x", picture: "https://a.example/\x1b"}).code(); strings.ContainsRune(got, '\x1b') {
		t.Errorf("%q", got)
	}
}
