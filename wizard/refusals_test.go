package wizard

import (
	"strings"
	"testing"

	"postier/internal/locale"
)

// TestRefusedSecrets: the first refusal shows hints, the second warns of the lock-out, with the provider's duration
// where it is known.
func TestRefusedSecrets(t *testing.T) {
	t.Parallel()
	refuse := func(k *driver, secret string) {
		k.t.Helper()
		k.password(secret)
		k.at(StepSubmission)
		k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
		k.do(ActFix)
		k.at(StepCredential)
	}
	for address, want := range map[string]struct{ key, text string }{
		"marie@gmail.com": {"wizard.credential.lockout", "15 to 60 minutes"},
		"marie@yahoo.com": {"wizard.credential.lockout-known", "15 to 30 minutes"},
	} {
		k := known(t, Options{Address: address})
		if k.said("wizard.credential.keyboard") {
			t.Errorf("%s: a hint before anything was refused", address)
		}
		refuse(k, "abcdefghijklmnop")
		k.says("wizard.credential.keyboard")
		if k.said(want.key) {
			t.Errorf("%s: the lock-out is named after one refusal", address)
		}
		refuse(k, "ponmlkjihgfedcba")
		k.says("wizard.credential.keyboard")
		k.says(want.key)
		for _, n := range k.s.Screen().Notices {
			if n.Text.Msg.Key == want.key &&
				(n.Level != LevelWarn || !strings.Contains(n.Text.Say(locale.English, ""), want.text)) {
				t.Errorf("%s: %s %s", address, n.Level, n.Text.Say(locale.English, ""))
			}
		}
		// An accepted password sets the count to zero.
		k.password("aaaabbbbccccdddd")
		k.passes(DoSubmission)
		k.do(ActBack)
		k.at(StepCredential)
		if k.said("wizard.credential.keyboard") || k.said(want.key) {
			t.Errorf("%s: still warned after the secret was accepted", address)
		}
	}
	// Another address starts a count of its own.
	k := known(t, Options{Address: "marie@gmail.com"})
	refuse(k, "abcdefghijklmnop")
	for k.s.Step() != StepAddress {
		k.do(ActBack)
	}
	k.do(ActNext, "address", "paul@gmail.com")
	k.enter()
	k.enter()
	k.at(StepCredential)
	if k.said("wizard.credential.keyboard") {
		t.Error("the refusals of another account count")
	}
	// A failure that is not about the secret does not count.
	k = known(t, Options{Address: "marie@gmail.com"})
	k.password("abcdefghijklmnop")
	k.fails(DoSubmission, "net.connect", "connection-refused", StepServer, FieldSMTPPort)
	k.do(ActBack)
	k.at(StepCredential)
	if k.said("wizard.credential.keyboard") {
		t.Error("a refused connection counts as a refused secret")
	}
}
