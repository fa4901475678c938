package rootcause

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/organisation"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// connections finds one cause for connections and certificates that failed alike in several places.
func (e evidence) connections(network *wire.Network) (root diagnostics.Result, follows func(diagnostics.Result) bool,
	ok bool,
) {
	if e.blocked() {
		root = diagnostics.Failed(check.CauseConnectionsBlocked, e.evidenceOf(check.NetConnect, check.IMAPConnect)...)
		root.ID = check.NetLocal
		return root, connected, true
	}
	certificate, mailbox := e.find(check.SMTPCertificate), e.find(check.IMAPCertificate)
	switch {
	case e.portal():
		return e.captivePortal(), connected, true
	case e.wrongClock(network.Clock()):
		root = diagnostics.Failed(check.CauseClockWrong, e.evidenceOf(check.SMTPCertificate, check.IMAPCertificate)...)
		root.ID = check.NetLocal
		root.Params = check.Params{Now: safetext.FromRemote(network.Clock().Format("2006-01-02 15:04"))}
		return root, connected, true
	case certificate.Failed() && mailbox.Failed() && e.intercepted():
		root = certificate
		root.Cause = check.CauseSecuritySoftwareIntercept
		return root, mailboxConnection, true
	}
	return e.sameInBoth()
}

// sameInBoth finds the mailbox's connection broken in the way in which the submission's is.
func (e evidence) sameInBoth() (diagnostics.Result, func(diagnostics.Result) bool, bool) {
	for _, pair := range [][2]check.ID{
		{check.NetResolve, check.IMAPConnect},
		{check.NetConnect, check.IMAPConnect},
		{check.SMTPTLS, check.IMAPTLS},
		{check.SMTPCertificate, check.IMAPCertificate},
	} {
		first, second := e.find(pair[0]), e.find(pair[1])
		if first.Failed() && second.Failed() && first.Cause == second.Cause {
			return first, func(r diagnostics.Result) bool { return r.ID == second.ID }, true
		}
	}
	return diagnostics.Result{}, nil, false
}

func (e evidence) find(id check.ID) diagnostics.Result {
	r, _ := diagnostics.Find(e.results, id)
	return r
}

func (e evidence) evidenceOf(ids ...check.ID) diagnostics.Evidence {
	var list diagnostics.Evidence
	for _, id := range ids {
		list = append(list, e.find(id).Evidence...)
	}
	return list
}

// connected reports whether a check needs a connection to a mail server.
func connected(r diagnostics.Result) bool { return r.ID.Area() != "dns" }

// mailboxConnection reports whether a check is about the mailbox.
func mailboxConnection(r diagnostics.Result) bool { return r.ID.Area() == "imap" }

// blocked reports whether every connection to every server outside was refused: two servers that are both switched off
// are unlikely, a firewall on this machine or its network that rejects is not.
func (e evidence) blocked() bool {
	var outside []netip.Addr
	for _, c := range e.attempts() {
		address := c.Attempt.Address.Addr()
		kind := wire.Classify(c.Attempt.Err).Kind
		if c.Connected() || kind != wire.KindRefused && kind != wire.KindUnreachable {
			return false
		}
		if address.IsLoopback() {
			return false
		}
		if !slices.Contains(outside, address) {
			outside = append(outside, address)
		}
	}
	return len(outside) > 1 && e.find(check.NetConnect).Failed() && e.find(check.IMAPConnect).Failed()
}

// portal reports whether one stranger answered in place of both servers: a web server on ports that are not the web's,
// or one certificate at two addresses, where the hosts are of two organisations.
func (e evidence) portal() bool {
	from, to := e.reachedBy(check.NetConnect), e.reachedBy(check.IMAPConnect)
	if e.answersHTTP(check.SMTPGreeting, check.SMTPTLS) && e.answersHTTP(check.IMAPConnect, check.IMAPTLS) {
		return !webPort(from.Port()) && !webPort(to.Port())
	}
	first, second := e.find(check.SMTPCertificate), e.find(check.IMAPCertificate)
	a, ok1 := diagnostics.Observed[diagnostics.Certificate](first.Evidence)
	b, ok2 := diagnostics.Observed[diagnostics.Certificate](second.Evidence)
	return ok1 && ok2 && first.Failed() && second.Failed() && a.SHA256SPKI == b.SHA256SPKI &&
		from.Addr() != to.Addr() && e.strangers()
}

