package wire

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Quota limits what one user of a server makes it connect to, so that no one scans or floods others through it
// (docs/security.md T14, T15, T21). It counts by the hour, over all sessions of the user.
type Quota struct {
	// Connections and Targets are how many there may be within an hour; a target is an address with a port.
	Connections int
	Targets     int

	mu   sync.Mutex
	made []connected // within the last hour, the oldest first
}

type connected struct {
	at     time.Time
	target netip.AddrPort
}

const quotaPeriod = time.Hour

// take counts one connection, or refuses it. It says the same, and as fast, as for an address that is not allowed.
func (q *Quota) take(target netip.AddrPort, now time.Time) error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.made) > 0 && now.Sub(q.made[0].at) >= quotaPeriod {
		q.made = q.made[1:]
	}
	targets := map[netip.AddrPort]bool{target: true}
	for _, c := range q.made {
		targets[c.target] = true
	}
	if len(q.made) >= q.Connections || len(targets) > q.Targets {
		return fmt.Errorf("%w: more than %d connections or %d servers in an hour", ErrAddressRefused, q.Connections,
			q.Targets)
	}
	q.made = append(q.made, connected{now, target})
	return nil
}
