package rootcause

import (
	"net/netip"
	"slices"
	"time"

	"postier/diagnostics"
	"postier/internal/check"
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
	case wrongClock(network.Clock(), certificate, mailbox):
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

// released is a day before which this program did not exist.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// wrongClock reports whether this machine's clock explains the certificates that are out of their time: it stands
// before this program was made, or two different certificates are out of their time at once.
func wrongClock(now time.Time, results ...diagnostics.Result) bool {
	var keys []string
	for _, r := range results {
		c, ok := diagnostics.Observed[diagnostics.Certificate](r.Evidence)
		outside := r.Cause == check.CauseCertNotYetValid || r.Cause == check.CauseCertExpired
		if r.Failed() && ok && outside && !slices.Contains(keys, c.SHA256SPKI) {
			keys = append(keys, c.SHA256SPKI)
		}
	}
	return len(keys) > 1 || len(keys) == 1 && now.Before(released)
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
	}
	return ordered(out)
}
