package rehearsal

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
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

// Mailbox returns the account's mailbox and its folders, for tests that read it without faults and sign-in.
func (p *Provider) Mailbox() (user *imapmemserver.User, folders []string) {
	return p.store.user, slices.Sorted(maps.Keys(p.store.list()))
}

// silent drops the log of the IMAP server: broken connections are expected here.
type silent struct{}

// Printf implements imapserver.Logger.
func (silent) Printf(string, ...any) {}
