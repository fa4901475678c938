package diagnose

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// proof is a saved profile that is checked exactly as written in the file, so that the results speak for it.
type proof struct {
	name   string
	digest string
	proven bool
	// covers are the checks that must be judged again before the proof in the file may be replaced.
	covers []check.ID
}

// proofOf is nil when flags win over the file: what passes then says nothing about what other programs will use.
func (o *Options) proofOf(target account.Target) *proof {
	if target.Profile == "" || len(o.Values) > 0 || o.Cleartext || o.Secrets.Named() {
		return nil
	}
	_, p, err := o.Factory.Profile(target.Profile)
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
func (c *checkup) renew(results []diagnostics.Result) {
	proof := c.proof
	if proof == nil || diagnostics.Verdict(results) == check.Fail {
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
		c.writeProof(judged)
	case !proof.proven:
		c.Note(c.T("diagnose.proof.missing", "name", proof.name, "checks", joined(missing), "command",
			proofCommand(proof.name, missing)))
	}
}

// proofCommand is the run that judges everything: the checks that take a message need --arrival.
func proofCommand(name string, missing []check.ID) string {
	line := "postier diagnose " + name
	if slices.ContainsFunc(missing, takesMessage) {
		line += " --arrival"
	}
	return line
}

func takesMessage(id check.ID) bool { return id.Area() == "arrival" || id == check.SMTPData }

func joined(ids []check.ID) string {
	var names []string
	for _, id := range ids {
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}

func (c *checkup) writeProof(judged map[check.ID]check.Status) {
	proof := c.proof
	doc, err := c.Document()
	if err == nil {
		p := doc.File.Profiles[proof.name]
		if p == nil || p.Digest() != proof.digest {
			return // edited or removed while the checks ran: they speak for settings that are gone
		}
		p.Validated = &config.Validated{At: time.Now().UTC().Truncate(time.Second), Digest: proof.digest, Checks: judged}
		err = doc.Save()
	}
	switch {
	case proof.proven: // it was proven and still is; the date alone is not worth a word
	case err != nil:
		c.Note(c.T("diagnose.proof.unwritten", "name", proof.name, "error", safetext.FromRemote(err.Error())))
	default:
		c.Note(c.T("diagnose.proof.renewed", "name", proof.name))
	}
}

// trustProfile makes the network trust what the target's profile trusts in addition.
func (c *checkup) trustProfile() error {
	if c.target.Profile == "" {
		return nil
	}
	doc, p, err := c.Factory.Profile(c.target.Profile)
	if err != nil {
		return err
	}
	c.network, err = c.Trusting(c.network, doc.Path, p.TLS.CAFile)
	return err
}

// provesArrival reports whether a profile's settings are untested and its proof stands on a message that arrived, so
// that only another one can renew it.
func provesArrival(p *config.Profile) bool {
	return !p.Proven() && slices.ContainsFunc(covered(p), takesMessage)
}

// TestOf is what the home screen's test runs: with a message to oneself when the proof takes one and the person agrees.
func TestOf(ctx context.Context, f *command.Factory, name string) *Options {
	o := &Options{Factory: f, About: []string{name}}
	if _, p, err := f.Profile(name); err == nil && provesArrival(p) {
		o.Arrival = f.Confirm(ctx, f.T("diagnose.proof.arrival", "address", safetext.FromRemote(p.From.Address)))
	}
	return o
}
