package discovery

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/internal/imap"
	"postier/internal/parallel"
	"postier/internal/sasl"
	"postier/internal/smtp"
	"postier/presets"
)

// Timeouts of a probe. The name look-ups and four ports of a host that never answers must fit into Limit.
const (
	probeConnect = 2 * time.Second
	probeStep    = 3 * time.Second
	maxProbeMX   = 2
)

// prefixes are the names that hosters give to mail servers, the usual ones first; a host named smtp or imap has one
// protocol only.
var prefixes = []struct {
	name       string
	smtp, imap bool
}{
	{"smtp.", true, false},
	{"mail.", true, true},
	{"imap.", false, true},
	{"mx.", true, true},
}

// trial is one name to try.
type trial struct {
	host       string
	smtp, imap bool
	mx         bool
	foundSMTP  *Server
	foundIMAP  *Server
}

// probe tries usual names and ports, implicit TLS first. It goes as far as the greeting after a verified TLS handshake,
// and never signs in. The names are tried at once, the ports of a name one after another (docs/security.md T21).
func (f *finder) probe(ctx context.Context, exchangers []string, partial func(Candidate)) outcome {
	var trials []*trial
	for _, p := range prefixes {
		trials = append(trials, &trial{host: p.name + f.domain, smtp: p.smtp, imap: p.imap})
	}
	for _, host := range exchangers[:min(len(exchangers), maxProbeMX)] {
		if !slices.ContainsFunc(trials, func(t *trial) bool { return t.host == host && t.smtp && t.imap }) {
			trials = append(trials, &trial{host: host, smtp: true, imap: true, mx: true})
		}
	}
	var mu sync.Mutex
	var wg parallel.Group
	for _, t := range trials {
		wg.Go(func() {
			submitter, mailbox := f.try(ctx, t)
			mu.Lock()
			t.foundSMTP, t.foundIMAP = submitter, mailbox
			mu.Unlock()
			if submitter != nil {
				// Use what is known so far: a name that is still being tried may be a more usual one, or may have the IMAP server.
				mu.Lock()
				c, ok := assemble(trials)
				mu.Unlock()
				if ok && ctx.Err() == nil {
					for _, found := range f.custom(ctx, c).candidates {
						partial(guessed(found, rankProbe+rankStep/2))
					}
				}
			}
		})
	}
	wg.Wait()
	c, ok := assemble(trials)
	if !ok {
		return outcome{}
	}
	out := f.custom(ctx, c)
	for i := range out.candidates {
		out.candidates[i] = guessed(out.candidates[i], rankProbe)
	}
	return out
}

// guessed marks a candidate that no one published.
func guessed(c Candidate, rank int) Candidate {
	c.Confidence, c.rank = presets.Guess, rank
	if !slices.Contains(c.Confirm, Guess) {
		c.Confirm = append(c.Confirm, Guess)
	}
	return c
}

// assemble picks the most usual name that answered for each protocol.
func assemble(trials []*trial) (Candidate, bool) {
	c := Candidate{Origin: OriginProbe}
	for _, t := range trials {
		if t.foundSMTP != nil && len(c.SMTP) == 0 {
			c.SMTP, c.Via = []Server{*t.foundSMTP}, t.host
			if t.mx {
				c.Confirm = append(c.Confirm, MXDerived)
			}
		}
		if t.foundIMAP != nil && len(c.IMAP) == 0 {
			c.IMAP = []Server{*t.foundIMAP}
		}
	}
	return c, len(c.SMTP) > 0
}

// try probes the ports of one name.
func (f *finder) try(ctx context.Context, t *trial) (submitter, mailbox *Server) {
	if _, err := f.network.Addresses(ctx, t.host); err != nil {
		return nil, nil
	}
	ports := []struct {
		port     int
		security config.Security
		imap     bool
	}{
		{config.PortSubmissions, config.SecurityTLS, false},
		{config.PortSubmission, config.SecurityStartTLS, false},
		{config.PortIMAPS, config.SecurityTLS, true},
		{config.PortIMAP, config.SecurityStartTLS, true},
	}
	for _, p := range ports {
		wanted, found, talk := t.smtp, &submitter, f.submits
		if p.imap {
			wanted, found, talk = t.imap, &mailbox, f.keepsMail
		}
		if !wanted || *found != nil {
			continue
		}
		mechanisms, err := talk(ctx, config.Server{Host: t.host, Port: p.port, Security: p.security, Helo: probeHelo})
		if err != nil {
			continue
		}
		s := f.server(t.host, p.port, p.security, "{address}", SourceProbe)
		s.Mechanisms = mechanisms
		*found = &s
	}
	return submitter, mailbox
}

// probeHelo is an address literal (RFC 5321 §4.1.4), which reveals nothing about this machine.
const probeHelo = "[127.0.0.1]"

// submits takes the steps of smtp.Open up to the sign-in, and returns the mechanisms that this program knows.
func (f *finder) submits(ctx context.Context, server config.Server) ([]config.Mechanism, error) {
	c := smtp.New(f.network, sasl.Account{Server: server})
	defer c.Close()
	err := each(ctx, probeConnect,
		func(ctx context.Context) error { _, err := c.Resolve(ctx); return err },
		func(ctx context.Context) error { _, err := c.Connect(ctx); return err })
	if err == nil {
		err = each(ctx, probeStep,
			func(ctx context.Context) error { _, err := c.Greet(ctx); return err },
			func(ctx context.Context) error { _, err := c.Secure(ctx); return err },
			func(context.Context) error { return c.Verify() },
			func(ctx context.Context) error { _, err := c.Hello(ctx); return err })
	}
	if err != nil {
		return nil, err
	}
	var known []config.Mechanism
	for _, name := range c.Extensions().Mechanisms() {
		m := config.Mechanism(strings.ToLower(name))
		if m != config.MechanismAuto && m != config.MechanismNone && slices.Contains(config.Mechanisms(), m) {
			known = append(known, m)
		}
	}
	return known, nil
}

// keepsMail takes the steps of imap.Open up to the greeting inside TLS.
func (f *finder) keepsMail(ctx context.Context, server config.Server) ([]config.Mechanism, error) {
	dialling, cancel := context.WithTimeout(ctx, probeConnect)
	defer cancel()
	conn, err := imap.Connect(dialling, f.network, server, nil)
	if err != nil {
		return nil, err
	}
	s := imap.New(conn, sasl.Account{Server: server})
	defer s.Close()
	if server.Security == config.SecurityStartTLS {
		return nil, each(ctx, probeStep, s.Greet, s.StartTLS, s.Verify)
	}
	return nil, each(ctx, probeStep, s.Verify, s.Greet)
}

// each takes the steps up to the first error. Each has its own time, at whose end the connection takes no more writes,
// and no address of the other family is still being tried.
func each(ctx context.Context, within time.Duration, steps ...func(context.Context) error) error {
	for _, step := range steps {
		limited, cancel := context.WithTimeout(ctx, within)
		err := step(limited)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
