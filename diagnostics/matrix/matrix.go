// Package matrix tries every sensible way to submit mail to one server: each port with the security that belongs to it,
// and on the ports that work each sign-in mechanism. It runs the submission ladder of package smtp for each.
//
// The ports are tried in parallel without signing in, one session a port. Sign-ins follow one after another: each
// only after the one before succeeded, and none after a refusal unless the user agrees (docs/security.md T21).
package matrix

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Row is one port with its security.
type Row struct {
	Port     int             `json:"port"`
	Security config.Security `json:"security"`
	// Status is that of the ladder up to the offered mechanisms. Cause and Check say where it ended.
	Status check.Status `json:"status"`
	Check  check.ID     `json:"check,omitempty"`
	Cause  check.Cause  `json:"cause,omitempty"`
	Code   string       `json:"code,omitempty"` // of the cause
	// TLS is the version, empty when there was none. Certificate is the status of its check, also empty without TLS.
	TLS         string       `json:"tls,omitempty"`
	Certificate check.Status `json:"certificate,omitempty"`
	// Offered are the mechanisms in the server's own words and order.
	Offered    []safetext.Remote `json:"offered"`
	Mechanisms []Try             `json:"mechanisms"`
	TookMS     int64             `json:"took_ms"`

	Results []diagnostics.Result `json:"-"`
}

// Try is one sign-in.
type Try struct {
	Mechanism config.Mechanism `json:"mechanism"`
	// Status is skip for a mechanism that was not tried; Cause then says why.
	Status check.Status `json:"status"`
	Cause  check.Cause  `json:"cause,omitempty"`
	Code   string       `json:"code,omitempty"` // of the cause
	TookMS int64        `json:"took_ms"`

	Results []diagnostics.Result `json:"-"`
}

// Choice is the recommended port, security and mechanism.
type Choice struct {
	Port     int             `json:"port"`
	Security config.Security `json:"security"`
	// Auth is empty when no sign-in was tried or wanted.
	Auth config.Mechanism `json:"auth,omitempty"`
	// Proven says that a sign-in by this way was accepted.
	Proven bool `json:"proven"`
}

// Matrix is the whole table, best row first.
type Matrix struct {
	Rows []Row `json:"rows"`
	// Best is nil when nothing works.
	Best *Choice `json:"recommendation,omitempty"`
	// Judged are the results of Root after they were judged together, nil where that was not done.
	Judged []diagnostics.Result `json:"-"`
}

// Options say how far to go.
type Options struct {
	// Agree is asked before a further sign-in once one was refused; nil means no.
	Agree func(context.Context, Row, Try) bool
	// Observe is told when a row has been looked at (no mechanism tried yet) and after each sign-in; it may be nil. It is
	// never called by two goroutines at once.
	Observe func(Row)
}

// The ports for submitting mail: 465 and 587 by RFC 8314 §3.3 and RFC 6409 §3.1; 25 is for relaying between servers,
// but some providers accept submissions there; 2525 is the usual alternative where the others are blocked.
var sensible = []Row{
	{Port: config.PortSubmissions, Security: config.SecurityTLS},
	{Port: config.PortSubmission, Security: config.SecurityStartTLS},
	{Port: config.PortAlternative, Security: config.SecurityStartTLS},
	{Port: config.PortSMTP, Security: config.SecurityStartTLS},
}

// ways are the sensible rows and, when the target names another port, that one in both ways.
func ways(s config.Server) []Row {
	rows := slices.Clone(sensible)
	if s.Port == 0 || slices.ContainsFunc(rows, func(r Row) bool { return r.Port == s.Port }) {
		return rows
	}
	var own []Row
	for _, way := range (config.Server{Port: s.Port}).SubmissionWays() {
		own = append(own, Row{Port: way.Port, Security: way.Security})
	}
	if s.Security == config.SecurityStartTLS {
		slices.Reverse(own)
	}
	return append(own, rows...)
}

