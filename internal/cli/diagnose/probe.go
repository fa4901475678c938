package diagnose

import (
	"context"
	"slices"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/portprobe"
	"postier/internal/check"
)

// The other ports at the same host that are worth a try.
var (
	submissionPorts = []int{config.PortSubmissions, config.PortSubmission, config.PortAlternative, config.PortSMTP}
	imapPorts       = []int{config.PortIMAPS, config.PortIMAP}
)

// neutralProviders are tried first when a port seems blocked: they are large and reachable on every port that mail
// programs use, over both families where that matters. Other presets with the port follow.
var neutralProviders = []string{"gmail", "gmx", "fastmail", "icloud", "yahoo", "ovh"}

// probeElsewhere probes other ports and hosts for each server whose port did not connect.
func (c *checkup) probeElsewhere(ctx context.Context, results []diagnostics.Result) []portprobe.Finding {
	var findings []portprobe.Finding
	ids := portprobe.Suspicious(results)
	if slices.ContainsFunc(ids, func(id check.ID) bool { return id != check.IMAPConnect }) {
		findings = append(findings,
			portprobe.Probe(ctx, c.network,
				c.portQuestion(c.target.Submission.Host, c.target.Submission.SubmissionWays()[0].Port, submissionPorts, false)))
	}
	if slices.Contains(ids, check.IMAPConnect) && c.target.IMAP != nil {
		findings = append(findings,
			portprobe.Probe(ctx, c.network, c.portQuestion(c.target.IMAP.Host, c.target.IMAP.Port, imapPorts, true)))
	}
	return findings
}

func (c *checkup) portQuestion(host string, port int, ports []int, imap bool) portprobe.Question {
	q := portprobe.Question{Host: host, Port: port, Neutral: c.ProbeHosts}
	for _, other := range ports {
		if other != port {
			q.Others = append(q.Others, other)
		}
	}
	if len(q.Neutral) == 0 {
		q.Neutral = c.neutralHosts(host, port, imap)
	}
	return q
}

// neutralHosts are hosts of well-known providers that take this port.
func (c *checkup) neutralHosts(host string, port int, imap bool) []string {
	ids := slices.Clone(neutralProviders)
	for _, entry := range c.Book().All() {
		ids = append(ids, entry.ID)
	}
	const enough = 4 // one of them may be the host itself
	var hosts, fallback []string
	for _, id := range ids {
		p, ok := c.Book().Get(id)
		if !ok {
			continue
		}
		smtp, imaps := p.Servers("postmaster@example.org")
		if imap {
			smtp = imaps
		}
		for _, e := range smtp {
			if !e.Complete() || e.Host == host || slices.Contains(hosts, e.Host) {
				continue
			}
			if e.Port == port && len(hosts) < enough {
				hosts = append(hosts, e.Host)
			} else if len(fallback) < enough && !slices.Contains(fallback, e.Host) {
				fallback = append(fallback, e.Host) // for a port that no other provider has
			}
		}
	}
	if len(hosts) == 0 {
		return fallback
	}
	return hosts
}
