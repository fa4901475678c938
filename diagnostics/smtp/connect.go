package smtp

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// lookup is what net.resolve found.
type lookup struct {
	v4, v6 []netip.Addr
}

func (l *ladder) resolve(ctx context.Context) diagnostics.Result {
	if !l.validHost {
		return fail(causeSettings,
			diagnostics.Evidence{
				Kind:   "addresses",
				Fields: map[string]any{"host": safetext.FromRemote(l.target.Submission.Host)},
			})
	}
	addresses, err := l.network.Addresses(ctx, l.target.Submission.Host)
	if err != nil {
		return l.fault(err, stageResolve)
	}
	l.look.v4, l.look.v6 = wire.Families(addresses)
	return pass(diagnostics.Evidence{Kind: "addresses", Fields: map[string]any{
		"host": safetext.FromRemote(l.target.Submission.Host), "ipv4": texts(l.look.v4), "ipv6": texts(l.look.v6),
	}})
}

func texts(addresses []netip.Addr) []string {
	list := []string{}
	for _, a := range addresses {
		list = append(list, a.String())
	}
	return list
}

// family is the attempt to connect over one address family. It runs by itself; wait gives its outcome.
type family struct {
	done     chan struct{}
	conn     *wire.Conn
	attempts []wire.Attempt

	mu    sync.Mutex
	taken bool // by the ladder, or released
}

func (l *ladder) dial(ctx context.Context, addresses []netip.Addr, port int) *family {
	if len(addresses) == 0 {
		return nil
	}
	f := &family{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.conn, f.attempts = l.network.Connect(ctx, l.target.Submission.Host, port, addresses, l.recorder)
	}()
	return f
}

// release closes the connection when it comes, or has come, and nobody took it.
func (f *family) release() {
	go func() {
		<-f.done
		if conn := f.take(); conn != nil {
			_ = conn.Close()
		}
	}()
}

func (f *family) take() *wire.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken {
		return nil
	}
	f.taken = true
	return f.conn
}

// settle is how long the slower family may take to show its outcome once the other one stands: the Connection Attempt
// Delay of RFC 8305 §5. IPv6 may take longer; net.connect6 waits for it while the ladder goes on.
const settle = 250 * time.Millisecond

// both connects over both families at once and returns the first connection that stands.
func (l *ladder) both(ctx context.Context, w way) (conn *wire.Conn, attempts []wire.Attempt) {
	four, six := l.dial(ctx, l.look.v4, w.port), l.dial(ctx, l.look.v6, w.port)
	l.six = six
	var fourDone, sixDone <-chan struct{}
	if four != nil {
		fourDone = four.done
		defer four.release()
	}
	if six != nil {
		sixDone = six.done
	}
	var patience <-chan time.Time
	for fourDone != nil || (sixDone != nil && conn == nil) {
		select {
		case <-fourDone:
			fourDone = nil
			attempts = append(attempts, four.attempts...)
			if conn == nil && four.conn != nil {
				conn = four.take()
			}
		case <-sixDone:
			sixDone = nil
			if conn == nil && six.conn != nil {
				conn, attempts = six.take(), append(attempts, six.attempts...)
				patience = time.After(settle)
			} else if conn == nil {
				attempts = append(attempts, six.attempts...)
			}
		case <-patience:
			return conn, attempts
		}
	}
	return conn, attempts
}

// connect finds a way in. With several ways, one on which TLS does not come about is left for the next; when none is
// better, the first one that connected stays, with its failure for smtp.tls to show.
func (l *ladder) connect(ctx context.Context) diagnostics.Result {
	var evidence []diagnostics.Evidence
	var attempts []wire.Attempt
	var kept *kept
	for i, w := range l.ways {
		conn, tried := l.both(ctx, w)
		attempts = append(attempts, tried...)
		evidence = append(evidence, connections(tried, w)...)
		if conn == nil {
			continue
		}
		l.way, l.dialog = w, &dialog{conn: conn}
		if len(l.ways) == 1 || w.security != config.SecurityTLS {
			return l.connected(attempts, evidence)
		}
		stop := conn.Watch(ctx)
		result := l.rung(diagnostics.SMTPTLS, l.secure)(ctx)
		stop()
		if result.Status != diagnostics.Fail || i == len(l.ways)-1 {
			return l.connected(attempts, evidence)
		}
		kept = l.setAside(result)
	}
	if kept != nil {
		kept.restore(l)
		return l.connected(attempts, evidence)
	}
	return l.unconnected(ctx, attempts, evidence)
}

