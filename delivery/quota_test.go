package delivery

import (
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/scripted"
)

// throughPlatform checks that the fallback got a message as D-5 wants it.
func (b *bench) throughPlatform(item *Item, try Try, cause check.Cause) {
	b.t.Helper()
	got := messages(b.platform)
	if try.State != StateSent || try.Instead != "durand" || len(got) != 1 {
		b.t.Fatalf("%+v, %d messages through the fallback", try, len(got))
	}
	for _, want := range []string{
		`From: "Cabinet Durand" <noreply@platform.example>`, "Reply-To: <" + author + ">", item.MessageID,
	} {
		if !strings.Contains(got[0], want) {
			b.t.Errorf("%q is missing in %q", want, got[0])
		}
	}
	if stored := b.stored(item.ID); stored.Profile != "platform" || stored.Instead != "durand" ||
		stored.InsteadFor != cause {
		b.t.Errorf("stored as of %s instead of %s for %q", stored.Profile, stored.Instead, stored.InsteadFor)
	}
	if p := b.load().Profiles["durand"]; !p.Enabled || p.Disabled != nil {
		b.t.Errorf("switched off: %+v", p.Disabled)
	}
}

// TestFallbackForAQuota (D-5, D-6): a provider that names its quota, in whichever step and by whichever class of reply,
// is not left to wait for: the message goes on through the fallback, the profile stays on, and the provider is asked
// again an hour later.
func TestFallbackForAQuota(t *testing.T) {
	t.Parallel()
	for step, reply := range map[string]string{
		"auth": "451 Authentication failed: Maximum credits exceeded",
		"MAIL": "550 5.4.5 Daily user sending limit exceeded",
		"RCPT": "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
		".":    "454 Throttling failure: Daily message quota exceeded.",
	} {
		b := newBench(t, scripted.Script{step: scripted.Reply(reply)}, nil)
		item := b.item()
		b.throughPlatform(item, b.first(item), check.CauseSendingQuotaExceeded)
		asked := commands(b.own, "EHLO")
		b.first(b.item())
		if n := commands(b.own, "EHLO"); n != asked || len(messages(b.platform)) != 2 {
			t.Errorf("%s: asked again at once (%d, %d)", step, asked, n)
		}
		b.clock.add(quotaPause + time.Second)
		b.first(b.item())
		if n := commands(b.own, "EHLO"); n == asked {
			t.Errorf("%s: not asked again", step)
		}
		if n := len(messages(b.platform)); n != 3 {
			t.Errorf("%s: %d messages through the fallback", step, n)
		}
	}
}

// TestFallbackForTheOwnLimit: the profile's own limit of a day or a week is a quota, that of an hour is a pace.
func TestFallbackForTheOwnLimit(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limits config.Limits
		quota  bool
	}{
		"day":   {config.Limits{PerDay: 1}, true},
		"week":  {config.Limits{PerWeek: 1}, true},
		"hour":  {config.Limits{PerHour: 1}, false},
		"batch": {config.Limits{Batch: config.Batch{Messages: 1, WaitSeconds: 60}}, false},
	} {
		b := newBench(t, nil, nil)
		b.change(func(f *config.File) { f.Profiles["durand"].Limits = row.limits })
		b.first(b.item())
		second := b.item()
		try := b.first(second)
		if row.quota {
			b.throughPlatform(second, try, check.CauseOwnLimitReached)
			continue
		}
		if try.State != StateWaiting || len(messages(b.platform)) != 0 {
			t.Errorf("%s: %+v", name, try)
		}
	}
}

// TestNoRoomAnywhere: without a fallback, and with one whose own quota is used up, messages wait as before; nothing
// goes in circles. The profile is not switched off, however often it is told.
func TestNoRoomAnywhere(t *testing.T) {
	t.Parallel()
	full := scripted.Script{"MAIL": scripted.Reply("550 5.4.5 Daily user sending limit exceeded")}
	for name, edit := range map[string]func(*config.File){
		"no fallback":      func(f *config.File) { f.Fallback = "" },
		"fallback is off":  func(f *config.File) { f.Profiles["platform"].Enabled = false },
		"fallback is full": func(*config.File) {},
	} {
		b := newBench(t, full, full)
		b.change(edit)
		item := b.item()
		try := b.first(item)
		for range 2 * failuresInARow {
			b.clock.add(quotaPause + time.Minute)
			b.must(b.queue.Retry(t.Context(), item.ID))
			b.run()
		}
		if try.State != StateWaiting || b.stored(item.ID).State != StateWaiting {
			t.Errorf("%s: %+v", name, try)
		}
		for profile, p := range b.load().Profiles {
			if p.Disabled != nil {
				t.Errorf("%s: %s was switched off: %+v", name, profile, p.Disabled)
			}
		}
	}
}

// TestDecideAroundAQuota: a dry run says what sending does, and a reset by hand ends it (P-4).
func TestDecideAroundAQuota(t *testing.T) {
	t.Parallel()
	r := Request{Author: "contact@durand.example", Recipients: []string{"a@b.example"}}
	full := map[string]Room{"durand": {By: windowDay, Next: time.Now().Add(time.Hour)}}
	facts := Facts{Room: func(profile string, _ config.Limits) Room { return full[profile] }}
	d := Decide(threeProfiles(), r, facts)
	if d.Profile != "platform" || d.Instead != "durand" || d.InsteadFor != check.CauseOwnLimitReached || !d.Room.Free() ||
		d.From == nil || d.ReplyTo != "reception@durand.example" {
		t.Errorf("%+v", d)
	}
	full["platform"] = Room{Refused: true}
	if d := Decide(threeProfiles(), r, facts); d.Profile != "durand" || d.Instead != "" || d.Room.Free() {
		t.Errorf("with a full fallback: %+v", d)
	}
	b := newBench(t, nil, nil)
	b.must(b.queue.Store.refusedForQuota(t.Context(), "durand"))
	refused := func() bool {
		room, err := b.queue.Store.Room(t.Context(), "durand", config.Limits{})
		b.must(err)
		return room.Refused
	}
	before := refused()
	_, err := b.queue.Store.ResetLimits(t.Context(), "durand")
	b.must(err)
	if !before || refused() {
		t.Errorf("before the reset %t", before)
	}
}

// TestTheFallbackKeepsTheRules: test mode, kinds and blind copies are those of the profile whose message it is (P-5,
// D-4, C-3).
func TestTheFallbackKeepsTheRules(t *testing.T) {
	t.Parallel()
	f := threeProfiles()
	p := f.Profiles["durand"]
	p.Enabled, p.Disabled = false, &config.Disabled{Cause: check.CauseWrongPassword}
	f.Profiles["platform"].BCC = []string{"all@platform.example"}
	r := Request{Author: "contact@durand.example", Recipients: []string{"a@b.example"}, Kind: "invoice"}
	if d := Decide(f, r, Facts{}); d.Profile != "platform" || len(d.BCC) != 1 || d.BCC[0] != p.BCC[0] {
		t.Errorf("%+v", d)
	}
	r.Kind = "quote"
	if d := Decide(f, r, Facts{}); d.Block != BlockKind {
		t.Errorf("a kind that is off: %+v", d)
	}
	r.Kind, p.TestMode = "", config.TestMode{Enabled: true, Address: "essai@durand.example"}
	if d := Decide(f, r, Facts{}); !d.TestMode || d.Recipients[0] != "essai@durand.example" {
		t.Errorf("test mode: %+v", d)
	}
}
