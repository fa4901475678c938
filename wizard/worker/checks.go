package worker

import (
	"context"
	"slices"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/repair"
	"postier/diagnostics/smtp"
	"postier/internal/check"
	client "postier/internal/imap"
	submission "postier/internal/smtp"
	"postier/wizard"
)

// submission runs the ladder up to the recipient.
func (w *Worker) submission(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	network, target, ok := w.dial(ctx, r, check.SMTPAuth, out)
	if !ok {
		return
	}
	if target.Submission.Security == config.SecurityAuto && target.Submission.Port == config.PortSubmissions {
		target.Submission.Port = 0 // no port was typed: both usual ports are tried, implicit TLS first
	}
	w.kept.submission.drop()
	var open *submission.Client
	results := w.run(ctx, r, tell,
		smtp.Plan(network, target, smtp.Options{Keep: func(c *submission.Client) { open = c }}))
	ways := w.otherWays(ctx, network, target, results, r, tell)
	out.Reports, out.Ways = reportsOf(results), ways.told(repair.Submission, target.Submission)
	if way, ok := ways.best(repair.Submission); ok && w.Repair {
		target.Submission, results = way.Server(target.Submission), way.Results
		out.Reports, out.Ways = reportsOf(results), nil
	}
	if found, ok := dialledServer(results, check.NetConnect, target.Submission); ok &&
		diagnostics.Verdict(results) != check.Fail {
		found.Username = signedInAs(results, check.SMTPAuth, found.Username)
		out.Submission, target.Submission = &found, found
	}
	w.kept.submission.keep(open, owner{target.Submitter(), r.Draft.TLS.CAFile})
}

// signedInAs returns the form of the user name with which a sign-in succeeded.
func signedInAs(results []diagnostics.Result, id check.ID, username string) string {
	result, _ := diagnostics.Find(results, id)
	seen, tried := diagnostics.Observed[diagnostics.SignIn](result.Evidence)
	if tried && !result.Failed() && !seen.Username.Empty() {
		return seen.Username.Raw()
	}
	return username
}

// dialledServer returns the server with the port and security that the connection really used.
func dialledServer(results []diagnostics.Result, id check.ID, server config.Server) (config.Server, bool) {
	result, _ := diagnostics.Find(results, id)
	for _, o := range result.Evidence {
		if c, ok := o.(diagnostics.Connection); ok && c.Connected() {
			server.Port, server.Security = int(c.Attempt.Address.Port()), c.Security
			return withHelo(results, server), true
		}
	}
	return server, false
}

// withHelo keeps the name in EHLO that the server took after it had refused another kind.
func withHelo(results []diagnostics.Result, server config.Server) config.Server {
	hello, _ := diagnostics.Find(results, check.SMTPEhlo)
	if _, refused := diagnostics.Observed[smtp.RefusedHelo](hello.Evidence); refused {
		offered, _ := diagnostics.Observed[diagnostics.Extensions](hello.Evidence)
		server.Helo = offered.Helo
	}
	return server
}

// sent runs the Sent rehearsal.
func (w *Worker) sent(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	if r.Draft.IMAP == nil {
		return
	}
	network, target, ok := w.dial(ctx, r, check.IMAPAuth, out)
	if !ok {
		return
	}
	w.kept.mailbox.drop()
	var open *client.Session
	options := imap.Options{
		Lang: w.Lang, Product: w.Product, Create: r.Create, Now: w.Now, Keep: func(s *client.Session) { open = s },
	}
	server := client.Settle(ctx, network, *target.IMAP)
	target.IMAP = &server
	results := w.run(ctx, r, tell, imap.Plan(network, target, options))
	ways := w.otherWays(ctx, network, target, results, r, tell)
	out.Ways = ways.told(repair.Mailbox, server)
	if way, ok := ways.best(repair.Mailbox); ok && w.Repair {
		server = way.Server(server)
		target.IMAP = &server
		results, out.Ways = w.run(ctx, r, tell, imap.Plan(network, target, options)), nil
	}
	out.Reports = reportsOf(results)
	if secured, ok := diagnostics.Find(results, check.IMAPTLS); ok && secured.Status == check.Pass {
		server.Username = signedInAs(results, check.IMAPAuth, server.Username)
		out.IMAP = &server
	}
	w.kept.mailbox.keep(open, owner{target.Mailbox(), r.Draft.TLS.CAFile})
	folder, _ := diagnostics.Find(results, check.IMAPFolder)
	if found, ok := diagnostics.Observed[diagnostics.Folder](folder.Evidence); ok {
		out.Folder = found.Name.Raw()
	}
	folders, _ := diagnostics.Observed[diagnostics.Folders](folder.Evidence)
	out.Likely = len(folders.Candidates) > 0
	for _, name := range slices.Concat(folders.Candidates, folders.Names) {
		if !slices.Contains(out.Folders, name.Raw()) {
			out.Folders = append(out.Folders, name.Raw())
		}
	}
}

func (w *Worker) dns(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	plan := dns.Plan(w.Network, w.Target(r.Draft, r), dns.Options{HTTP: dns.Fetching(w.Network)})
	plan.Checks = slices.DeleteFunc(plan.Checks,
		func(c diagnostics.Check) bool { return !slices.Contains(wizard.Checks(wizard.DoDNS), c.ID) })
	out.Reports = reportsOf(w.run(ctx, r, tell, plan))
	if slices.ContainsFunc(out.Reports, func(r wizard.Report) bool { return len(r.Fixes) > 0 }) {
		out.Keeper = dns.Keeper(ctx, w.Network, config.AddressDomain(r.Draft.From.Address))
	}
}
