package delivery

import (
	"slices"
	"testing"
	"time"

	"postier/config"
)

// three profiles: the default, one for a domain, the platform's own sending.
func threeProfiles() *config.File {
	profile := func(address string) *config.Profile {
		return &config.Profile{Enabled: true, From: config.Address{Name: "N", Address: address}}
	}
	f := &config.File{Version: 1, Default: "durand", Fallback: "platform", Profiles: map[string]*config.Profile{
		"durand": profile("contact@durand.example"), "club": profile("club@golf.example"),
		"platform": profile("noreply@platform.example"),
	}}
	f.Profiles["club"].Senders = []string{"golf.example", "pro@other.example"}
	f.Profiles["durand"].Kinds = map[string]bool{"quote": false, "invoice": true}
	f.Profiles["durand"].BCC = []string{"archive@durand.example"}
	f.Profiles["durand"].ReplyTo = "reception@durand.example"
	return f
}

func TestDecide(t *testing.T) {
	t.Parallel()
	to := []string{"klara@customer.example"}
	off := &config.Disabled{At: time.Now(), Cause: "wrong-password"}
	for _, row := range []struct {
		name    string
		edit    func(*config.File)
		request Request
		want    Decision
	}{
		{
			"P-1 the default sends what no filter matches", nil,
			Request{Author: "x@unknown.example", Recipients: to},
			Decision{Profile: "durand", Reason: ReasonDefault},
		},
		{
			"P-3 a domain", nil,
			Request{Author: "pro@golf.example", Recipients: to},
			Decision{Profile: "club", Reason: ReasonDomain},
		},
		{
			"P-3 a full address", nil,
			Request{Author: "pro@other.example", Recipients: to},
			Decision{Profile: "club", Reason: ReasonAddress},
		},
		{
			"P-3 an address wins over a domain", func(f *config.File) { f.Profiles["durand"].Senders = []string{"pro@golf.example"} },
			Request{Author: "pro@golf.example", Recipients: to},
			Decision{Profile: "durand", Reason: ReasonAddress},
		},
		{
			"D-4 a kind that is off", nil,
			Request{Author: "contact@durand.example", Recipients: to, Kind: "quote"},
			Decision{Profile: "durand", Reason: ReasonAddress, Block: BlockKind},
		},
		{
			"D-4 a kind that is on", nil,
			Request{Author: "contact@durand.example", Recipients: to, Kind: "invoice"},
			Decision{Profile: "durand", Reason: ReasonAddress},
		},
		{
			"D-4 a kind that is not listed", nil,
			Request{Author: "contact@durand.example", Recipients: to, Kind: "reminder"},
			Decision{Profile: "durand", Reason: ReasonAddress},
		},
		{
			"M-1 the platform's own sending", nil,
			Request{Author: "contact@durand.example", Recipients: to, Method: MethodPlatform},
			Decision{Profile: "platform", Reason: ReasonPlatform},
		},
		{
			"D-1 switched off by hand", func(f *config.File) { f.Profiles["club"].Enabled = false },
			Request{Author: "pro@golf.example", Recipients: to},
			Decision{Profile: "durand", Reason: ReasonDefault},
		},
		{
			"D-5 switched off by a failure", func(f *config.File) { f.Profiles["club"].Enabled, f.Profiles["club"].Disabled = false, off },
			Request{Author: "pro@golf.example", Recipients: to},
			Decision{Profile: "platform", Reason: ReasonFallback, Instead: "club"},
		},
		{
			"D-5 without a fallback the default sends", func(f *config.File) {
				f.Profiles["club"].Enabled, f.Profiles["club"].Disabled, f.Fallback = false, off, ""
			},
			Request{Author: "pro@golf.example", Recipients: to},
			Decision{Profile: "durand", Reason: ReasonDefault},
		},
		{
			"a named profile", nil,
			Request{Author: "contact@durand.example", Recipients: to, Profile: "club"},
			Decision{Profile: "club", Reason: ReasonNamed},
		},
		{
			"a named profile that is off", func(f *config.File) { f.Profiles["club"].Enabled = false },
			Request{Recipients: to, Profile: "club"},
			Decision{Profile: "club", Reason: ReasonNamed, Block: BlockOff},
		},
		{
			"a profile that does not exist", nil,
			Request{Recipients: to, Profile: "nobody"},
			Decision{Reason: ReasonNone, Block: BlockUnknown},
		},
		{"nothing is switched on", func(f *config.File) {
			for _, p := range f.Profiles {
				p.Enabled = false
			}
		}, Request{Author: "x@y.example", Recipients: to}, Decision{Reason: ReasonNone, Block: BlockNoProfile}},
		{
			"nobody to send to", nil,
			Request{Author: "contact@durand.example"},
			Decision{Profile: "durand", Reason: ReasonAddress, Block: BlockRecipients},
		},
		{
			"P-4 too many recipients", func(f *config.File) { f.Profiles["durand"].Limits.RecipientsPerMessage = 1 },
			Request{Author: "contact@durand.example", Recipients: to},
			Decision{Profile: "durand", Reason: ReasonAddress, Block: BlockTooMany},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := threeProfiles()
			if row.edit != nil {
				row.edit(f)
			}
			d := Decide(f, row.request, Facts{})
			if d.Profile != row.want.Profile || d.Reason != row.want.Reason || d.Block != row.want.Block ||
				d.Instead != row.want.Instead {
				t.Errorf("got %s %s %s %s", d.Profile, d.Reason, d.Block, d.Instead)
			}
			if d.Send != (row.want.Block == BlockNone) {
				t.Errorf("send %t", d.Send)
			}
		})
	}
}

