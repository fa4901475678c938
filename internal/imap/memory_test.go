package imap

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// mostMemory is the most memory that a listing may use (docs/security.md I4).
const mostMemory = 16 << 20

// TestListingKeepsWithinMemory lists folders at servers that never stop, and watches the heap: the peak while the
// answer comes in, and what is kept of it. It does not run together with other tests, whose memory it would count.
func TestListingKeepsWithinMemory(t *testing.T) {
	// The collector runs often, so that the figures do not include garbage.
	const often = 10
	defer debug.SetGCPercent(debug.SetGCPercent(often))
	ca := scripted.StartCA(t)
	escaped := `* LIST () "/" "` + strings.Repeat(`\"`, 500) + "\"\r\n"
	for name, endless := range map[string]string{
		"long names":       `* LIST () "/" ` + strings.Repeat("n", 1000) + "\r\n",
		"long UTF-7 names": `* LIST () "/" &-` + strings.Repeat("n", 997) + "\r\n",
		"escaped names":    escaped,
		"long lines":       "* LIST (" + strings.TrimSpace(strings.Repeat(`\x `, 3000)) + `) "/" n` + "\r\n",
		"many elements":    "* LIST (" + strings.Repeat("()", 4900) + `) "/" n` + "\r\n",
		"literals":         "* LIST () \"/\" {1000}\r\n" + strings.Repeat("n", 1000) + "\r\n",
		"short names":      `* LIST () "/" n` + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
				Script: scripted.Script{"LIST": {Endless: endless}},
			})
			session, err := Open(t.Context(), network(t, ca, server.Addr()), account(), wire.NewRecorder())
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			runtime.GC()
			before := heap()
			peak := watch(t)
			listing, err := session.Folders(t.Context())
			most := peak()
			var limit *wire.LimitError
			if !errors.As(err, &limit) {
				t.Errorf("the listing ended with %v", err)
			}
			runtime.GC()
			kept := heap()
			t.Logf("%d folders, %v: peak %.1f MiB, kept %.1f MiB", len(listing.Folders), err, mebibytes(most, before),
				mebibytes(kept, before))
			if most > before+mostMemory {
				t.Errorf("the heap grew by %.1f MiB", mebibytes(most, before))
			}
			runtime.KeepAlive(listing)
		})
	}
}

func mebibytes(after, before uint64) float64 { return (float64(after) - float64(before)) / (1 << 20) }

func heap() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// samples is how often the heap is read, which stops the program for a moment.
const samples = 5 * time.Millisecond

// watch samples the heap until the returned function is called, which returns the most memory that was in use.
func watch(t *testing.T) func() uint64 {
	t.Helper()
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			most.Store(max(most.Load(), heap()))
			select {
			case <-stop:
				return
			case <-time.After(samples):
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return most.Load() }
}