// captivePortal is the root of what a portal answered.
func (e evidence) captivePortal() diagnostics.Result {
	root := diagnostics.Failed(check.CauseCaptivePortal, e.evidenceOf(spoken()...)...)
	root.ID = check.NetLocal
	return root
}

// spoken are the checks in which a server says its first words.
func spoken() []check.ID {
	return []check.ID{
		check.SMTPGreeting, check.SMTPTLS, check.SMTPCertificate, check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate,
	}
}

// strangers reports whether the two servers belong to two organisations, so that they have no fault in common.
func (e evidence) strangers() bool {
	from, ok1 := diagnostics.Observed[diagnostics.Addresses](e.find(check.NetResolve).Evidence)
	to, ok2 := diagnostics.Observed[diagnostics.Addresses](e.find(check.IMAPConnect).Evidence)
	return ok1 && ok2 && !organisation.Same(from.Host.Raw(), to.Host.Raw())
}

// reachedBy is the address to which a check connected.
func (e evidence) reachedBy(id check.ID) netip.AddrPort {
	for _, o := range e.find(id).Evidence {
		if c, ok := o.(diagnostics.Connection); ok && c.Connected() {
			return c.Attempt.Address
		}
	}
	return netip.AddrPort{}
}

// webPort reports whether a web server belongs on this port: then the port is mistyped.
func webPort(port uint16) bool {
	return slices.Contains([]uint16{80, 443, 8000, 8008, 8080, 8443}, port)
}

// answersHTTP reports whether one of these checks failed because a web server answered.
func (e evidence) answersHTTP(ids ...check.ID) bool {
	return slices.ContainsFunc(ids, func(id check.ID) bool {
		r := e.find(id)
		return r.Failed() && slices.ContainsFunc(r.Evidence, func(o diagnostics.Observation) bool {
			if f, ok := o.(diagnostics.Failure); ok {
				return wire.Fault{Kind: f.Class, Detail: f.Detail}.HTTP()
			}
			s, ok := o.(diagnostics.Spoken)
			return ok && strings.HasPrefix(s.Said().Raw(), "HTTP/")
		})
	})
}

// released is a day before which this program did not exist.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// wrongClock reports whether this machine's clock explains the certificates that are out of their time: it stands
// before this program was made, or before two different certificates. Two that have expired may be one administrator's
// renewal that stopped, so they count only where the servers belong to two organisations.
func (e evidence) wrongClock(now time.Time) bool {
	var keys []string
	for _, id := range []check.ID{check.SMTPCertificate, check.IMAPCertificate} {
		r := e.find(id)
		c, ok := diagnostics.Observed[diagnostics.Certificate](r.Evidence)
		outside := r.Cause == check.CauseCertNotYetValid || r.Cause == check.CauseCertExpired && e.strangers()
		switch {
		case !r.Failed():
		case r.Cause == check.CauseClockWrong, outside && now.Before(released):
			return true
		case ok && outside && !slices.Contains(keys, c.SHA256SPKI):
			keys = append(keys, c.SHA256SPKI)
		}
	}
	return len(keys) > 1
}

// intercepted reports whether two servers' certificates come from one issuer that is not trusted.
func (e evidence) intercepted() bool {
	first, ok1 := diagnostics.Observed[diagnostics.Certificate](e.find(check.SMTPCertificate).Evidence)
	second, ok2 := diagnostics.Observed[diagnostics.Certificate](e.find(check.IMAPCertificate).Evidence)
	untrusted := func(r diagnostics.Result) bool {
		return r.Cause == check.CauseCertUntrusted || r.Cause == check.CauseSecuritySoftwareIntercept
	}
	return ok1 && ok2 && first.Issuer.Raw() == second.Issuer.Raw() && first.Subject.Raw() != second.Subject.Raw() &&
		untrusted(e.find(check.SMTPCertificate)) && untrusted(e.find(check.IMAPCertificate))
}

// contradictions compares what two areas said about the same password.
func (e evidence) contradictions() []diagnostics.Result {
	out := slices.Clone(e.results)
	for i, r := range out {
		if r.ID == check.IMAPAuth && r.Failed() && r.Cause == check.CauseWrongPassword &&
			e.find(check.SMTPAuth).Status == check.Pass {
			out[i].Cause = check.CauseMailboxRefusesPassword
		}
		if r.ID == check.SMTPAuth && r.Failed() && r.Cause == check.CauseWrongPassword &&
			e.find(check.IMAPAuth).Status == check.Pass {
			out[i].Cause = check.CauseSubmissionRefusesPassword
		}
	}
	return ordered(out)
}
