package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics/explain"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/smtp"
	"postier/internal/spool"
	"postier/internal/wire"
)

// Accounts are the servers and the secrets of the profiles.
type Accounts = account.Source

// AccountsOf are those of the configuration at path, reached as this machine reaches everything else.
func AccountsOf(path string) *Accounts {
	return &Accounts{
		Network: &wire.Network{Resolver: wire.SystemResolver()}, ConfigPath: path, Credentials: credential.For(path),
	}
}

// Sender hands messages to submission servers, one connection a profile, kept open between messages. It is safe for
// several goroutines; those of one profile take turns.
type Sender struct {
	// Accounts supplies the servers and the sign-in of a profile.
	Accounts *Accounts

	mu          sync.Mutex
	connections map[string]*connection
}

// connection is the open connection of one profile.
type connection struct {
	mu      sync.Mutex
	client  *smtp.Client
	profile *config.Profile
	digest  string
	used    time.Time
}

// idleLimit is how long a connection is kept for the next message; servers hang up after some minutes.
const idleLimit = 20 * time.Second

// Try is the outcome of one try.
type Try struct {
	State State // sent, waiting (try again), failed or unknown
	Cause config.Cause
	// Reply is the server's own line, raw.
	Reply   string
	QueueID string
	// SignIn is true when the server refused to let this profile in for good: the password was changed, the account closed
	// (D-5). It may say so only when it is given a message.
	SignIn bool
	// Profile is true when the try failed because of the profile and not of the message.
	Profile bool
	// Instead is the profile that was switched off during the try, or whose quota is used up; the message went through the
	// fallback.
	Instead string
	Err     error
}

// Send makes one try for the open recipients of an item. beforeDot is called while nothing has been handed
// over: after it, only the server can know what became of the message.
func (s *Sender) Send(ctx context.Context, profile string, p *config.Profile, item *Item, beforeDot func() error) Try {
	c := s.connection(profile)
	c.mu.Lock()
	defer c.mu.Unlock()
	for again := false; ; again = true {
		if try, ok := s.connect(ctx, c, profile, p); !ok {
			return try
		}
		text, rest, err := item.textFor(c.client)
		if err != nil {
			return Try{State: StateWaiting, Cause: check.CauseFileFailed, Err: err}
		}
		receipt, err := c.client.Send(ctx, smtp.Mail{
			From: item.Envelope, To: item.Open(), Message: text, Rest: rest, BeforeDot: beforeDot,
			Patience: smtp.QueuePatience,
		})
		c.used = time.Now()
		if errors.Is(err, smtp.ErrOver) && !again {
			c.hangUp() // the server had closed the idle connection: it has seen nothing of the message
			continue
		}
		if err != nil {
			c.hangUp()
		}
		return judge(item, p.Provider, receipt, err)
	}
}

// textFor is the text as the server of a connection takes it.
func (i *Item) textFor(client *smtp.Client) (text []byte, rest spool.Text, err error) {
	if client.Extensions().Has("8BITMIME") {
		return i.Raw, i.rest, nil
	}
	if ascii, err := i.isASCII(); ascii || err != nil {
		return i.Raw, i.rest, err
	}
	text, err = i.sevenBit()
	return text, nil, err
}

func (s *Sender) connection(profile string) *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connections == nil {
		s.connections = map[string]*connection{}
	}
	if s.connections[profile] == nil {
		s.connections[profile] = &connection{}
	}
	return s.connections[profile]
}

// connect makes sure that there is a signed-in connection for exactly these settings.
func (s *Sender) connect(ctx context.Context, c *connection, profile string, p *config.Profile) (Try, bool) {
	if c.client != nil && (!c.client.Usable() || !c.suits(p) || time.Since(c.used) > idleLimit) {
		c.hangUp()
	}
	if c.client != nil {
		return Try{}, true
	}
	target, network, err := s.Accounts.Profile(ctx, profile, p)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Try{State: StateWaiting, Cause: check.CauseCancelled, Err: ctx.Err()}, false
	case errors.As(err, new(*account.RootsError)):
		return Try{State: StateWaiting, Cause: check.CauseConfigInvalid, Profile: true, Err: err}, false
	default:
		return Try{State: StateWaiting, Cause: check.CauseCredentialUnreadable, Profile: true, Err: err}, false
	}
	client, err := smtp.Open(ctx, network, target.Submitter())
	if err != nil {
		try := judgeError(nil, p.Provider, err)
		try.Profile = ctx.Err() == nil
		return try, false
	}
	c.client, c.profile, c.digest, c.used = client, p, p.Digest(), time.Now()
	return Try{}, true
}

// suits reports whether the settings are those of the connection.
func (c *connection) suits(p *config.Profile) bool {
	if c.profile != p && c.digest == p.Digest() {
		c.profile = p
	}
	return c.profile == p
}

func (c *connection) hangUp() {
	if c.client != nil {
		c.client.Close()
		c.client = nil
	}
}

// Close ends all connections.
func (s *Sender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.connections {
		c.mu.Lock()
		c.hangUp()
		c.mu.Unlock()
	}
}

