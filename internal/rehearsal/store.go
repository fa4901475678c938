package rehearsal

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"postier/internal/locale"
)

// folder is the use of a folder (RFC 6154).
type folder = imap.MailboxAttr

const (
	folderInbox  folder = ""
	folderSent          = imap.MailboxAttrSent
	folderJunk          = imap.MailboxAttrJunk
	folderDrafts        = imap.MailboxAttrDrafts
	folderTrash         = imap.MailboxAttrTrash
)

// folderNames are the folders as this provider creates them for an account in each language. They are names on a
// server, not texts of this program, which is why no catalogue has them.
var folderNames = map[locale.Lang]map[folder]string{
	locale.English: {folderSent: "Sent", folderJunk: "Junk", folderDrafts: "Drafts", folderTrash: "Trash"},
	locale.French: {
		folderSent: "Envoyés", folderJunk: "Indésirables", folderDrafts: "Brouillons",
		folderTrash: "Corbeille",
	},
	locale.German: {
		folderSent: "Gesendet", folderJunk: "Spamverdacht", folderDrafts: "Entwürfe",
		folderTrash: "Papierkorb",
	},
}

// store is the account's mailbox. The messages are in the library's memory server, which can neither set special-use
// attributes nor list its folder names; store keeps both.
type store struct {
	user      *imapmemserver.User
	behaviour behaviour

	mu      sync.Mutex
	folders map[string]folder
}

func newStore(lang locale.Lang, q behaviour) (*store, error) {
	names, ok := folderNames[lang]
	if !ok {
		names = folderNames[locale.English]
	}
	s := &store{user: imapmemserver.NewUser(Address, ""), behaviour: q, folders: map[string]folder{"INBOX": folderInbox}}
	for use, name := range names {
		if use == folderSent && q.noSent {
			continue
		}
		s.folders[name] = use
	}
	for _, name := range slices.Sorted(maps.Keys(s.folders)) {
		if err := s.user.Create(name, nil); err != nil {
			return nil, fmt.Errorf("create the folder %s: %w", name, err)
		}
	}
	return s, nil
}

// name is the name of the folder for a use, or empty.
func (s *store) name(use folder) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, other := range s.folders {
		if other == use {
			return name
		}
	}
	return ""
}

// list copies the folders.
func (s *store) list() map[string]folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.folders)
}

func (s *store) set(name string, use folder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders[strings.TrimRight(name, "/")] = use
}

// forget removes a folder name and returns the folder's use.
func (s *store) forget(name string) folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	use := s.folders[name]
	delete(s.folders, name)
	return use
}

// file puts a message into a folder.
func (s *store) file(name string, message []byte, at time.Time, flags ...imap.Flag) error {
	_, err := s.user.Append(name, bytes.NewReader(message), &imap.AppendOptions{Time: at, Flags: flags})
	return err
}

// Message is a message in a folder of the account.
type Message struct {
	UID   uint32
	Flags []string
	Raw   []byte
}

// Mailboxes reads every folder of the account, for tests and for showing what happened. It bypasses faults and sign-in.
func (p *Provider) Mailboxes() (map[string][]Message, error) {
	entry := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	server := imapserver.New(&imapserver.Options{
		Logger: silent{},
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return imapmemserver.NewUserSession(p.store.user), &imapserver.GreetingData{PreAuth: true}, nil
		},
	})
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(entry) })
	ours, theirs := net.Pipe()
	entry.conns <- theirs
	client := imapclient.New(ours, nil)
	defer func() {
		_ = client.Close()
		_ = server.Close()
		serving.Wait()
	}()
	if err := client.WaitGreeting(); err != nil {
		return nil, err
	}
	out := map[string][]Message{}
	for name := range p.store.list() {
		messages, err := fetchAll(client, name)
		if err != nil {
			return nil, fmt.Errorf("read the folder %s: %w", name, err)
		}
		out[name] = messages
	}
	return out, nil
}

func fetchAll(client *imapclient.Client, name string) ([]Message, error) {
	selected, err := client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return nil, err
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{whole},
	}).Collect()
	if err != nil {
		return nil, err
	}
	var out []Message
	for _, m := range fetched {
		message := Message{UID: uint32(m.UID), Raw: m.FindBodySection(whole)}
		for _, flag := range m.Flags {
			message.Flags = append(message.Flags, string(flag))
		}
		out = append(out, message)
	}
	return out, nil
}

// pipeListener hands out connections that were made in this process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "demo", Net: "unix"} }

// silent drops the log of the IMAP server: broken connections are expected here.
type silent struct{}

// Printf implements imapserver.Logger.
func (silent) Printf(string, ...any) {}