// kept is a way that connected and had no TLS, while another one is tried.
type kept struct {
	way    way
	dialog *dialog
	result diagnostics.Result
}

func (l *ladder) setAside(result diagnostics.Result) *kept {
	k := &kept{way: l.way, dialog: l.dialog, result: result}
	_ = l.dialog.conn.Close()
	if l.six != nil {
		l.six.release()
	}
	l.dialog = nil
	l.mu.Lock()
	delete(l.results, diagnostics.SMTPTLS)
	l.mu.Unlock()
	return k
}

func (k *kept) restore(l *ladder) {
	l.way, l.dialog = k.way, k.dialog
	l.mu.Lock()
	l.results[diagnostics.SMTPTLS] = k.result
	l.mu.Unlock()
}

func (l *ladder) connected(attempts []wire.Attempt, evidence []diagnostics.Evidence) diagnostics.Result {
	result := pass(evidence...)
	for _, a := range attempts {
		if a.Err != nil && !a.IPv6() { // IPv6 has its own check
			failed := l.fault(a.Err, stageConnect)
			result.Status, result.Cause, result.Matched, result.Args = diagnostics.Warn, failed.Cause, failed.Matched,
				failed.Args
			result.Provider = failed.Provider
			break
		}
	}
	return result
}

func (l *ladder) unconnected(ctx context.Context, attempts []wire.Attempt,
	evidence []diagnostics.Evidence,
) diagnostics.Result {
	err := wire.ErrNoAddress
	for i, a := range attempts {
		if i == 0 || !a.IPv6() { // of both families the older one is the more telling
			err = a.Err
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	result := l.fault(err, stageConnect)
	if len(evidence) > 0 { // each attempt already shows its error
		result.Evidence = evidence
	}
	return result
}

// connect6 tells about IPv6 by itself. A broken IPv6 beside a good IPv4 makes programs slow or fail now and then, so it
// is a warning; a host without IPv6 addresses is none.
func (l *ladder) connect6(ctx context.Context) diagnostics.Result {
	if len(l.look.v6) == 0 {
		return diagnostics.Result{Status: diagnostics.Skip, Cause: causeNoIPv6}
	}
	if l.six == nil {
		return needsFailed(diagnostics.NetConnect)
	}
	start := time.Now()
	select {
	case <-l.six.done:
	case <-ctx.Done():
		return diagnostics.Result{Status: diagnostics.Skip, Cause: diagnostics.CauseCancelled}
	}
	evidence := connections(l.six.attempts, l.way)
	took := time.Since(start)
	for _, a := range l.six.attempts {
		took = max(took, a.Took)
	}
	if l.six.conn != nil {
		l.six.release()
		result := pass(evidence...)
		result.Took = took
		return result
	}
	if known, _ := l.known(diagnostics.NetConnect); known.Status == diagnostics.Fail {
		result := needsFailed(diagnostics.NetConnect)
		result.Evidence, result.Took = evidence, took
		return result
	}
	return diagnostics.Result{Status: diagnostics.Warn, Cause: causeIPv6Broken, Evidence: evidence, Took: took}
}

// connections turns attempts into evidence, each with its outcome in the words of wire.Kind.
func connections(attempts []wire.Attempt, w way) []diagnostics.Evidence {
	var list []diagnostics.Evidence
	for _, a := range attempts {
		fields := map[string]any{
			"address": a.Address.String(), "took_ms": a.Took.Milliseconds(), "outcome": "connected",
			"family": map[bool]string{false: "ipv4", true: "ipv6"}[a.IPv6()], "security": string(w.security),
		}
		e := diagnostics.Evidence{Kind: "connection", Fields: fields}
		if a.Err != nil {
			fault := wire.Classify(a.Err)
			fields["outcome"] = string(fault.Kind)
			e.Text = fault.Text
		}
		list = append(list, e)
	}
	return list
}
