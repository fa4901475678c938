package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"postier/config"
	"postier/delivery"
	"postier/delivery/smtpserver"
	"postier/internal/locale"
)

// machine is a service with a configuration that a test may change.
type machine struct {
	t      *testing.T
	store  *delivery.Store
	path   string
	file   atomic.Pointer[config.File]
	failed atomic.Pointer[error] // of loading the configuration
	events chan Event
}

func startMachine(t *testing.T) *machine {
	t.Helper()
	folder := t.TempDir()
	store, err := delivery.OpenStore(t.Context(), config.Database{File: filepath.Join(folder, "postier.db")})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		t: t, store: store, path: filepath.Join(folder, "submit"), events: make(chan Event, 100),
	}
	m.configure(config.Profile{}, config.Submit{})
	queue := &delivery.Queue{
		Store: store, Lang: locale.English, Provider: func(*config.Profile) []delivery.ProviderLimit { return nil },
	}
	server := &Server{
		Load: func() (*config.Document, error) {
			if failed := m.failed.Load(); failed != nil {
				return nil, *failed
			}
			return &config.Document{File: *m.file.Load()}, nil
		},
		Dialog: func(file *config.File) *smtpserver.Server {
			return &smtpserver.Server{
				Submitter: &delivery.Submitter{File: file, Queue: queue}, Later: true,
				Words:   func(err error) (string, bool) { return err.Error(), errors.Is(err, delivery.ErrLoop) },
				Blocked: func(d delivery.Decision) string { return string(d.Block) },
			}
		},
		Refusal:  func(user string) string { return "nothing from “" + user + "”\r\n250 ok" },
		Unusable: error.Error, Observe: func(e Event) { m.events <- e },
	}
	l, err := Listen(m.path, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = store.Close()
	})
	return m
}

// configure gives the service a configuration: what the profile has in addition, and who may submit.
func (m *machine) configure(p config.Profile, submit config.Submit) {
	p.Enabled, p.From = true, config.Address{Name: "Cabinet Durand", Address: "contact@durand.example"}
	p.Submission = config.Server{Host: "smtp.durand.example"}
	m.file.Store(&config.File{
		Version: config.Version, Default: "durand", Aliases: map[string][]string{"root": {"owner@durand.example"}},
		Profiles: map[string]*config.Profile{"durand": &p}, Submit: submit,
	})
}

