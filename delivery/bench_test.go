package delivery

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/internal/account"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

const (
	smtpHost = "smtp.durand.example"
	helpHost = "smtp.platform.example"
	author   = "contact@durand.example"
	customer = "klara@customer.example"
)

const zone = `
smtp.durand.example. 300 IN A 192.0.2.10
smtp.platform.example. 300 IN A 192.0.2.11
`

// bench is a configuration with two profiles, a scripted server for each, and a state on disk.
type bench struct {
	t        testing.TB
	path     string
	own      *scripted.Server
	platform *scripted.Server
	clock    *clock
	queue    *Queue
	ca, dns  string
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func profileAt(host, address string) *config.Profile {
	return &config.Profile{
		Enabled: true, From: config.Address{Name: "Cabinet Durand", Address: address},
		Submission: config.Server{
			Host: host, Port: 465, Security: config.SecurityTLS, Auth: config.MechanismAuto, Username: address,
		},
		Credential: config.Credential{
			Kind: config.CredentialFile, Path: "secrets/" + config.Slug(host), Type: config.SecretPassword,
		},
		SentCopy: config.SentCopy{Mode: config.SentNone},
	}
}

func newBench(t testing.TB, own, platform scripted.Script) *bench {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, path: filepath.Join(folder, "config.json"), clock: &clock{now: time.Now().Truncate(time.Second)}}
	doc := config.New(b.path)
	b.must(doc.Put("durand", profileAt(smtpHost, author)))
	b.must(doc.Put("platform", profileAt(helpHost, "noreply@platform.example")))
	doc.File.Fallback = "platform"
	b.must(doc.Save())
	b.must(os.MkdirAll(filepath.Join(folder, "secrets"), 0o700))
	for _, host := range []string{smtpHost, helpHost} {
		b.must(os.WriteFile(filepath.Join(folder, "secrets", config.Slug(host)), []byte("C4nary#password-7\n"), 0o600))
	}
	ca := scripted.StartCA(t)
	start := func(host string, script scripted.Script) *scripted.Server {
		cert, err := ca.Certificate(certificates.Good, host)
		b.must(err)
		return scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true, Script: script})
	}
	b.own, b.platform = start(smtpHost, own), start(helpHost, platform)
	b.dns = scripted.StartDNS(t, zone).Addr()
	resolver, err := wire.ResolverAt(b.dns)
	b.must(err)
	b.ca, err = ca.WriteFile(folder)
	b.must(err)
	b.queue = b.open(&wire.Network{
		Resolver: resolver, Roots: ca.Roots(), Timeout: 5 * time.Second,
		Route: func(_, host string, _ int) (string, bool) {
			if strings.HasPrefix(host, "192.0.2.11") || host == helpHost {
				return b.platform.Addr(), true
			}
			return b.own.Addr(), true
		},
	})
	return b
}

// open opens the state as a process would.
func (b *bench) open(network *wire.Network) *Queue {
	b.t.Helper()
	store, err := OpenStore(b.t.Context(), fileAt(filepath.Dir(b.path), "state", "postier.db"))
	b.must(err)
	store.Now = b.clock.Now
	sender := &Sender{Accounts: &account.Source{
		Network: network, Credentials: credential.For(b.path), ConfigPath: b.path,
	}}
	q := &Queue{
		Store: store, Sender: sender, Lang: locale.English,
		Load: func() (*config.Document, error) { return config.Load(b.path) },
	}
	b.t.Cleanup(func() {
		sender.Close()
		_ = store.Close()
	})
	return q
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// change edits the configuration.
func (b *bench) change(edit func(*config.File)) {
	b.t.Helper()
	doc, err := config.Load(b.path)
	b.must(err)
	edit(&doc.File)
	b.must(doc.Save())
}

func (b *bench) load() *config.File {
	b.t.Helper()
	doc, err := config.Load(b.path)
	b.must(err)
	return &doc.File
}

// item prepares a message.
func (b *bench) item(to ...string) *Item {
	b.t.Helper()
	if len(to) == 0 {
		to = []string{customer}
	}
	m, err := Parse([]byte("From: Cabinet Durand <" + author + ">\nTo: " + strings.Join(to, ", ") +
		"\nSubject: Invoice 7\n\nHello.\n"))
	b.must(err)
	d := Decide(b.load(), Request{Author: author, Recipients: to}, Facts{})
	if !d.Send {
		b.t.Fatalf("not sent: %+v", d)
	}
	id, err := m.Prepare(d, b.load().Profiles[d.Profile].From, b.clock.Now())
	b.must(err)
	return NewItem(m, id, d, author, b.clock.Now())
}

// first accepts a message and makes the first try, as `send` does.
func (b *bench) first(item *Item) Try {
	b.t.Helper()
	b.must(b.queue.Accept(b.t.Context(), item, true))
	try, err := b.queue.Deliver(b.t.Context(), item)
	b.must(err)
	return try
}

// run works the queue until nothing is due.
func (b *bench) run() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	b.must(b.queue.Run(ctx, RunOptions{}))
}

func (b *bench) stored(id string) *Item {
	b.t.Helper()
	item, err := b.queue.Store.Item(b.t.Context(), id)
	b.must(err)
	return item
}

// itemsOf lists the messages in a store.
func itemsOf(ctx context.Context, s *Store, all bool) (list []*Item, err error) {
	err = s.Each(ctx, all, func(item *Item) error { list = append(list, item); return nil })
	return list, err
}

// messages are the whole messages that a server was given, up to the dot, as they came.
func messages(s *scripted.Server) []string {
	var out []string
	text := map[int][]byte{}
	for _, r := range s.Records() {
		if r.Phase != "message" {
			continue
		}
		if string(r.Data) == ".\r\n" {
			out = append(out, string(text[r.Conn]))
			text[r.Conn] = nil
			continue
		}
		text[r.Conn] = append(text[r.Conn], r.Data...)
	}
	return out
}

// commands counts the commands with a verb.
func commands(s *scripted.Server, verb string) int {
	n := 0
	for _, c := range s.Commands() {
		if c == verb {
			n++
		}
	}
	return n
}

// demoBench is a queue against the demonstration's provider, with a real mailbox.
func demoBench(t *testing.T, fault string) (*bench, *rehearsal.Provider) {
	t.Helper()
	options := rehearsal.Options{Lang: locale.French, Fault: fault, Slow: 50 * time.Millisecond}
	provider, err := rehearsal.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	folder := t.TempDir()
	b := &bench{t: t, path: filepath.Join(folder, "config.json"), clock: &clock{now: time.Now()}}
	b.must(os.Chmod(folder, 0o700))
	doc := config.New(b.path)
	b.must(doc.Put("demo", &config.Profile{
		Enabled: true, From: config.Address{Name: "Atelier", Address: provider.Address}, Submission: provider.Submission,
		Credential: config.Credential{
			Kind: config.CredentialFile, Path: "secrets/demo", Type: config.SecretAppPassword,
		},
		SentCopy: config.SentCopy{Mode: config.SentAppend, IMAP: &provider.IMAP, Folder: "Envoyés"},
	}))
	b.must(doc.Save())
	b.must(os.MkdirAll(filepath.Join(folder, "secrets"), 0o700))
	b.must(os.WriteFile(filepath.Join(folder, "secrets", "demo"), []byte(provider.Password.Reveal()), 0o600))
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	b.must(err)
	b.queue = b.open(&wire.Network{
		Resolver: resolver, Roots: provider.Roots, Timeout: 5 * time.Second, Route: provider.Route,
	})
	return b, provider
}
