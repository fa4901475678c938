package watch

import (
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

const (
	// enough failures are needed before anyone is told.
	enough = 2
	// apart is how long after the first failure another one counts: what a restart of a server breaks is one failure.
	apart = 30 * time.Second
	// rest is how long a refused secret is not tried again unless it or the settings changed: servers lock accounts after
	// repeated refusals (docs/security.md T21).
	rest = 24 * time.Hour
	// spare is how long nothing is filed in a Sent folder from which it could not be removed.
	spare = 30 * 24 * time.Hour
)

// grade is what a result says about its check.
type grade int

const (
	unjudged grade = iota // nothing: it was not asked, or what was found will pass
	holds
	broken
)

// passing are the causes that pass by themselves or lie on this machine, in addition to whatever a server calls
// temporary.
var passing = map[check.Cause]bool{
	check.CauseNetworkUnreachable: true, check.CauseNoNetwork: true, check.CauseDNSFailure: true,
	check.CauseZoneUnanswered: true, check.CauseCancelled: true, check.CauseFileFailed: true,
	check.CauseConnectionsBlocked: true, check.CauseCaptivePortal: true, check.CauseClockWrong: true,
}

// fades reports whether what was found says nothing about the profile: a temporary answer (RFC 5321 §4.2.1: 4yz), or a
// fault of this machine or its network.
func fades(r diagnostics.Result) bool {
	return passing[r.Cause] || report.ExitOf(r) == exitcode.TempFail
}

// blind reports whether the round says nothing at all, because this machine has no network. A name service that failed
// leaves what was found without it: what follows from it is skipped (diagnostics/rootcause).
func blind(results []diagnostics.Result) bool {
	return slices.ContainsFunc(results, func(r diagnostics.Result) bool {
		return r.Failed() && r.ID == check.NetLocal
	})
}

// strict reports whether a remark about the check is worth a notice where there was none before: a certificate that
// ends soon, and a record that got worse.
func strict(id check.ID) bool {
	return id == check.SMTPCertificate || id == check.IMAPCertificate || id.Area() == "dns"
}

// gradeOf says what a result means for a check of which this is known.
func gradeOf(r diagnostics.Result, m *memory) grade {
	switch {
	case r.Status == check.Pass:
		return holds
	case fades(r):
		return unjudged
	case r.Status == check.Fail:
		return broken
	case r.Status == check.Warn && strict(r.ID) && m.Good == check.Pass && !rotated(r):
		return broken
	case r.Status == check.Warn:
		return holds
	case r.ID.Area() == "dns" && m.Published != "" && r.Cause != check.CauseNeedsFailed:
		return broken // what was published is gone
	}
	return unjudged
}

// rotated reports whether one key of several is gone, as when a provider exchanges its keys.
func rotated(r diagnostics.Result) bool {
	return r.ID == check.DNSDKIM && slices.ContainsFunc(r.Evidence, func(o diagnostics.Observation) bool {
		key, ok := o.(dns.DKIMKey)
		return ok && key.Usable
	})
}

// reading is what a round found about one profile.
type reading struct {
	now     time.Time
	profile *config.Profile
	stamp   string // of the secret
	results []diagnostics.Result
}

// judge brings what is known up to date, and returns the records that are others than before.
func (r *record) judge(read reading) []Change {
	moved := []Change{}
	if blind(read.results) {
		return moved
	}
	for _, result := range read.results {
		if result.ID == check.IMAPCleanup && result.Status == check.Warn {
			r.Left = read.now
		}
		if !wanted(result.ID) {
			continue
		}
		m := r.memory(result.ID)
		m.begin(result.ID, read.profile)
		switch gradeOf(result, m) {
		case holds:
			if change, differs := m.hold(result); differs {
				moved = append(moved, change)
			}
			r.remember(result)
		case broken:
			m.fail(result, read)
		case unjudged:
		}
	}
	return moved
}

// begin takes the last proof of the profile for what is known before the first round.
func (m *memory) begin(id check.ID, p *config.Profile) {
	if m.Good != "" || m.Trouble != nil || !p.Proven() {
		return
	}
	if status := p.Validated.Checks[id]; status == check.Pass || status == check.Warn {
		m.Good = status
	}
	if m.Good == "" && id.Area() == "net" && p.Validated.Checks[check.SMTPAuth] == check.Pass {
		m.Good = check.Pass // a sign-in needs a connection
	}
}

// hold notes that the check holds, and returns what DNS holds instead of what it held.
func (m *memory) hold(result diagnostics.Result) (Change, bool) {
	published := publishedBy(result)
	moved := Change{Check: result.ID, Was: safetext.FromRemote(m.Published), Now: safetext.FromRemote(published)}
	differs := m.Published != "" && m.Published != published
	m.Good, m.Published = result.Status, published
	switch {
	case m.Trouble == nil:
	case m.Trouble.Told:
		m.Trouble.Fixed = true
	default:
		m.Trouble = nil
	}
	return moved, differs
}

// fail notes that the check does not hold.
func (m *memory) fail(result diagnostics.Result, read reading) {
	t := m.Trouble
	switch {
	case t == nil:
		t = &trouble{Since: read.now, Times: 1}
		m.Trouble = t
	case t.Fixed: // before the owner heard that it holds
		t.Fixed = false
	case t.Since.After(read.now): // noted by a clock that was ahead
		t.Since = read.now
	case read.now.Sub(t.Since) >= apart:
		t.Times++
	}
	t.Last, t.Status, t.Cause, t.Words = read.now, result.Status, result.Cause, wordsOf(result)
	if t.Status == check.Skip {
		t.Status = check.Warn
	}
	t.Exit, t.Said, t.Published = 0, saidBy(result), publishedBy(result)
	if t.Status == check.Fail {
		t.Exit = report.ExitOf(result)
	}
	t.Digest, t.Stamp = read.profile.Digest(), read.stamp
}

// remember keeps the selectors of a domain whose keys are good: a key that vanishes is missed only where its name is
// known.
func (r *record) remember(result diagnostics.Result) {
	if result.ID != check.DNSDKIM {
		return
	}
	r.Selectors = nil
	for _, o := range result.Evidence {
		if key, ok := o.(dns.DKIMKey); ok && key.Usable {
			r.Selectors = append(r.Selectors, key.Selector.Raw())
		}
	}
}

// resting lists the sign-ins that are not tried in this round.
func (r *record) resting(p *config.Profile, stamp string, now time.Time) []check.ID {
	list := r.troubles(func(t *trouble) bool {
		wait := apart
		if t.confirmed() {
			wait = rest
		}
		return !t.Fixed && t.Digest == p.Digest() && t.Stamp == stamp && !t.Last.After(now) && now.Sub(t.Last) < wait
	})
	return slices.DeleteFunc(list, func(id check.ID) bool { return id != check.SMTPAuth && id != check.IMAPAuth })
}

// wanted reports whether a check belongs to a round: what was proven, and can stop working.
func wanted(id check.ID) bool {
	switch id {
	case check.NetConnect6, check.NetLocal, check.NetResolver:
		return false
	case check.DNSMX, check.DNSSPF, check.DNSDKIM, check.DNSDMARC:
		return true
	}
	return sends(id) || id.Area() == "imap"
}

// saidBy is what the server said, or else the local error.
func saidBy(r diagnostics.Result) string {
	if said, ok := diagnostics.Observed[diagnostics.Reply](r.Evidence); ok {
		line, _, _ := strings.Cut(said.Text.Raw(), "\n")
		return strings.TrimRight(line, "\r")
	}
	return ""
}

// publishedBy is what DNS holds, in one line.
func publishedBy(r diagnostics.Result) string {
	var lines []string
	for _, o := range r.Evidence {
		switch o := o.(type) {
		case dns.SPF:
			lines = append(lines, o.Record.Raw())
		case dns.DMARC:
			lines = append(lines, o.Record.Raw())
		case dns.DKIMKey:
			lines = append(lines, o.Selector.Raw()+": "+o.Record.Raw())
		case dns.MX:
			for _, host := range o.Hosts {
				lines = append(lines, host.Host.Raw())
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, " · ")
}
