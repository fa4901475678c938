package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/wizard"
)

// proof is a saved profile that is checked exactly as it stands in the file, so that the results speak for it.
type proof struct {
	name   string
	digest string
	proven bool
	// covers are the checks that must be judged again before the proof in the file may be replaced.
	covers []check.ID
}

// proofOf is nil when flags win over the file: what passes then says nothing about what other programs will use.
func (a *app) proofOf(o *diagnoseOptions, target account.Target, values map[wizard.FieldID]string,
	secrets *secretFlags,
) *proof {
	if target.Profile == "" || len(values) > 0 || o.cleartext || secrets.named() {
		return nil
	}
	doc, err := a.document()
	if err != nil {
		return nil
	}
	p, err := doc.Profile(target.Profile)
	if err != nil {
		return nil
	}
	return &proof{name: target.Profile, digest: p.Digest(), proven: p.Proven(), covers: covered(p)}
}

// covered are the checks that a profile's proof stands on: those recorded in it, and the ones without which nothing is
// proven.
func covered(p *config.Profile) []check.ID {
	out := map[check.ID]bool{check.SMTPAuth: true}
	if p.Submission.Auth == config.MechanismNone {
		out = map[check.ID]bool{check.SMTPSender: true}
	}
	if p.SentCopy.Mode == config.SentAppend && p.SentCopy.IMAP != nil {
		out[check.IMAPAppend] = true
	}
	if p.Validated != nil {
		for id, status := range p.Validated.Checks {
			if status != check.Skip && id.Known() {
				out[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// renew writes the results into the profile when they prove it, and says what is missing when they do not. It never
// turns a check that passed into a failed command: a file that cannot be written is told and left.
func (a *app) renew(proof *proof, results []diagnostics.Result) {
	if proof == nil || report.Verdict(results) == check.Fail {
		return
	}
	judged := map[check.ID]check.Status{}
	for _, r := range results {
		if r.Status != check.Skip {
			judged[r.ID] = r.Status
		}
	}
	if judged[check.SMTPData] == "" && judged[check.ArrivalDelivered] == check.Pass {
		judged[check.SMTPData] = check.Pass // what arrived was taken; the arrival's own plan sends it
	}
	missing := slices.DeleteFunc(slices.Clone(proof.covers), func(id check.ID) bool { return judged[id] != "" })
	switch {
	case len(missing) == 0:
		a.writeProof(proof, judged)
	case !proof.proven:
		a.note(a.T("diagnose.proof.missing", "name", proof.name, "checks", joined(missing), "command",
			proofCommand(proof.name, missing)))
	}
}

// proofCommand is the run that judges everything: the checks that take a message need --arrival.
func proofCommand(name string, missing []check.ID) string {
	command := "postier diagnose " + name
	if slices.ContainsFunc(missing, takesMessage) {
		command += " --arrival"
	}
	return command
}

func takesMessage(id check.ID) bool { return id.Area() == "arrival" || id == check.SMTPData }

func joined(ids []check.ID) string {
	var names []string
	for _, id := range ids {
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}

func (a *app) writeProof(proof *proof, judged map[check.ID]check.Status) {
	doc, err := a.document()
	if err == nil {
		p := doc.File.Profiles[proof.name]
		if p == nil || p.Digest() != proof.digest {
			return // edited or removed while the checks ran: they speak for settings that are gone
		}
		p.Validated = &config.Validated{At: now().UTC().Truncate(time.Second), Digest: proof.digest, Checks: judged}
		err = doc.Save()
	}
	switch {
	case proof.proven: // it was proven and still is; the date alone is not worth a word
	case err != nil:
		a.note(a.T("diagnose.proof.unwritten", "name", proof.name, "error", safetext.FromRemote(err.Error())))
	default:
		a.note(a.T("diagnose.proof.renewed", "name", proof.name))
	}
}

// profileNetwork is the network that trusts what the target's profile trusts in addition.
func (a *app) profileNetwork(network *wire.Network, target account.Target) (*wire.Network, error) {
	if target.Profile == "" {
		return network, nil
	}
	doc, err := a.document()
	if err != nil {
		return nil, err
	}
	p, err := doc.Profile(target.Profile)
	if err != nil {
		return nil, err
	}
	return a.trusting(network, doc.Path, p.TLS.CAFile)
}

// provesArrival reports whether a profile's settings are untested and its proof stands on a message that arrived, so
// that only another one can renew it.
func provesArrival(p *config.Profile) bool {
	return !p.Proven() && slices.ContainsFunc(covered(p), takesMessage)
}

// testOf is what the home screen's test runs: with a message to oneself when the proof takes one and the person agrees.
func (a *app) testOf(ctx context.Context, name string) *diagnoseOptions {
	o := &diagnoseOptions{}
	if doc, err := a.document(); err == nil {
		if p, err := doc.Profile(name); err == nil && provesArrival(p) {
			o.arrival = a.confirm(ctx, a.T("diagnose.proof.arrival", "address", safetext.FromRemote(p.From.Address)))
		}
	}
	return o
}
