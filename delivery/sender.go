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
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/smtp"
	"postier/internal/account"
)

// Causes that this package gives by itself.
const (
	CauseOwnLimit   = "own-limit-reached"
	CauseCredential = "credential-unreadable"
	CauseUnknown    = "delivery-unknown"
	causeRecipient  = "recipient-rejected"
	causeProfile    = "profile-missing"
)

// Sender hands messages to submission servers, one connection a profile, kept open between messages. It is safe for several
// goroutines; those of one profile take turns.
type Sender struct {
	// Accounts says what is dialled for a profile.
	Accounts *account.Source

	mu    sync.Mutex
	lines map[string]*line
}

// line is the connection of one profile.
type line struct {
	mu      sync.Mutex
	session *smtp.Session
	digest  string
	used    time.Time
}

// idleLimit is how long a connection is kept for the next message; servers hang up after some minutes.
const idleLimit = 20 * time.Second

// Try is the outcome of one try.
type Try struct {
	State State // sent, waiting (try again), failed or unknown
	Cause string
	// Reply is the server's own line, raw.
	Reply string
	// Check is the rung at which it stopped.
	Check   diagnostics.ID
	QueueID string
	// SignIn is true when the server refused to let this profile in for good: the password was changed, the account closed (D-5).
	SignIn bool
	// Profile is true when the try failed for the profile's sake, before any message was named.
	Profile bool
	// Instead is the profile that was switched off on the way; the message went through the fallback.
	Instead string
	Err     error
}

// Exit is the exit code of docs/reference.md §4 for an outcome.
func (t Try) Exit() int {
	switch t.State {
	case StateSent, StateCopy:
		return 0
	case StateUnknown:
		return 74
	}
	if coded, ok := errorCode(t.Err); ok {
		return coded
	}
	if info, ok := explain.Cause(t.Cause); ok && info.Exit != 0 {
		return info.Exit
	}
	if t.State == StateWaiting {
		return 75
	}
	return 1
}

func errorCode(err error) (int, bool) {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode(), true
	}
	var credentials *credential.Error
	if errors.As(err, &credentials) {
		return 78, true
	}
	return 0, false
}

// Send makes one try for the open recipients of an item. beforeDot is called before nobody but the server can know what
// became of the message.
func (s *Sender) Send(ctx context.Context, profile string, p *config.Profile, item *Item, beforeDot func() error) Try {
	l := s.line(profile)
	l.mu.Lock()
	defer l.mu.Unlock()
	for again := false; ; again = true {
		if try, ok := s.connect(ctx, l, profile, p); !ok {
			return try
		}
		raw := item.Raw
		if !l.session.Extensions().Has("8BITMIME") && !isASCII(string(raw)) {
			if m, err := Parse(raw); err == nil {
				m.SevenBit()
				raw = m.Bytes()
			}
		}
		outcome, err := l.session.Send(ctx, smtp.Mail{From: item.Envelope, To: item.Open(), Message: raw, BeforeDot: beforeDot})
		l.used = time.Now()
		if errors.Is(err, smtp.ErrSessionOver) && !again {
			l.hangUp() // an idle connection that the server had closed: nothing was said
			continue
		}
		if err != nil {
			l.hangUp()
		}
		return judge(item, outcome, err)
	}
}

func (s *Sender) line(profile string) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		s.lines = map[string]*line{}
	}
	if s.lines[profile] == nil {
		s.lines[profile] = &line{}
	}
	return s.lines[profile]
}

// connect makes sure that the line has a signed-in connection for these very settings.
func (s *Sender) connect(ctx context.Context, l *line, profile string, p *config.Profile) (Try, bool) {
	if l.session != nil && (!l.session.Usable() || l.digest != p.Digest() || time.Since(l.used) > idleLimit) {
		l.hangUp()
	}
	if l.session != nil {
		return Try{}, true
	}
	target, network, err := s.Accounts.Profile(ctx, profile, p)
	if err != nil {
		if ctx.Err() != nil {
			return Try{State: StateWaiting, Cause: diagnostics.CauseCancelled, Err: ctx.Err()}, false
		}
		return Try{State: StateWaiting, Cause: CauseCredential, Check: diagnostics.SMTPAuth, Profile: true, Err: err}, false
	}
	session, err := smtp.Dial(ctx, network, target)
	if err != nil {
		try := judge(nil, smtp.Outcome{State: smtp.StateNotSent}, err)
		try.Profile = ctx.Err() == nil
		return try, false
	}
	l.session, l.digest, l.used = session, p.Digest(), time.Now()
	return Try{}, true
}

