package setup

import (
	"context"

	"postier/config"
	"postier/wizard"
)

// Candidates finds the providers of an address: by its domain, which asks nobody, else by the domain's mail exchangers.
func (w *Worker) Candidates(ctx context.Context, address string) []wizard.Candidate {
	if match, ok := w.Book.Domain(config.AddressDomain(address)); ok {
		if p, ok := w.Book.Get(match.ID); ok {
			return []wizard.Candidate{wizard.CandidateOf(p, address, "preset", "", nil)}
		}
	}
	var out wizard.Outcome
	w.discover(ctx, wizard.Request{Draft: wizard.Draft{Address: address}}, &out)
	return out.Candidates
}
