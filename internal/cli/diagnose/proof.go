package diagnose

import (
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

// proof is a saved profile that is checked exactly as it is in the file, so that the results can prove it.
type proof struct {
	name   string
	digest string
	proven bool
	// covers are the checks that must be judged again before the proof in the file may be replaced.
	covers []check.ID
}

// proofOf is nil when flags override the file: the results then say nothing about the settings that other programs use.
func (o *Options) proofOf(target account.Target) *proof {
	if target.Profile == "" || len(o.Values) > 0 || o.Cleartext || o.Secrets.Named() {
		return nil
	}
	_, p, err := o.Factory.Profile(target.Profile)
	if err != nil {
		return nil
	}
	return &proof{name: target.Profile, digest: p.Digest(), proven: p.Proven(), covers: coverage(p)}
}

// coverage lists the checks that a profile's proof consists of: those recorded in it, and those without which it is
// none.
func coverage(p *config.Profile) []check.ID {
	out := map[check.ID]bool{check.SMTPAuth: true}
	if p.Submission.Auth == config.MechanismNone {
		out = map[check.ID]bool{check.SMTPSender: true}
	}
	if p.SentCopy.Mode == config.SentAppend && p.SentCopy.IMAP != nil {
		out[check.IMAPAppend] = true
	}
	if p.Validated != nil {
		for id, status := range p.Validated.Checks {
			if status != check.Skip && id.Known() && !id.OnlyAfterFailure() {
				out[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// renew writes the results into the profile when they prove it, and otherwise says which checks are missing. When the
// file cannot be written it says so; the command still succeeds.
func (c *checkup) renew(results []diagnostics.Result) {
	proof := c.proof
	if proof == nil || diagnostics.Verdict(results) == check.Fail {
		return
	}
	judged := judgements(results)
	switch missing := proof.missing(judged); {
	case len(missing) == 0:
		c.writeProof(judged)
	case !proof.proven:
		c.Note(c.T("diagnose.proof.missing", "name", proof.name, "checks", command.Join(missing), "command",
			proofCommand(proof.name, missing)))
	}
}

// judgements are the results that a proof records.
func judgements(results []diagnostics.Result) map[check.ID]check.Status {
	judged := map[check.ID]check.Status{}
	for _, r := range results {
		if r.Status != check.Skip && !r.ID.OnlyAfterFailure() {
			judged[r.ID] = r.Status
		}
	}
	if judged[check.SMTPData] == "" && judged[check.ArrivalDelivered] == check.Pass {
		judged[check.SMTPData] = check.Pass // the arrival's plan sends a message itself, and it was accepted
	}
	return judged
}

// missing are the checks that the proof consists of and that were not judged.
func (p *proof) missing(judged map[check.ID]check.Status) []check.ID {
	return slices.DeleteFunc(slices.Clone(p.covers), func(id check.ID) bool { return judged[id] != "" })
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

// trustProfile adds the roots that the target's profile trusts to the network.
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

// provesArrival reports whether a profile is unproven and its proof includes a message that arrived, so that renewing
// it takes another one.
func provesArrival(p *config.Profile) bool {
	return !p.Proven() && slices.ContainsFunc(coverage(p), takesMessage)
}

// TestOf is the test of the home screen, with a message to an address, where one is given (C-8). One to the profile's
// own address is looked for in its mailbox when the proof needs that.
func TestOf(f *command.Factory, name, to string) *Options {
	o := &Options{Factory: f, About: []string{name}, SendTo: to, home: true}
	if _, p, err := f.Profile(name); err == nil && strings.EqualFold(to, p.From.Address) && provesArrival(p) {
		o.Arrival = true
	}
	return o
}
