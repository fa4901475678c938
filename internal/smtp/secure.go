package smtp

import (
	"cmp"
	"context"
	"os"
	"strings"
	"time"

	"postier/config"
	"postier/internal/pattern"
	"postier/internal/wire"
)

// silentTLS is how long the banner of port 465 is waited for in STARTTLS mode. That port speaks TLS first (RFC 8314
// §7.3), so silence there almost certainly means that the server waits for a ClientHello.
const silentTLS = 5 * time.Second

// Greeting is the banner (RFC 5321 §3.1) and how long it was waited for.
type Greeting struct {
	Reply  Reply
	Waited time.Duration
}

// Greet reads the banner, inside TLS where TLS comes first.
func (c *Client) Greet(ctx context.Context) (Greeting, error) {
	err := c.once(ctx, StepGreeting, func(ctx context.Context) error {
		if c.server.Security == config.SecurityTLS {
			if _, err := c.Secure(ctx); err != nil {
				return err
			}
		}
		return c.readGreeting(ctx)
	})
	return c.greeting, err
}

func (c *Client) readGreeting(ctx context.Context) error {
	within := wire.GreetingDeadline
	if c.server.Port == config.PortSubmissions && c.server.Security != config.SecurityTLS {
		within = silentTLS
	}
	if len(c.elsewhere()) > 0 {
		within = c.network.Part(within, patience)
	}
	start := time.Now()
	c.dialog.conn.Step(within)
	r, err := c.dialog.reply()
	c.greeting = Greeting{r, time.Since(start)}
	if err != nil && c.move(ctx, err) {
		if c.server.Security == config.SecurityTLS {
			if err := c.handshake(ctx); err != nil {
				return err
			}
		}
		return c.readGreeting(ctx)
	}
	switch {
	case err != nil:
		return c.noGreeting(ctx, err)
	case r.Code != codeReady:
		return c.refused(StepGreeting, r, nil)
	}
	return nil
}

// noGreeting finds out whether a silent server waits for TLS, by starting a handshake on the same connection.
func (c *Client) noGreeting(ctx context.Context, err error) error {
	if !wire.IsTimeout(err) || c.server.Security == config.SecurityTLS || c.dialog.conn.Received() > 0 {
		return err
	}
	_, fault := c.dialog.conn.Handshake(ctx, c.account.Server.Host, c.account.Pins)
	_ = c.dialog.conn.Close()
	if fault == nil {
		return finding{err, ErrWantsTLS}
	}
	return err
}

// Masked reports a banner or keyword that a firewall has overwritten (Cisco PIX and ASA: 220 ******, XXXXXXXA).
func (r Reply) Masked() bool {
	text := r.Words()
	return strings.Count(text, "*") >= 8 || strings.Contains(strings.ToUpper(text), "XXXXXXX")
}

// Secure establishes TLS, at once or by STARTTLS. It does not judge the chain, which is in the report; Verify does.
// Without TLS it is an error unless cleartext was allowed.
func (c *Client) Secure(ctx context.Context) (wire.TLSReport, error) {
	err := c.once(ctx, StepTLS, func(ctx context.Context) error {
		if c.server.Security == config.SecurityTLS {
			return c.handshake(ctx)
		}
		if _, err := c.Greet(ctx); err != nil {
			return err
		}
		if c.server.Security == config.SecurityNone {
			return c.cleartext()
		}
		if err := c.startTLS(); err != nil {
			return err
		}
		return c.handshake(ctx)
	})
	return c.tls, err
}

func (c *Client) cleartext() error {
	if c.account.AllowCleartext {
		return nil
	}
	return ErrNoTLS
}

// startTLS asks for TLS (RFC 3207 §4). No other command is sent in the same segment.
func (c *Client) startTLS() error {
	r, err := c.hello()
	if err != nil {
		return err
	}
	if refusesName(r) {
		return c.refused(StepHello, r, nil)
	}
	if r.Code != codeOK {
		// Without EHLO there are no extensions, and HELO would be the downgrade itself (docs/security.md T1).
		return c.refused(StepTLS, r, nil)
	}
	c.before = c.dialog.ext
	if !c.before.Has("STARTTLS") {
		if r.Masked() {
			return c.refused(StepTLS, r, ErrOverwritten)
		}
		return c.refused(StepTLS, r, ErrNoStartTLS)
	}
	r, err = c.dialog.ask(wire.CommandDeadline, command{line: "STARTTLS"})
	if err == nil && r.Code != codeReady {
		return c.refused(StepTLS, r, ErrStartTLS)
	}
	return err
}

