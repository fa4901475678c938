// Package repair looks for a way that works when a check failed for a reason that another way could get round: another
// port with the TLS mode that belongs to it, the host that the certificate is for, another form of the user name.
// Mechanisms and names in EHLO are tried by the client itself; what worked there is a change to keep.
package repair

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/parallel"
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

	Auth     config.Mechanism `json:"auth,omitempty"`
	Username string           `json:"username,omitempty"`
	Helo     string           `json:"helo,omitempty"`
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

// Find returns the ways that work, and all that were tried in the order of trying. The connections are tried side by
// side and without signing in; then the best one of each server is proven by a sign-in, submission first. A password
// that was refused is shown to no other port (docs/security.md T21); with names it is shown once more, under another
// form of the user name. Nothing is tried without a network, nor at a server whose name could not be found.
func Find(ctx context.Context, network *wire.Network, target account.Target, results []diagnostics.Result, names bool,
) (ways []Way, tried []Tried) {
	root, failed := diagnostics.Root(results)
	if failed && root.ID == check.NetLocal {
		return nil, nil
	}
	if way, ok := kept(results); ok {
		ways = append(ways, way)
	}
	if !failed {
		return ways, nil
	}
	var searches []*search
	for _, area := range []Area{Submission, Mailbox} {
		if s := newSearch(network, target, area, results, names); s != nil {
			searches = append(searches, s)
		}
	}
	var wg parallel.Group
	for _, s := range searches {
		wg.Go(func() { s.look(ctx) })
	}
	wg.Wait()
	count := &guard{refused: slices.ContainsFunc(results, diagnostics.SignInRefused)}
	for _, s := range searches {
		s.prove(ctx, count)
		ways, tried = append(ways, s.ways...), append(tried, s.tried...)
		if mailbox := s.alsoMailbox(); mailbox != nil {
			mailbox.prove(ctx, new(guard))
			ways, tried = append(ways, mailbox.ways...), append(tried, mailbox.tried...)
		}
	}
	return ways, tried
}

// kept is what the client found out by itself, as a change to keep: the mechanism that the server took after it had
// refused one that it offers, and the name in EHLO.
func kept(results []diagnostics.Result) (Way, bool) {
	way := Way{Area: Submission}
	signedIn, _ := diagnostics.Find(results, check.SMTPAuth)
	if signedIn.Failed() || signedIn.Status == check.Skip || signedIn.Status == "" {
		return way, false
	}
	if _, refused := diagnostics.Observed[smtp.RefusedMechanism](signedIn.Evidence); refused {
		seen, _ := diagnostics.Observed[diagnostics.SignIn](signedIn.Evidence)
		way.Change.Auth = config.Mechanism(strings.ToLower(seen.Mechanism))
	}
	hello, _ := diagnostics.Find(results, check.SMTPEhlo)
	if _, refused := diagnostics.Observed[smtp.RefusedHelo](hello.Evidence); refused {
		offered, _ := diagnostics.Observed[diagnostics.Extensions](hello.Evidence)
		way.Change.Helo = offered.Helo
	}
	way.Results, way.Proven = results, proven(results)
	return way, way.Change != (Change{})
}

// guard counts what the servers may count against the account.
type guard struct {
	refused bool // the secret was refused, in the run before or by a way
	renamed bool // and was shown once more under another user name
}

// proofs are the checks that show that a way works.
var proofs = []check.ID{check.SMTPAuth, check.SMTPSender, check.SMTPRecipient, check.IMAPAuth, check.IMAPFolder}

func proven(results []diagnostics.Result) []check.ID {
	var list []check.ID
	for _, r := range results {
		if (r.Status == check.Pass || r.Status == check.Warn) && slices.Contains(proofs, r.ID) {
			list = append(list, r.ID)
		}
	}
	return list
}

// Server is a server with the change made.
func (w Way) Server(server config.Server) config.Server {
	if w.Change.Host != "" {
		server.Host = w.Change.Host
	}
	if w.Change.Port != 0 {
		server.Port, server.Security = w.Change.Port, w.Change.Security
	}
	server.Auth = cmp.Or(w.Change.Auth, server.Auth)
	server.Username = cmp.Or(w.Change.Username, server.Username)
	server.Helo = cmp.Or(w.Change.Helo, server.Helo)
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
