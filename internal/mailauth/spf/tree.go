package spf

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
)

// maxNodes bounds the records that Inspect reads: more than twice what an evaluation may follow, so that the count of
// an oversized record can still be reported, and far below the budget of a check.
const maxNodes = 25

// Further reasons that only Inspect gives.
const (
	ReasonLoop     Reason = "loop"        // the domain includes itself
	ReasonMacro    Reason = "macro"       // the name depends on the message; not followed
	ReasonTooLarge Reason = "not-counted" // more records than Inspect reads
)

// Node is one record with what it leads to.
type Node struct {
	Domain string
	// Via is the term that led here, as written; empty at the root.
	Via string
	// Qualifier is that of the include; Pass for redirect and the root.
	Qualifier Verdict
	Text      lookup.Text
	// Record is parsed when exactly one was found.
	Record Record
	// Several are the records if there is more than one.
	Several []lookup.Text
	// Others are the other TXT records of the root's name.
	Others  []lookup.Text
	Problem Reason
	Err     error
	// Lookups and Void count this record and all below, for a client that no mechanism matches.
	Lookups, Void int
	Children      []*Node
}

type inspector struct {
	resolver lookup.Resolver
	mu       sync.Mutex
	nodes    int
}

// Inspect reads a domain's record and all that it includes or redirects to.
func Inspect(ctx context.Context, r lookup.Resolver, domain string) *Node {
	i := &inspector{resolver: r, nodes: 1}
	n := &Node{Domain: lookup.Lower(domain), Qualifier: Pass}
	i.load(ctx, n)
	i.follow(ctx, n, []string{n.Domain})
	return n
}

// InspectText does the same for a record that is not published yet.
func InspectText(ctx context.Context, r lookup.Resolver, domain, text string) *Node {
	i := &inspector{resolver: r, nodes: 1}
	n := &Node{Domain: lookup.Lower(domain), Qualifier: Pass, Text: lookup.Text{Value: text}}
	n.parse()
	i.follow(ctx, n, []string{n.Domain})
	return n
}

func (n *Node) parse() {
	n.Record = Parse(n.Text.Value)
	if len(n.Record.Faults) > 0 {
		n.Problem = ReasonSyntax
	}
}

func (i *inspector) load(ctx context.Context, n *Node) {
	n.Several, n.Others, n.Problem, n.Err = records(ctx, i.resolver, n.Domain)
	if n.Problem == "" {
		n.Text, n.Several = n.Several[0], nil
		n.parse()
	}
}

// Effective are the terms that are evaluated: nothing after the first all, and redirect only without all (RFC 7208
// §5.1, §6.1).
func (r Record) Effective() []Term {
	var list []Term
	for _, t := range r.Terms {
		if t.Kind == Redirect {
			continue
		}
		list = append(list, t)
		if t.Kind == All {
			return list
		}
	}
	if r.Redirect != nil {
		list = append(list, *r.Redirect)
	}
	return list
}

// All is the directive that ends the record; nil without one.
func (r Record) All() *Term {
	for i := range r.Terms {
		if r.Terms[i].Kind == All {
			return &r.Terms[i]
		}
	}
	return nil
}

// follow counts the terms of n and follows its includes and redirect in parallel.
func (i *inspector) follow(ctx context.Context, n *Node, path []string) {
	if n.Record.Raw == "" {
		return
	}
	var wg sync.WaitGroup
	void := make([]bool, len(n.Record.Terms)+1)
	for index, t := range n.Record.Effective() {
		if !t.Lookup() {
			continue
		}
		n.Lookups++
		if t.Kind == Include || t.Kind == Redirect {
			child := i.child(n, t, path)
			n.Children = append(n.Children, child)
			if child.Problem == "" {
				wg.Go(func() {
					i.load(ctx, child)
					i.follow(ctx, child, append(path[:len(path):len(path)], child.Domain))
				})
			}
			continue
		}
		wg.Go(func() { void[index] = i.void(ctx, n.Domain, t) })
	}
	wg.Wait()
	for _, v := range void {
		if v {
			n.Void++
		}
	}
	for _, c := range n.Children {
		n.Lookups += c.Lookups
		n.Void += c.Void
		if c.Problem == ReasonNoDomain || c.Problem == ReasonNoRecord && len(c.Others) == 0 {
			n.Void++
		}
	}
}