func (c *Client) handshake(ctx context.Context) (err error) {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if len(c.elsewhere()) > 0 {
		limited, cancel = context.WithTimeout(ctx, c.network.Part(wire.HandshakeDeadline, patience))
	}
	c.tls, err = c.dialog.conn.Handshake(limited, c.account.Server.Host, c.account.Pins)
	cancel()
	if err == nil {
		return nil
	}
	if ctx.Err() == nil && c.move(ctx, err) {
		return c.handshake(ctx)
	}
	c.dialog.broken = true
	_ = c.dialog.conn.Close()
	// A server that agreed and then ends the handshake mostly lacks its key or certificate.
	if f := wire.Classify(err); c.server.Security == config.SecurityStartTLS && f.Kind == wire.KindAlert &&
		f.Detail.Raw() == "internal error" {
		return finding{err, ErrNoKey}
	}
	return err
}

// Verify returns an error unless the chain is valid for the host that the user confirmed.
func (c *Client) Verify() error {
	if c.server.Security == config.SecurityNone || c.tls.Verified() {
		return nil
	}
	return &Error{Step: StepCertificate, Err: &CertificateError{c.tls, c.network.Clock()}}
}

// Hello sends the EHLO whose extensions are used, inside TLS where there is TLS.
func (c *Client) Hello(ctx context.Context) (r Reply, err error) {
	err = c.take(ctx, StepHello, func(context.Context) error {
		r, err = c.hello()
		if err == nil && r.Code != codeOK {
			return c.refused(StepHello, r, nil)
		}
		return err
	})
	return r, err
}

// hello sends EHLO. When the server refuses the name, it sends the other kind of name once: a host name in place of an
// address literal, or the reverse. The name that worked is used from then on.
func (c *Client) hello() (Reply, error) {
	r, err := c.dialog.ehlo(c.Helo())
	if err != nil || !refusesName(r) || c.dialog.broken || c.helo != "" {
		return r, err
	}
	other := c.otherName()
	if other == "" {
		return r, nil
	}
	c.refusedHelo, c.helo = c.Helo(), other
	if again, err := c.dialog.ehlo(other); err != nil || again.Code == codeOK {
		return again, err
	}
	c.helo, c.refusedHelo = c.refusedHelo, ""
	return r, nil
}

var namesHelo = pattern.Of(`(?i)\b[eh]?hel?o\b|host ?name|literal|fqdn|fully.qualified|invalid (name|domain|host)`)

// refusesName reports whether a server refused the name in EHLO and not the command, which it does with 500 or 502.
// RFC 5321 §4.1.4 leaves the name to the client; servers refuse literals, names without a dot, and names that DNS does
// not know.
func refusesName(r Reply) bool {
	switch r.Code {
	case 501, 504, 550, 553:
		return true
	case 450, 451, 521, 554:
		return namesHelo().MatchString(r.Text())
	}
	return false
}

// otherName is a name of the other kind than the one that is sent: the name of this machine where it has a dot, else
// the domain of the user name; for a refused name, the address literal.
func (c *Client) otherName() string {
	if !strings.HasPrefix(c.Helo(), "[") {
		return heloName("", c.dialog.conn.LocalAddr())
	}
	candidates := []string{}
	if name, err := os.Hostname(); err == nil {
		candidates = append(candidates, name)
	}
	if _, domain, ok := strings.Cut(c.account.Server.Username, "@"); ok {
		candidates = append(candidates, domain)
	}
	for _, name := range candidates {
		ascii, ok := config.HostASCII(strings.TrimSuffix(name, "."))
		if ok && strings.Contains(ascii, ".") && !strings.HasSuffix(ascii, ".localdomain") &&
			!strings.HasSuffix(ascii, ".local") {
			return ascii
		}
	}
	return ""
}

// Helo is the name that the client sends in EHLO.
func (c *Client) Helo() string {
	return heloName(cmp.Or(c.helo, c.account.Server.Helo), c.dialog.conn.LocalAddr())
}

// RefusedHelo is the name that the server refused before it took Helo; empty when it took the first.
func (c *Client) RefusedHelo() string { return c.refusedHelo }
