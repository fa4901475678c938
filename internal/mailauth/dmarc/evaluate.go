package dmarc

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/net/idna"

	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
)

// Result is a DMARC result as RFC 8601 §2.7 names it.
type Result string

// The results.
const (
	ResultNone      Result = "none" // no policy applies
	ResultPass      Result = "pass"
	ResultFail      Result = "fail"
	ResultTempError Result = "temperror"
	ResultPermError Result = "permerror"
)

// Signature is one DKIM signature that was verified elsewhere.
type Signature struct {
	Domain string // d=
	Pass   bool
}

// Message is what an evaluation needs to know of a message.
type Message struct {
	// Author is the domain of the From header field.
	Author string
	// SPFDomain is the domain that SPF judged (MAIL FROM, or HELO for a null sender); SPFPass whether with pass.
	SPFDomain string
	SPFPass   bool
	// Signatures are all DKIM signatures.
	Signatures []Signature
}

// Alignment says which identifiers agree with the author's domain.
type Alignment struct {
	SPF  bool `json:"spf"`
	DKIM bool `json:"dkim"`
}

// Outcome is the evaluation of one message.
type Outcome struct {
	Result Result
	// Domain is where the policy was found, Organizational the author's organizational domain.
	Domain, Organizational string
	// Policy is the owner's policy for this author, Applied the one after t=y.
	Policy, Applied Policy
	// Aligned counts only identifiers that passed.
	Aligned Alignment
	Record  Record
	// Found is false when there is no record.
	Found bool
	Walk  Walk
}

// Evaluate judges a message (RFC 9989 §5.3).
func Evaluate(ctx context.Context, r lookup.Resolver, m Message) Outcome {
	author := normal(m.Author)
	if !lookup.WellFormed(author) {
		return Outcome{Result: ResultPermError}
	}
	walk := TreeWalk(ctx, r, author)
	o := Outcome{Walk: walk, Organizational: walk.Organizational()}
	found := walk.Policy()
	if found == nil {
		o.Result = ResultNone
		if walk.Unsure("") != nil {
			o.Result = ResultTempError
		}
		return o
	}
	if walk.Unsure(found.Domain) != nil {
		o.Result = ResultTempError
		return o
	}
	o.Found, o.Domain, o.Record = true, found.Domain, found.Record
	applies, err := o.policy(ctx, r, author)
	if err != nil || !applies {
		return o
	}
	aligner := Aligner{Resolver: r, Author: author, Record: found.Record, walk: &walk}
	errAligned := o.align(ctx, aligner, m)
	switch {
	case o.Aligned.SPF || o.Aligned.DKIM:
		o.Result = ResultPass
	case errAligned != nil:
		o.Result = ResultTempError
	default:
		o.Result = ResultFail
	}
	return o
}

// policy fills in the policy for the author, and reports whether DMARC applies at all.
func (o *Outcome) policy(ctx context.Context, r lookup.Resolver, author string) (bool, error) {
	exists := true
	if author != o.Domain && o.Record.NP != "" {
		var err error
		if exists, err = Exists(ctx, r, author); err != nil {
			o.Result = ResultTempError
			return false, err
		}
	}
	policy, applies := o.Record.Effective(author != o.Domain, exists)
	o.Policy, o.Applied = policy, o.Record.Applied(policy)
	if !applies {
		o.Result = ResultNone
	}
	return applies, nil
}

// align tests all identifiers that passed, side by side.
func (o *Outcome) align(ctx context.Context, a Aligner, m Message) error {
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	test := func(domain string, mode Mode, flag *bool) {
		wg.Go(func() {
			aligned, err := a.Aligned(ctx, domain, mode)
			mu.Lock()
			defer mu.Unlock()
			*flag = *flag || aligned
			if err != nil && first == nil {
				first = err
			}
		})
	}
	if m.SPFPass {
		test(m.SPFDomain, a.Record.ASPF, &o.Aligned.SPF)
	}
	for i, s := range m.Signatures {
		if s.Pass && i < maxSignatures {
			test(s.Domain, a.Record.ADKIM, &o.Aligned.DKIM)
		}
	}
	wg.Wait()
	return first
}

// maxSignatures bounds the tree walks that one message can cause (RFC 6376 §8.4 warns of messages with many
// signatures).
const maxSignatures = 10

// Aligner tests identifiers against an author's domain.
type Aligner struct {
	Resolver lookup.Resolver
	Author   string
	Record   Record
	walk     *Walk
}

// Aligned reports whether a domain is aligned (RFC 9989 §4.4, §4.10.2): identical, or in relaxed mode of the same
// organizational domain.
func (a Aligner) Aligned(ctx context.Context, domain string, mode Mode) (bool, error) {
	author, domain := normal(a.Author), normal(domain)
	if author == domain && domain != "" {
		return true, nil
	}
	if mode == Strict || !lookup.WellFormed(domain) || !lookup.WellFormed(author) {
		return false, nil
	}
	walk := a.walk
	if walk == nil {
		w := TreeWalk(ctx, a.Resolver, author)
		walk = &w
	}
	organizational := walk.Organizational()
	// An organizational domain is at or above its name, so that only names within the author's can share it.
	if !lookup.Within(domain, organizational) {
		return false, walk.unsureFor(domain)
	}
	other := TreeWalk(ctx, a.Resolver, domain)
	if other.Organizational() == organizational {
		return true, nil
	}
	return false, other.unsureFor(domain)
}

// normal is a domain as lower-case A-labels without final dot.
func normal(domain string) string {
	domain = lookup.Lower(strings.TrimSpace(domain))
	if !safetext.IsASCII(domain) {
		if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
			return ascii
		}
	}
	return domain
}
