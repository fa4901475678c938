package delivery

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/safefile"
)

func newStore(t *testing.T) (*Store, *clock) {
	t.Helper()
	s, err := OpenStore(t.Context(), fileAt(t.TempDir(), "state", "postier.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &clock{now: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)}
	s.Now = c.Now
	return s, c
}

// P-4: sliding windows, and the counter can be reset by hand.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		by     string
		limits config.Limits
		span   time.Duration
	}{
		{"hour", config.Limits{PerHour: 2}, time.Hour},
		{"day", config.Limits{PerDay: 2}, 24 * time.Hour},
		{"week", config.Limits{PerWeek: 2}, 7 * 24 * time.Hour},
	} {
		t.Run(row.by, func(t *testing.T) {
			t.Parallel()
			s, c := newStore(t)
			start := c.Now()
			take := func() error { _, err := s.Take(t.Context(), "p", row.limits); return err }
			if err := take(); err != nil {
				t.Fatal(err)
			}
			c.add(time.Minute)
			if err := take(); err != nil {
				t.Fatal(err)
			}
			var over *OverLimit
			if err := take(); !errors.As(err, &over) || over.By != row.by || !over.Next.Equal(start.Add(row.span)) {
				t.Fatalf("got %v", err)
			}
			if _, err := s.Take(t.Context(), "other", row.limits); err != nil {
				t.Errorf("another profile: %v", err)
			}
			c.add(row.span - time.Minute + time.Second) // the first one slides out, the second one counts
			if err := take(); err != nil {
				t.Error(err)
			}
			if err := take(); !errors.As(err, &over) {
				t.Errorf("got %v", err)
			}
			if _, err := s.ResetLimits(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
			if err := take(); err != nil {
				t.Errorf("after a reset: %v", err)
			}
		})
	}
}

func TestTicketIsGivenBack(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	limits := config.Limits{PerHour: 1}
	ticket, err := s.Take(t.Context(), "p", limits)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Return(t.Context(), ticket); err != nil {
		t.Fatal(err)
	}
	if room, err := s.Room(t.Context(), "p", limits); err != nil || room.Left["hour"] != 1 {
		t.Errorf("%+v, %v", room, err)
	}
}

// C-6: twelve messages, then a pause of 15.5 seconds.
func TestBatch(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	limits := config.Limits{Batch: config.Batch{Messages: 12, WaitSeconds: 15.5}}
	for round := range 2 {
		for n := range 12 {
			if _, err := s.Take(t.Context(), "p", limits); err != nil {
				t.Fatalf("round %d, message %d: %v", round, n+1, err)
			}
			c.add(10 * time.Millisecond)
		}
		var over *OverLimit
		if _, err := s.Take(t.Context(), "p", limits); !errors.As(err, &over) || over.By != "batch" {
			t.Fatalf("message 13: %v", err)
		}
		if wait := over.Next.Sub(c.Now()); wait != 15490*time.Millisecond {
			t.Errorf("wait %s", wait)
		}
		c.add(15490 * time.Millisecond)
	}
}

// P-7: view, add, edit, delete; wildcards by domain; CSV there and back.
func TestSuppressionList(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	for typed, want := range map[string]string{
		"Klara@Customer.example": "klara@customer.example", "@gone.example": "@gone.example", "*@old.example": "@old.example",
		"@*.shops.example": "@*.shops.example", "müller.example": "@xn--mller-kva.example",
	} {
		if got, err := Pattern(typed); err != nil || got != want {
			t.Errorf("%s: %s, %v", typed, got, err)
		}
		if err := s.Suppress(ctx, Entry{Pattern: typed, Reason: "left"}); err != nil {
			t.Error(err)
		}
	}
	for _, typed := range []string{"", "@", "a b@c.example", "@-x-", "x@", "localhost"} {
		if err := s.Suppress(ctx, Entry{Pattern: typed}); !errors.Is(err, ErrPattern) {
			t.Errorf("%q was taken: %v", typed, err)
		}
	}
	for address, want := range map[string]bool{
		"klara@customer.example": true, "KLARA@CUSTOMER.EXAMPLE": true, "karl@customer.example": false, "x@gone.example": true, "x@sub.gone.example": false,
		"x@a.shops.example": true, "x@b.a.shops.example": true, "x@shops.example": false, "x@müller.example": true,
	} {
		if _, listed, err := s.IsSuppressed(ctx, address); listed != want || err != nil {
			t.Errorf("%s: %t, %v", address, listed, err)
		}
	}
	if err := s.Suppress(ctx, Entry{Pattern: "klara@customer.example", Reason: "=HYPERLINK(1)"}); err != nil {
		t.Fatal(err)
	}
	var first bytes.Buffer
	if err := s.ExportCSV(ctx, &first); err != nil || strings.Contains(first.String(), ",=HYPERLINK") {
		t.Errorf("%v, %s", err, first.String())
	}
	other, _ := newStore(t)
	if n, err := other.ImportCSV(ctx, strings.NewReader(first.String())); n != 5 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if reason, listed, _ := other.IsSuppressed(ctx, "klara@customer.example"); !listed || reason != "=HYPERLINK(1)" {
		t.Errorf("%q", reason)
	}
	if _, err := other.ImportCSV(ctx, strings.NewReader("new@x.example,a\nnonsense nonsense\n")); err == nil {
		t.Error("a malformed line was taken")
	}
	if _, listed, _ := other.IsSuppressed(ctx, "new@x.example"); listed {
		t.Error("half of a file was imported")
	}
	if err := s.Unsuppress(ctx, "@gone.example"); err != nil {
		t.Fatal(err)
	}
	if err := s.Unsuppress(ctx, "@gone.example"); !errors.Is(err, ErrNoEntry) {
		t.Errorf("got %v", err)
	}
}

// The state is private, and one that others can read is refused.
func TestStateFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "postier.db")
	s, err := OpenStore(t.Context(), fileAt(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Suppress(t.Context(), Entry{Pattern: "a@b.example"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	_ = s.Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var refused *safefile.Error
	if _, err := OpenStore(t.Context(), fileAt(path)); !errors.As(err, &refused) || refused.Fix != "chmod 600 "+path {
		t.Errorf("got %v", err)
	}
}

func TestStatePath(t *testing.T) {
	t.Parallel()
	env := func(values map[string]string) func(string) string {
		return func(name string) string { return values[name] }
	}
	home := map[string]string{"HOME": "/home/marie"}
	for _, row := range []struct {
		config string
		env    map[string]string
		want   string
	}{
		{"/home/marie/.config/postier/config.json", home, "/home/marie/.local/state/postier/postier.db"},
		{
			"/home/marie/.config/postier/config.json",
			map[string]string{"HOME": "/home/marie", "XDG_STATE_HOME": "/state"},
			"/state/postier/postier.db",
		},
		{config.SystemPath, home, "/var/lib/postier/postier.db"},
		{"/srv/app/mail.json", home, "/srv/app/postier.db"},
		{
			"/srv/app/mail.json",
			map[string]string{"HOME": "/home/marie", "POSTIER_CONFIG": "/srv/app/mail.json"},
			"/srv/app/postier.db",
		},
	} {
		if got := StatePath(row.config, env(row.env)); got != row.want {
			t.Errorf("%s: %s, want %s", row.config, got, row.want)
		}
	}
}

// A large message leaves no large file behind.
func TestFileShrinks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postier.db")
	s, err := OpenStore(t.Context(), fileAt(path))
	if err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	item := &Item{ID: "large", State: StateWaiting, Raw: make([]byte, 3*slack)}
	if err := s.insert(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if size() < 3*slack {
		t.Fatalf("%d octets hold the message", size())
	}
	if s, err = OpenStore(t.Context(), fileAt(path)); err != nil {
		t.Fatal(err)
	}
	item.State = StateSent
	if err := s.change(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if size() > slack {
		t.Errorf("%d octets are left", size())
	}
}

// A state that the first version wrote is brought up to date with its messages in it.
func TestOlderState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postier.db")
	s, err := OpenStore(t.Context(), fileAt(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`ALTER TABLE postier_message DROP COLUMN version`,
		`ALTER TABLE postier_message RENAME COLUMN head TO raw`,
		`DROP TABLE postier_part`,
		`ALTER TABLE postier_health DROP COLUMN last`,
		`INSERT INTO postier_message VALUES ('m', 0, 1, 1, 'waiting', 3, '', 'p', '<m@x>', 'a@x', '{"recipients":[]}', x'78')`,
		`UPDATE postier_schema SET version = 1`,
	} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	if s, err = OpenStore(t.Context(), fileAt(path)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	item, err := s.Item(t.Context(), "m")
	if err != nil || item.Attempts != 3 || string(item.Raw) != "x" {
		t.Fatalf("%+v, %v", item, err)
	}
	if err := s.change(t.Context(), item); err != nil {
		t.Error(err)
	}
}
