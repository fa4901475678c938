package lookup

import (
	"context"
	"errors"
	"sync/atomic"

	"postier/internal/wire"
)

// enough unanswered questions, with none that was answered, say that no further one will be.
const enough = 3

var errSilent = errors.New("no question about this domain was answered")

// Patience is a Resolver for the questions about one domain. When those that were asked side by side have all waited in
// vain, the ones that come after them fail at once instead of waiting as long again.
type Patience struct {
	resolver         Resolver
	silent, answered atomic.Int64
}

// NewPatience wraps a resolver.
func NewPatience(resolver Resolver) *Patience { return &Patience{resolver: resolver} }

// Query implements Resolver.
func (p *Patience) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	if p.silent.Load() >= enough && p.answered.Load() == 0 {
		return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NoAnswer, Err: errSilent}
	}
	answer, err := p.resolver.Query(ctx, name, qtype)
	var failed *wire.ResolveError
	if errors.As(err, &failed) && failed.Kind == wire.NoAnswer {
		p.silent.Add(1)
	} else {
		p.answered.Add(1)
	}
	return answer, err
}
