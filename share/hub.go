package share

import (
	"context"
	"io"
	"maps"
	"sync"
	"time"
)

// Guest is who joins.
type Guest struct {
	// Name is shown to the person. It comes from the key or the system, never from the guest.
	Name string
	// Source is whose wrong codes are counted together: a key, a user of the machine.
	Source string
}

// ShortName cuts the name of a guest so that it fits the line that says who looks: a fingerprint is longer.
func ShortName(name string) string {
	const longest = 32
	if letters := []rune(name); len(letters) > longest {
		return string(letters[:longest]) + "…"
	}
	return name
}

// Hub knows the open offers by their codes. The zero Hub is ready. All methods may be called from any goroutine.
type Hub struct {
	mu      sync.Mutex
	offers  map[*Offer]bool
	guesses map[string]guesses
}

// guesses are the wrong codes of one source.
type guesses struct {
	n     int
	until time.Time
}

// Open makes an offer with a new code. The caller must Close it.
func (h *Hub) Open() (*Offer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(time.Now())
	if len(h.offers) >= maxOffers {
		return nil, ErrFull
	}
	o := &Offer{
		hub: h, code: newCode(), expires: time.Now().Add(Life), guest: make(chan arrival, 1), over: make(chan struct{}),
	}
	for h.find(o.code) != nil {
		o.code = newCode()
	}
	if h.offers == nil {
		h.offers = map[*Offer]bool{}
	}
	h.offers[o] = true
	return o, nil
}

// Join hands the helper's stream to the offer with this code, which no one can join afterwards. Where it fails, the
// stream is still the caller's.
func (h *Hub) Join(g Guest, code Code, stream io.ReadWriteCloser) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.forget(now)
	if h.guesses[g.Source].n >= maxWrong {
		return ErrGuessing
	}
	o := h.find(code)
	if o == nil {
		h.missed(g.Source, code, now)
		return ErrCode
	}
	delete(h.offers, o)
	delete(h.guesses, g.Source)
	o.guest <- arrival{g, stream}
	return nil
}

// find compares the code with that of every offer, so that the time it takes says nothing.
func (h *Hub) find(code Code) *Offer {
	var found *Offer
	for o := range h.offers {
		if o.code.equals(code) {
			found = o
		}
	}
	return found
}

// missed counts a wrong code: against its source, and against every offer that it may have been meant for. These are
// the ones whose code begins alike, and the only one where there is no other.
func (h *Hub) missed(source string, code Code, now time.Time) {
	if h.guesses == nil {
		h.guesses = map[string]guesses{}
	}
	g := h.guesses[source]
	h.guesses[source] = guesses{g.n + 1, now.Add(Life)}
	for o := range h.offers {
		if len(h.offers) > 1 && !o.code.resembles(code) {
			continue
		}
		if o.wrong++; o.wrong >= maxWrong {
			h.end(o, ErrGuessed)
		}
	}
}

// forget ends what has passed its time.
func (h *Hub) forget(now time.Time) {
	maps.DeleteFunc(h.guesses, func(_ string, g guesses) bool { return now.After(g.until) })
	for o := range h.offers {
		if now.After(o.expires) {
			h.end(o, ErrExpired)
		}
	}
}

// end takes an offer out of the hub. The hub is locked.
func (h *Hub) end(o *Offer, why error) {
	delete(h.offers, o)
	if o.err == nil {
		o.err = why
		close(o.over)
	}
}

// Offer is a code that one helper can use once.
type Offer struct {
	hub     *Hub
	code    Code
	expires time.Time
	guest   chan arrival  // the helper's, at most one
	over    chan struct{} // closed when no one comes any more

	wrong int   // codes that were tried; the hub's lock guards it
	err   error // why it is over; set before over is closed
}

type arrival struct {
	guest  Guest
	stream io.ReadWriteCloser
}

// Code is what the person says.
func (o *Offer) Code() Code { return o.code }

// Expires is when the code can no longer be used.
func (o *Offer) Expires() time.Time { return o.expires }

// Accept waits for the helper and returns the stream, which is then the caller's. The error says why no one comes:
// ErrExpired, ErrGuessed, ErrClosed, or that ctx ended.
func (o *Offer) Accept(ctx context.Context) (Guest, io.ReadWriteCloser, error) {
	expired := time.NewTimer(time.Until(o.expires))
	defer expired.Stop()
	for {
		select {
		case a := <-o.guest:
			return a.guest, a.stream, nil
		case <-o.over:
			return Guest{}, nil, o.err
		case <-ctx.Done():
			return Guest{}, nil, ctx.Err()
		case <-expired.C:
			o.expire()
		}
	}
}

// expire ends the offer, unless a helper has come.
func (o *Offer) expire() {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	if o.hub.offers[o] {
		o.hub.end(o, ErrExpired)
	}
}

// Close ends the offer. A helper who has joined and was not accepted is sent away.
func (o *Offer) Close() {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	o.hub.end(o, ErrClosed)
	select {
	case a := <-o.guest:
		_ = a.stream.Close()
	default:
	}
}
