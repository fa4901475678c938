package imap

import (
	"cmp"
	"context"
	"time"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/locale"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// Options say how far the rehearsal goes and in which language.
type Options struct {
	// Lang is the language of the message that is filed and removed; empty means English.
	Lang locale.Lang
	// Product is the name of the program that will send; empty means postier.
	Product string
	// Create allows making the folder for sent mail when there is none. The caller has asked the user.
	Create bool
	// LookOnly stops after the folder was found, so that nothing is filed.
	LookOnly bool
	// Keep takes over the session when every check was carried out on it; nil ends it.
	Keep func(*client.Session)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// run is what the checks of one plan share. The checks run one after another, so nothing here needs a lock.
type run struct {
	network  *wire.Network
	target   account.Target
	options  Options
	access   sasl.Account
	recorder *wire.Recorder

	session *client.Session
	report  wire.TLSReport
	sent    client.Choice
	message rehearsal
	uid     imap.UID
	// recognised is true once the message with uid was read and contains our token.
	recognised bool
}

// access is the target's mailbox with its port and security filled in, under the network's policy.
func access(network *wire.Network, target account.Target) sasl.Account {
	a := target.Mailbox()
	a.Server = a.Server.IMAPWays()[0] // where there are two, connect finds out which one works
	a.AllowCleartext = network.Policy.Cleartext(a.AllowCleartext)
	return a
}

// Plan lists the checks for the target's IMAP server. A target without one has no checks. In the modes server and none
// nothing is filed, and append, readback and cleanup say so.
func Plan(network *wire.Network, target account.Target, options Options) diagnostics.Plan {
	if target.IMAP == nil {
		return diagnostics.Plan{}
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	options.Product, options.Lang = cmp.Or(options.Product, config.Program), cmp.Or(options.Lang, locale.English)
	r := &run{
		network: network, target: target, options: options, access: access(network, target), recorder: wire.NewRecorder(),
	}
	r.recorder.Hide(r.access.Secret, sasl.Names(r.access.Server.Username, false)...)

	rung := func(id check.ID, f func(context.Context) diagnostics.Result, needs ...check.ID) diagnostics.Check {
		return diagnostics.Check{ID: id, Needs: needs, Run: diagnostics.Recorded(r.recorder, f)}
	}
	encrypted := check.IMAPCertificate
	if r.access.Server.Security == config.SecurityNone {
		encrypted = check.IMAPTLS // there is no certificate to judge
	}
	checks := []diagnostics.Check{
		rung(check.IMAPConnect, r.connect),
		rung(check.IMAPTLS, r.tls, check.IMAPConnect),
		rung(check.IMAPCertificate, r.certificate, check.IMAPTLS),
		rung(check.IMAPAuth, r.auth, encrypted),
		rung(check.IMAPFolder, r.folder, check.IMAPAuth),
	}
	if options.LookOnly || target.SentMode == config.SentServer || target.SentMode == config.SentNone {
		for _, id := range []check.ID{check.IMAPAppend, check.IMAPReadback, check.IMAPCleanup} {
			checks = append(checks, rung(id, r.notNeeded, check.IMAPAuth))
		}
	} else {
		checks = append(checks,
			rung(check.IMAPAppend, r.file, check.IMAPFolder),
			rung(check.IMAPReadback, r.readback, check.IMAPAppend),
			rung(check.IMAPCleanup, r.cleanup, check.IMAPAppend),
		)
	}
	checks = append(checks, rung(check.IMAPQuota, r.quota, check.IMAPAuth))
	// The checks share one connection, so each waits for the one before, whatever its result.
	for i := 1; i < len(checks); i++ {
		checks[i].After = []check.ID{checks[i-1].ID}
	}
	return diagnostics.Plan{Checks: checks, Close: func() { r.session.Close() }}
}

func (r *run) notNeeded(context.Context) diagnostics.Result {
	if r.target.SentMode == config.SentServer {
		return diagnostics.Skipped(check.CauseSentCopyByProvider)
	}
	return diagnostics.Skipped(check.CauseNotApplicable)
}
