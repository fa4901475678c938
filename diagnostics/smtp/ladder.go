package smtp

import (
	"context"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/wire"
)

// Options say what is done beside looking.
type Options struct {
	// Message is sent when it is not nil: a whole message with its header, lines ended by LF or CRLF.
	Message []byte
	// Recipients take the trial RCPT and the message; empty means Target.To alone. Never an address that nobody typed
	// (docs/security.md T21).
	Recipients []string
	// Aliases are further sender addresses to try, without sending; ignored when Message is set.
	Aliases []string
}

// way is one port and mode to try.
type way struct {
	port     int
	security config.Security
}

// The ports of submission (RFC 8314 §3.3, RFC 6409 §3.1).
const (
	portTLS      = 465
	portStartTLS = 587
)

// ladder is what the checks of one plan share. The checks run one behind the other, as their needs say, except for
// net.connect6, which touches six alone.
type ladder struct {
	network  *wire.Network
	target   account.Target
	opts     Options
	recorder *wire.Recorder

	validHost bool
	look      lookup
	ways      []way
	way       way
	six       *family // the IPv6 half of the connection that was taken; nil when there are no such addresses
	dialog    *dialog

	mu      sync.Mutex
	results map[diagnostics.ID]diagnostics.Result

	tls        wire.TLSReport
	injected   error      // ErrInjected of the handshake
	before     Extensions // offered before TLS; worth showing and nothing else
	mechanism  string
	data       *exchange
	recipients []Verdict

	// keep leaves the connection open behind an accepted message; patience is the wait behind the dot, 0 for a person's.
	keep      bool
	patience  time.Duration
	beforeDot func() error
}

// Plan is the submission ladder for one target: net.* and smtp.* checks. smtp.data is among them when a message is
// given, smtp.auth unless Auth is none, sender and recipient when there are addresses for them.
func Plan(network *wire.Network, target account.Target, opts Options) diagnostics.Plan {
	l := newLadder(network, target, opts)
	return diagnostics.Plan{Checks: l.checks(), Close: l.close}
}

func newLadder(network *wire.Network, target account.Target, opts Options) *ladder {
	l := &ladder{
		network: network, target: target, opts: opts,
		recorder: wire.NewRecorder(), results: map[diagnostics.ID]diagnostics.Result{},
	}
	l.target.AllowCleartext = network.Policy.Cleartext(target.AllowsCleartext(target.Submission))
	// U-labels are for people; DNS and TLS take A-labels (RFC 5890 §2.3.2.1).
	if ascii, ok := config.HostASCII(strings.Trim(target.Submission.Host, "[]")); ok {
		l.target.Submission.Host, l.validHost = ascii, true
	}
	l.recorder.Hide(target.Secret, target.Submission.Username)
	l.ways = ways(target.Submission)
	l.way = l.ways[0]
	return l
}

// ways lists what may be tried, best first. Cleartext is never among the guesses (docs/security.md T1).
func ways(s config.Server) []way {
	switch {
	case s.Security == config.SecurityTLS && s.Port == 0:
		return []way{{portTLS, config.SecurityTLS}}
	case s.Security != config.SecurityAuto && s.Security != "" && s.Port == 0:
		return []way{{portStartTLS, s.Security}}
	case s.Security != config.SecurityAuto && s.Security != "":
		return []way{{s.Port, s.Security}}
	case s.Port == 0:
		return []way{{portTLS, config.SecurityTLS}, {portStartTLS, config.SecurityStartTLS}}
	case s.Port == portTLS:
		return []way{{s.Port, config.SecurityTLS}}
	case s.Port == portStartTLS || s.Port == 25 || s.Port == 2525:
		return []way{{s.Port, config.SecurityStartTLS}}
	}
	return []way{{s.Port, config.SecurityTLS}, {s.Port, config.SecurityStartTLS}}
}

