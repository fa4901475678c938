package presets

import (
	"slices"
	"testing"
)

// TestNewSentName: a new folder for sent mail speaks the language of the mailbox, with a name that is found again.
func TestNewSentName(t *testing.T) {
	t.Parallel()
	for want, folders := range map[string][]string{
		"Sent": {"INBOX", "Drafts"}, "Envoyés": {"INBOX", "Corbeille"}, "Gesendet": {"INBOX", "Entwürfe", "Papierkorb"},
	} {
		if got := NewSentName(folders); got != want {
			t.Errorf("%v: %s, want %s", folders, got, want)
		}
	}
	for beside, name := range sentBeside {
		if !slices.Contains(OtherNames(), beside) || !slices.Contains(SentNames(), name) {
			t.Errorf("%s next to %s: neither is recognised", name, beside)
		}
	}
}
