package worker

import (
	"context"
	"errors"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/diagnostics/rootcause"
	"postier/internal/check"
	"postier/internal/discovery"
	"postier/wizard"
)

// discover finds the provider of an address. It reports each better candidate as soon as it is found.
func (w *Worker) discover(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	address := r.Draft.Address
	list, err := discovery.Find(ctx, w.Network, w.Book, address,
		discovery.Options{Now: w.Now, Found: func(list []discovery.Candidate) {
			if tell != nil {
				tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Candidates: w.offers(list, address)})
			}
		}})
	switch {
	case errors.Is(err, context.Canceled):
		out.Err = wizard.Msg("wizard.cancelled")
	case errors.Is(err, discovery.ErrNoDomain) && rootcause.Denies(ctx, w.Network):
		out.Err = coded(check.CauseDNSFailure, "setup.all-denied")
	case errors.Is(err, discovery.ErrNoDomain), errors.Is(err, discovery.ErrAddress):
		out.Err = coded(check.CauseDNSNXDomain, wizard.Misspelt, "domain", config.AddressDomain(address))
	case err != nil:
		out.Err = coded(check.CauseDNSFailure, "setup.no-dns")
	}
	out.Candidates = w.offers(list, address)
}

// coded is a sentence with the code of a cause, to be said aloud.
func coded(cause check.Cause, key string, args ...any) wizard.Words {
	words := wizard.Msg(key, args...)
	words.Literal = "(" + explain.Code(cause) + ")"
	return words
}

// offers returns the best candidate and, after it, only those between which the person has to choose: products that
// share an MX.
func (w *Worker) offers(list []discovery.Candidate, address string) []wizard.Candidate {
	var out []wizard.Candidate
	for _, c := range list {
		if first := list[0]; c.Origin == first.Origin && c.Via == first.Via &&
			(len(out) == 0 || c.Origin == discovery.OriginMX) {
			out = append(out, w.candidate(c, address))
		}
	}
	return out
}

// candidate converts a candidate of discovery into the wizard's. A preset is filled in again, so that the wizard can
// ask for the values of its placeholders.
func (w *Worker) candidate(c discovery.Candidate, address string) wizard.Candidate {
	if p, ok := w.Book.Get(c.Provider); ok && (c.Origin == discovery.OriginPreset || c.Origin == discovery.OriginMX) {
		out := wizard.CandidateOf(p, address, string(c.Origin), c.Via, nil)
		out.Confidence, out.Confirm, out.Reasons = string(c.Confidence), len(c.Confirm) > 0, reasons(c)
		return out
	}
	out := wizard.Candidate{
		Provider: c.Provider, Name: c.Name, Origin: string(c.Origin), Via: c.Via, Confidence: string(c.Confidence),
		Checked: c.Checked,
		Confirm: len(c.Confirm) > 0, Reasons: reasons(c), Credential: c.Credential, SentMode: c.SentCopy,
	}
	if len(c.SMTP) > 0 {
		out.Submission = c.SMTP[0].Server
	}
	if len(c.IMAP) > 0 && !c.IMAP[0].Cleartext {
		server := c.IMAP[0].Server
		out.IMAP = &server
	}
	return out
}

// reasons lists why the person has to confirm a candidate, in the words of the contract.
func reasons(c discovery.Candidate) []string {
	var out []string
	for _, r := range c.Confirm {
		out = append(out, string(r))
	}
	return out
}

// Candidates finds the providers of an address where the person cannot be asked. Those that the person would have to
// confirm are among them, and say so. It fails if the question itself could not be answered.
func (w *Worker) Candidates(ctx context.Context, address string) ([]wizard.Candidate, error) {
	list, err := discovery.Find(ctx, w.Network, w.Book, address, discovery.Options{Now: w.Now})
	return w.offers(list, address), err
}
