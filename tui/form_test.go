package tui

import (
	"testing"

	"postier/wizard"
)

// TestPasteIntoPort: a pasted port replaces a proposed one. Pasted words do not, and neither does anything once the
// person has edited the field.
func TestPasteIntoPort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id                  wizard.FieldID
		before, paste, want string
	}{
		{wizard.FieldSMTPPort, "", "587 AUTH:LOGIN CONN:STARTTLS\n", "587 AUTH:LOGIN CONN:STARTTLS"},
		{wizard.FieldSMTPPort, "", " AUTH:LOGIN", "465 AUTH:LOGIN"},
		{wizard.FieldSMTPPort, "1", "7", "46517"},
		{wizard.FieldSMTPHost, "", "1", "4651"},
	} {
		in := newInput(wizard.Field{ID: c.id, Kind: wizard.KindText, Value: "465"})
		in.entry.paste(c.before)
		in.paste(c.paste, speech{})
		if got := in.value(); got != c.want {
			t.Errorf("%s: %q after %q gives %q, want %q", c.id, c.paste, c.before, got, c.want)
		}
	}
}
