package lookup

import (
	"errors"
	"testing"

	mdns "github.com/miekg/dns"

	"postier/internal/wire"
)

func TestPatience(t *testing.T) {
	t.Parallel()
	silent := &counting{err: &wire.ResolveError{Kind: wire.NoAnswer}}
	p := NewPatience(silent)
	for range 10 {
		var failed *wire.ResolveError
		_, err := p.Query(t.Context(), "a.example", mdns.TypeTXT)
		if !errors.As(err, &failed) || failed.Kind != wire.NoAnswer {
			t.Fatal(err)
		}
	}
	if n := silent.asked.Load(); n != enough {
		t.Errorf("asked %d times", n)
	}
	for name, err := range map[string]error{
		"an answer": nil, "a denial": &wire.ResolveError{Kind: wire.NotFound},
		"a failure": &wire.ResolveError{Kind: wire.ServFail},
	} {
		resolver := &counting{err: err}
		p := NewPatience(resolver)
		_, _ = p.Query(t.Context(), "a.example", mdns.TypeTXT)
		resolver.err = &wire.ResolveError{Kind: wire.NoAnswer}
		for range 10 {
			_, _ = p.Query(t.Context(), "a.example", mdns.TypeTXT)
		}
		if n := resolver.asked.Load(); n != 11 {
			t.Errorf("after %s, asked %d times", name, n)
		}
	}
}
