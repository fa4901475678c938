package setup

import (
	"testing"

	"postier/internal/cli/command"
	"postier/presets/vendor"
	"postier/wizard"
)

// TestHotmailWithTheVendorsClient (M-9): with a client id in the vendor file, an address that no password opens is not
// a dead end: step 2 goes on, to the sign-in by browser.
func TestHotmailWithTheVendorsClient(t *testing.T) {
	t.Parallel()
	f := command.NewFactory(command.Streams{Getenv: func(string) string { return "" }}, "")
	step := func() wizard.Step {
		s, _ := wizard.New(wizard.Options{
			Book: f.Book(), Product: "Dayboard", Today: "2026-11-29", Address: "marie@hotmail.fr",
			Clients: ClientFlags{}.clients(f),
		})
		for range 4 {
			v := s.Screen()
			if v.Step == wizard.StepCredential {
				break
			}
			values := map[wizard.FieldID]string{}
			for _, field := range v.Fields {
				values[field.ID] = field.Value
			}
			s, _ = s.Answer(wizard.Answer{Action: wizard.ActNext, Values: values})
		}
		return s.Screen().Step
	}
	if got := step(); got != wizard.StepProvider {
		t.Errorf("without a client it goes on to %s", got)
	}
	f.Vendor = &vendor.File{OAuth: map[string]vendor.OAuthClient{"microsoft": {ClientID: "m"}}}
	if got := step(); got != wizard.StepCredential && got != wizard.StepPrepare {
		t.Errorf("with one it stays at %s", got)
	}
}
