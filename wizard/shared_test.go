package wizard

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/presets"
)

// sharedWalk plays a conversation with these secrets, of which the first is refused, and returns what a helper sees of
// it, screen by screen.
func sharedWalk(t *testing.T, first, second, shaped string) string {
	t.Helper()
	var out strings.Builder
	k := byHand(t, Options{})
	look := func() {
		data, err := json.Marshal(k.s.Screen().Shared(k.s.Mask))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		out.WriteByte('\n')
	}
	look()
	k.password(first)
	look()
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret, func(r *Report) {
		r.Reply = safetext.FromRemote("535 5.7.8 no: " + first + " is wrong")
		r.Brief = safetext.FromRemote("AUTH PLAIN " + secret.New(first).Forms("contact@durand.example")[1])
		r.Details = []string{"S: 535 5.7.8 no: " + first + " is wrong"}
		r.Meaning = Msg("oauth.prompt.done", "account", safetext.FromRemote(first))
		r.Fixes = []check.Fix{{Kind: "command", Name: first, Value: first, Old: first}}
	})
	look()
	k.do(ActFix)
	look()
	k.password(second + " ")
	look()
	k.do(ActKeep)
	k.passes(DoSubmission)
	look()
	k.enter()
	k.passes(DoSent)
	look()
	k.enter()
	k.passes(DoDNS)
	look()
	k.enter()
	k.passes(DoTest)
	look()
	k.enter()
	look()
	k.enter()
	look()
	k.enter()
	look()
	k.tellSaved()
	look()
	k = known(t, Options{})
	k.password(shaped)
	look()
	return out.String()
}

// TestNothingSecretIsShared: what a helper sees of a whole conversation is the same octet for octet, whatever the
// secrets are and however long, so it tells neither.
func TestNothingSecretIsShared(t *testing.T) {
	t.Parallel()
	short := sharedWalk(t, "kanarienvogel", "nachtigall", "zaunkoenig")
	long := sharedWalk(t, "kanarienvogel-"+strings.Repeat("7", 200), "nachtigall-"+strings.Repeat("9", 77),
		"zaunkoenig-mit-sechzehn-und-mehr-buchstaben")
	if short != long {
		a, b := strings.Split(short, "\n"), strings.Split(long, "\n")
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("screen %d differs with the secret:\n%s\n%s", i, a[i], b[i])
			}
		}
	}
	for _, value := range []string{"kanarienvogel", "nachtigall", "zaunkoenig"} {
		for _, form := range secret.New(value).Forms("contact@durand.example") {
			if strings.Contains(short, form) {
				t.Errorf("a helper sees %q", form)
			}
		}
	}
}

// fillIn puts foreign text into everything of a screen that could hold some.
func fillIn(v reflect.Value, text string) {
	switch v.Type() {
	case reflect.TypeFor[Words]():
		v.Set(reflect.ValueOf(Words{
			Msg: locale.Msg("oauth.prompt.done", "account", safetext.FromRemote(text)), Remote: safetext.FromRemote(text),
		}))
		return
	case reflect.TypeFor[safetext.Remote]():
		v.Set(reflect.ValueOf(safetext.FromRemote(text)))
		return
	case reflect.TypeFor[presets.Text](), reflect.TypeFor[time.Duration]():
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillIn(v.Field(i), text)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillIn(v.Index(i), text)
		}
	case reflect.String:
		v.SetString(text)
	}
}

// ours are the texts of a screen that no server and no check writes: names of ours, and what the person entered in the
// open.
var ours = []string{
	"Step", "Help", "Level", "ID", "Status", "Cause", "Code", "Matched", "Who", "Retry", "Field", "Kind", "Value",
	"kind", "Change", "PassedOver",
}

// TestForeignTextIsMasked: each part of a screen in which foreign text can stand is masked, also one that is added to
// the screen later.
func TestForeignTextIsMasked(t *testing.T) {
	t.Parallel()
	const canary = "kanarienvogel"
	var v Screen
	fillIn(reflect.ValueOf(&v).Elem(), canary)
	shared := v.Shared(func(text string) string { return strings.ReplaceAll(text, canary, "***") })
	data, err := json.Marshal(shared)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	seek(tree, "", canary, found)
	for _, name := range ours {
		delete(found, name)
	}
	if len(found) > 0 {
		t.Errorf("foreign text is not masked in %v", found)
	}
	fields := v.Fields
	fields[0].Kind = KindSecret
	if got := v.Shared(strings.ToUpper).Fields[0]; got.Value != "" || got.Error.Msg.Key != "wizard.shared.secret" {
		t.Errorf("of a secret is shared %+v", got)
	}
}

// seek collects the names under which a text stands.
func seek(tree any, name, text string, found map[string]bool) {
	switch tree := tree.(type) {
	case map[string]any:
		for key, value := range tree {
			seek(value, key, text, found)
		}
	case []any:
		for _, value := range tree {
			seek(value, name, text, found)
		}
	case string:
		if strings.Contains(tree, text) {
			found[name] = true
		}
	}
}

// TestWordsCross: words that crossed say the same in every language.
func TestWordsCross(t *testing.T) {
	t.Parallel()
	for _, words := range []Words{
		{},
		Literal("anna@example.org"), Remote("server\x1b[2J\xff"), Msg("wizard.credential.honest"),
		Msg("wizard.action.fix.submission", "number", 6),
		Msg("oauth.prompt.done", "account", Remote("evil\u202e").Remote),
		Translated(presets.Text{locale.English: "one", locale.French: "un", locale.German: "eins"}),
	} {
		data, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		var crossed Words
		if err := json.Unmarshal(data, &crossed); err != nil {
			t.Fatal(err)
		}
		for _, lang := range locale.All() {
			if got, want := crossed.Say(lang, "postier"), words.Say(lang, "postier"); got != want {
				t.Errorf("%s: %q became %q", lang, want, got)
			}
		}
		if crossed.Empty() != words.Empty() {
			t.Errorf("%s: empty is %v", data, crossed.Empty())
		}
	}
}
