package delivery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/internal/account"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if step := os.Getenv("POSTIER_TEST_KILL"); step != "" {
		if err := sendUntil(step); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// sendUntil accepts and sends one message, and is killed at a step. "none" lives.
func sendUntil(step string) error {
	path := os.Getenv("POSTIER_TEST_CONFIG")
	ctx := context.Background()
	store, err := OpenStore(ctx, fileAt(filepath.Dir(path), "state", "postier.db"))
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(os.Getenv("POSTIER_TEST_CA"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	resolver, err := wire.ResolverAt(os.Getenv("POSTIER_TEST_DNS"))
	if err != nil {
		return err
	}
	network := &wire.Network{
		Resolver: resolver, Roots: roots, Timeout: 5 * time.Second,
		Route: func(string, string, int) (string, bool) {
			return os.Getenv("POSTIER_TEST_SERVER"), true
		},
	}
	q := &Queue{
		Store: store, Sender: &Sender{Accounts: &account.Source{
			Network: network, Credentials: credential.For(path), ConfigPath: path,
		}},
		Load: func() (*config.Document, error) { return config.Load(path) },
		seam: func(at string) {
			if at == step {
				killed()
				select {}
			}
		},
	}
	if step == "claimed" {
		return q.Run(ctx, RunOptions{})
	}
	m, err := Parse([]byte("From: " + author + "\nTo: " + customer + "\nSubject: x\n\nx\n"))
	if err != nil {
		return err
	}
	doc, err := q.Load()
	if err != nil {
		return err
	}
	d := Decide(&doc.File, Request{Author: author, Recipients: []string{customer}}, Facts{})
	id, err := m.Prepare(d, doc.File.Profiles["durand"].From, time.Now())
	if err != nil {
		return err
	}
	item := NewItem(m, id, d, author, time.Now())
	if err := q.Accept(ctx, item, true); err != nil {
		return err
	}
	_, err = q.Deliver(ctx, item)
	return err
}

func (b *bench) child(step string) (killed bool) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POSTIER_TEST_KILL="+step, "POSTIER_TEST_CONFIG="+b.path,
		"POSTIER_TEST_SERVER="+b.own.Addr(), "POSTIER_TEST_CA="+b.ca, "POSTIER_TEST_DNS="+b.dns)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.ExitCode() == -1:
		return true
	}
	b.t.Fatalf("the child failed: %v\n%s", err, out)
	return false
}

// kill -9 at every step of accept and send: what was accepted is never lost; it is sent twice only where the answer of
// the server was lost with the process (RFC 1047).
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		step     string
		accepted bool
		sent     int // messages that the server took in the end
		doubt    bool
	}{
		{"accept", false, 0, false},
		{"accepted", true, 1, false},
		{"sending", true, 1, false},
		{"dot", true, 1, true}, // the octets never went out, which the sender cannot know
		{"answered", true, 2, true},
	} {
		t.Run(row.step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, nil)
			if !b.child(row.step) {
				t.Fatal("the process was not killed")
			}
			items, err := itemsOf(t.Context(), b.queue.Store, true)
			b.must(err)
			if (len(items) == 1) != row.accepted {
				t.Fatalf("%d messages are kept", len(items))
			}
			b.clock.add(time.Second)
			b.run()
			if n := len(messages(b.own)); n != row.sent {
				t.Errorf("the server took %d messages, want %d", n, row.sent)
			}
			if !row.accepted {
				return
			}
			item := b.stored(items[0].ID)
			if item.State != StateSent || item.Doubt != row.doubt {
				t.Errorf("state %s, doubt %t", item.State, item.Doubt)
			}
		})
	}
}

// A worker that was killed after claiming messages and before trying them: the next run sends each, without doubt.
func TestKilledAfterTheClaim(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	const accepted = 3
	for range accepted {
		b.must(b.queue.Accept(t.Context(), b.item(), false))
	}
	if !b.child("claimed") {
		t.Fatal("the process was not killed")
	}
	items, err := itemsOf(t.Context(), b.queue.Store, false)
	b.must(err)
	for _, item := range items {
		if item.owner == "" || item.State != StateSending {
			t.Errorf("owner %q, state %s", item.owner, item.State)
		}
	}
	b.run()
	b.once(accepted)
	items, err = itemsOf(t.Context(), b.queue.Store, true)
	b.must(err)
	for _, item := range items {
		if item.State != StateSent || item.Doubt {
			t.Errorf("state %s, doubt %t", item.State, item.Doubt)
		}
	}
}