func (i *inspector) child(parent *Node, t Term, path []string) *Node {
	child := &Node{Via: t.Text, Qualifier: t.Qualifier}
	if t.Kind == Redirect {
		child.Qualifier = Pass
	}
	name, literal := expandDomainOnly(t.Spec, parent.Domain)
	child.Domain = lookup.Lower(name)
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !literal:
		child.Problem = ReasonMacro
		return child
	case i.nodes >= maxNodes:
		child.Problem = ReasonTooLarge
		return child
	}
	for _, above := range path {
		if above == child.Domain {
			child.Problem = ReasonLoop
			return child
		}
	}
	i.nodes++
	return child
}

// expandDomainOnly expands a domain-spec whose only macro is %{d}, which needs no message. It reports false for any
// other.
func expandDomainOnly(m Macro, domain string) (string, bool) {
	var b strings.Builder
	for _, p := range m {
		switch p.letter {
		case 0:
			b.WriteString(p.literal)
		case 'd':
			b.WriteString(p.expand(domain))
		default:
			return m.String(), false
		}
	}
	return truncate(b.String()), true
}

// void reports whether an a, mx or exists term finds nothing. ptr depends on the client.
func (i *inspector) void(ctx context.Context, domain string, t Term) bool {
	target := domain
	if t.Spec != nil {
		var literal bool
		if target, literal = expandDomainOnly(t.Spec, domain); !literal {
			return false
		}
	}
	name, ok := lookup.Name(target)
	if !ok {
		return false
	}
	types := map[Kind][]uint16{A: {mdns.TypeA, mdns.TypeAAAA}, MX: {mdns.TypeMX}, Exists: {mdns.TypeA}}[t.Kind]
	for _, qtype := range types {
		if answer, err := i.resolver.Query(ctx, name, qtype); !lookup.Void(answer, err) {
			return false
		}
	}
	return len(types) > 0
}

// Walk visits a node and all below, depth first, until visit returns false.
func (n *Node) Walk(visit func(*Node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, c := range n.Children {
		if !c.Walk(visit) {
			return false
		}
	}
	return true
}

// Includes are the domains of all records below, in order, each once.
func (n *Node) Includes() []string {
	var list []string
	seen := map[string]bool{}
	n.Walk(func(node *Node) bool {
		if node != n && !seen[node.Domain] {
			seen[node.Domain] = true
			list = append(list, node.Domain)
		}
		return true
	})
	return list
}

// LeadsTo reports whether a pass of domain's record is a pass of n's: by includes that pass, or by redirect.
func (n *Node) LeadsTo(domain string) bool {
	for _, c := range n.Children {
		if c.Qualifier == Pass && (c.Domain == lookup.Lower(domain) || c.LeadsTo(domain)) {
			return true
		}
	}
	return false
}

// Broken is the first record below n that makes the whole a permerror because it is missing, duplicated or faulty.
func (n *Node) Broken() *Node {
	var broken *Node
	n.Walk(func(node *Node) bool {
		if node == n {
			return true
		}
		switch node.Problem {
		case ReasonNoDomain, ReasonNoRecord, ReasonSeveral, ReasonSyntax, ReasonDomain, ReasonLoop:
			broken = node
			return false
		}
		return true
	})
	return broken
}

// Unanswered is the error of the first record that could not be looked up.
func (n *Node) Unanswered() error {
	var err error
	n.Walk(func(node *Node) bool {
		if node.Problem == ReasonDNS {
			err = node.Err
		}
		return err == nil
	})
	return err
}

// Networks are the ranges that ip4 and ip6 authorise in n and below, at most limit.
func (n *Node) Networks(limit int) []netip.Prefix {
	var list []netip.Prefix
	n.Walk(func(node *Node) bool {
		for _, t := range node.Record.Effective() {
			if (t.Kind == IP4 || t.Kind == IP6) && t.Qualifier == Pass && len(list) < limit {
				list = append(list, t.Network)
			}
		}
		return len(list) < limit
	})
	return list
}
