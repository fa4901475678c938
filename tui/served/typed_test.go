package served

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/time/rate"

	"postier/tui"
)

// TestNothingOfAPasteBecomesAKey: wherever what a client sends is torn, and whatever of it is dropped, the program gets
// both marks of a paste or none, the second one before the next key, and nothing of the paste outside of them. The line
// may stall, and ctrl+c may come together with the end of a paste.
func TestNothingOfAPasteBecomesAKey(t *testing.T) {
	t.Parallel()
	sent := "kkk" + pasteBegin + strings.Repeat("x", 40) + pasteEnd + "\x03kk" + pasteBegin + pasteEnd +
		pasteBegin + "x" + pasteEnd + "\x03"
	chance := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var s sieve
		var got strings.Builder
		now := time.Time{}
		for rest := sent; rest != ""; {
			n := 1 + chance.IntN(min(12, len(rest)))
			now = now.Add(time.Duration(chance.Int64N(int64(longestStall))))
			got.Write(s.pass([]byte(rest[:n]), now, chance.IntN(3) > 0))
			rest = rest[n:]
		}
		got.Write(s.pass([]byte("here"), now, true))
		if why := broken(got.String()); why != "" {
			t.Fatalf("%s: %q", why, got.String())
		}
	}
}

// longestStall is how long a line may stall in the middle of a paste without harm.
const longestStall = 5 * time.Second

// broken says what is wrong with what a program got.
func broken(got string) string {
	for {
		before, after, begun := strings.Cut(got, pasteBegin)
		switch {
		case strings.Contains(before, "x"):
			return "a part of a paste comes as a key"
		case !begun && !strings.HasSuffix(before, "here"):
			return "the next key is lost"
		case !begun:
			return ""
		}
		pasted, rest, ended := strings.Cut(after, pasteEnd)
		if !ended || strings.ContainsAny(pasted, "k\x03") {
			return "keys are taken for a part of a paste"
		}
		got = rest
	}
}

// TestEndOfAPasteIsLost: a paste that was cut off and whose end mark never comes ends with a pause, or with ctrl+c.
func TestEndOfAPasteIsLost(t *testing.T) {
	t.Parallel()
	now := time.Time{}
	for name, c := range map[string]struct {
		pause time.Duration
		sent  string
		want  string
	}{
		"a key at once":                   {0, "k", ""},
		"a key after a rest":              {pastePause + 1, "k", "k"},
		"the rest after a stall":          {longestStall, "qdelete" + pasteEnd, ""},
		"ctrl+c":                          {0, "\x03", "\x03"},
		"ctrl+c, then keys":               {0, "\x03k~k", "\x03k~k"},
		"ctrl+c behind the rest":          {0, "q~delete\x03k", "\x03k"},
		"ctrl+c behind the mark":          {0, "qdelete" + pasteEnd + "\x03", "\x03"},
		"ctrl+c behind the mark and keys": {0, "qdelete" + pasteEnd + "kk\x03", "kk\x03"},
		"ctrl+c in the place of the mark": {0, "qdelete\x1b[20\x031~k", "\x031~k"},
	} {
		var s sieve
		got := string(s.pass([]byte(pasteBegin+"xx"), now, true)) + string(s.pass([]byte("xx"), now, false))
		if got != pasteBegin+"xx"+pasteEnd {
			t.Errorf("%s: cut off as %q", name, got)
		}
		if got := string(s.pass([]byte(c.sent), now.Add(c.pause), true)); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// openSlow opens a session whose program reads nothing until read is closed, and then everything into got.
func openSlow(t *testing.T) (c *client, read chan struct{}, got *lines) {
	t.Helper()
	read, got = make(chan struct{}), new(lines)
	b := start(t, Limits{}, func(ctx context.Context, s *Session) error {
		context.AfterFunc(ctx, func() { _ = s.Terminal.Close() })
		rawMode(t, s.Terminal)
		_, _ = io.WriteString(s.Terminal, "ready")
		<-read
		_, _ = io.Copy(got, s.Terminal)
		return nil
	})
	c = b.open(b.dial("anna"), 80, 24)
	c.waitFor(t, "ready")
	return c, read, got
}

// TestFloodBeforeASlowProgram: what a client sends is read, and dropped, while the program reads nothing. Otherwise the
// owner's next key would come after all of it.
func TestFloodBeforeASlowProgram(t *testing.T) {
	t.Parallel()
	c, read, got := openSlow(t)
	sent := make(chan error, 1)
	go func() {
		_, err := c.in.Write(bytes.Repeat([]byte("k"), 8<<20)) // the window of a channel is smaller
		sent <- err
	}()
	select {
	case err := <-sent:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Error("the server waits for the program")
	}
	close(read)
	until(t, "the owner's key to come", func() bool {
		_, _ = io.WriteString(c.in, "!")
		return strings.Contains(got.String(), "!")
	})
	if flood := strings.Count(got.String(), "k"); flood == 0 || flood > 8*keysAtOnce { // the kernel keeps some too
		t.Errorf("%d keys of the flood came", flood)
	}
}

// TestWholeFieldIsPasted: the longest text that a field takes comes with both marks, even before a program that reads
// nothing yet.
func TestWholeFieldIsPasted(t *testing.T) {
	t.Parallel()
	c, read, got := openSlow(t)
	sent := pasteBegin + strings.Repeat("\U0001F4EE", tui.MaxTyped) + pasteEnd
	_, err := io.WriteString(c.in, sent)
	close(read)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the paste", func() bool { return strings.HasSuffix(got.String(), pasteEnd) })
	if got.String() != sent {
		t.Errorf("%d of %d octets came", len(got.String()), len(sent))
	}
}

// TestClientLeavesAProgramThatHangs: a program that reads nothing any more does not keep the session of a person who is
// gone, even where the kernel takes no more.
func TestClientLeavesAProgramThatHangs(t *testing.T) {
	t.Parallel()
	terminal, err := openTerminal(clamp(80, 24), func() {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(terminal.close)
	rawMode(t, terminal.slave)
	terminal.keys.SetLimit(rate.Inf)
	left := make(chan struct{})
	go func() {
		defer close(left)
		terminal.typeFrom(iotest.HalfReader(bytes.NewReader(bytes.Repeat([]byte("k"), 8<<20))))
	}()
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the session waits for the program")
	}
}
