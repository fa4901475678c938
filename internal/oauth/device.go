package oauth

import (
	"context"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"postier/internal/organisation"
	"postier/internal/secret"
)

const (
	// deviceGrant is the grant type of RFC 8628 §3.4.
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	// defaultInterval applies if the server names none (RFC 8628 §3.2); each slow_down adds slowDownStep (§3.5).
	defaultInterval = 5 * time.Second
	slowDownStep    = 5 * time.Second
	maxInterval     = time.Minute
	// defaultCodeLife and maxCodeLife bound expires_in, which is required and yet sometimes missing.
	defaultCodeLife = 10 * time.Minute
	maxCodeLife     = time.Hour
	// maxBackOff caps the doubling after lost connections, so that a person who is back online does not wait longer than
	// this.
	maxBackOff = 30 * time.Second
	// maxNonsense is how many invalid answers in a row end a sign-in; a single one may come from a gateway.
	maxNonsense = 5
	// maxUserCode in octets; RFC 8628 §6.1 asks for codes that are short enough to type.
	maxUserCode = 32
	// beginTries is how often the first request is sent. It is low, because the person sees an empty screen until then.
	beginTries = 3
	firstPause = time.Second
)

// waiter sleeps, or returns the context's error.
type waiter func(ctx context.Context, d time.Duration) error

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.wait != nil {
		return c.wait(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// retry sends a request up to beginTries times, as long as its failures are temporary.
func (c *Client) retry(ctx context.Context, send func() error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := send()
		e := problemOf(err)
		if e == nil || !e.passing() || try == beginTries {
			return err
		}
		if err := c.sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

// device is the answer of RFC 8628 §3.2.
type device struct {
	code     secret.Value
	interval time.Duration
	expires  time.Time
}

func (s *SignIn) beginDevice(ctx context.Context) error {
	p := s.request.Provider
	var answer *oauth2.DeviceAuthResponse
	err := s.client.retry(ctx, func() error {
		call, ctxCall, cancel := s.client.call(ctx, p, p.DeviceURL, s.request.ClientSecret)
		defer cancel()
		var err error
		if answer, err = p.config(s.request.ClientID, s.request.ClientSecret).DeviceAuth(ctxCall); err != nil {
			return call.fail(ctx, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	bad := &Error{Problem: BadAnswer, Provider: p.Name, Server: hostOf(p.DeviceURL)}
	if answer == nil || answer.DeviceCode == "" || len(answer.DeviceCode) > maxToken || !plainCode(answer.UserCode) ||
		!s.client.page(p, answer.VerificationURI) {
		return bad
	}
	d := &device{code: secret.New(answer.DeviceCode), interval: defaultInterval}
	if answer.Interval > 0 {
		d.interval = min(time.Duration(min(answer.Interval, int64(maxInterval/time.Second)))*time.Second, maxInterval)
	}
	life := defaultCodeLife
	if !answer.Expiry.IsZero() {
		life = min(time.Until(answer.Expiry), maxCodeLife)
	}
	d.expires = s.client.now().Add(life)
	s.device = d
	s.Prompt = Prompt{Flow: Device, URL: answer.VerificationURI, Code: answer.UserCode, Expires: d.expires}
	// The address that contains the code is optional, so one that leads to another site is dropped.
	if complete := answer.VerificationURIComplete; s.client.page(p, complete) {
		s.Prompt.Complete = complete
	}
	return nil
}

// plainCode accepts a code that a person can read aloud and type.
func plainCode(code string) bool {
	return code != "" && len(code) <= maxUserCode &&
		!strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r >= 0x7f })
}

// maxPage in octets of an address that a person can type or a QR code can hold.
const maxPage = 300

// page accepts the address of a device page only in the provider's own domains, so that a hostile answer cannot send
// people to a page that asks for their password (docs/security.md T16).
func (c *Client) page(p Provider, address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxPage || !c.allowed(address) ||
		strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, endpoint := range []string{p.DeviceURL, p.AuthURL, p.TokenURL} {
		if own, err := url.Parse(endpoint); err == nil && own.Host != "" && organisation.Same(host, own.Hostname()) {
			return true
		}
	}
	for _, domain := range p.traits().pages {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// poll sends requests until there is an answer. RFC 8628 §3.5: it waits the interval, five seconds more after each
// slow_down, and twice as long after each lost connection. A lost connection or a server error does not end the
// sign-in.
func (s *SignIn) poll(ctx context.Context, progress func(State)) (grant, error) {
	d, nonsense := s.device, 0
	state, delay := State{Phase: Waiting}, d.interval
	for {
		left := d.expires.Sub(s.client.now())
		if left <= 0 {
			return grant{}, &Error{
				Problem: TimedOut, Provider: s.request.Provider.Name,
				Server: hostOf(s.request.Provider.TokenURL),
			}
		}
		delay = min(delay, left)
		state.Remaining, state.Next = left, delay
		progress(state)
		if err := s.client.sleep(ctx, delay); err != nil {
			return grant{}, err
		}
		got, wait, err := s.ask(ctx)
		e := problemOf(err)
		if err == nil || e == nil {
			return got, err
		}
		if e.Problem != BadAnswer {
			nonsense = 0
		}
		switch {
		case e.Problem == pending:
			state.Phase, delay = Waiting, d.interval
		case e.Problem == slowDown:
			d.interval = min(d.interval+slowDownStep, maxInterval)
			state.Phase, delay = Slower, d.interval
		case e.passing():
			state.Phase, delay = Offline, max(min(2*delay, maxBackOff), d.interval)
			if e.Problem == Ill {
				state.Phase, delay = Ailing, max(delay, wait)
			}
		case e.Problem == BadAnswer && nonsense < maxNonsense:
			nonsense++
			state.Phase, delay = Ailing, max(min(2*delay, maxBackOff), d.interval)
		case e.Problem == Expired: // the code was already used, perhaps by a request whose answer was lost
			e.Problem = TimedOut
			return grant{}, e
		default:
			return grant{}, e
		}
	}
}

// ask sends one poll; wait is the time that the server asked for in Retry-After.
func (s *SignIn) ask(ctx context.Context) (got grant, wait time.Duration, err error) {
	p := s.request.Provider
	call, ctxCall, cancel := s.client.call(ctx, p, p.TokenURL, s.device.code, s.request.ClientSecret)
	defer cancel()
	// The library's own loop ends at the first lost connection, so only its single request is used; an empty code counts
	// as no code (RFC 6749 §3.1).
	token, err := p.config(s.request.ClientID, s.request.ClientSecret).Exchange(ctxCall, "",
		oauth2.SetAuthURLParam("grant_type", deviceGrant), oauth2.SetAuthURLParam("device_code", s.device.code.Reveal()))
	if err != nil {
		return grant{}, call.retryAfter, call.fail(ctx, err)
	}
	got, err = call.grant(token)
	return got, 0, err
}
