package rootcause

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	mdns "github.com/miekg/dns"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// controlDeadline bounds the control questions, which are asked side by side.
const controlDeadline = 5 * time.Second

// control is one question whose answer is known beforehand.
type control struct {
	name  string
	qtype uint16
	// exists says that the name surely exists, or surely does not.
	exists bool

	answer wire.Answer
	err    error
}

// controls are names that cannot be missing from the public DNS, and names that cannot be in it: one below .invalid
// (RFC 6761 §6.4), one below .com that no one has registered. Without these a mistyped name and a name service that
// denies everything look the same.
func controls() []*control {
	random := "postier-" + strings.ToLower(rand.Text()[:16])
	return []*control{
		{name: "com.", qtype: mdns.TypeNS, exists: true},
		{name: "gmail.com.", qtype: mdns.TypeMX, exists: true},
		{name: random + ".invalid.", qtype: mdns.TypeA},
		{name: random + ".com.", qtype: mdns.TypeA},
	}
}

// ask asks all controls at once.
func ask(ctx context.Context, network *wire.Network, list []*control) {
	deadline := controlDeadline
	if network.Timeout > 0 {
		deadline = min(deadline, network.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var wg parallel.Group
	for _, c := range list {
		wg.Go(func() { c.answer, c.err = network.Resolver.Query(ctx, c.name, c.qtype) })
	}
	wg.Wait()
}

// Denies reports whether the name service denies names that cannot be missing: what it says of others means nothing.
func Denies(ctx context.Context, network *wire.Network) bool {
	asked := slices.DeleteFunc(controls(), func(c *control) bool { return !c.exists })
	ask(ctx, network, asked)
	return !slices.ContainsFunc(asked, func(c *control) bool { return !c.denied() })
}

// denied reports whether the answer was that there is nothing of this name.
func (c *control) denied() bool {
	return c.outcome() == string(wire.NotFound) || c.outcome() == "empty"
}

// shown is the name without its random part.
func (c *control) shown() string {
	if name := strings.TrimSuffix(c.name, "."); c.exists {
		return name
	}
	return "random" + c.name[strings.IndexByte(c.name, '.'):len(c.name)-1]
}

func (c *control) outcome() string {
	var failed *wire.ResolveError
	switch {
	case errors.As(c.err, &failed):
		return string(failed.Kind)
	case c.err != nil:
		return string(wire.NoAnswer)
	case len(c.answer.Records) == 0:
		return "empty"
	}
	return "records"
}

// resolver judges the name service, with what follows from a fault of it. A private name service that knows the names
// in question and denies all others is right: it is judged only when it answered none of this run's questions.
func (e evidence) resolver(ctx context.Context, network *wire.Network) (diagnostics.Result,
	func(diagnostics.Result) bool,
) {
	asked := controls()
	ask(ctx, network, asked)
	seen := NameService{Answered: e.said.Answered, Denied: e.said.Denied(), Failed: failures(e.said)}
	var invented []netip.Addr
	found, denied, mute := 0, 0, 0
	for _, c := range asked {
		outcome := c.outcome()
		seen.Controls = append(seen.Controls, Control{
			Name: safetext.FromRemote(c.shown()), Exists: c.exists, Outcome: outcome,
		})
		switch {
		case !c.exists:
			invented = append(invented, c.answer.Addresses()...)
		case outcome == "records":
			found++
		case c.denied():
			denied++
		default:
			mute++
		}
	}
	if servers, err := network.Resolver.Servers(); err == nil {
		for _, s := range servers {
			seen.Servers = append(seen.Servers, s.Addr())
		}
	}
	judged := func(cause check.Cause) diagnostics.Result {
		r := diagnostics.Failed(cause, seen)
		r.ID = check.NetResolver
		if len(seen.Servers) > 0 {
			r.Params = check.Params{IP: safetext.FromRemote(seen.Servers[0].String())}
		}
		return r
	}
	switch {
	case len(invented) > 0 && (found == 0 || e.dials(invented)):
		seen.Invented = slices.Compact(invented)
		return judged(check.CauseResolverInvents), everything
	case e.said.Failed[wire.NoTCP] > 0 && !e.reached():
		return judged(check.CauseResolverNoTCP), unanswered
	case found > 0 || e.said.Answered > 0:
		r := judged("")
		r.Status = check.Pass
		return r, nil
	case denied > 0 && e.denied():
		return judged(check.CauseResolverDenies), e.needsNames
	case e.said.Mute() && mute > 0:
		return judged(check.CauseDNSFailure), e.needsNames
	}
	return diagnostics.Result{}, nil // it speaks, and nothing shows that it is wrong
}

// denied reports whether a name that the run is about was said not to exist, or to have nothing.
func (e evidence) denied() bool {
	return slices.ContainsFunc(e.results, func(r diagnostics.Result) bool {
		switch r.Cause {
		case check.CauseDNSNXDomain, check.CauseDNSNoAddress, check.CauseSenderDomainInvalid, check.CauseMXMissing:
			return true
		}
		return false
	})
}

// failures lists the kinds of failed look-ups in a fixed order.
func failures(said wire.Tally) []wire.Failure {
	var kinds []wire.Failure
	for _, kind := range []wire.Failure{
		wire.NoAnswer, wire.ServFail, wire.Refused, wire.Unreachable, wire.NoTCP, wire.Malformed,
	} {
		if said.Failed[kind] > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// unanswered reports whether a result is missing an answer, or needed what is.
func unanswered(r diagnostics.Result) bool {
	return r.Cause == check.CauseDNSFailure || r.Cause == check.CauseNeedsFailed
}

// needsNames reports whether a result needed the name service. A server that is given by its address, or by a name that
// this machine knows by itself, was found without it.
func (e evidence) needsNames(r diagnostics.Result) bool {
	switch r.ID.Area() {
	case "net", "smtp":
		resolved, _ := diagnostics.Find(e.results, check.NetResolve)
		return resolved.Status != check.Pass
	case "imap":
		connect, _ := diagnostics.Find(e.results, check.IMAPConnect)
		_, dialled := diagnostics.Observed[diagnostics.Connection](connect.Evidence)
		return !dialled
	}
	return true
}

// reached reports whether a server was connected to in this run.
func (e evidence) reached() bool {
	return slices.ContainsFunc(e.attempts(), func(c diagnostics.Connection) bool { return c.Connected() })
}

// attempts are all connections that the run tried.
func (e evidence) attempts() []diagnostics.Connection {
	var list []diagnostics.Connection
	for _, r := range e.results {
		for _, o := range r.Evidence {
			if c, ok := o.(diagnostics.Connection); ok {
				list = append(list, c)
			}
		}
	}
	return list
}

// dials reports whether the run went to one of these addresses.
func (e evidence) dials(invented []netip.Addr) bool {
	return slices.ContainsFunc(e.attempts(), func(c diagnostics.Connection) bool {
		return slices.Contains(invented, c.Attempt.Address.Addr())
	})
}

// zoneOfOthers gives look-ups that failed although the name service answers other questions their own cause: the name
// servers of that domain are broken, which no one but its owner can repair.
func (e evidence) zoneOfOthers(resolver diagnostics.Result) []diagnostics.Result {
	out := slices.Clone(e.results)
	healthy := false
	if seen, ok := diagnostics.Observed[NameService](resolver.Evidence); ok {
		healthy = slices.ContainsFunc(seen.Controls, func(c Control) bool { return c.Exists && c.Outcome == "records" })
	}
	if !healthy {
		return out
	}
	for i, r := range out {
		if r.Cause == check.CauseDNSFailure {
			out[i].Cause = check.CauseZoneUnanswered
		}
	}
	return out
}
