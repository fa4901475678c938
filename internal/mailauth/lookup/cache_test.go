package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	mdns "github.com/miekg/dns"

	"postier/internal/wire"
)

type counting struct {
	asked atomic.Int64
	err   error
	gate  chan struct{}
}

func (c *counting) Query(context.Context, string, uint16) (wire.Answer, error) {
	c.asked.Add(1)
	if c.gate != nil {
		<-c.gate
	}
	return wire.Answer{}, c.err
}

func kept(c *Cache) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}

func TestCacheAsksOnceAndStaysSmall(t *testing.T) {
	t.Parallel()
	resolver := &counting{}
	c := NewCache(resolver, 100)
	for range 5 {
		_, _ = c.Query(t.Context(), "A.example", mdns.TypeTXT)
		_, _ = c.Query(t.Context(), "a.example.", mdns.TypeTXT)
	}
	if n := resolver.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	for i := range 10_000 {
		_, _ = c.Query(t.Context(), fmt.Sprintf("d%d.example", i), mdns.TypeTXT)
		_, _ = c.Query(t.Context(), "a.example", mdns.TypeTXT) // in use: it stays
	}
	if n := kept(c); n > 100 {
		t.Errorf("%d entries", n)
	}
	if n := resolver.asked.Load(); n != 10_001 {
		t.Errorf("asked %d times", n)
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	t.Parallel()
	resolver := &counting{err: &wire.ResolveError{Kind: wire.ServFail, Err: errors.New("no")}}
	c := NewCache(resolver, 10)
	for range 3 {
		_, _ = c.Query(t.Context(), "a.example", mdns.TypeTXT)
	}
	if n := resolver.asked.Load(); n != 3 || kept(c) != 0 {
		t.Errorf("asked %d times, %d kept", n, kept(c))
	}
	resolver.err = &wire.ResolveError{Kind: wire.NotFound}
	for range 3 {
		_, _ = c.Query(t.Context(), "b.example", mdns.TypeTXT)
	}
	if n := resolver.asked.Load(); n != 4 {
		t.Errorf("a denial was asked for again: %d", n)
	}
}

func TestCacheSharesAQuestionUnderWay(t *testing.T) {
	t.Parallel()
	resolver := &counting{gate: make(chan struct{})}
	c := NewCache(resolver, 10)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _ = c.Query(t.Context(), "a.example", mdns.TypeTXT) })
	}
	close(resolver.gate)
	wg.Wait()
	if n := resolver.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slow := &counting{gate: make(chan struct{})}
	c = NewCache(slow, 10)
	go func() { _, _ = c.Query(context.WithoutCancel(t.Context()), "a.example", mdns.TypeTXT) }()
	for slow.asked.Load() == 0 {
	}
	if _, err := c.Query(ctx, "a.example", mdns.TypeTXT); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(slow.gate)
}
