// Package rootcause judges the results of a run together.
//
// Each check judges what it sees, so that a computer without a network or a name service that lies makes all of them
// fail, each with its own wrong reason. When something failed, Judge looks at all results at once, asks a few control
// questions, and keeps one root: what follows from it is skipped, in every area. Nothing is asked when nothing failed.
package rootcause

import (
	"context"
	"slices"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/wire"
)

// Run carries out plans like diagnostics.Run and judges the results together.
func Run(ctx context.Context, network *wire.Network, observe func(diagnostics.Event),
	plans ...diagnostics.Plan,
) []diagnostics.Result {
	before := network.Resolver.Tally()
	return Judge(ctx, network, before, diagnostics.Run(ctx, observe, plans...))
}

// Judge judges results together; before is what the name service had said when their run began.
func Judge(ctx context.Context, network *wire.Network, before wire.Tally,
	results []diagnostics.Result,
) []diagnostics.Result {
	seen := evidence{results, network.Resolver.Tally().Since(before)}
	switch {
	case ctx.Err() != nil:
		return results
	case suspicious(results):
		return seen.judge(ctx, network)
	case nothingPublished(results):
		return seen.judgeAbsence(ctx, network)
	}
	return results
}

// evidence is what the judgement is about.
type evidence struct {
	results []diagnostics.Result
	said    wire.Tally
}

// suspicious reports whether something failed, or could not be asked.
func suspicious(results []diagnostics.Result) bool {
	return slices.ContainsFunc(results, func(r diagnostics.Result) bool {
		return r.Status == check.Fail || r.Cause == check.CauseDNSFailure
	})
}

// nothingPublished reports whether a domain seems to have no record for mail at all. A name service that invents
// addresses has none of any domain.
func nothingPublished(results []diagnostics.Result) bool {
	missing := map[check.ID]check.Cause{
		check.DNSMX: check.CauseMXMissing, check.DNSSPF: check.CauseSPFMissing, check.DNSDMARC: check.CauseDMARCMissing,
	}
	for id, cause := range missing {
		if r, ok := diagnostics.Find(results, id); !ok || r.Cause != cause {
			return false
		}
	}
	return true
}

// judgeAbsence judges the name service of a domain without records. Only invented addresses make it doubtful: a private
// name service may know this domain and no other, and a domain may have no mail.
func (e evidence) judgeAbsence(ctx context.Context, network *wire.Network) []diagnostics.Result {
	resolver, follows := e.resolver(ctx, network)
	if resolver.Cause != check.CauseResolverInvents {
		return e.results
	}
	return e.rooted(resolver, follows)
}

// judge finds the root and returns the results with it.
func (e evidence) judge(ctx context.Context, network *wire.Network) []diagnostics.Result {
	if !slices.ContainsFunc(e.results, connectivity) {
		return e.contradictions()
	}
	local := local(network)
	if local.Failed() {
		return e.rooted(local, everything)
	}
	resolver, follows := e.resolver(ctx, network)
	switch {
	case resolver.Cause == check.CauseResolverInvents && e.answersHTTP(spoken()...):
		return e.rooted(e.captivePortal(), everything, following(resolver, check.NetLocal))
	case resolver.Failed():
		return e.rooted(resolver, follows, local)
	}
	e.results = e.zoneOfOthers(resolver)
	judged := []diagnostics.Result{local}
	if resolver.ID != "" {
		judged = append(judged, resolver)
	}
	if root, follows, ok := e.connections(network); ok {
		return e.rooted(root, follows, judged...)
	}
	e.results = append(judged, e.results...)
	return e.contradictions()
}

// connectivity reports whether a result may come from the network and not from the servers: a name that was not found
// or not asked for, a connection or an encryption that was not established.
func connectivity(r diagnostics.Result) bool {
	if r.Cause == check.CauseDNSFailure {
		return true
	}
	if r.Status != check.Fail {
		return false
	}
	switch r.ID {
	case check.NetResolve, check.NetConnect, check.SMTPGreeting, check.SMTPTLS, check.SMTPCertificate,
		check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate:
		return true
	}
	return r.ID.Area() == "dns"
}

// rooted puts the root first; the results that follow from it are skipped and name it as the unmet need. Judgements of
// the machine and its name service that hold are kept as evidence; the root takes the place of one with its ID.
func (e evidence) rooted(root diagnostics.Result, follows func(diagnostics.Result) bool,
	passed ...diagnostics.Result,
) []diagnostics.Result {
	out := slices.DeleteFunc(passed, func(r diagnostics.Result) bool { return r.ID == root.ID })
	if !slices.ContainsFunc(e.results, func(r diagnostics.Result) bool { return r.ID == root.ID }) {
		out = append(out, root)
	}
	for _, r := range e.results {
		switch {
		case r.ID == root.ID:
			r = root
		case r.Cause != check.CauseCancelled && follows(r):
			r = following(r, root.ID)
		}
		out = append(out, r)
	}
	return ordered(out)
}

// following is a result that says nothing of its own, because root came first. What it observed stays to be seen.
func following(r diagnostics.Result, root check.ID) diagnostics.Result {
	return diagnostics.Result{
		ID: r.ID, Status: check.Skip, Cause: check.CauseNeedsFailed, Needs: []check.ID{root}, Evidence: r.Evidence,
		Took: r.Took, Transcript: r.Transcript,
	}
}

func ordered(results []diagnostics.Result) []diagnostics.Result {
	order := check.All()
	slices.SortStableFunc(results, func(a, b diagnostics.Result) int {
		return slices.Index(order, a.ID) - slices.Index(order, b.ID)
	})
	return results
}

func everything(diagnostics.Result) bool { return true }

// local judges whether this machine is connected. A name server on the machine itself, given by hand, needs no network.
func local(network *wire.Network) diagnostics.Result {
	routes := network.Routes()
	resolver := network.Resolver
	seen := Routes{Addresses: routes.Addresses, IPv4: routes.IPv4, IPv6: routes.IPv6}
	result := diagnostics.Passed(seen)
	if !routes.Outside() && !(resolver.Pinned() && routes.Loopback && loopback(resolver)) {
		result = diagnostics.Failed(check.CauseNoNetwork, seen)
	}
	result.ID = check.NetLocal
	return result
}

func loopback(resolver *wire.Resolver) bool {
	servers, err := resolver.Servers()
	if err != nil {
		return false
	}
	for _, s := range servers {
		if !s.Addr().IsLoopback() {
			return false
		}
	}
	return true
}
