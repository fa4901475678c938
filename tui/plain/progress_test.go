package plain

import (
	"bytes"
	"strings"
	"testing"

	"postier/internal/locale"
	"postier/wizard"
)

// searching returns the screen of the provider step during a search.
func searching(host string, first wizard.ActionID) wizard.Screen {
	v := wizard.Screen{
		Step: wizard.StepProvider, Number: 2, Title: wizard.Literal("Provider"),
		Busy: &wizard.Busy{Request: 1, Text: wizard.Literal("going on")},
		Actions: []wizard.Action{
			{ID: first, Label: wizard.Literal("first")},
			{ID: wizard.ActCancel, Label: wizard.Literal("stop"), Key: 'x'},
		},
	}
	if host != "" {
		v.Facts = []wizard.Fact{{Label: wizard.Literal("Sending"), Value: wizard.Literal(host)}}
	}
	return v
}

// TestSearchByLines: the best candidate is printed whenever it changes, and an empty line accepts it.
func TestSearchByLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := &dialog{printer: printer{out: &out, lang: locale.English, product: "postier"}, input: &input{terminal: true}}
	none, one, other := searching("", wizard.ActCancel), searching("smtp.one.example", wizard.ActNext),
		searching("smtp.other.example", wizard.ActNext)
	d.progress(none, none)
	d.progress(none, one)
	d.progress(one, one)
	d.progress(one, other)
	if got := out.String(); strings.Count(got, "smtp.one.example") != 1 || strings.Count(got, "smtp.other.example") != 1 ||
		strings.Count(got, "Enter = first") != 2 {
		t.Errorf("printed:\n%s", got)
	}
	out.Reset()
	d.input.terminal = false
	if d.progress(none, one); out.Len() != 0 {
		t.Errorf("a pipe gets what may change: %s", out.String())
	}
	doubted := searching("smtp.one.example", wizard.ActChoose)
	listed := one
	listed.Fields = []wizard.Field{{ID: wizard.FieldProvider, Kind: wizard.KindChoice}}
	for name, tt := range map[string]struct {
		screen wizard.Screen
		typed  string
		want   wizard.ActionID
	}{
		"nothing known":  {none, "", ""},
		"taken":          {one, "", wizard.ActNext},
		"stopped":        {one, "x", wizard.ActCancel},
		"back":           {one, "<", wizard.ActBack},
		"doubted":        {doubted, "", ""},
		"several":        {listed, "", ""},
		"something else": {one, "what?", ""},
	} {
		if got := busyAction(tt.screen, tt.typed); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestFoundOnce: what a search found is printed once, also where it goes on and ends with the same; what is found later
// is printed in its place.
func TestFoundOnce(t *testing.T) {
	t.Parallel()
	found := func(name string) wizard.Screen {
		return wizard.Screen{
			Step:  wizard.StepProvider,
			Facts: []wizard.Fact{{Label: wizard.Literal("Provider"), Value: wizard.Literal(name)}},
		}
	}
	var out strings.Builder
	p := &printer{out: &out, lang: locale.English}
	p.facts(found("one"), wizard.Screen{Step: wizard.StepProvider})
	p.facts(found("one"), found("one"))
	p.facts(found("two"), found("one"))
	want := "  Provider: one\nThe search has ended: that is what it found.\n  Provider: two\n"
	if got := out.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
