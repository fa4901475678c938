package dkim

import (
	"context"
	"errors"

	"postier/internal/mailauth/lookup"
)

// Published is what stands at the name of a selector. It is judged in the same way for a domain's records and for the
// signature of a message.
type Published struct {
	// Texts are the TXT records: those that look like keys first, then the others. It is empty when none is a key.
	Texts []lookup.Text
	// Others are the TXT records where none is a key, such as the answer of a wildcard.
	Others []lookup.Text
	// Key and Faults are of the first record.
	Key    Key
	Faults []Fault
	// Alias is where a CNAME leads, empty without one.
	Alias string
	Err   error
}

// Find reads the key at SELECTOR._domainkey.DOMAIN.
func Find(ctx context.Context, r lookup.Resolver, name string) Published {
	txt, err := lookup.QueryTXT(ctx, r, name)
	p := Published{Err: err, Alias: txt.Alias()}
	if err != nil {
		return p
	}
	for _, t := range txt.Texts {
		if IsKey(t.Value) {
			p.Texts = append(p.Texts, t)
		} else {
			p.Others = append(p.Others, t)
		}
	}
	if len(p.Texts) > 0 {
		// Any second record counts, a left-over half of a key too: a verifier takes the one or the other, or gives up.
		p.Texts, p.Others = append(p.Texts, p.Others...), nil
		p.Key, p.Faults = Parse(p.Texts[0].Value)
	}
	return p
}

// Problem is why no signature with a key can be verified.
type Problem string

// The problems, as a report words them.
const (
	ProblemNone      Problem = ""
	ProblemMissing   Problem = "no key for the signature"
	ProblemTooLarge  Problem = "the TXT records at the selector are too large"
	ProblemSeveral   Problem = "several TXT records at the selector"
	ProblemRevoked   Problem = "the key is revoked"
	ProblemMalformed Problem = "the key record is malformed"
	ProblemShort     Problem = "the key is too short"
)

// Problem is the first reason for which verifiers do not use the key. A look-up that failed for a while is none: see
// lookup.Temporary.
func (p Published) Problem() Problem {
	switch {
	case errors.Is(p.Err, lookup.ErrTooLarge):
		return ProblemTooLarge
	case len(p.Texts) == 0:
		return ProblemMissing
	case len(p.Texts) > 1: // RFC 6376 §3.6.2.2: the result is undefined
		return ProblemSeveral
	case p.Key.Revoked:
		return ProblemRevoked
	case len(p.Faults) > 0:
		return ProblemMalformed
	case p.Key.Type == "rsa" && p.Key.Bits < MinBits: // RFC 8301 §3.2
		return ProblemShort
	}
	return ProblemNone
}
