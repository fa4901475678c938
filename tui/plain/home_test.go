package plain

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
)

func twoProfiles() []home.Item {
	return []home.Item{
		{Name: "durand", Label: "Cabinet\x1b[2J", Address: "contact@durand.example", Default: true, Enabled: true},
		{
			Name: "news", Address: "news@durand.example", Fallback: true, Fixable: true,
			Trouble: wizard.Literal("blocked (A-17)"), Next: wizard.Msg("cli.home.repair"),
		},
	}
}

// TestHome: the plain lines of the home screen have what the drawn one has.
func TestHome(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		typed string
		want  home.Choice
		err   error
	}{
		{"m\n", home.Choice{Action: home.TestMode, Profile: "durand"}, nil},
		{"2\nl\n", home.Choice{Action: home.Limits, Profile: "news"}, nil},
		{"c\n2\nc\n", home.Choice{Action: home.Fix, Profile: "news"}, nil},
		{"s\n", home.Choice{Action: home.Disable, Profile: "durand"}, nil},
		{"2\nf\n", home.Choice{Action: home.NoFallback, Profile: "news"}, nil},
		{"?\nnonsense\n=\nb\n", home.Choice{Action: home.Suppress, Profile: "durand", Lang: locale.French}, nil},
		{"x\nno\nx\nyes\n", home.Choice{Action: home.Delete, Profile: "durand"}, nil},
		{"d\nq\n", home.Choice{Action: home.Quit}, nil},
		{"", home.Choice{Action: home.Quit}, carrier.ErrInterrupted},
	} {
		var out bytes.Buffer
		got, err := Home(t.Context(), HomeOptions{
			Items: twoProfiles(), Lang: locale.English, In: strings.NewReader(row.typed), Out: &out,
		})
		if row.want.Lang == "" {
			row.want.Lang = locale.English
		}
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%q: %+v, %v\n%s", row.typed, got, err, out.String())
		}
		for _, want := range []string{"1. Cabinet", "2. news", "FAIL, blocked (A-17)"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q: no %q in %s", row.typed, want, out.String())
			}
		}
		if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "<home.") {
			t.Errorf("%q: %q", row.typed, out.String())
		}
	}
}

// TestAsk: a page takes only its own lines, so that what was typed ahead is for whoever asks next.
func TestAsk(t *testing.T) {
	t.Parallel()
	p := &config.Profile{From: config.Address{Address: "contact@durand.example"}, Kinds: map[string]bool{"quote": false}}
	save := func(values map[wizard.FieldID]string) map[wizard.FieldID]wizard.Words {
		return wizard.SetOptions(p, values)
	}
	in := strings.NewReader("yes\nessai\nyes\nessai@durand.example\nyes\n\n50\n\n\n\n\n\n")
	var out bytes.Buffer
	for _, page := range []*home.Page{
		home.NewTestMode("durand", p, save), home.NewKinds("durand", p, save), home.NewLimits("durand", p, save, nil),
	} {
		lang, err := Ask(t.Context(), PageOptions{Page: page, Lang: locale.English, In: in, Out: &out})
		if err != nil || !page.Saved() || lang != locale.English {
			t.Fatalf("%v, saved %v\n%s", err, page.Saved(), out.String())
		}
	}
	if p.TestMode.Address != "essai@durand.example" || !p.TestMode.Enabled || !p.Kinds["quote"] || p.Limits.PerHour != 50 {
		t.Errorf("%+v\n%s", p, out.String())
	}
	if in.Len() != 0 {
		t.Errorf("%d octets are left\n%s", in.Len(), out.String())
	}
}

// TestAskFromAList: the newest messages have numbers, and a message is sent again only by its own letter.
func TestAskFromAList(t *testing.T) {
	t.Parallel()
	log := home.NewLog("durand", []home.Sent{
		{ID: "a1", Line: wizard.Literal("Invoice 118")}, {ID: "a2", Line: wizard.Literal("Invoice 117")},
	})
	var out bytes.Buffer
	_, err := Ask(t.Context(), PageOptions{
		Page: log, Lang: locale.English, In: strings.NewReader("2\n/r\n"), Out: &out,
	})
	if err != nil || !log.Saved() || log.Values()[home.FieldMessage] != "a2" || log.Values()[home.FieldResend] != "" {
		t.Errorf("%v: %v\n%s", err, log.Values(), out.String())
	}
}

// TestAskTheWatch (D-8): the same settings on plain lines. The URL is read unseen, and nothing shows it.
func TestAskTheWatch(t *testing.T) {
	t.Parallel()
	var kept config.Watch
	watching := home.Watching{
		Facts:    []wizard.Fact{{Label: wizard.Msg("home.watch.state"), Value: wizard.Msg("watch.state.failing")}},
		Notice:   wizard.Msg("watch.set.unkept", "command", "postier service install"),
		Settings: config.Watch{EveryHours: 24, Notify: []string{"https://hooks.example/S3cret"}},
		Save:     func(w config.Watch) wizard.Words { kept = w; return wizard.Words{} },
	}
	for _, row := range []struct {
		typed string
		tried bool
		want  string
	}{
		{
			"yes\n6\nboss@durand.example\nhttps://other.example/T0ken\n", false,
			"{6 [boss@durand.example https://other.example/T0ken] [] []}",
		},
		{"no\n\n\n\n", false, "{0 [https://hooks.example/S3cret] [] []}"},
		{"/c\n", true, "{24 [https://hooks.example/S3cret] [] []}"},
	} {
		page := home.NewWatch("durand", watching)
		var out bytes.Buffer
		_, err := Ask(t.Context(), PageOptions{Page: page, Lang: locale.French, In: strings.NewReader(row.typed), Out: &out})
		if err != nil || !page.Saved() || page.Tried() != row.tried || fmt.Sprint(kept) != row.want {
			t.Errorf("%q: %v, tried %v, %v\n%s", row.typed, err, page.Tried(), kept, out.String())
		}
		for _, want := range []string{"ne fonctionne pas", "postier service install"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in %s", want, out.String())
			}
		}
		if strings.Contains(out.String(), "S3cret") || strings.Contains(out.String(), "T0ken") {
			t.Errorf("a secret is shown: %s", out.String())
		}
	}
}
