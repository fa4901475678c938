package plain

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/wizard"
)

// runUnattended runs Unattended against a demo with a fault, with values given beforehand.
func runUnattended(t *testing.T, fault string, values map[wizard.FieldID]string) (stopped *Stopped, out string,
	path string,
) {
	t.Helper()
	o, provider, path := rehearse(t, fault, locale.English)
	o.begin.Address, o.begin.Secret, o.begin.Values = provider.Address, provider.Typed, values
	var b bytes.Buffer
	o.Out = &b
	err := Unattended(t.Context(), o.options(t))
	if err != nil && !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	return stopped, b.String(), path
}

// TestUnattendedValues: values from flags reach the profile without a question.
func TestUnattendedValues(t *testing.T) {
	t.Parallel()
	stopped, out, path := runUnattended(t, "", map[wizard.FieldID]string{
		wizard.FieldFrom: rehearsal.Alias, wizard.FieldHelo: "pc.atelier-demo.example",
		wizard.FieldSMTPPort: "587 CONN:STARTTLS LIMITE:12 WAIT:15.5",
		wizard.FieldSentCopy: "append", wizard.FieldLabel: "Atelier", wizard.FieldFromName: "Marie",
		wizard.FieldReplyTo: "r@atelier-demo.example",
		wizard.FieldBCC:     "b@atelier-demo.example", wizard.FieldSenders: "atelier-demo.example",
		wizard.FieldKindsOn: "invoice", wizard.FieldKindsOff: "quote",
		wizard.FieldPerDay: "500", wizard.FieldTestMode: wizard.Yes, wizard.FieldTestAddress: "t@atelier-demo.example",
		wizard.FieldKeep: wizard.KeepAsk,
	})
	if stopped != nil {
		t.Fatalf("%v\n%s", stopped, out)
	}
	doc, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	p := doc.File.Profiles[doc.File.Default]
	if !p.Proven() {
		t.Error("not proven")
	}
	p.Validated = nil
	want := &config.Profile{
		Label: "Atelier", Enabled: true, Provider: p.Provider, From: config.Address{Name: "Marie", Address: rehearsal.Alias},
		ReplyTo: "r@atelier-demo.example",
		BCC:     []string{"b@atelier-demo.example"}, Senders: []string{"atelier-demo.example"},
		Kinds: map[string]bool{"invoice": true, "quote": false},
		Submission: config.Server{
			Host: rehearsal.SMTPHost, Port: 587, Security: config.SecurityStartTLS,
			Auth: config.MechanismAuto, Username: rehearsal.Address, Helo: "pc.atelier-demo.example",
		},
		Credential: config.Credential{Kind: config.CredentialAsk, Type: config.SecretAppPassword},
		SentCopy: config.SentCopy{Mode: config.SentAppend, Folder: "Sent", IMAP: &config.Server{
			Host: rehearsal.IMAPHost, Port: 993, Security: config.SecurityTLS, Auth: config.MechanismAuto,
			Username: rehearsal.Address,
		}},
		Limits:   config.Limits{PerDay: 500, Batch: config.Batch{Messages: 12, WaitSeconds: 15.5}},
		TestMode: config.TestMode{Enabled: true, Address: "t@atelier-demo.example"},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("\n%+v\n%+v", p, want)
	}
}

// TestUnattendedWrongValues: an invalid value ends the run at its step, with the name of the field and without a
// configuration.
func TestUnattendedWrongValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field wizard.FieldID
		value string
		step  wizard.Step
	}{
		{wizard.FieldFrom, "nobody", wizard.StepAddress},
		{wizard.FieldProvider, "no-such", wizard.StepProvider},
		{wizard.FieldSMTPPort, "587 AUTH:MAGIC", wizard.StepServer},
		{wizard.FieldIMAPPort, "x", wizard.StepServer},
		{wizard.FieldSentCopy, "perhaps", wizard.StepSent},
		{wizard.FieldPerHour, "many", wizard.StepOptions},
		{wizard.FieldTestAddress, "x", wizard.StepOptions},
	} {
		t.Run(string(c.field), func(t *testing.T) {
			t.Parallel()
			stopped, _, path := runUnattended(t, "", map[wizard.FieldID]string{c.field: c.value})
			if stopped == nil || stopped.Step != c.step || stopped.Field != c.field || stopped.Saved {
				t.Errorf("%+v", stopped)
			}
			if _, err := config.Load(path); err == nil {
				t.Error("a configuration was written")
			}
		})
	}
}

// TestUnattendedFaults: each fault ends in its cause, printed as [cause]. A fault that only others can fix does not
// keep the run from saving.
func TestUnattendedFaults(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"wrong-password", "greylisted", "no-sent-folder", "append-refused", "spf-wrong", "dkim-revoked", "junk",
		"sent-by-server", "delivery-unknown", "message-too-large",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault, _ := rehearsal.FindFault(name)
			stopped, out, path := runUnattended(t, name, nil)
			if !strings.Contains(out, "["+string(fault.Cause)+"]") {
				t.Errorf("no [%s] in:\n%s", fault.Cause, out)
			}
			cause, _ := explain.Cause(fault.Cause)
			_, err := config.Load(path)
			saved := err == nil
			switch {
			case cause.Exit == 0 && stopped != nil:
				t.Errorf("a warning stops: %v", stopped)
			case cause.Exit != 0 && (stopped == nil || string(stopped.Finding.Cause) != string(fault.Cause) ||
				stopped.Saved != saved):
				t.Errorf("stopped %+v, saved %v", stopped, saved)
			case saved != (cause.Exit == 0 || strings.HasPrefix(string(fault.Check), "dns.")):
				t.Errorf("saved is %v", saved)
			}
		})
	}
}
