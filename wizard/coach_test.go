package wizard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/locale"
)

func (k *driver) toDNS() {
	k.t.Helper()
	k.toSent()
	k.enter()
	k.at(StepDNS)
}

// dns tells what was found about the records.
func (k *driver) dns(change ...func([]Report)) {
	k.t.Helper()
	r := k.last(DoDNS)
	reports := all(DoDNS, r.Draft)
	for _, c := range change {
		c(reports)
	}
	k.tell(Outcome{ID: r.ID, Kind: DoDNS, Done: true, Reports: reports})
}

// missing makes a record one to be published.
func missing(id check.ID) func([]Report) {
	return func(reports []Report) {
		for i := range reports {
			if reports[i].ID == id {
				reports[i].Status, reports[i].Who, reports[i].Retry = check.Warn, "admin", RetryAfterChange
				reports[i].Title, reports[i].Remedy = Literal(string(id)+" is missing"), []Words{Literal("publish " + string(id))}
				reports[i].Fixes = []check.Fix{{Kind: "txt", Name: "a.durand.example", Value: "v=1"}}
			}
		}
	}
}

// TestWatchRecords: a record that was published is looked for by itself until it is visible. What to publish stays on
// the screen, Enter goes on watching, and a key of its own goes on to the test.
func TestWatchRecords(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toDNS()
	k.dns(missing(check.DNSDKIM))
	if first := k.s.Screen().Actions[0].ID; first != ActNext {
		t.Errorf("Enter does %s", first)
	}
	k.do(ActWait)
	for _, minutes := range []time.Duration{1, 2, 4, 5, 5} {
		pause := minutes * time.Minute
		v := k.s.Screen()
		if got := k.last(DoWait).Pause; got != pause || v.Busy == nil || !v.Busy.Countdown {
			t.Fatalf("waits %s, want %s; %+v", got, pause, v.Busy)
		}
		if len(v.Copy) == 0 || v.Finding == nil || v.Actions[0].ID != ActWait || k.action(ActNext).Key != 's' {
			t.Fatalf("while waiting: %+v", v)
		}
		k.enter()
		if k.at(StepDNS); k.last(DoWait).Pause != pause || k.s.Screen().Busy == nil {
			t.Fatal("Enter does not go on watching")
		}
		k.tell(Outcome{ID: k.last(DoWait).ID, Kind: DoWait, Done: true})
		k.dns(missing(check.DNSDKIM))
	}
	k.do(ActRetry) // now
	k.dns()
	if v := k.s.Screen(); v.Busy != nil || v.Finding != nil || len(v.Notices) != 1 || v.Notices[0].Level != LevelGood {
		t.Errorf("when it is visible: %+v", v)
	}
	k.says("wizard.dns.visible")
	k.enter()
	k.at(StepTest)
}

// TestNothingToWatch: records in order, and a look that could not be made at all, are not watched.
func TestNothingToWatch(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toDNS()
	k.dns()
	if k.offers(ActWait) {
		t.Error("there is nothing to watch")
	}
	waits := k.requested(DoWait)
	k.do(ActWait)
	if k.requested(DoWait) != waits {
		t.Error("it is watched all the same")
	}
}

// inJunk puts the test message into the junk folder.
func (k *driver) inJunk(change ...func([]Report)) {
	k.t.Helper()
	k.passes(DoTest, func(o *Outcome) {
		for i := range o.Reports {
			if o.Reports[i].ID == check.ArrivalPlacement {
				o.Reports[i].Status, o.Reports[i].Cause = check.Warn, check.CauseLandedInJunk
				o.Reports[i].Remedy = []Words{Literal("edit the message")}
			}
		}
		for _, c := range change {
			c(o.Reports)
		}
	})
}

