// Package repair looks for a way that works when a check failed for a reason that another way could get round: another
// port with the TLS mode that belongs to it, or the host that the certificate is for. Mechanisms, names in EHLO and
// address families are tried by the clients themselves.
package repair

import (
	"context"
	"slices"
	"strings"
	"sync"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/organisation"
	"postier/internal/wire"
)

// Area says which server a way leads to.
type Area string

// The areas.
const (
	Submission Area = "submission"
	Mailbox    Area = "imap"
)

// Change is what a way changes in the settings. What stays is empty.
type Change struct {
	Host     string          `json:"host,omitempty"`
	Port     int             `json:"port,omitempty"`
	Security config.Security `json:"security,omitempty"`
}

// Way is a change that was proven to work.
type Way struct {
	Area   Area       `json:"area"`
	Change Change     `json:"change"`
	Proven []check.ID `json:"proven"`

	Results []diagnostics.Result `json:"-"`
}

// Tried is one way as far as it got.
type Tried struct {
	Area   Area
	Server config.Server
	// Works is set for a way that was proven. Otherwise Check and Cause say where it ended; they are empty for a way whose
	// sign-in was left out.
	Works bool
	Check check.ID
	Cause check.Cause
}

// Find tries the other ways of a run that failed. The connections are tried side by side and without signing in; then
// the best one that connected is proven by a sign-in, unless one was refused before (docs/security.md T21). Nothing is
// tried when the machine or its name service is the root.
func Find(ctx context.Context, network *wire.Network, target account.Target, results []diagnostics.Result) (ways []Way,
	tried []Tried,
) {
	root, failed := diagnostics.Root(results)
	if !failed || root.ID == check.NetLocal || root.ID == check.NetResolver {
		return nil, nil
	}
	refused := slices.ContainsFunc(results, diagnostics.SignInRefused)
	for _, area := range []Area{Submission, Mailbox} {
		if s := newSearch(network, target, area, results); s != nil {
			found := s.run(ctx, refused)
			ways, tried = append(ways, found...), append(tried, s.tried...)
			refused = refused || s.refused
		}
	}
	return ways, tried
}

// search looks for other ways to one server.
type search struct {
	network    *wire.Network
	target     account.Target
	area       Area
	now        config.Server
	candidates []config.Server
	tried      []Tried
	refused    bool
}

// failures are the checks whose failure another way may get round.
var failures = map[Area][]check.ID{
	Submission: {check.NetConnect, check.SMTPGreeting, check.SMTPTLS, check.SMTPCertificate, check.SMTPEhlo},
	Mailbox:    {check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate},
}

func newSearch(network *wire.Network, target account.Target, area Area, results []diagnostics.Result) *search {
	s := &search{network: network, target: target, area: area, now: target.Submission}
	if area == Mailbox {
		if target.IMAP == nil {
			return nil
		}
		s.now = *target.IMAP
	}
	at := slices.IndexFunc(results, func(r diagnostics.Result) bool {
		return (r.Failed() || r.Cause == check.CauseNeedsFailed && area == Mailbox && r.ID == check.IMAPConnect) &&
			slices.Contains(failures[area], r.ID)
	})
	if at < 0 {
		return nil
	}
	s.candidates = s.others(results[at])
	return s
}

// ports are the ways to a server, best first (RFC 8314 §3.2, §3.3).
func (s *search) ports() []config.Server {
	var list []config.Server
	numbers := []int{config.PortSubmissions, config.PortSubmission, config.PortAlternative}
	if s.area == Mailbox {
		numbers = []int{config.PortIMAPS, config.PortIMAP}
	}
	for _, port := range numbers {
		way := s.now
		way.Port, way.Security = port, config.SecurityFor(port)
		list = append(list, way)
	}
	return list
}

// others are the ways that the failed run did not try.
func (s *search) others(failed diagnostics.Result) []config.Server {
	var list []config.Server
	add := func(way config.Server) {
		if !s.same(way) && !slices.ContainsFunc(list, func(have config.Server) bool { return have == way }) {
			list = append(list, way)
		}
	}
	if failed.Cause == check.CauseCertNameMismatch {
		certificate, _ := diagnostics.Observed[diagnostics.Certificate](failed.Evidence)
		for _, name := range certificate.Names {
			host, ok := config.HostASCII(name.Raw())
			if ok && !strings.Contains(host, "*") && organisation.Same(host, s.now.Host) {
				way := s.now
				way.Host = host
				add(way)
			}
		}
		return list
	}
	// On an unusual port the other mode may be the right one.
	if s.now.Port != 0 && s.now.Security != config.SecurityNone {
		way := s.now
		if way.Security = config.SecurityTLS; s.now.Security == config.SecurityTLS {
			way.Security = config.SecurityStartTLS
		}
		if usual := config.SecurityFor(way.Port); usual == config.SecurityAuto || usual == way.Security {
			add(way)
		}
	}
	for _, way := range s.ports() {
		add(way)
	}
	return list
}