func (l *line) hangUp() {
	if l.session != nil {
		l.session.Close()
		l.session = nil
	}
}

// Close ends all connections.
func (s *Sender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		l.mu.Lock()
		l.hangUp()
		l.mu.Unlock()
	}
}

// judge turns an outcome into what is to be done. It notes the verdicts of the single recipients in the item.
func judge(item *Item, outcome smtp.Outcome, err error) Try {
	if item != nil {
		item.note(outcome)
	}
	var failure *smtp.SendError
	switch {
	case err == nil:
		try := Try{State: StateSent, QueueID: outcome.QueueID, Check: diagnostics.SMTPData}
		if len(item.Open()) > 0 { // some recipients were put off
			try.State, try.Cause, try.Reply = StateWaiting, item.Cause, item.Reply
		}
		return try
	case !errors.As(err, &failure):
		return Try{State: StateWaiting, Cause: diagnostics.CauseCancelled, Err: err}
	}
	r := failure.Result
	try := Try{State: StateWaiting, Cause: r.Cause, Check: r.ID, Err: err}
	for _, e := range r.Evidence {
		if e.Kind == "reply" {
			try.Reply = e.Text.Raw()
		}
	}
	permanent := r.Code != nil && r.Code.Reply/100 == 5 && !retryLater(r)
	switch {
	case failure.State == smtp.StateUnknown:
		try.State = StateUnknown
	case r.ID == diagnostics.SMTPAuth || r.ID == diagnostics.SMTPAuthOffered:
		// The message is not at fault; it goes on through the fallback, or waits until the settings are mended.
		try.SignIn = permanent || r.ID == diagnostics.SMTPAuthOffered && r.Cause == "basic-auth-disabled"
		try.Profile = true
	case permanent && (r.ID == diagnostics.SMTPSender || r.ID == diagnostics.SMTPData), hopeless(r.Cause):
		try.State = StateFailed
		if item != nil {
			item.refuse(r.Cause, try.Reply)
		}
	case item != nil && len(item.Open()) == 0:
		try.State = StateFailed
	}
	return try
}

// hopeless are faults that this side sees before anything is said, and that no wait mends.
func hopeless(cause string) bool {
	return cause == "utf8-unsupported" || cause == "address-invalid" || cause == "message-too-large"
}

// retryLater recognises the 5yz replies with which some providers mean "tomorrow": quotas, of which the catalogue knows the words (D-6).
func retryLater(r diagnostics.Result) bool { return r.Matched != "" && quota(r.Cause) }

func quota(cause string) bool {
	info, ok := explain.Cause(cause)
	return ok && info.Group == "limits" && info.Retry == explain.RetryLater
}

// note keeps the server's verdict on each recipient. What was accepted counts only once the message was.
func (i *Item) note(outcome smtp.Outcome) {
	for _, v := range outcome.Recipients {
		for n := range i.Recipients {
			r := &i.Recipients[n]
			if r.State != "" || r.Address != v.Address {
				continue
			}
			if v.Accepted {
				if outcome.State == smtp.StateAccepted {
					r.State, r.Cause, r.Reply = StateSent, "", ""
				}
				continue
			}
			r.Cause, r.Reply = v.Cause, v.Reply.Text()
			if r.Cause == "" {
				r.Cause = causeRecipient
			}
			i.Cause, i.Reply = r.Cause, r.Reply
			if v.Reply.Code/100 == 5 && !quota(r.Cause) {
				r.State = StateFailed
			}
		}
	}
}

// refuse marks what is still open as refused for good.
func (i *Item) refuse(cause, reply string) {
	for n := range i.Recipients {
		if r := &i.Recipients[n]; r.State == "" {
			r.State, r.Cause, r.Reply = StateFailed, cause, reply
		}
	}
}

func newID() string { return strings.ToLower(rand.Text()) }
