// Package portprobe finds out on which side a port is closed when it does not connect: it tries the same port at other
// well-known hosts and other ports at the same host, over both address families. Nothing is sent on these connections.
//
// It contacts hosts that have nothing to do with the user's mail, so it runs only when the user asked for it.
package portprobe

import (
	"context"
	"slices"
	"time"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Verdict says on which side the problem is.
type Verdict string

// The verdicts.
const (
	// BlockedHere: the port connects nowhere, other ports do. Something between this computer and the Internet stops it.
	BlockedHere Verdict = "blocked-here"
	// ClosedThere: the port connects at other hosts, so it is closed at this one.
	ClosedThere Verdict = "closed-there"
	// FamilyOnly: one address family connects and the other does not.
	FamilyOnly Verdict = "family-only"
	// NoConnection: nothing connects at all.
	NoConnection Verdict = "no-connection"
	// Open: it connects now, over every family that there is.
	Open Verdict = "open"
	// Undecided: no other host could be tried.
	Undecided Verdict = "undecided"
)

// Attempt is one connection that was tried.
type Attempt struct {
	Host   safetext.Remote `json:"host"`
	Port   int             `json:"port"`
	Family string          `json:"family"` // ipv4 or ipv6
	// Outcome is connected, or the kind of failure: timeout, refused, unreachable, …
	Outcome string `json:"outcome"`
	TookMS  int64  `json:"took_ms"`
	// Neutral says that the host is one of the others.
	Neutral bool `json:"neutral"`
}

// Connected reports whether the attempt connected.
func (a Attempt) Connected() bool { return a.Outcome == "connected" }

// Finding is the verdict on one port of one host.
type Finding struct {
	Host    safetext.Remote `json:"host"`
	Port    int             `json:"port"`
	Verdict Verdict         `json:"verdict"`
	// Family is the family that fails, when only one does: ipv4 or ipv6.
	Family string `json:"family,omitempty"`
	// Alternative is another port of the same host that connects, 0 when there is none.
	Alternative int       `json:"alternative,omitempty"`
	Attempts    []Attempt `json:"attempts"`
}

// Question is the port to probe.
type Question struct {
	Host string
	Port int
	// Neutral are the other hosts, at most maxNeutral are tried; Others the other ports of Host.
	Neutral []string
	Others  []int
}

const (
	maxNeutral = 3 // two could be down at once; more would only be noise on other people's servers
	// patience is shorter than for the check itself, because these hosts are well connected and only yes or no matters.
	patience = 6 * time.Second
)

const (
	ipv4 = "ipv4"
	ipv6 = "ipv6"
)

// Probe answers one question. Hosts are tried in parallel, the ports of one host one after another (docs/security.md
// T21).
func Probe(ctx context.Context, network *wire.Network, q Question) Finding {
	brief := *network
	if brief.Timeout == 0 || brief.Timeout > patience {
		brief.Timeout = patience
	}
	neutral := slices.DeleteFunc(slices.Clone(q.Neutral), func(h string) bool { return h == q.Host })
	neutral = neutral[:min(len(neutral), maxNeutral)]
	lists := make([][]Attempt, 1+len(neutral))
	var wg parallel.Group
	wg.Go(func() { lists[0] = try(ctx, &brief, q.Host, append([]int{q.Port}, q.Others...), false) })
	for i, host := range neutral {
		wg.Go(func() { lists[i+1] = try(ctx, &brief, host, append([]int{q.Port}, q.Others...), true) })
	}
	wg.Wait()
	f := Finding{Host: safetext.FromRemote(q.Host), Port: q.Port, Attempts: slices.Concat(lists...)}
	if f.Attempts == nil {
		f.Attempts = []Attempt{}
	}
	f.judge()
	return f
}

// try connects to the ports of one host one after another, both families of a port at once. It stops at the first port
// beyond the one in question that connects: that is enough to know.
func try(ctx context.Context, network *wire.Network, host string, ports []int, neutral bool) []Attempt {
	addresses, err := network.Addresses(ctx, host)
	if err != nil {
		return nil
	}
	v4, v6 := wire.Families(addresses)
	one := slices.Concat(v4[:min(len(v4), 1)], v6[:min(len(v6), 1)])
	var list []Attempt
	for i, port := range ports {
		if ctx.Err() != nil {
			break
		}
		conn, attempts := network.ConnectBoth(ctx, host, port, one, nil, patience)
		if conn != nil {
			_ = conn.Close()
		}
		slices.SortFunc(attempts, func(a, b wire.Attempt) int { return a.Address.Addr().Compare(b.Address.Addr()) })
		for _, a := range attempts {
			list = append(list, newAttempt(host, a, neutral))
		}
		if i > 0 && conn != nil {
			break
		}
	}
	return list
}

func newAttempt(host string, a wire.Attempt, neutral bool) Attempt {
	out := Attempt{
		Host: safetext.FromRemote(host), Port: int(a.Address.Port()), Family: ipv4, Neutral: neutral, Outcome: "connected",
		TookMS: a.Took.Milliseconds(),
	}
	if a.IPv6() {
		out.Family = ipv6
	}
	if a.Err != nil {
		out.Outcome = string(wire.Classify(a.Err).Kind)
	}
	return out
}

// tally counts attempts and how many of them connected.
type tally struct{ tried, connected int }

func (t tally) works() bool { return t.connected > 0 }
func (t tally) fails() bool { return t.tried > 0 && t.connected == 0 }

func (f *Finding) count(match func(Attempt) bool) tally {
	var t tally
	for _, a := range f.Attempts {
		if match(a) {
			t.tried++
			if a.Connected() {
				t.connected++
			}
		}
	}
	return t
}

func (f *Finding) judge() {
	own := func(family string) tally {
		return f.count(func(a Attempt) bool { return !a.Neutral && a.Port == f.Port && a.Family == family })
	}
	elsewhere := func(family string) tally {
		return f.count(func(a Attempt) bool { return a.Neutral && a.Port == f.Port && (family == "" || a.Family == family) })
	}
	others := f.count(func(a Attempt) bool { return a.Port != f.Port })
	for _, a := range f.Attempts {
		if !a.Neutral && a.Port != f.Port && a.Connected() && f.Alternative == 0 {
			f.Alternative = a.Port
		}
	}
	four, six := own(ipv4), own(ipv6)
	switch {
	case four.works() && six.fails():
		f.Verdict, f.Family = FamilyOnly, ipv6
	case six.works() && four.fails():
		f.Verdict, f.Family = FamilyOnly, ipv4
	case four.works() || six.works():
		f.Verdict = Open
	case elsewhere(ipv4).works() && four.fails(), elsewhere(ipv6).works() && six.fails(), elsewhere("").works():
		f.Verdict = ClosedThere
	case elsewhere("").fails() && others.works():
		f.Verdict = BlockedHere
	case elsewhere("").fails() && !others.works():
		f.Verdict = NoConnection
	default:
		f.Verdict = Undecided
	}
}

// Suspicious lists the checks whose result calls for a probe: a connection that failed over one family or both.
func Suspicious(results []diagnostics.Result) []check.ID {
	var list []check.ID
	for _, r := range results {
		switch r.ID {
		case check.NetConnect, check.IMAPConnect:
			if r.Status == check.Fail && slices.Contains([]check.Cause{
				check.CausePortBlocked, check.CauseConnectionRefused, check.CauseNetworkUnreachable,
				check.CauseConnectionDropped,
			}, r.Cause) {
				list = append(list, r.ID)
			}
		case check.NetConnect6:
			if r.Status == check.Warn {
				list = append(list, r.ID)
			}
		}
	}
	return list
}

// Silent reports whether a port of another machine gave no answer at all, as one does that is blocked on the way. A
// refusal is an answer: some machine is reached, and nothing listens there.
func Silent(results []diagnostics.Result) bool {
	return slices.ContainsFunc(results, func(r diagnostics.Result) bool {
		if r.Cause != check.CausePortBlocked {
			return false
		}
		return !slices.ContainsFunc(r.Evidence, func(o diagnostics.Observation) bool {
			c, ok := o.(diagnostics.Connection)
			return ok && c.Attempt.Address.Addr().IsLoopback()
		})
	})
}