// same reports whether the failed run tried a way.
func (s *search) same(way config.Server) bool {
	ways := s.now.SubmissionWays()
	if s.area == Mailbox {
		ways = s.now.IMAPWays()
	}
	return slices.ContainsFunc(ways, func(done config.Server) bool {
		return done.Host == way.Host && done.Port == way.Port && done.Security == way.Security
	})
}

// run looks at all candidates at once, and proves those that connect, until one signs in.
func (s *search) run(ctx context.Context, refused bool) []Way {
	s.refused = refused
	looks := make([][]diagnostics.Result, len(s.candidates))
	var wg sync.WaitGroup
	for i, way := range s.candidates {
		wg.Go(func() { looks[i] = diagnostics.Run(ctx, nil, s.look(way)) })
	}
	wg.Wait()
	var ways []Way
	for i, way := range s.candidates {
		seen := Tried{Area: s.area, Server: way}
		root, failed := diagnostics.Root(looks[i])
		switch {
		case failed:
			seen.Check, seen.Cause = root.ID, root.Cause
		case ctx.Err() != nil, s.refused, s.target.Secret.Empty() && s.target.Submission.Auth != config.MechanismNone:
		default:
			s.prove(ctx, way, &seen, &ways)
		}
		s.tried = append(s.tried, seen)
	}
	return ways
}

func (s *search) prove(ctx context.Context, way config.Server, seen *Tried, ways *[]Way) {
	if len(*ways) > 0 {
		return // one proof is enough; each is a sign-in
	}
	results := diagnostics.Run(ctx, nil, s.plan(way))
	s.refused = s.refused || slices.ContainsFunc(results, diagnostics.SignInRefused)
	if root, failed := diagnostics.Root(results); failed {
		seen.Check, seen.Cause = root.ID, root.Cause
		return
	}
	found := Way{Area: s.area, Change: s.change(way), Results: results}
	for _, r := range results {
		if (r.Status == check.Pass || r.Status == check.Warn) && slices.Contains(proofs, r.ID) {
			found.Proven = append(found.Proven, r.ID)
		}
	}
	if len(found.Proven) > 0 {
		seen.Works = true
		*ways = append(*ways, found)
	}
}

// proofs are the checks that show that a way works.
var proofs = []check.ID{check.SMTPAuth, check.SMTPSender, check.SMTPRecipient, check.IMAPAuth, check.IMAPFolder}

func (s *search) change(way config.Server) Change {
	var c Change
	if way.Host != s.now.Host {
		c.Host = way.Host
	}
	if way.Port != s.now.Port || way.Security != s.now.Security {
		c.Port, c.Security = way.Port, way.Security
	}
	return c
}

// at is the target with another server.
func (s *search) at(way config.Server) account.Target {
	target := s.target
	if s.area == Mailbox {
		target.IMAP = &way
	} else {
		target.Submission = way
	}
	return target
}

// look is the plan up to the sign-in, without it and without addresses.
func (s *search) look(way config.Server) diagnostics.Plan {
	target := s.at(way)
	if s.area == Submission {
		target.Address, target.From, target.Recipient = "", "", ""
		target.Submission.Username = ""
		target.Secret = account.Target{}.Secret
	}
	plan := smtp.Plan(s.network, target, smtp.Options{})
	if s.area == Mailbox {
		plan = imap.Plan(s.network, target, imap.Options{LookOnly: true})
	}
	return only(plan, func(id check.ID) bool {
		return slices.Contains(failures[s.area], id) || id == check.NetResolve || id == check.SMTPAuthOffered ||
			id == check.SMTPInjection
	})
}

// plan is the proof: the sign-in and what follows from it, without leaving anything.
func (s *search) plan(way config.Server) diagnostics.Plan {
	if s.area == Submission {
		return smtp.Plan(s.network, s.at(way), smtp.Options{})
	}
	return only(imap.Plan(s.network, s.at(way), imap.Options{LookOnly: true}), func(id check.ID) bool {
		return slices.Contains(failures[Mailbox], id) || id == check.IMAPAuth || id == check.IMAPFolder
	})
}

func only(plan diagnostics.Plan, keep func(check.ID) bool) diagnostics.Plan {
	plan.Checks = slices.DeleteFunc(plan.Checks, func(c diagnostics.Check) bool { return !keep(c.ID) })
	return plan
}

// Server is a server with the change made.
func (w Way) Server(server config.Server) config.Server {
	if w.Change.Host != "" {
		server.Host = w.Change.Host
	}
	if w.Change.Port != 0 {
		server.Port, server.Security = w.Change.Port, w.Change.Security
	}
	return server
}

// Apply makes the change in a profile.
func (w Way) Apply(p *config.Profile) {
	switch {
	case w.Area == Submission:
		p.Submission = w.Server(p.Submission)
	case p.SentCopy.IMAP != nil:
		*p.SentCopy.IMAP = w.Server(*p.SentCopy.IMAP)
	}
}
