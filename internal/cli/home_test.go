package cli

import (
	"errors"
	"testing"

	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/wizard"
)

// TestTested: what a test came to is said of what it is about: the profile, somebody's address, or a profile that is
// switched off.
func TestTested(t *testing.T) {
	t.Parallel()
	unknown := &command.Error{Cause: check.CauseRecipientUnknown}
	refused := &command.Error{Cause: check.CauseRecipientUnknown, Recipient: "b@y.example"}
	for _, c := range []struct {
		enabled bool
		err     error
		level   wizard.Level
		want    string
	}{
		{true, nil, wizard.LevelGood, "durand works."},
		{
			false, nil, wizard.LevelWarn,
			"The checks of durand pass, but it is switched off: nothing is sent with it. s switches it on.",
		},
		{true, unknown, wizard.LevelFail, "The test of durand found: Recipient does not exist (R-38)"},
		{
			true, refused, wizard.LevelWarn,
			"durand works. The test message to b@y.example was refused: Recipient does not exist (R-38)",
		},
		{true, errors.New("disk"), wizard.LevelFail, "durand: something is wrong. Edit it to fix it."},
	} {
		got := tested("durand", c.enabled, c.err)
		if text := got.Text.Say(locale.English, "postier"); got.Level != c.level || text != c.want {
			t.Errorf("%s %q, want %s %q", got.Level, text, c.level, c.want)
		}
	}
}