// judge says what is to be done after a message was handed over. It records the verdict on each recipient in the item.
func judge(item *Item, provider string, receipt smtp.Receipt, err error) Try {
	if refusal, about := explain.SenderRefusal(receipt.Recipients, provider); about {
		try := judgeError(item, provider, refusal)
		if try.State == StateFailed {
			item.quote(receipt.Recipients)
		}
		return try
	}
	item.note(receipt.Recipients, provider, err == nil)
	if err != nil {
		return judgeError(item, provider, err)
	}
	try := Try{State: StateSent, QueueID: receipt.QueueID}
	if len(item.Open()) > 0 { // some recipients were put off
		try.State, try.Cause, try.Reply = StateWaiting, item.Cause, item.Reply
	}
	return try
}

// judgeError says what is to be done after an error of the client; item is nil before the first message.
func judgeError(item *Item, provider string, err error) Try {
	var e *smtp.Error
	if !errors.As(err, &e) {
		return Try{State: StateWaiting, Cause: check.CauseCancelled, Err: err}
	}
	answer := explain.Submission(e, provider)
	try := Try{State: StateWaiting, Cause: answer.Cause, Reply: e.Said.Raw(), Err: err}
	permanent := e.Reply.Code/100 == 5 && !(answer.Reply != "" && quota(answer))
	switch {
	case e.Lost:
		try.State = StateUnknown
	case e.Step == smtp.StepAuth || e.Step == smtp.StepMechanism:
		// The message is not at fault; it goes on through the fallback, or waits until the settings are corrected.
		try.SignIn = (permanent || errors.Is(err, smtp.ErrOnlyTokens)) && aboutAccount[try.Cause]
		try.Profile = true
	case permanent && explain.Blocked(try.Cause):
		// Outlook, for one, lets a blocked account sign in and refuses at the recipient (D-5). The message is not at fault
		// here either.
		try.SignIn, try.Profile = true, true
	case permanent && (e.Step == smtp.StepSender || e.Step == smtp.StepData), hopeless(try.Cause):
		try.State = StateFailed
		if item != nil {
			item.refuse(try.Cause, try.Reply)
		}
	case item != nil && len(item.Open()) == 0:
		try.State = StateFailed
	}
	return try
}

// aboutAccount are the causes that are about the account or its secret. Only these switch a profile off: what a server
// says about a command or a mechanism may be gone tomorrow, and no one could correct it in the profile.
var aboutAccount = map[config.Cause]bool{
	check.CauseAppPasswordRequired: true, check.CauseBasicAuthDisabled: true, check.CauseSMTPAuthDisabled: true,
	check.CauseWrongPassword: true, check.CauseWebmailLoginRequired: true, check.CauseClientAccessDisabled: true,
	check.CauseAccountSuspended: true, check.CauseAccountNotActivated: true, check.CauseOAuthTokenExpired: true,
	check.CauseOAuthScopeMissing: true, check.CauseOAuthDenied: true, check.CausePasswordExpired: true,
}

// hopeless reports whether waiting cannot help.
func hopeless(cause config.Cause) bool {
	return cause == check.CauseUTF8Unsupported || cause == check.CauseAddressInvalid || cause == check.CauseMessageTooLarge
}

// quota reports whether a 5yz reply means "tomorrow", as some providers use it; the catalogue knows their words (D-6).
func quota(a explain.Answer) bool {
	return a.Info().Group == "limits" && a.Info().Retry == explain.RetryLater
}

// note records the server's verdict on each recipient. An accepted recipient counts only once the message was accepted.
func (i *Item) note(verdicts []smtp.Recipient, provider string, sent bool) {
	for _, v := range verdicts {
		for n := range i.Recipients {
			r := &i.Recipients[n]
			if r.State != "" || r.Address != v.Address {
				continue
			}
			if v.Refusal == nil {
				if sent {
					r.State, r.Cause, r.Reply = StateSent, "", ""
				}
				continue
			}
			answer := explain.Submission(v.Refusal, provider)
			r.Cause, r.Reply = answer.Cause, v.Refusal.Said.Raw()
			i.Cause, i.Reply = r.Cause, r.Reply
			if v.Reply.Code/100 == 5 && !quota(answer) {
				r.State = StateFailed
			}
		}
	}
}

// refuse marks what is still open as refused for good.
func (i *Item) refuse(cause config.Cause, reply string) {
	for n := range i.Recipients {
		if r := &i.Recipients[n]; r.State == "" {
			r.State, r.Cause, r.Reply = StateFailed, cause, reply
		}
	}
}

// quote gives each recipient that was refused what the server said of it, where it said something else of each.
func (i *Item) quote(verdicts []smtp.Recipient) {
	for _, v := range verdicts {
		for n := range i.Recipients {
			if r := &i.Recipients[n]; r.State == StateFailed && r.Address == v.Address && v.Refusal != nil {
				r.Reply = v.Refusal.Said.Raw()
			}
		}
	}
}

func newID() string { return strings.ToLower(rand.Text()) }