func (m *machine) post(text string, raw delivery.Raw) (string, error) {
	m.t.Helper()
	message, err := delivery.Parse([]byte(text))
	if errors.Is(err, delivery.ErrEmpty) {
		message, err = &delivery.Message{}, nil
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return Post(m.t.Context(), m.path, message, raw)
}

// item is the message in the queue that has this id.
func (m *machine) item(id string) *delivery.Item {
	m.t.Helper()
	item, err := m.store.Item(m.t.Context(), id)
	if err != nil {
		m.t.Fatal(err)
	}
	return item
}

// TestSameAsWithAConfiguration: what a caller says reaches the queue as if the caller had submitted it by itself.
func TestSameAsWithAConfiguration(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		text    string
		raw     delivery.Raw
		present []string
		absent  []string
	}{
		"the name of -F": {
			"Subject: x\n\nx\n",
			delivery.Raw{Name: "Störung\r\nBcc: evil@x.example", Recipients: []string{"root"}},
			[]string{"<contact@durand.example>", "=?utf-8?"},
			[]string{"\r\nBcc", "X-Original-From", "X-Postier"},
		},
		"a local author": {
			"From: root\nTo: root\n\nx\n",
			delivery.Raw{Recipients: []string{"root"}},
			[]string{"From: \"root (" + host + ")\" <contact@durand.example>", "X-Original-From: root", "To: \"root\" <owner@"},
			nil,
		},
		"an author under a name": {
			"From: root (Cron Daemon)\nX-Postier-Host: elsewhere\n\nx\n",
			delivery.Raw{Recipients: []string{"root"}},
			[]string{"Cron Daemon", "X-Original-From: root (Cron Daemon)"},
			[]string{"elsewhere", "X-Postier"},
		},
		"dots and long lines": {
			"Subject: x\n\n.\n..\n" + strings.Repeat("y", 900) + "\n.end\n",
			delivery.Raw{Recipients: []string{"root"}},
			[]string{"\r\n\r\n.\r\n..\r\nyyy", "\r\n.end\r\n"},
			nil,
		},
		"nothing at all": {"", delivery.Raw{Recipients: []string{"root"}}, []string{"From: "}, nil},
		"eight bits": {
			"Subject: Nächtliche Sicherung\n\nStörung\n",
			delivery.Raw{Recipients: []string{"root"}},
			[]string{"Störung"},
			nil,
		},
	} {
		id, err := m.post(row.text, row.raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		item := m.item(id)
		if len(item.Recipients) != 1 || item.Recipients[0].Address != "owner@durand.example" {
			t.Errorf("%s: recipients %v", name, item.Recipients)
		}
		for _, want := range row.present {
			if !strings.Contains(string(item.Raw), want) {
				t.Errorf("%s: no %q in\n%s", name, want, item.Raw)
			}
		}
		for _, unwanted := range row.absent {
			if strings.Contains(string(item.Raw), unwanted) {
				t.Errorf("%s: %q in\n%s", name, unwanted, item.Raw)
			}
		}
		if e := <-m.events; e.Item == nil || e.Item.ID != id || e.User.UID != uint32(os.Geteuid()) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	m.configure(config.Profile{
		Senders: []string{"durand.example"}, Kinds: map[string]bool{"quote": false},
	}, config.Submit{})
	id, err := m.post("From: billing@durand.example\n\nx\n", delivery.Raw{
		Sender: "billing@durand.example", Kind: "invoice", Recipients: []string{"a@b.example", "müller@c.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if item := m.item(id); item.Envelope != "billing@durand.example" || len(item.Recipients) != 2 ||
		item.Recipients[1].Address != "müller@c.example" {
		t.Errorf("%+v", item)
	}
	_, err = m.post("Subject: x\n\nx\n", delivery.Raw{Kind: "quote", Recipients: []string{"a@b.example"}})
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Status != "5.7.1" || refusal.Text != string(delivery.BlockKind) ||
		refusal.User {
		t.Errorf("a kind that is off: %v", err)
	}
}

// TestRefusedUser: the refusal is one reply with the sentence, whatever the sentence holds, and nothing is accepted.
func TestRefusedUser(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	others := []string{"nobody-of-this-name", "@no-group-of-this-name"}
	m.configure(config.Profile{}, config.Submit{Allow: others})
	_, err := m.post("Subject: x\n\nx\n", delivery.Raw{Recipients: []string{"root"}})
	var refusal *Refusal
	own, lookup := user.Current()
	if lookup != nil {
		t.Fatal(lookup)
	}
	if !errors.As(err, &refusal) || !refusal.User || !strings.Contains(refusal.Text, "nothing from “"+own.Username+"”") {
		t.Errorf("%v", err)
	}
	if e := <-m.events; e.Item != nil || e.User.Name != own.Username || !strings.HasPrefix(e.Refused, "554 5.7.1 ") {
		t.Errorf("%+v", e)
	}
	err = m.store.Each(t.Context(), true, func(item *delivery.Item) error {
		return fmt.Errorf("%s is in the queue", item.ID)
	})
	if err != nil {
		t.Error(err)
	}
	m.configure(config.Profile{}, config.Submit{Allow: append(others, own.Username)})
	if _, err := m.post("Subject: x\n\nx\n", delivery.Raw{Recipients: []string{"root"}}); err != nil {
		t.Errorf("once the list names the user: %v", err)
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	group, err := user.LookupGroupId("0")
	if err != nil {
		t.Fatal(err) // every system has it
	}
	u := User{UID: 4_000_000_000, GID: 0, Name: "anna"}
	for _, row := range []struct {
		list []string
		want bool
	}{
		{nil, true},
		{[]string{"anna"}, true},
		{[]string{"berta"}, false},
		{[]string{"@anna"}, false},
		{[]string{"berta", "@" + group.Name}, true},
		{[]string{group.Name}, false},
		{[]string{"Anna"}, false},
		{[]string{""}, false},
		{[]string{"@"}, false},
	} {
		if got := Allowed(row.list, u); got != row.want {
			t.Errorf("%v: %v", row.list, got)
		}
	}
	if Allowed([]string{"@" + group.Name}, User{UID: 4_000_000_000, GID: 4_000_000_000, Name: "anna"}) {
		t.Error("a user that is in no group belongs to one")
	}
}

// TestUnusableConfiguration: what the administrator has to fix is for later, so that no caller drops its message.
func TestUnusableConfiguration(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	broken := errors.New("no such file")
	m.failed.Store(&broken)
	_, err := m.post("Subject: x\n\nx\n", delivery.Raw{Recipients: []string{"root"}})
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Code != 421 || refusal.User {
		t.Errorf("%v", err)
	}
}

// TestServiceAway: a machine without the service is told from one whose service does not run.
func TestServiceAway(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "submit")
	message := &delivery.Message{}
	if _, err := Post(t.Context(), path, message, delivery.Raw{}); !errors.Is(err, ErrAbsent) {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Post(t.Context(), path, message, delivery.Raw{}); !errors.Is(err, ErrDown) {
		t.Errorf("a stale socket: %v", err)
	}
	fresh, err := Listen(path, os.Getenv)
	if err != nil {
		t.Fatalf("the stale socket is in the way: %v", err)
	}
	defer func() { _ = fresh.Close() }()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("others cannot connect: %v, %v", info, err)
	}
	if _, err := Listen(path, os.Getenv); !errors.Is(err, ErrTaken) {
		t.Errorf("a second service took the socket over: %v", err)
	}
	inFolder, err := Listen("", func(name string) string {
		return map[string]string{"RUNTIME_DIRECTORY": t.TempDir()}[name]
	})
	if err != nil || inFolder == nil {
		t.Fatalf("%v, %v", inFolder, err)
	}
	_ = inFolder.Close()
	if none, err := Listen("", func(string) string { return "" }); err != nil || none != nil {
		t.Errorf("the queue of one user: %v, %v", none, err)
	}
}

// TestLost: when the connection breaks after the dot, only the service knows what became of the message.
func TestLost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "submit")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		s := &smtpserver.Server{Forward: func(context.Context, *delivery.Message, delivery.Raw) string {
			_ = conn.Close()
			return ""
		}}
		_ = s.Serve(context.Background(), conn, conn)
	}()
	_, err = Post(t.Context(), path, &delivery.Message{}, delivery.Raw{Recipients: []string{"root"}})
	if !errors.Is(err, ErrLost) {
		t.Errorf("%v", err)
	}
}

// TestShares: one user's dialogs wait for each other and take nothing from another user's.
func TestShares(t *testing.T) {
	t.Parallel()
	var s shares
	var leaves []func()
	for range maxSessions {
		_, leave, ok := s.enter(t.Context(), 33)
		if !ok {
			t.Fatal("a first dialog is refused")
		}
		leaves = append(leaves, leave)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, ok := s.enter(ended, 33); ok {
		t.Error("one more dialog has a turn while none has ended")
	}
	other, leave, ok := s.enter(t.Context(), 34)
	if !ok {
		t.Fatal("another user waits")
	}
	leave()
	leaves[0]()
	own, leave, ok := s.enter(t.Context(), 33)
	if !ok {
		t.Fatal("the turn that became free is not used")
	}
	leave()
	for range maxSessions + maxWaiting {
		if _, ok := s.open(35); !ok {
			t.Fatal("too few may wait")
		}
	}
	if _, ok := s.open(35); ok {
		t.Error("any number may wait")
	}
	for range burst {
		if !own.admit(t.Context()) {
			t.Fatal("fewer messages than the burst")
		}
	}
	if own.admit(ended) {
		t.Error("a message beyond the burst has no wait")
	}
	if !other.admit(t.Context()) {
		t.Error("another user waits for it")
	}
}
