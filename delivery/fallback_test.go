package delivery

import (
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/scripted"
)

// TestFallbackSpeaksTheSameEarlyAndLate: a message that goes through the fallback from the start says the same as one
// that is turned to it while it waits (D-5).
func TestFallbackSpeaksTheSameEarlyAndLate(t *testing.T) {
	t.Parallel()
	const header = "To: client@customer.example\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nMessage-ID: <1@durand.example>\n"
	for _, row := range []struct{ name, from, author, replyTo string }{
		{"own address", "Marie <marie@durand.example>", "marie@durand.example", ""},
		{"no name", "marie@durand.example", "marie@durand.example", ""},
		{"answers elsewhere", "Marie <marie@durand.example>", "marie@durand.example", "office@durand.example"},
		{"an address of the fallback", "Shared <shared@durand.example>", "shared@durand.example", ""},
	} {
		own := &config.Profile{
			Enabled: true, From: config.Address{Name: "Cabinet Durand", Address: "marie@durand.example"}, ReplyTo: row.replyTo,
			Senders: []string{"shared@durand.example"},
		}
		platform := &config.Profile{
			Enabled: true, From: config.Address{Name: "Platform", Address: "no-reply@platform.example"},
			Senders: []string{"shared@durand.example"},
		}
		file := &config.File{
			Fallback: "platform", Default: "own", Profiles: map[string]*config.Profile{"own": own, "platform": platform},
		}
		request := Request{Author: row.author, Recipients: []string{"client@customer.example"}, Profile: "own"}
		prepared := func() *Item {
			d := Decide(file, request, Facts{})
			m, err := Parse([]byte("From: " + row.from + "\n" + header + "\nx\n"))
			if err != nil {
				t.Fatal(err)
			}
			id, err := m.Prepare(d, file.Profiles[d.Profile].From, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return NewItem(m, id, d, row.author, time.Now())
		}
		late := prepared()
		if err := late.reroute("platform", own, platform, check.CauseWrongPassword); err != nil {
			t.Fatal(err)
		}
		own.Enabled, own.Disabled = false, &config.Disabled{Cause: "wrong-password"}
		early := prepared()
		for _, name := range []string{"From", "Reply-To", "Message-ID"} {
			if a, b := early.parsed.Get(name), late.parsed.Get(name); a != b {
				t.Errorf("%s: %s is %q from the start and %q later", row.name, name, a, b)
			}
		}
		if early.Envelope != late.Envelope || early.Profile != late.Profile {
			t.Errorf("%s: through %s as %s, later through %s as %s", row.name, early.Profile, early.Envelope, late.Profile,
				late.Envelope)
		}
	}
}

// TestBothRefused (D-5): a message whose own profile and fallback are both refused is kept and not thrown from one to
// the other: each server is asked once, also when each of the two becomes the other's fallback in turn.
func TestBothRefused(t *testing.T) {
	t.Parallel()
	refused := scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}
	b := newBench(t, refused, refused)
	item := b.item()
	b.first(item)
	asked := func(own, platform int) {
		t.Helper()
		for range 3 {
			b.clock.add(25 * time.Hour)
			b.run()
		}
		if a, c := commands(b.own, "AUTH"), commands(b.platform, "AUTH"); a != own || c != platform {
			t.Errorf("%d sign-ins at the own server and %d at the fallback's", a, c)
		}
		if state := b.stored(item.ID).State; state != StateWaiting {
			t.Errorf("the message is %s", state)
		}
		for name, p := range b.load().Profiles {
			if (name == "durand" || name == "platform") && (p.Enabled || p.Disabled == nil) {
				t.Errorf("%s is still on: %+v", name, p.Disabled)
			}
		}
	}
	asked(1, 1)
	b.change(func(f *config.File) { // the roles are exchanged, and the new fallback is switched on again
		f.Default, f.Fallback = "platform", "durand"
		f.Profiles["durand"].Enabled, f.Profiles["durand"].Disabled = true, nil
	})
	asked(2, 1)
}
