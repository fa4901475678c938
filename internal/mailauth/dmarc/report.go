package dmarc

import (
	"context"
	"sync"

	"postier/internal/mailauth/lookup"
)

// maxTargets bounds the report addresses that are verified; RFC 7489 §12.5 allowed readers to stop after two.
const maxTargets = 6

// Target is one address for reports and whether its domain agreed to take them.
type Target struct {
	URI URI
	// External says that the address belongs to another organization, Authorised that that organization published its
	// consent.
	External, Authorised bool
	// Name is where the consent must be published, empty when none is needed.
	Name string
	Err  error
}

// ReportTargets verifies the addresses of rua and ruf (RFC 9990 §4): a report goes to another organization only when
// that one publishes v=DMARC1 at POLICYDOMAIN._report._dmarc.ITS-DOMAIN.
func ReportTargets(ctx context.Context, r lookup.Resolver, policyDomain string, record Record) []Target {
	var targets []Target
	for _, u := range append(record.RUA[:len(record.RUA):len(record.RUA)], record.RUF...) {
		if u.Mailbox != "" && len(targets) < maxTargets {
			targets = append(targets, Target{URI: u})
		}
	}
	own := sync.OnceValue(func() string { return TreeWalk(ctx, r, policyDomain).Organizational() })
	var wg sync.WaitGroup
	for i := range targets {
		wg.Go(func() { targets[i].verify(ctx, r, lookup.Lower(policyDomain), own) })
	}
	wg.Wait()
	return targets
}

func (t *Target) verify(ctx context.Context, r lookup.Resolver, policyDomain string, own func() string) {
	domain := normal(t.URI.Domain())
	if domain == policyDomain || domain == "" {
		t.Authorised = true
		return
	}
	if TreeWalk(ctx, r, domain).Organizational() == own() {
		t.Authorised = true
		return
	}
	t.External = true
	name, ok := lookup.Name(policyDomain + "._report._dmarc." + domain)
	if !ok {
		return
	}
	t.Name = name
	txt, err := lookup.QueryTXT(ctx, r, name)
	if lookup.Temporary(err) {
		t.Err = err
		return
	}
	for _, text := range txt.Texts {
		t.Authorised = t.Authorised || IsRecord(text.Value)
	}
}