// checks lists the rungs with their needs, which depend on the mode: inside implicit TLS the greeting comes behind the
// handshake, with STARTTLS before it.
func (l *ladder) checks() []diagnostics.Check {
	checks := []diagnostics.Check{
		{ID: diagnostics.NetResolve, Run: l.rung(diagnostics.NetResolve, l.resolve)},
		{ID: diagnostics.NetConnect, Needs: ids(diagnostics.NetResolve), Run: l.rung(diagnostics.NetConnect, l.connect)},
		{
			ID: diagnostics.NetConnect6, Needs: ids(diagnostics.NetResolve), After: ids(diagnostics.NetConnect),
			Run: l.connect6,
		},
		l.greetingCheck(),
		l.tlsCheck(),
		{
			ID: diagnostics.SMTPInjection, Needs: ids(diagnostics.SMTPGreeting), After: ids(diagnostics.SMTPTLS),
			Run: l.rung(diagnostics.SMTPInjection, l.injection),
		},
		{
			ID: diagnostics.SMTPCertificate, Needs: ids(diagnostics.SMTPTLS),
			Run: l.rung(diagnostics.SMTPCertificate, l.certificate),
		},
		{
			ID: diagnostics.SMTPEhlo, Needs: ids(diagnostics.SMTPGreeting, diagnostics.SMTPTLS),
			After: ids(diagnostics.SMTPCertificate),
			Run:   l.rung(diagnostics.SMTPEhlo, l.hello),
		},
	}
	last := diagnostics.SMTPEhlo
	if l.target.Submission.Auth != config.MechanismNone {
		needs := ids(diagnostics.SMTPAuthOffered)
		if l.way.security != config.SecurityNone {
			needs = append(needs, diagnostics.SMTPCertificate)
		}
		checks = append(
			checks,
			diagnostics.Check{
				ID: diagnostics.SMTPAuthOffered, Needs: ids(diagnostics.SMTPEhlo),
				Run: l.rung(diagnostics.SMTPAuthOffered, l.offered),
			},
			diagnostics.Check{ID: diagnostics.SMTPAuth, Needs: needs, Run: l.rung(diagnostics.SMTPAuth, l.signIn)},
		)
		last = diagnostics.SMTPAuth
	}
	return append(checks, l.envelopeChecks(last)...)
}

func (l *ladder) envelopeChecks(last diagnostics.ID) []diagnostics.Check {
	if l.target.Author() == "" {
		return nil
	}
	checks := []diagnostics.Check{
		{ID: diagnostics.SMTPSender, Needs: ids(last), Run: l.rung(diagnostics.SMTPSender, l.sender)},
		{
			ID: diagnostics.SMTPRecipient, Needs: ids(diagnostics.SMTPSender),
			Run: l.rung(diagnostics.SMTPRecipient, l.recipient),
		},
	}
	if l.opts.Message != nil {
		checks = append(checks, diagnostics.Check{
			ID: diagnostics.SMTPData, Needs: ids(diagnostics.SMTPRecipient), Run: l.rung(diagnostics.SMTPData, l.message),
		})
	}
	return checks
}

func (l *ladder) greetingCheck() diagnostics.Check {
	check := diagnostics.Check{
		ID: diagnostics.SMTPGreeting, Needs: ids(diagnostics.NetConnect),
		Run: l.rung(diagnostics.SMTPGreeting, l.greeting),
	}
	switch {
	case len(l.ways) > 1:
		check.After = ids(diagnostics.SMTPTLS)
	case l.way.security == config.SecurityTLS:
		check.Needs = ids(diagnostics.SMTPTLS)
	}
	return check
}

func (l *ladder) tlsCheck() diagnostics.Check {
	check := diagnostics.Check{
		ID: diagnostics.SMTPTLS, Needs: ids(diagnostics.NetConnect),
		Run: l.rung(diagnostics.SMTPTLS, l.secure),
	}
	if len(l.ways) == 1 && l.way.security != config.SecurityTLS {
		check.Needs = ids(diagnostics.SMTPGreeting)
	}
	return check
}

func ids(list ...diagnostics.ID) []diagnostics.ID { return list }

// rung wraps a step: it runs at most once, ends when ctx ends, and keeps its own lines of the transcript and its time.
// A step may climb another one first (where the mode decides the order) and then finds its result here.
func (l *ladder) rung(id diagnostics.ID,
	step func(context.Context) diagnostics.Result,
) func(context.Context) diagnostics.Result {
	return func(ctx context.Context) diagnostics.Result {
		if known, ok := l.known(id); ok {
			return known
		}
		if l.dialog != nil {
			defer l.dialog.conn.Watch(ctx)()
		}
		mark, start := l.recorder.Mark(), time.Now()
		result := step(ctx)
		result.ID = id
		result.Took = time.Since(start)
		result.Transcript = l.recorder.Since(mark)
		l.mu.Lock()
		l.results[id] = result
		l.mu.Unlock()
		return result
	}
}

func (l *ladder) known(id diagnostics.ID) (diagnostics.Result, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.results[id]
	return r, ok
}

// needsFailed is the result of a check whose need was found out only while climbing.
func needsFailed(need diagnostics.ID) diagnostics.Result {
	return diagnostics.Result{Status: diagnostics.Skip, Cause: diagnostics.CauseNeedsFailed, Needs: ids(need)}
}

// close says goodbye and lets go of everything.
func (l *ladder) close() {
	if l.dialog != nil {
		l.dialog.quit()
	}
	if l.six != nil {
		l.six.release()
	}
}
