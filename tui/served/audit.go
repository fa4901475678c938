package served

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"golang.org/x/time/rate"

	"postier/internal/safetext"
)

// audit writes one line for each sign-in, end and refusal, for programs that read logs: names and values are the same
// in every language. What a client said of itself is escaped, and no line holds what anyone typed.
type audit struct {
	log      *slog.Logger
	refusals *rate.Limiter
}

// refusalsPerSecond is how many refused connections are named, so that a flood of them does not fill a disk.
const refusalsPerSecond, refusalBurst = 2, 20

// longestName is how much of a text of the client's a line repeats.
const longestName = 64

func newAudit(w io.Writer) *audit {
	if w == nil {
		w = io.Discard
	}
	return &audit{
		log: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.String(a.Key, a.Value.Time().UTC().Format(time.RFC3339))
			case slog.LevelKey:
				return slog.Attr{}
			case slog.MessageKey:
				a.Key = "event"
			}
			return a
		}})),
		refusals: rate.NewLimiter(refusalsPerSecond, refusalBurst),
	}
}

func (a *audit) write(event string, attrs ...slog.Attr) {
	a.log.LogAttrs(context.Background(), slog.LevelInfo, event, attrs...)
}

// refused is a connection that did not become a session.
func (a *audit) refused(from net.Addr, why string) {
	if a.refusals.Allow() {
		a.write("refused", address(from), slog.String("reason", cut(why)))
	}
}

func address(from net.Addr) slog.Attr { return slog.String("from", from.String()) }

// remote is a text that the client chose.
func remote(name, said string) slog.Attr { return slog.Any(name, safetext.FromRemote(cut(said))) }

func cut(said string) string {
	if len(said) > longestName {
		said = said[:longestName] + fmt.Sprintf(" and %d octets", len(said)-longestName)
	}
	return said
}
