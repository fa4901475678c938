package repair

import (
	"context"
	"slices"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/organisation"
	"postier/internal/parallel"
	"postier/internal/wire"
)

// search looks for other ways to one server.
type search struct {
	network    *wire.Network
	target     account.Target
	area       Area
	now        config.Server
	candidates []config.Server
	looks      [][]diagnostics.Result // how far each candidate got without signing in; nil for those that need no look

	tried []Tried
	ways  []Way
}

// failures are the checks whose failure another way may get round.
var failures = map[Area][]check.ID{
	Submission: {check.NetConnect, check.SMTPGreeting, check.SMTPTLS, check.SMTPCertificate, check.SMTPEhlo},
	Mailbox:    {check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate},
}

func newSearch(network *wire.Network, target account.Target, area Area, results []diagnostics.Result, names bool,
) *search {
	s := &search{network: network, target: target, area: area, now: target.Submission}
	if area == Mailbox {
		if target.IMAP == nil {
			return nil
		}
		s.now = *target.IMAP
	}
	if s.candidates = s.names(results, names); len(s.candidates) > 0 {
		s.looks = make([][]diagnostics.Result, len(s.candidates))
		return s
	}
	at := slices.IndexFunc(results, func(r diagnostics.Result) bool {
		return (r.Failed() || leftOut(r)) && slices.Contains(failures[area], r.ID)
	})
	if at < 0 || faultyCertificate(results[at]) {
		return nil
	}
	s.candidates = s.others(results[at])
	return s
}

// leftOut reports whether the mailbox was not looked at because sending had failed before.
func leftOut(r diagnostics.Result) bool {
	return r.ID == check.IMAPConnect && r.Cause == check.CauseNeedsFailed && !slices.Contains(r.Needs, check.NetResolver)
}

// faultyCertificate reports whether a check failed for a certificate that is no better on another port. Only one that
// is for another host leads to that host.
func faultyCertificate(r diagnostics.Result) bool {
	return (r.ID == check.SMTPCertificate || r.ID == check.IMAPCertificate) && r.Cause != check.CauseCertNameMismatch
}

// names are other forms of a user name that was refused: the one under which sending accepted the password, the whole
// address, and what stands before the "@" (providers differ). Only the first is known to be right; the others are tried
// when all is set.
func (s *search) names(results []diagnostics.Result, all bool) []config.Server {
	id := map[Area]check.ID{Submission: check.SMTPAuth, Mailbox: check.IMAPAuth}[s.area]
	refusal, _ := diagnostics.Find(results, id)
	if !diagnostics.SignInRefused(refusal) || refusal.Cause != check.CauseWrongPassword {
		return nil
	}
	var forms []string
	if all {
		forms = []string{s.target.Address}
		if local, _, whole := strings.Cut(s.now.Username, "@"); whole {
			forms = append(forms, local)
		}
	}
	if sent, _ := diagnostics.Find(results, check.SMTPAuth); s.area == Mailbox && !sent.Failed() {
		forms = slices.Insert(forms, 0, s.target.Submission.Username)
	}
	for _, form := range forms {
		if form != "" && !strings.EqualFold(form, s.now.Username) {
			way := s.now
			way.Username = form
			return []config.Server{way}
		}
	}
	return nil
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

// look connects to all candidates at once. Another user name is another sign-in and needs no look.
func (s *search) look(ctx context.Context) {
	if s.looks != nil {
		return
	}
	s.looks = make([][]diagnostics.Result, len(s.candidates))
	var wg parallel.Group
	for i, way := range s.candidates {
		wg.Go(func() { s.looks[i] = diagnostics.Run(ctx, nil, s.connection(way)) })
	}
	wg.Wait()
}

// prove signs in at the candidates that connected, until one works: each proof is a sign-in.
func (s *search) prove(ctx context.Context, g *guard) {
	secret := !s.target.Secret.Empty() || s.target.Submission.Auth == config.MechanismNone
	for i, way := range s.candidates {
		seen := Tried{Area: s.area, Server: way}
		renamed := way.Username != s.now.Username
		root, failed := diagnostics.Root(s.looks[i])
		switch {
		case failed:
			seen.Check, seen.Cause = root.ID, root.Cause
		case ctx.Err() != nil, !secret, len(s.ways) > 0, g.refused && (!renamed || g.renamed):
		default:
			g.renamed = g.renamed || g.refused
			s.try(ctx, way, &seen, g)
		}
		s.tried = append(s.tried, seen)
	}
}

// alsoMailbox is the search at the mailbox under the user name with which sending works now; nil when it has its own.
// The password is known to be right, so the sign-in that was left out before may be made.
func (s *search) alsoMailbox() *search {
	mailbox := s.target.IMAP
	if s.area == Mailbox || len(s.ways) == 0 || s.ways[0].Change.Username == "" || mailbox == nil ||
		mailbox.Username != s.now.Username {
		return nil
	}
	way := *mailbox
	way.Username = s.ways[0].Change.Username
	return &search{
		network: s.network, target: s.target, area: Mailbox, now: *mailbox, candidates: []config.Server{way},
		looks: make([][]diagnostics.Result, 1),
	}
}

func (s *search) try(ctx context.Context, way config.Server, seen *Tried, g *guard) {
	results := diagnostics.Run(ctx, nil, s.proof(way))
	g.refused = g.refused || slices.ContainsFunc(results, diagnostics.SignInRefused)
	if root, failed := diagnostics.Root(results); failed {
		seen.Check, seen.Cause = root.ID, root.Cause
		return
	}
	if list := proven(results); len(list) > 0 {
		seen.Works = true
		s.ways = append(s.ways, Way{Area: s.area, Change: s.change(way), Proven: list, Results: results})
	}
}

func (s *search) change(way config.Server) Change {
	var c Change
	if way.Host != s.now.Host {
		c.Host = way.Host
	}
	if way.Port != s.now.Port || way.Security != s.now.Security {
		c.Port, c.Security = way.Port, way.Security
	}
	if way.Username != s.now.Username {
		c.Username = way.Username
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

// connection is the plan up to the sign-in, without it and without addresses.
func (s *search) connection(way config.Server) diagnostics.Plan {
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

// proof is the plan of the sign-in and what follows from it, without leaving anything.
func (s *search) proof(way config.Server) diagnostics.Plan {
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
