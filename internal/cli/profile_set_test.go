package cli

import (
	"strings"
	"testing"

	"postier/config"
)

func (o *office) profile() *config.Profile {
	o.t.Helper()
	doc, err := config.LoadValid(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	return doc.File.Profiles["durand"]
}

// TestSetWithoutAServer: what no server knows is changed without one, by the rules of the wizard, and the proof stays
// valid (P-4, P-5, D-4).
func TestSetWithoutAServer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.refusing() // a connection would fail
	o.prove()
	for _, row := range []struct {
		args []string
		done func(*config.Profile) bool
	}{
		{
			[]string{"profile", "test-mode", "durand", "on"},
			func(p *config.Profile) bool {
				return p.TestMode == config.TestMode{Enabled: true, Address: "contact@durand.example"}
			},
		},
		{
			[]string{"profile", "test-mode", "durand", "on", "essai@durand.example"},
			func(p *config.Profile) bool { return p.TestMode.Address == "essai@durand.example" },
		},
		{
			[]string{"profile", "test-mode", "durand", "off"},
			func(p *config.Profile) bool {
				return p.TestMode == config.TestMode{Address: "essai@durand.example"}
			},
		},
		{
			[]string{"profile", "kind", "durand", "invoice", "off"},
			func(p *config.Profile) bool { return !p.Kinds["invoice"] && len(p.Kinds) == 2 },
		},
		{
			[]string{"profile", "kind", "durand", "quote", "on"},
			func(p *config.Profile) bool { return p.Kinds["quote"] },
		},
		{
			[]string{"limits", "set", "durand", "--per-day", "90", "--batch-messages", "12", "--batch-wait", "15,5"},
			func(p *config.Profile) bool {
				return p.Limits == config.Limits{PerDay: 90, Batch: config.Batch{Messages: 12, WaitSeconds: 15.5}}
			},
		},
		{
			[]string{"profile", "set", "durand", "--reply-to", "office@durand.example", "--per-day", "0"},
			func(p *config.Profile) bool {
				return p.ReplyTo == "office@durand.example" && p.Limits.PerDay == 0 && p.Limits.Batch.Messages == 12
			},
		},
	} {
		if stdout, stderr := o.want(0, "", append([]string{"postier"}, row.args...)...); stdout+stderr != "" {
			t.Errorf("%v is not silent: %s%s", row.args, stdout, stderr)
		}
		if p := o.profile(); !row.done(p) || !p.Proven() {
			t.Errorf("%v: %+v, proven %v", row.args, p, p.Proven())
		}
	}
	before := *o.profile()
	for _, row := range []struct {
		code int
		args []string
		says string
	}{
		{64, []string{"profile", "test-mode", "durand", "maybe"}, "maybe"},
		{64, []string{"limits", "set", "durand"}, "--help"},
		{65, []string{"profile", "test-mode", "durand", "on", "nobody"}, "@"},
		{65, []string{"profile", "test-mode", "nobody", "on"}, "nobody"},
		{65, []string{"profile", "kind", "durand", "Quote", "on"}, "quote"},
		{65, []string{"profile", "set", "durand", "--reply-to", "a@b.example", "--per-day", "many"}, "--per-day"},
		{65, []string{"profile", "set", "durand", "--kinds-on", "quote", "--kinds-off", "quote"}, "quote"},
		{65, []string{"profile", "set", "durand", "--test-mode", "yes", "--test-address", ""}, "--test-address"},
	} {
		_, stderr := o.want(row.code, "", append([]string{"postier"}, row.args...)...)
		if !strings.Contains(stderr, row.says) {
			t.Errorf("%v says %q", row.args, stderr)
		}
		if p := o.profile(); p.ReplyTo != before.ReplyTo || p.Limits != before.Limits || p.TestMode != before.TestMode {
			t.Errorf("%v changed %+v", row.args, p)
		}
	}
}
