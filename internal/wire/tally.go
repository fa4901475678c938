package wire

import (
	"errors"
	"maps"
	"net/netip"
	"sync"
)

// Tally is what a name service said so far. A run that failed is judged by what it said during the run.
type Tally struct {
	Answered int // questions with records in the answer
	Empty    int // names that exist without such a record
	Failed   map[Failure]int
}

// Denied is how many names were said not to exist.
func (t Tally) Denied() int { return t.Failed[NotFound] }

// Mute reports whether the name service was asked and told nothing, neither records nor that there are none.
func (t Tally) Mute() bool {
	silent := 0
	for kind, n := range t.Failed {
		if kind != NotFound && kind != NoAddress {
			silent += n
		}
	}
	return silent > 0 && t.Answered+t.Empty+t.Denied()+t.Failed[NoAddress] == 0
}

// tally counts for one resolver. Several goroutines may use it.
type tally struct {
	mu   sync.Mutex
	said Tally
}

func (t *tally) count(found bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var failed *ResolveError
	switch {
	case errors.As(err, &failed) && !errors.Is(err, ErrBudget):
		if t.said.Failed == nil {
			t.said.Failed = map[Failure]int{}
		}
		t.said.Failed[failed.Kind]++
	case err != nil:
	case found:
		t.said.Answered++
	default:
		t.said.Empty++
	}
}

// Tally is what the name service said up to now.
func (r *Resolver) Tally() Tally {
	r.tally.mu.Lock()
	defer r.tally.mu.Unlock()
	said := r.tally.said
	said.Failed = maps.Clone(said.Failed)
	return said
}

// Since is what was said after an earlier tally.
func (t Tally) Since(earlier Tally) Tally {
	t.Answered, t.Empty = t.Answered-earlier.Answered, t.Empty-earlier.Empty
	failed := map[Failure]int{}
	for kind, n := range t.Failed {
		if n -= earlier.Failed[kind]; n > 0 {
			failed[kind] = n
		}
	}
	t.Failed = failed
	return t
}

// Pinned reports whether the person named the server to ask.
func (r *Resolver) Pinned() bool { return len(r.pinned) > 0 }

// Servers are the name servers that are asked. It is an error when the system names none.
func (r *Resolver) Servers() ([]netip.AddrPort, error) {
	texts, err := r.servers()
	if err != nil {
		return nil, err
	}
	var list []netip.AddrPort
	for _, text := range texts {
		if server, err := netip.ParseAddrPort(text); err == nil {
			list = append(list, server)
		}
	}
	return list, nil
}
