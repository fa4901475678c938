package portprobe

import (
	"fmt"
	"net/netip"
	"testing"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// attempts reads "own4:465=+ own6:465=- other4:465=+": where, family, port, and whether it connected.
func attempts(t *testing.T, list ...string) []Attempt {
	t.Helper()
	var out []Attempt
	for _, text := range list {
		var where string
		var family, port int
		var sign rune
		if _, err := fmt.Sscanf(text, "%5s%d:%d=%c", &where, &family, &port, &sign); err != nil {
			t.Fatal(text, err)
		}
		a := Attempt{
			Host: safetext.FromRemote(where), Port: port, Family: fmt.Sprintf("ipv%d", family), Outcome: "timeout",
			Neutral: where == "other",
		}
		if sign == '+' {
			a.Outcome = "connected"
		}
		out = append(out, a)
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempts    []string
		verdict     Verdict
		family      string
		alternative int
	}{
		{[]string{"mine_4:465=-", "other4:465=+"}, ClosedThere, "", 0},
		{[]string{"mine_4:465=-", "mine_4:587=+", "other4:465=+"}, ClosedThere, "", 587},
		{[]string{"mine_4:465=-", "mine_4:587=+", "other4:465=-"}, BlockedHere, "", 587},
		{[]string{"mine_4:465=-", "mine_4:587=-", "other4:465=-", "other4:587=+"}, BlockedHere, "", 0},
		{[]string{"mine_4:465=-", "mine_4:587=-", "other4:465=-", "other4:587=-"}, NoConnection, "", 0},
		{[]string{"mine_4:465=+", "mine_6:465=-", "other4:465=+", "other6:465=+"}, FamilyOnly, "ipv6", 0},
		{[]string{"mine_4:465=-", "mine_6:465=+"}, FamilyOnly, "ipv4", 0},
		{[]string{"mine_4:465=+", "mine_6:465=+"}, Open, "", 0},
		{[]string{"mine_4:465=+"}, Open, "", 0},
		{[]string{"mine_4:465=-", "mine_4:587=+"}, Undecided, "", 587},
		{[]string{"mine_4:465=-"}, Undecided, "", 0},
		{nil, Undecided, "", 0},
	} {
		f := Finding{Port: 465, Attempts: attempts(t, c.attempts...)}
		f.judge()
		if f.Verdict != c.verdict || f.Family != c.family || f.Alternative != c.alternative {
			t.Errorf("%v: %s %s %d, want %s %s %d", c.attempts, f.Verdict, f.Family, f.Alternative, c.verdict, c.family,
				c.alternative)
		}
	}
}

// TestProbeSendsNothing: the other hosts see a connection and not one octet.
func TestProbeSendsNothing(t *testing.T) {
	t.Parallel()
	own, neutral := scripted.StartRefused(t), scripted.StartSMTP(t, scripted.Options{})
	network := &wire.Network{Route: func(_, host string, port int) (string, bool) {
		switch {
		case host == "192.0.2.1":
			return own.Addr(), true
		case port == 465:
			return neutral.Addr(), true
		}
		return own.Addr(), true
	}}
	f := Probe(t.Context(), network,
		Question{
			Host: "192.0.2.1", Port: 465, Others: []int{587},
			Neutral: []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"},
		})
	if f.Verdict != ClosedThere {
		t.Errorf("%+v", f)
	}
	hosts := map[string]bool{}
	for _, a := range f.Attempts {
		if _, err := netip.ParseAddr(a.Host.Raw()); err != nil {
			t.Error(err)
		}
		hosts[a.Host.Raw()] = true
	}
	if len(hosts) != 1+maxNeutral {
		t.Errorf("%d hosts were tried", len(hosts))
	}
	if got := neutral.Received(); len(got) > 0 {
		t.Errorf("sent %q", got)
	}
}

func TestSuspicious(t *testing.T) {
	t.Parallel()
	got := Suspicious([]diagnostics.Result{
		{ID: check.NetConnect, Status: check.Fail, Cause: "port-blocked"},
		{ID: check.NetConnect6, Status: check.Skip, Cause: check.CauseNeedsFailed},
		{ID: check.IMAPConnect, Status: check.Fail, Cause: "wrong-service"},
		{ID: check.SMTPAuth, Status: check.Fail, Cause: "wrong-password"},
	})
	if len(got) != 1 || got[0] != check.NetConnect {
		t.Errorf("%v", got)
	}
}

// TestSilent: only a port of another machine that gives no answer at all is worth a question.
func TestSilent(t *testing.T) {
	t.Parallel()
	at := func(address string) diagnostics.Connection {
		return diagnostics.Connection{Attempt: wire.Attempt{Address: netip.MustParseAddrPort(address)}}
	}
	for _, c := range []struct {
		cause   check.Cause
		address string
		want    bool
	}{
		{check.CausePortBlocked, "192.0.2.1:465", true},
		{check.CausePortBlocked, "127.0.0.1:465", false},
		{check.CausePortBlocked, "[::1]:465", false},
		{check.CauseConnectionRefused, "192.0.2.1:465", false},
		{check.CauseConnectionDropped, "192.0.2.1:465", false},
	} {
		results := []diagnostics.Result{diagnostics.Failed(c.cause, at(c.address))}
		if got := Silent(results); got != c.want {
			t.Errorf("%s at %s: %v", c.cause, c.address, got)
		}
	}
}
