package worker

import (
	"context"
	"net/netip"
	"slices"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/wizard"
)

// submission runs the ladder up to the recipient.
func (w *Worker) submission(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	if !w.authorise(ctx, &r, check.SMTPAuth, out) {
		return
	}
	target := w.Target(r.Draft, r)
	if target.Submission.Security == config.SecurityAuto && target.Submission.Port == config.PortSubmissions {
		target.Submission.Port = 0 // as the form came: both usual ports are tried, implicit TLS first
	}
	network, err := w.network(r.Draft)
	if err != nil {
		out.Err = sentence(err)
		return
	}
	results := w.run(ctx, r, tell, smtp.Plan(network, target, smtp.Options{}))
	out.Reports = Reports(results)
	if found, ok := connected(results, check.NetConnect, target.Submission); ok &&
		diagnostics.Verdict(results) != check.Fail {
		out.Submission = &found
	}
}

// connected is the server with the port and security that the connection really used.
func connected(results []diagnostics.Result, id check.ID, server config.Server) (config.Server, bool) {
	result, ok := diagnostics.Find(results, id)
	if !ok {
		return server, false
	}
	for _, e := range result.Evidence {
		outcome, _ := e.Fields["outcome"].(string)
		address, _ := e.Fields["address"].(string)
		security, _ := e.Fields["security"].(string)
		target, err := netip.ParseAddrPort(address)
		if outcome == "connected" && err == nil && security != "" {
			server.Port, server.Security = int(target.Port()), config.Security(security)
			return server, true
		}
	}
	return server, false
}

// sent runs the Sent rehearsal.
func (w *Worker) sent(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	if r.Draft.IMAP == nil || !w.authorise(ctx, &r, check.IMAPAuth, out) {
		return
	}
	target := w.Target(r.Draft, r)
	options := imap.Options{Lang: w.Lang, Product: w.Product, Create: r.Create, Now: w.Now}
	network, err := w.network(r.Draft)
	if err != nil {
		out.Err = sentence(err)
		return
	}
	server := client.Settle(ctx, network, *target.IMAP)
	target.IMAP = &server
	results := w.run(ctx, r, tell, imap.Plan(network, target, options))
	out.Reports = Reports(results)
	if secured, ok := diagnostics.Find(results, check.IMAPTLS); ok && secured.Status == check.Pass {
		out.IMAP = &server
	}
	folder, ok := diagnostics.Find(results, check.IMAPFolder)
	if !ok {
		return
	}
	for _, e := range folder.Evidence {
		switch e.Kind {
		case "folder":
			if name, ok := e.Fields["name"].(safetext.Remote); ok {
				out.Folder = name.Raw()
			}
		case "folders":
			for _, name := range append(texts(e, "candidates"), texts(e, "names")...) {
				if !slices.Contains(out.Folders, name) {
					out.Folders = append(out.Folders, name)
				}
			}
		}
	}
}

// wizardDNS are the checks of the sender's domain that a person can act on.
var wizardDNS = []check.ID{check.DNSMX, check.DNSSPF, check.DNSDKIM, check.DNSDMARC}

func (w *Worker) dns(ctx context.Context, r wizard.Request, out *wizard.Outcome, tell func(wizard.Outcome)) {
	plan := dns.Plan(w.Network, w.Target(r.Draft, r), dns.Options{})
	plan.Checks = slices.DeleteFunc(plan.Checks,
		func(c diagnostics.Check) bool { return !slices.Contains(wizardDNS, c.ID) })
	out.Reports = Reports(w.run(ctx, r, tell, plan))
}
