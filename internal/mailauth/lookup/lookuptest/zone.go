// Package lookuptest is a resolver that answers from a zone text, for tests of the code that evaluates answers. It
// opens no socket; scripted.DNS does.
package lookuptest

import (
	"context"
	"strings"
	"sync"

	mdns "github.com/miekg/dns"

	"postier/internal/wire"
)

// TB is the part of testing.TB that Zone needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Resolver answers from a table and records the queries.
type Resolver struct {
	mu       sync.Mutex
	records  map[string][]mdns.RR
	trouble  map[string]wire.Failure
	secure   bool
	queries  []string
	maxChain int
}

// Zone reads records in the master-file format. A line "!timeout NAME [TYPE]" or "!servfail NAME [TYPE]" makes a name
// fail, a line "!secure" marks all answers as validated. Names are absolute even without a final dot.
func Zone(t TB, text string) *Resolver {
	t.Helper()
	r := &Resolver{records: map[string][]mdns.RR{}, trouble: map[string]wire.Failure{}, maxChain: 8}
	var records strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if behaviour, found := strings.CutPrefix(line, "!"); found {
			r.behave(strings.Fields(behaviour))
			continue
		}
		records.WriteString(line + "\n")
	}
	parser := mdns.NewZoneParser(strings.NewReader(records.String()), ".", "")
	parser.SetDefaultTTL(3600)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := strings.ToLower(rr.Header().Name)
		r.records[name] = append(r.records[name], rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatalf("zone: %v", err)
		return nil
	}
	return r
}

func (r *Resolver) behave(words []string) {
	kinds := map[string]wire.Failure{"timeout": wire.NoAnswer, "servfail": wire.ServFail}
	switch {
	case words[0] == "secure":
		r.secure = true
	case len(words) == 2:
		r.trouble[mdns.CanonicalName(words[1])] = kinds[words[0]]
	case len(words) == 3:
		r.trouble[mdns.CanonicalName(words[1])+words[2]] = kinds[words[0]]
	}
}

// Queries are the questions so far as "NAME TYPE", in the order in which they came.
func (r *Resolver) Queries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.queries...)
}

// Query implements lookup.Resolver.
func (r *Resolver) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	owner := mdns.CanonicalName(name)
	r.mu.Lock()
	r.queries = append(r.queries, owner+" "+mdns.TypeToString[qtype])
	r.mu.Unlock()
	fail := func(kind wire.Failure, err error) (wire.Answer, error) {
		return wire.Answer{}, &wire.ResolveError{Name: strings.TrimSuffix(owner, "."), Type: qtype, Kind: kind, Err: err}
	}
	if ctx.Err() != nil {
		return fail(wire.NoAnswer, ctx.Err())
	}
	if _, ok := mdns.IsDomainName(name); !ok {
		return fail(wire.Malformed, nil)
	}
	answer := wire.Answer{AD: r.secure}
	for range r.maxChain {
		for _, key := range []string{owner, owner + mdns.TypeToString[qtype]} {
			if kind, ok := r.trouble[key]; ok {
				return fail(kind, nil)
			}
		}
		answer.Chain = append(answer.Chain, strings.TrimSuffix(owner, "."))
		if !r.exists(owner) {
			denied, err := fail(wire.NotFound, nil)
			denied.Chain = answer.Chain
			return denied, err
		}
		var next string
		for _, rr := range r.records[owner] {
			if rr.Header().Rrtype == qtype {
				answer.Records = append(answer.Records, rr)
			} else if cname, ok := rr.(*mdns.CNAME); ok {
				next = mdns.CanonicalName(cname.Target)
			}
		}
		if len(answer.Records) > 0 || next == "" {
			return answer, nil
		}
		owner = next
	}
	return fail(wire.ServFail, nil) // a chain without end
}

// exists also finds the empty names between a zone and its leaves (RFC 8020).
func (r *Resolver) exists(owner string) bool {
	if len(r.records[owner]) > 0 {
		return true
	}
	for name := range r.records {
		if strings.HasSuffix(name, "."+owner) {
			return true
		}
	}
	return false
}