// Run fills the matrix for target's submission server.
func Run(ctx context.Context, network *wire.Network, target account.Target, opts Options) Matrix {
	r := runner{network: network, target: target, opts: opts}
	m := Matrix{Rows: ways(target.Submission)}
	r.look(ctx, m.Rows)
	if !target.Secret.Empty() && target.Submission.Auth != config.MechanismNone {
		r.signIns(ctx, m.Rows)
	}
	m.Best = best(m.Rows)
	return m
}

type runner struct {
	network *wire.Network
	target  account.Target
	opts    Options
	mu      sync.Mutex
}

func (r *runner) tell(row Row) {
	if r.opts.Observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Observe(row)
}

// look runs the ladder of each row up to the mechanisms. Two rows with the same port run one after the other.
func (r *runner) look(ctx context.Context, rows []Row) {
	var wg parallel.Group
	for i := range rows {
		if i > 0 && rows[i-1].Port == rows[i].Port {
			continue
		}
		wg.Go(func() {
			for j := i; j < len(rows) && rows[j].Port == rows[i].Port; j++ {
				r.lookAt(ctx, &rows[j])
				r.tell(rows[j])
			}
		})
	}
	wg.Wait()
}

func (r *runner) lookAt(ctx context.Context, row *Row) {
	start := time.Now()
	target := r.bare(*row)
	target.Submission.Auth = config.MechanismAuto
	results := diagnostics.Run(ctx, nil, smtp.Plan(r.network, target, smtp.Options{}))
	row.Results, row.TookMS = results, time.Since(start).Milliseconds()
	row.Offered, row.Mechanisms = []safetext.Remote{}, []Try{}
	row.Status = check.Pass
	for _, result := range results {
		switch {
		case result.Cause == check.CauseCancelled:
			row.Status, row.Check, row.Cause = check.Skip, result.ID, result.Cause
		case result.Status == check.Fail:
			row.Status, row.Check, row.Cause = check.Fail, result.ID, result.Cause
		case result.Status == check.Warn && row.Status == check.Pass && result.ID != check.NetConnect6:
			row.Status, row.Check, row.Cause = check.Warn, result.ID, result.Cause
		}
		if row.Status == check.Fail {
			break
		}
	}
	row.Code = explain.Code(row.Cause)
	row.read(results)
}

// read copies what the table shows from the evidence.
func (row *Row) read(results []diagnostics.Result) {
	for _, result := range results {
		for _, e := range result.Evidence {
			switch e := e.(type) {
			case diagnostics.TLS:
				row.TLS = e.Version
			case diagnostics.Cleartext:
				row.TLS = e.Version
			case diagnostics.Certificate:
				row.Certificate = result.Status
			case diagnostics.Mechanisms:
				row.Offered = e.AfterTLS
			}
		}
	}
}

// bare is the target with the row's server and without anything to sign in with or to send.
func (r *runner) bare(row Row) account.Target {
	target := r.target
	target.Submission.Port, target.Submission.Security = row.Port, row.Security
	if target.Submission.Username == "" {
		target.Submission.Username = target.Address
	}
	target.Address, target.From, target.Recipient = "", "", ""
	target.Secret, target.AllowCleartext = account.Target{}.Secret, false
	return target
}

// usable are the mechanisms that fit the kind of secret, best first. NTLM is not recommended and left out.
func usable(row Row, token bool) []config.Mechanism {
	wanted := []config.Mechanism{
		config.MechanismSCRAMSHA256, config.MechanismSCRAMSHA1, config.MechanismPlain, config.MechanismLogin,
		config.MechanismCRAMMD5,
	}
	if token {
		wanted = []config.Mechanism{config.MechanismOAuthBearer, config.MechanismXOAuth2}
	}
	return slices.DeleteFunc(wanted, func(m config.Mechanism) bool {
		return !slices.ContainsFunc(row.Offered, func(name safetext.Remote) bool {
			return strings.TrimSuffix(strings.ToLower(name.Raw()), "-plus") == string(m)
		})
	})
}