// TestCoach: a message in the junk folder leads to what is missing, what weighs most first, and to its record; the next
// test says that it is better now.
func TestCoach(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toDNS()
	k.dns(missing(check.DNSSPF))
	k.enter()
	k.inJunk(missing(check.ArrivalDKIM))
	v := k.s.Screen()
	var remedy []string
	for _, r := range v.Finding.Remedy {
		remedy = append(remedy, r.Literal)
	}
	if len(remedy) != 3 || remedy[0] != "publish arrival.dkim" || remedy[1] != "publish dns.spf" || remedy[2] != "" {
		t.Errorf("what to do: %q", remedy)
	}
	if len(v.Facts) != 3 || v.Facts[1].Value.Msg.Key != "wizard.junk.in-order" {
		t.Errorf("what vouches: %+v", v.Facts)
	}
	k.do(gotoPrefix + ActionID(StepDNS))
	k.at(StepDNS)
	k.dns()
	k.enter()
	k.at(StepTest)
	k.do(ActRetry)
	k.passes(DoTest)
	k.says("wizard.junk.better")
}

// TestCoachWithoutReason: where everything vouches for the mail, the card does not ask for it once more.
func TestCoachWithoutReason(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.toDNS()
	k.dns()
	k.enter()
	k.inJunk()
	v := k.s.Screen()
	if len(v.Finding.Remedy) != 2 || v.Finding.Remedy[0].Msg.Key != "wizard.junk.unknown-sender" ||
		k.offers(gotoPrefix+ActionID(StepDNS)) {
		t.Errorf("%+v", v.Finding.Remedy)
	}
}

// TestWhereToPublish: a record to publish comes with who keeps the domain's records and where they are entered there;
// where nothing is to be published, nothing is said.
func TestWhereToPublish(t *testing.T) {
	t.Parallel()
	for keeper, says := range map[string]string{
		"dns104.ovh.net": "OVHcloud", "ns.elsewhere.example": "ns.elsewhere.example",
	} {
		for _, lang := range locale.All() {
			k := known(t, Options{})
			k.toDNS()
			r := k.last(DoDNS)
			reports := all(DoDNS, r.Draft)
			missing(check.DNSDKIM)(reports)
			k.tell(Outcome{ID: r.ID, Kind: DoDNS, Done: true, Reports: reports, Keeper: keeper})
			if !slices.ContainsFunc(k.s.Screen().Notices, func(n Notice) bool {
				return strings.Contains(n.Text.Say(lang, "postier"), says)
			}) {
				t.Errorf("%s is not named in %s", says, lang)
			}
		}
	}
	k := known(t, Options{})
	k.toDNS()
	k.dns()
	if n := k.s.Screen().Notices; len(n) != 1 || n[0].Level != LevelGood {
		t.Errorf("%+v", n)
	}
}

// TestRecordNamesTheFault: where a receiver only says that the SPF record cannot be used, the card says what the check
// of the record found, as on the page before.
func TestRecordNamesTheFault(t *testing.T) {
	t.Parallel()
	for _, found := range []check.Cause{check.CauseSPFTooManyLookups, ""} {
		k := known(t, Options{})
		k.toDNS()
		k.dns(func(reports []Report) {
			for i := range reports {
				if reports[i].ID == check.DNSSPF && found != "" {
					reports[i].Status, reports[i].Cause = check.Fail, found
				}
			}
		})
		k.enter()
		k.passes(DoTest, func(o *Outcome) {
			for i := range o.Reports {
				if o.Reports[i].ID == check.ArrivalSPF {
					o.Reports[i].Status, o.Reports[i].Cause = check.Fail, check.CauseSPFSyntax
				}
			}
		})
		want := found
		if want == "" {
			want = check.CauseSPFSyntax
		}
		v := k.s.Screen()
		if v.Finding == nil || v.Finding.Cause != want {
			t.Errorf("%q was found: the card is about %+v", found, v.Finding)
		}
		for _, n := range v.Notices {
			if n.Level == LevelWarn || n.Level == LevelGood {
				t.Errorf("another headline stands next to the card's: %+v", n)
			}
		}
	}
}
