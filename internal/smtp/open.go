package smtp

import (
	"context"
	"slices"
	"time"

	"postier/config"
	"postier/internal/pattern"
	"postier/internal/sasl"
	"postier/internal/wire"
)

// QueuePatience is how long a queue waits for the reply to a message (RFC 5321 §4.5.3.2.6).
const QueuePatience = 600 * time.Second

// Open connects and signs in, once. The error is an *Error, or ctx's own.
func Open(ctx context.Context, network *wire.Network, account sasl.Account) (*Client, error) {
	c := New(network, account)
	if err := c.open(ctx); err != nil {
		c.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return c, nil
}

// open takes each step up to the sign-in.
func (c *Client) open(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := c.Resolve(ctx); return err },
		func(ctx context.Context) error { _, err := c.Connect(ctx); return err },
		func(ctx context.Context) error { _, err := c.Secure(ctx); return err },
		func(ctx context.Context) error { _, err := c.Greet(ctx); return err },
		func(context.Context) error { return c.Verify() },
		func(ctx context.Context) error { _, err := c.Hello(ctx); return err },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if c.account.Server.Auth == config.MechanismNone {
		return nil
	}
	_, err := c.SignIn(ctx)
	return err
}

// Send hands over one message; the connection stays open for the next. An error closes the connection. The error is nil
// when the server took the message for at least one recipient, ErrOver when the connection ended before the server
// replied to MAIL, else an *Error or ctx's own.
func (c *Client) Send(ctx context.Context, m Mail) (Receipt, error) {
	if !c.Usable() {
		return Receipt{}, ErrOver
	}
	t := c.Begin(ctx, m)
	if c.sent > 0 && ctx.Err() == nil && t.Over() {
		return Receipt{}, ErrOver
	}
	receipt, err := t.finish(ctx)
	if err == nil {
		return receipt, nil
	}
	// After a refusal it depends on the pipelined commands what the server expects next, so the next message gets a new
	// connection.
	c.Close()
	if StateOf(err) == StateNotSent && ctx.Err() != nil {
		return receipt, ctx.Err()
	}
	return receipt, err
}

// perSession are the words by which servers limit what one connection may carry.
var perSession = pattern.Of(`(?i)\b(session|connection)\b`)

// Over reports whether a connection that was used before takes no further message, before anything of this one was
// handed over: servers close idle connections, and some end one after a number of messages (421, RFC 5321 §3.8, or
// another transient reply that speaks of the session). On a new connection the same reply would be a limit.
func (t *Transaction) Over() bool {
	const transient = 4
	switch {
	case t.Mail.Code == 0:
		return t.client.dialog.broken
	case t.Mail.Code == codeClosing, t.Mail.Code/100 == transient && perSession().MatchString(t.Mail.Text()):
		return true
	}
	return slices.ContainsFunc(t.Recipients, func(r Recipient) bool { return r.Reply.Code == codeClosing })
}

func (t *Transaction) finish(ctx context.Context) (Receipt, error) {
	if err := t.SenderErr(); err != nil {
		return Receipt{}, err
	}
	if err := t.RecipientErr(); err != nil {
		return Receipt{Recipients: t.Recipients}, err
	}
	return t.Data(ctx)
}