// signIns tries the mechanisms row by row until one is refused.
func (r *runner) signIns(ctx context.Context, rows []Row) {
	stopped := false
	for i := range rows {
		row := &rows[i]
		if row.Status != check.Pass && row.Status != check.Warn {
			continue
		}
		for _, m := range usable(*row, r.target.SecretType == config.SecretOAuth) {
			if stopped || ctx.Err() != nil {
				cause := check.CauseLockoutGuard
				if !stopped {
					cause = check.CauseCancelled
				}
				row.Mechanisms = append(row.Mechanisms,
					Try{Mechanism: m, Status: check.Skip, Cause: cause, Code: explain.Code(cause)})
				continue
			}
			try := r.signIn(ctx, *row, m)
			row.Mechanisms = append(row.Mechanisms, try)
			// A mechanism that was refused as such tested no password, so the next one costs no attempt.
			if try.Status == check.Fail && try.Cause != check.CauseAuthMechanismUnsupported {
				stopped = r.opts.Agree == nil || !r.opts.Agree(ctx, *row, try)
			}
		}
		r.tell(*row)
	}
}

func (r *runner) signIn(ctx context.Context, row Row, m config.Mechanism) Try {
	target := r.bare(row)
	target.Secret, target.Submission.Auth = r.target.Secret, m
	results := diagnostics.Run(ctx, nil, smtp.Plan(r.network, target, smtp.Options{}))
	try := Try{Mechanism: m, Status: check.Skip, Cause: check.CauseNeedsFailed, Results: results}
	if auth, ok := diagnostics.Find(results, check.SMTPAuth); ok {
		try.Status, try.Cause, try.TookMS = auth.Status, auth.Cause, auth.Took.Milliseconds()
	}
	if root, failed := diagnostics.Root(results); failed {
		try.Status, try.Cause = check.Fail, root.Cause
	}
	try.Code = explain.Code(try.Cause)
	return try
}

// best is the first row with an accepted sign-in, else the first row that works, provided that no sign-in was tried. A
// server that refused every sign-in gives none.
func best(rows []Row) *Choice {
	tried := false
	for _, row := range rows {
		for _, try := range row.Mechanisms {
			switch try.Status {
			case check.Pass, check.Warn:
				return &Choice{Port: row.Port, Security: row.Security, Auth: try.Mechanism, Proven: true}
			case check.Fail:
				tried = true
			}
		}
	}
	if tried {
		return nil
	}
	for _, row := range rows {
		if row.Status == check.Pass || row.Status == check.Warn {
			return &Choice{Port: row.Port, Security: row.Security}
		}
	}
	return nil
}

// Untried reports whether a sign-in was left out, because another one had been refused. Whether it works is not known.
func (m Matrix) Untried() bool {
	return slices.ContainsFunc(m.Rows, func(row Row) bool {
		return slices.ContainsFunc(row.Mechanisms, func(try Try) bool { return try.Status == check.Skip })
	})
}

// Root returns the results that say most: those of the recommended row, else of the row that got furthest.
func (m Matrix) Root() []diagnostics.Result {
	if m.Judged != nil {
		return m.Judged
	}
	if len(m.Rows) == 0 {
		return nil
	}
	furthest, reach := m.Rows[0].Results, -1
	for _, row := range m.Rows {
		for _, try := range row.Mechanisms {
			if m.Best != nil && m.Best.Proven && row.Port == m.Best.Port && row.Security == m.Best.Security &&
				try.Mechanism == m.Best.Auth {
				return try.Results
			}
			if m.Best == nil && try.Status == check.Fail {
				return try.Results
			}
		}
		if m.Best != nil && row.Port == m.Best.Port && row.Security == m.Best.Security {
			return row.Results
		}
		passed := 0
		for _, r := range row.Results {
			if r.Status == check.Pass || r.Status == check.Warn {
				passed++
			}
		}
		if passed > reach {
			furthest, reach = row.Results, passed
		}
	}
	return furthest
}
