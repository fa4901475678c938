package watch

import (
	"slices"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// Schema is the version of Round's JSON.
const Schema = 1

// Round is what one round found, as `watch --json` prints it.
type Round struct {
	Schema   int          `json:"schema"`
	Started  time.Time    `json:"started"`
	TookMS   int64        `json:"took_ms"`
	Verdict  check.Status `json:"verdict"`
	Profiles []Outcome    `json:"profiles"`
}

// State is how a profile is doing.
type State string

// The states.
const (
	StateWorking  State = "working"
	StateFailing  State = "failing"  // something failed twice
	StateDoubtful State = "doubtful" // something failed once, and is looked at again before anyone is told
	StateUnjudged State = "unjudged" // nothing could be judged: this machine's network, or the settings changed meanwhile
)

// Outcome is what a round found of one profile.
type Outcome struct {
	Profile string       `json:"profile"`
	Address string       `json:"address"`
	State   State        `json:"state"`
	Verdict check.Status `json:"verdict"`
	// Since, Cause and Code are of the first failure.
	Since *time.Time  `json:"since,omitempty"`
	Cause check.Cause `json:"cause,omitempty"`
	Code  string      `json:"code,omitempty"`

	Checks       []Check       `json:"checks"`
	Certificates []Certificate `json:"certificates"`
	Changes      []Change      `json:"changes"`
	Facts        []Fact        `json:"facts"`
	Notices      []Sent        `json:"notices"`

	exit int
}

// Check is the verdict of one check.
type Check struct {
	ID     check.ID     `json:"id"`
	Status check.Status `json:"status"`
	Cause  check.Cause  `json:"cause,omitempty"`
	Code   string       `json:"code,omitempty"`
}

// Certificate is how long a server's certificate is valid.
type Certificate struct {
	Check check.ID  `json:"check"`
	Until time.Time `json:"until"`
	Days  int       `json:"days_left"`
}

// Change is what DNS held when all was well, and what it holds now.
type Change struct {
	Check check.ID        `json:"check"`
	Was   safetext.Remote `json:"was"`
	Now   safetext.Remote `json:"now"`
}

// Fact is a dated fact of the provider that lies ahead.
type Fact struct {
	ID   string `json:"id"`
	Date string `json:"date"`
	Days int    `json:"days"`
	Text string `json:"text"`
}

// Sent is what became of a notice to one recipient.
type Sent struct {
	Kind Kind `json:"kind"`
	// To is an address, the host of a URL, or ToCommand.
	To     string      `json:"to"`
	Result SentResult  `json:"result"`
	Cause  check.Cause `json:"cause,omitempty"`
	Code   string      `json:"code,omitempty"`
}

// ToCommand stands for the command of the configuration.
const ToCommand = "command"

// SentResult says whether a notice was taken.
type SentResult string

// The results.
const (
	SentTaken   SentResult = "sent"
	SentWaiting SentResult = "waiting" // it is tried again while it is true
	SentRefused SentResult = "refused" // that address does not take it
	SentNoWay   SentResult = "no-way"  // no profile can carry it; it is tried again while it is true
)

// outcomeOf says what was found. r is up to date already.
func outcomeOf(name string, read reading, r *record) Outcome {
	out := Outcome{
		Profile: name, Address: read.profile.From.Address, State: StateWorking, Verdict: check.Pass,
		Checks: []Check{}, Certificates: shownCertificates(read.results, read.now), Changes: []Change{}, Facts: []Fact{},
		Notices: []Sent{},
	}
	for _, result := range read.results {
		out.Checks = append(out.Checks, Check{
			ID: result.ID, Status: result.Status, Cause: result.Cause, Code: explain.Code(result.Cause),
		})
	}
	out.summarise(read, r)
	return out
}

// summarise finds the state, the first cause, and the exit code: that of the worst that was found or is known.
func (o *Outcome) summarise(read reading, r *record) {
	o.Verdict = diagnostics.Verdict(read.results)
	root, failed := diagnostics.Root(read.results)
	if failed {
		o.State = StateUnjudged
		o.name(root.Cause)
		o.exit = report.ExitOf(root)
	}
	for _, result := range read.results {
		if result.Failed() {
			o.exit = worse(o.exit, report.ExitOf(result))
		}
	}
	// A sign-in that rests fails as well.
	troubles := r.troubles(func(t *trouble) bool { return !t.Fixed && t.Status == check.Fail })
	for _, id := range troubles {
		o.exit = worse(o.exit, r.Checks[id].Trouble.Exit)
	}
	switch _, known := r.failure(); {
	case known != nil:
		since := known.Since.UTC().Truncate(time.Second)
		o.State, o.Verdict, o.Since = StateFailing, check.Fail, &since
		o.name(known.Cause)
	case len(troubles) > 0:
		o.State, o.Verdict = StateDoubtful, check.Fail
		o.name(r.Checks[troubles[0]].Trouble.Cause)
	}
}

func (o *Outcome) name(cause check.Cause) {
	o.Cause, o.Code = cause, explain.Code(cause)
}

// shownCertificates reads how long those that were shown are valid.
func shownCertificates(results []diagnostics.Result, now time.Time) []Certificate {
	list := []Certificate{}
	for _, r := range results {
		seen, ok := diagnostics.Observed[diagnostics.Certificate](r.Evidence)
		until, err := time.Parse(time.RFC3339, seen.NotAfter)
		if ok && err == nil {
			list = append(list, Certificate{Check: r.ID, Until: until, Days: int(until.Sub(now).Hours() / 24)})
		}
	}
	return list
}

// mildest orders the exit codes of findings: what passes by itself comes first.
var mildest = []int{
	exitcode.OK, exitcode.TempFail, exitcode.Unavailable, exitcode.NoHost, exitcode.IO, exitcode.Failed, exitcode.Config,
	exitcode.Protocol, exitcode.NoPerm, exitcode.Interrupted,
}

// worse is the exit code of the worse of two findings.
func worse(a, b int) int {
	if slices.Index(mildest, b) > slices.Index(mildest, a) {
		return b
	}
	return a
}

// ExitCode is the code of the worst finding, 0 when everything holds.
func (r Round) ExitCode() int {
	worst := exitcode.OK
	for _, o := range r.Profiles {
		worst = worse(worst, o.exit)
	}
	return worst
}

// finish sums up the profiles.
func (r *Round) finish(now time.Time) {
	r.TookMS, r.Verdict = now.Sub(r.Started).Milliseconds(), check.Pass
	for _, o := range r.Profiles {
		switch {
		case o.Verdict == check.Fail:
			r.Verdict = check.Fail
		case o.Verdict == check.Warn && r.Verdict == check.Pass:
			r.Verdict = check.Warn
		}
	}
	r.Started = r.Started.UTC().Truncate(time.Second)
}