// C-1, D-5: whose name, address and replies a message carries.
func TestDecideAuthor(t *testing.T) {
	t.Parallel()
	f := threeProfiles()
	own := Decide(f, Request{Author: "contact@durand.example", Recipients: []string{"a@b.example"}}, Facts{})
	if own.From != nil || own.Envelope != "contact@durand.example" || own.ReplyTo != "reception@durand.example" {
		t.Errorf("C-1: %+v", own)
	}
	f.Profiles["durand"].Enabled, f.Profiles["durand"].Disabled = false, &config.Disabled{Cause: "wrong-password"}
	instead := Decide(f, Request{Author: "contact@durand.example", Recipients: []string{"a@b.example"}}, Facts{})
	if instead.From == nil || instead.From.Address != "noreply@platform.example" ||
		instead.ReplyTo != "reception@durand.example" ||
		instead.Envelope != "noreply@platform.example" {
		t.Errorf("D-5: %+v", instead)
	}
	// Two mailboxes of one domain: that the fallback takes new addresses of the domain does not make it the other mailbox.
	f.Profiles["platform"].Senders = []string{"durand.example"}
	instead = Decide(f, Request{
		Author: "contact@durand.example", Envelope: "contact@durand.example", Recipients: []string{"a@b.example"},
	}, Facts{})
	if instead.From == nil || instead.From.Address != "noreply@platform.example" ||
		instead.Envelope != "noreply@platform.example" ||
		instead.Instead != "durand" {
		t.Errorf("D-5, one domain: %+v", instead)
	}
	foreign := Decide(threeProfiles(), Request{
		Author: "root@web7.example", Recipients: []string{"a@b.example"}, Envelope: "evil@elsewhere.example",
	}, Facts{})
	if foreign.From == nil || foreign.From.Address != "contact@durand.example" ||
		foreign.Envelope != "contact@durand.example" {
		t.Errorf("an address that the profile does not send for: %+v", foreign)
	}
}

// P-5, P-7, C-3: who gets a message.
func TestDecideRecipients(t *testing.T) {
	t.Parallel()
	facts := Facts{
		Suppressed: func(address string) (string, bool) { return "asked for it", address == "gone@customer.example" },
	}
	r := Request{
		Author:     "contact@durand.example",
		Recipients: []string{"klara@customer.example", "gone@customer.example", "KLARA@customer.example"},
	}
	d := Decide(threeProfiles(), r, facts)
	if !slices.Equal(d.Recipients, []string{"klara@customer.example"}) || len(d.Suppressed) != 1 ||
		d.Suppressed[0] != (Suppressed{"gone@customer.example", "asked for it"}) {
		t.Errorf("P-7: %+v", d)
	}
	if !slices.Equal(d.BCC, []string{"archive@durand.example"}) {
		t.Errorf("C-3: %v", d.BCC)
	}
	f := threeProfiles()
	f.Profiles["durand"].TestMode = config.TestMode{Enabled: true, Address: "essai@durand.example"}
	d = Decide(f, r, facts)
	if !d.TestMode || !slices.Equal(d.Recipients, []string{"essai@durand.example"}) || len(d.BCC) != 0 ||
		!slices.Equal(d.Originals, []string{"klara@customer.example"}) {
		t.Errorf("P-5: %+v", d)
	}
	r.ForReal = true
	if d = Decide(f, r, facts); d.TestMode || d.Recipients[0] != "klara@customer.example" {
		t.Errorf("P-5 for real: %+v", d)
	}
	r.ForReal, r.Recipients = false, []string{"gone@customer.example"}
	if d = Decide(f, r, facts); d.Send || d.Block != BlockRecipients {
		t.Errorf("P-7: a message to a listed address is not sent: %+v", d)
	}
}

// D-6: the provider's limits count where there are no own ones, and are shown in any case.
func TestProviderLimitsAreDefaults(t *testing.T) {
	t.Parallel()
	provider := []ProviderLimit{
		{"messages_per_day", 300},
		{"messages_per_day", 2000},
		{"recipients_per_message", 100},
		{"recipients_per_day", 5000},
	}
	got := EffectiveLimits(config.Limits{RecipientsPerMessage: 20}, provider)
	if got.PerDay != 300 || got.RecipientsPerMessage != 20 || got.PerHour != 0 {
		t.Errorf("%+v", got)
	}
}
