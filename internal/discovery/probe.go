package discovery

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/internal/wire"
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
// and never signs in. It opens one connection at a time to each name (docs/security.md T21).
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
	var wg sync.WaitGroup
	for _, t := range trials {
		wg.Go(func() {
			smtp, imap := f.try(ctx, t)
			mu.Lock()
			t.foundSMTP, t.foundIMAP = smtp, imap
			mu.Unlock()
			if smtp != nil {
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
func (f *finder) try(ctx context.Context, t *trial) (smtp, imap *Server) {
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
		if p.imap && (!t.imap || imap != nil) || !p.imap && (!t.smtp || smtp != nil) {
			continue
		}
		talk := submissionGreets
		if p.imap {
			talk = imapGreets
		}
		mechanisms, ok := f.greets(ctx, t.host, p.port, p.security, talk)
		if !ok {
			continue
		}
		s := f.server(t.host, p.port, p.security, "{address}", SourceProbe)
		s.Mechanisms = mechanisms
		if p.imap {
			imap = &s
		} else {
			smtp = &s
		}
	}
	return smtp, imap
}

// greeter runs the protocol up to STARTTLS, or, after the handshake, up to the greeting and the list of capabilities.
type greeter func(c *wire.Conn, security config.Security, secure func() bool) ([]config.Mechanism, bool)

func (f *finder) greets(ctx context.Context, host string, port int, security config.Security,
	talk greeter,
) ([]config.Mechanism, bool) {
	addresses, err := f.network.Addresses(ctx, host)
	if err != nil {
		return nil, false
	}
	dialling, cancel := context.WithTimeout(ctx, probeConnect)
	defer cancel()
	conn, _ := f.network.ConnectAny(dialling, host, port, addresses, nil)
	if conn == nil {
		return nil, false
	}
	defer func() { _ = conn.Close() }()
	defer conn.Watch(ctx)()
	return talk(conn, security, func() bool {
		limited, cancel := context.WithTimeout(ctx, probeStep)
		defer cancel()
		report, err := conn.Handshake(limited, host, nil)
		conn.Step(probeStep)
		return err == nil && report.Verified()
	})
}

// probeHelo is an address literal (RFC 5321 §4.1.4), which reveals nothing about this machine.
const probeHelo = "EHLO [127.0.0.1]\r\n"

func submissionGreets(c *wire.Conn, security config.Security, secure func() bool) ([]config.Mechanism, bool) {
	c.Step(probeStep)
	if security == config.SecurityTLS && !secure() {
		return nil, false
	}
	if _, ok := smtpReply(c, "220"); !ok {
		return nil, false
	}
	if security == config.SecurityStartTLS {
		lines, ok := smtpSay(c, probeHelo, "250")
		if !ok || !slices.ContainsFunc(lines, func(l string) bool { return strings.EqualFold(l, "STARTTLS") }) {
			return nil, false
		}
		if _, ok := smtpSay(c, "STARTTLS\r\n", "220"); !ok || !secure() {
			return nil, false
		}
	}
	lines, ok := smtpSay(c, probeHelo, "250")
	_, _ = c.Write([]byte("QUIT\r\n"))
	return offered(lines), ok
}

func smtpSay(c *wire.Conn, command, code string) ([]string, bool) {
	if _, err := c.Write([]byte(command)); err != nil {
		return nil, false
	}
	return smtpReply(c, code)
}

// smtpReply reads a whole reply (RFC 5321 §4.2.1) and reports whether every line has the code.
func smtpReply(c *wire.Conn, code string) ([]string, bool) {
	var lines []string
	for range wire.MaxReply {
		line, err := c.ReadLine(wire.MaxLine)
		if err != nil || len(line) < len(code) || line[:len(code)] != code {
			return nil, false
		}
		rest := line[len(code):]
		if rest == "" || rest[0] == ' ' {
			return append(lines, strings.TrimPrefix(rest, " ")), true
		}
		if rest[0] != '-' {
			return nil, false
		}
		lines = append(lines, rest[1:])
	}
	return nil, false
}

// offered are the mechanisms of an EHLO reply that this program knows.
func offered(lines []string) []config.Mechanism {
	var out []config.Mechanism
	for _, line := range lines {
		words := strings.Fields(strings.ToLower(line))
		if len(words) == 0 || words[0] != "auth" {
			continue
		}
		for _, word := range words[1:] {
			m := config.Mechanism(word)
			if m != config.MechanismAuto && m != config.MechanismNone && slices.Contains(config.Mechanisms(), m) &&
				!slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

func imapGreets(c *wire.Conn, security config.Security, secure func() bool) ([]config.Mechanism, bool) {
	c.Step(probeStep)
	if security == config.SecurityTLS && !secure() {
		return nil, false
	}
	if line, err := c.ReadLine(wire.MaxLine); err != nil || !strings.HasPrefix(strings.ToUpper(line), "* OK") {
		return nil, false
	}
	if security == config.SecurityStartTLS {
		if _, err := c.Write([]byte("a STARTTLS\r\n")); err != nil {
			return nil, false
		}
		if line, err := c.ReadLine(wire.MaxLine); err != nil || !strings.HasPrefix(strings.ToUpper(line), "A OK") ||
			!secure() {
			return nil, false
		}
	}
	_, _ = c.Write([]byte("b LOGOUT\r\n"))
	return nil, true
}