// Eight processes at once: every message is sent once, and the limit holds to the message (P-4).
func TestEightWriters(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	const writers, limit = 8, 5
	b.change(func(f *config.File) { f.Profiles["durand"].Limits.PerDay, f.Fallback = limit, "" })
	done := make(chan bool, writers)
	for range writers {
		go func() { done <- b.child("none") }()
	}
	for range writers {
		if <-done {
			t.Error("a writer was killed")
		}
	}
	if n := len(messages(b.own)); n != limit {
		t.Errorf("%d messages left, the limit is %d", n, limit)
	}
	items, err := itemsOf(t.Context(), b.queue.Store, false)
	b.must(err)
	if len(items) != writers-limit {
		t.Errorf("%d messages wait", len(items))
	}
	b.clock.add(25 * time.Hour)
	b.run()
	if n := len(messages(b.own)); n != writers {
		t.Errorf("%d messages left in the end", n)
	}
}

// A full disk refuses at accept: no message is reported as accepted that was not stored.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.must(b.queue.Store.view(t.Context(), func(on executor) error {
		var pages int
		if err := on.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		_, err := on.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		return err
	}))
	item := b.item()
	item.Raw = append(item.Raw, make([]byte, 1<<20)...)
	err := b.queue.Accept(t.Context(), item, true)
	var state *StateError
	if !errors.As(err, &state) {
		t.Fatalf("accepted: %v", err)
	}
	items, err := itemsOf(t.Context(), b.queue.Store, true)
	if err != nil || len(items) != 0 {
		t.Errorf("%d messages, %v", len(items), err)
	}
}

// A commit that fails is made again, and what is told then is what other processes see: SQLite keeps a transaction open
// whose commit failed, and shows its changes to the connection that made them.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	for _, statement := range []string{
		`PRAGMA foreign_keys = ON`, // of this connection only: the next one can commit
		`CREATE TABLE parent (id INTEGER PRIMARY KEY)`,
		`CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`,
		`CREATE TRIGGER spoil AFTER INSERT ON postier_message BEGIN INSERT INTO child VALUES (7); END`,
	} {
		_, err := b.queue.Store.db.Exec(statement)
		b.must(err)
	}
	item := b.item()
	b.must(b.queue.Accept(t.Context(), item, true))
	items, err := itemsOf(t.Context(), b.worker(b.queue.Store.database.File).Store, true)
	if err != nil || len(items) != 1 {
		t.Errorf("%d messages, %v", len(items), err)
	}
	if try, err := b.queue.Deliver(t.Context(), item); err != nil || try.State != StateSent {
		t.Errorf("%+v, %v", try, err)
	}
}

// The error of a failed state says whether the message was accepted: a caller that sends an accepted one again makes it
// arrive twice.
func TestFate(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"MAIL": scripted.Reply("451 4.3.0 later")}, nil)
	item := b.item()
	b.must(b.queue.Accept(t.Context(), item, true))
	b.queue.seam = func(step string) {
		if step == "answered" {
			b.must(b.queue.Store.Close())
		}
	}
	_, err := b.queue.Deliver(t.Context(), item)
	var state *StateError
	if !errors.As(Refused(err), &state) || state.Fate != FateAccepted {
		t.Errorf("after it was accepted: %v", err)
	}
	err = b.queue.Accept(t.Context(), b.item(), true)
	if !errors.As(err, &state) || state.Fate != "" {
		t.Errorf("before it was accepted: %v", err)
	}
	if errors.As(Refused(err), &state); state.Fate != FateRefused {
		t.Errorf("a refused message has the fate %q", state.Fate)
	}
}

// killed ends this process as kill -9 does, on every system.
func killed() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
}
