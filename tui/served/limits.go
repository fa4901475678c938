package served

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are what one server allows at a time (docs/security.md T14). The zero value of a field is that of Defaults.
type Limits struct {
	Sessions  int // in all
	PerUser   int
	PerSource int // connections from one address; for IPv6 from one network of 64 bits

	// HalfOpen are connections that have not shown a key yet, in all and from one source.
	HalfOpen          int
	HalfOpenPerSource int
	// ArrivalsPerSource are new connections a second from one source, after a first burst of three times as many as it
	// may keep.
	ArrivalsPerSource float64

	// Handshake is the whole time until a key is accepted; Identification is the time for the first line of it, which
	// every client sends at once (RFC 4253 §4.2). Received octets extend neither.
	Handshake      time.Duration
	Identification time.Duration
	// Begin is how long a client that has signed in may take to ask for its session.
	Begin time.Duration
	Tries int // keys offered on one connection

	Idle     time.Duration // without a key
	Absolute time.Duration
	// Farewell is how long a session that has to end may take to store what it has.
	Farewell time.Duration
}

// Defaults are OpenSSH's where it has the same limit (LoginGraceTime, MaxAuthTries, MaxStartups), and otherwise what
// support with a customer on the phone needs.
var Defaults = Limits{
	Sessions: 50, PerUser: 2, PerSource: 20, HalfOpen: 100, HalfOpenPerSource: 10, ArrivalsPerSource: 5,
	Handshake: 20 * time.Second, Identification: 5 * time.Second, Begin: 20 * time.Second, Tries: 6,
	Idle: 10 * time.Minute, Absolute: time.Hour, Farewell: 4 * time.Second,
}

func (l Limits) complete() Limits {
	d := Defaults
	for _, n := range []struct{ have, usual *int }{
		{&l.Sessions, &d.Sessions},
		{&l.PerUser, &d.PerUser},
		{&l.PerSource, &d.PerSource},
		{&l.HalfOpen, &d.HalfOpen},
		{&l.HalfOpenPerSource, &d.HalfOpenPerSource},
		{&l.Tries, &d.Tries},
	} {
		if *n.have <= 0 {
			*n.have = *n.usual
		}
	}
	for _, n := range []struct{ have, usual *time.Duration }{
		{&l.Handshake, &d.Handshake},
		{&l.Identification, &d.Identification},
		{&l.Begin, &d.Begin},
		{&l.Idle, &d.Idle},
		{&l.Absolute, &d.Absolute},
		{&l.Farewell, &d.Farewell},
	} {
		if *n.have <= 0 {
			*n.have = *n.usual
		}
	}
	if l.ArrivalsPerSource <= 0 {
		l.ArrivalsPerSource = d.ArrivalsPerSource
	}
	return l
}

// places counts who is here.
type places struct {
	limits Limits

	mu       sync.Mutex
	sources  map[netip.Prefix]*source
	halfOpen int
	users    map[string]int
	sessions int
}

// source is one address from which clients come.
type source struct {
	open, halfOpen int
	arrivals       *rate.Limiter
}

func newPlaces(l Limits) *places {
	return &places{limits: l, sources: map[netip.Prefix]*source{}, users: map[string]int{}}
}

// network is what counts as one source: an IPv4 address, or the 64 bits of which an IPv6 host can choose the rest.
func network(addr net.Addr) netip.Prefix {
	const v4, v6 = 32, 64
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := at.Addr().Unmap().WithZone(""), v6
	if ip.Is4() {
		bits = v4
	}
	prefix, _ := ip.Prefix(bits) // these lengths fit every address
	return prefix
}

// manySources is when those that are gone are forgotten.
const manySources = 1024

// arrive takes a place for a connection that has not shown a key yet; ok is false when there is none.
func (p *places) arrive(from netip.Prefix) (ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sources[from]
	if s == nil {
		p.forget()
		const burst = 3
		s = &source{arrivals: rate.NewLimiter(rate.Limit(p.limits.ArrivalsPerSource), burst*p.limits.PerSource)}
		p.sources[from] = s
	}
	if !s.arrivals.Allow() || p.halfOpen >= p.limits.HalfOpen || s.halfOpen >= p.limits.HalfOpenPerSource ||
		s.open >= p.limits.PerSource {
		return false
	}
	p.halfOpen++
	s.halfOpen++
	s.open++
	return true
}

// forget drops the sources from which nothing is open and that have been quiet.
func (p *places) forget() {
	if len(p.sources) < manySources {
		return
	}
	for from, s := range p.sources {
		if s.open == 0 && s.arrivals.Tokens() >= float64(s.arrivals.Burst()) {
			delete(p.sources, from)
		}
	}
}

// proven is called when a connection has shown its key.
func (p *places) proven(from netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halfOpen--
	p.sources[from].halfOpen--
}

// leave is called when a connection has ended.
func (p *places) leave(from netip.Prefix, halfOpen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sources[from]
	s.open--
	if halfOpen {
		p.halfOpen--
		s.halfOpen--
	}
}

// sit takes a place for a session; the key of the refusal is empty when there was one.
func (p *places) sit(user string) (refused string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.sessions >= p.limits.Sessions:
		return "served.full"
	case p.users[user] >= p.limits.PerUser:
		return "served.twice"
	}
	p.sessions++
	p.users[user]++
	return ""
}

// rise gives a session's place back.
func (p *places) rise(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions--
	if p.users[user]--; p.users[user] == 0 {
		delete(p.users, user)
	}
}
