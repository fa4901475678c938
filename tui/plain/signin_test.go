package plain

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/wizard"
	"postier/wizard/carrier"
)

// browserRehearsal starts a rehearsal with a provider that accepts sign-ins by browser and no passwords.
func browserRehearsal(t *testing.T, fault string, lang locale.Lang, address bool) (rehearsed, *bytes.Buffer, string) {
	t.Helper()
	o, provider, path := rehearsalWith(t,
		rehearsal.Options{Lang: lang, Fault: fault, OAuth: true, Approval: time.Millisecond})
	o.begin.Clients = map[string]wizard.Client{rehearsal.OAuthName: {ID: rehearsal.OAuthClient}}
	if address {
		o.begin.Address = provider.Address
	}
	out := &bytes.Buffer{}
	o.Out = out
	return o, out, path
}

var tokens = regexp.MustCompile(`\b[ar]t-[A-Z2-7]{20,}`)

// noToken checks that tokens are in their own file and nowhere else.
func noToken(t *testing.T, out, path string) {
	t.Helper()
	if tokens.MatchString(out) {
		t.Error("the output holds a token")
	}
	if data, err := os.ReadFile(path); err == nil && tokens.Match(data) {
		t.Error("the configuration holds a token")
	}
}

// TestSignInByLines is a whole setup on plain lines in French: the address alone on its line, the code, the warning,
// and a profile that refers to the sign-in.
func TestSignInByLines(t *testing.T) {
	t.Parallel()
	o, out, path := browserRehearsal(t, "", locale.French, false)
	o.In = strings.NewReader(rehearsal.Address + strings.Repeat("\n", 12))
	if err := Run(t.Context(), o.options(t)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := out.String()
	for _, want := range []string{
		"Ne saisissez jamais un code que quelqu’un vous a envoyé.", "\nhttps://" + rehearsal.LoginHost + "/device\n",
		"\nSaisissez-y ce code",
		"Connecté en tant que " + rehearsal.Address, "Étape 12 sur 12",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if !regexp.MustCompile(`\n[B-Z]{4}-[B-Z]{4}\n`).MatchString(text) {
		t.Errorf("no code alone on a line:\n%s", text)
	}
	noToken(t, text, path)
	doc, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c := doc.File.Profiles[doc.File.Default].Credential
	if c.Kind != config.CredentialOAuth || c.Provider != rehearsal.OAuthName || c.ClientID != rehearsal.OAuthClient {
		t.Errorf("%+v", c)
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(path), c.Path)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// TestUnattendedSignIn: an unattended run begins a sign-in only when Options.SignIn is set. It uses one that was made
// before, and ends with the cause of each rehearsed failure.
func TestUnattendedSignIn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "oauth-declined", "oauth-expired", "oauth-wrong-account"} {
		t.Run("fault "+name, func(t *testing.T) {
			t.Parallel()
			o, out, path := browserRehearsal(t, name, locale.English, true)
			o.SignIn = true
			fault, _ := rehearsal.FindFault(name)
			var stopped *Stopped
			err := Unattended(t.Context(), o.options(t))
			switch {
			case name == "" && err != nil:
				t.Errorf("%v\n%s", err, out)
			case name != "" && (!errors.As(err, &stopped) || stopped.Finding == nil ||
				string(stopped.Finding.Cause) != string(fault.Cause) ||
				stopped.Step != wizard.StepCredential):
				t.Errorf("%v\n%s", err, out)
			case name != "" && !strings.Contains(out.String(), "["+string(fault.Cause)+"]"):
				t.Errorf("no [%s] in\n%s", fault.Cause, out)
			}
			noToken(t, out.String(), path)
		})
	}
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		o, out, path := browserRehearsal(t, "", locale.English, true)
		var stopped *Stopped
		err := Unattended(t.Context(), o.options(t))
		if !errors.As(err, &stopped) || !stopped.SignIn || stopped.Step != wizard.StepCredential || stopped.Finding != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(out.String(), rehearsal.LoginHost) {
			t.Error("a code was asked for")
		}
		// A person signs in and leaves at the next step; the unattended run uses that sign-in.
		o.In = strings.NewReader("\n\n\n")
		if err := Run(t.Context(), o.options(t)); !errors.Is(err, carrier.ErrInterrupted) {
			t.Fatal(err)
		}
		if err := Unattended(t.Context(), o.options(t)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		doc, err := config.Load(path)
		if err != nil || doc.File.Profiles[doc.File.Default].Credential.Kind != config.CredentialOAuth {
			t.Errorf("%v", err)
		}
		noToken(t, out.String(), path)
	})
}
