package imap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"

	"postier/internal/spool"
	"postier/internal/wire"
)

// oneMessage returns the UID set of one message. It refuses UID 0, which stands for no message here and in a set would
// mean the last one of the folder.
func oneMessage(uid imap.UID) (string, error) {
	if uid == 0 {
		return "", ErrGone
	}
	return imap.UIDSetNum(uid).String(), nil
}

// Append files a message in a folder as read; rest follows message, and may be nil. uid is 0 when the server does not
// say it (no UIDPLUS, RFC 4315 §3).
func (s *Session) Append(ctx context.Context, folder Folder, message []byte, rest spool.Text) (imap.UID, error) {
	if err := s.know(ctx); err != nil { // a literal waits for the server unless it offers LITERAL+ or LITERAL-
		return 0, err
	}
	args := fmt.Sprintf("%s (%s)", quote(folder.raw), imap.FlagSeen)
	c := &command{name: "APPEND", args: args, literal: message, rest: rest}
	if err := s.do(ctx, wire.DataDeadline, c); err != nil {
		return 0, err
	}
	if words := strings.Fields(c.codeArgs); c.code == codeAppendUID && len(words) == 2 {
		return parseUID(words[1]), nil
	}
	return 0, nil
}

// parseUID reads a UID; it returns 0 for anything else.
func parseUID(text string) imap.UID {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return imap.UID(n)
}

// Select opens a folder for reading and writing.
func (s *Session) Select(ctx context.Context, folder Folder) error {
	return s.do(ctx, wire.CommandDeadline, s.selecting(folder))
}

func (s *Session) selecting(folder Folder) *command {
	s.exists = 0
	return &command{name: "SELECT", args: quote(folder.raw)}
}

// within opens a folder and runs a command in it, in one round trip. Where the folder cannot be opened no folder is
// open (RFC 9051 §6.3.2), so the command cannot reach another one.
func (s *Session) within(ctx context.Context, folder Folder, c *command) error {
	open := s.selecting(folder)
	if err := s.exchange(ctx, wire.CommandDeadline, open, c); err != nil {
		return err
	}
	return cmp.Or(open.err, c.err)
}

// FindIn opens a folder and returns the messages in it with this Message-ID (with its angle brackets).
func (s *Session) FindIn(ctx context.Context, folder Folder, messageID string) ([]imap.UID, error) {
	if !quotable(messageID) {
		return nil, ErrUnsafe
	}
	var uids []imap.UID
	err := s.within(ctx, folder, searching("HEADER Message-ID "+quote(messageID), &uids))
	var refused *ReplyError
	if len(uids) > 0 || (err != nil && (!errors.As(err, &refused) || refused.Command == "SELECT")) || s.dead {
		return uids, err
	}
	// Some servers search an index that is not up to date: look at the newest messages themselves.
	return s.findNewest(ctx, messageID)
}

// searching is the command that searches the selected folder and appends what it finds to uids.
func searching(key string, uids *[]imap.UID) *command {
	return &command{name: "UID SEARCH", args: key, data: func(r *response) {
		if r.name != "SEARCH" {
			return
		}
		for _, w := range words(r.values) {
			if uid := parseUID(w); uid > 0 {
				*uids = append(*uids, uid)
			}
		}
	}}
}

func (s *Session) search(ctx context.Context, key string) ([]imap.UID, error) {
	var uids []imap.UID
	err := s.do(ctx, wire.CommandDeadline, searching(key, &uids))
	return uids, err
}

func (s *Session) findNewest(ctx context.Context, messageID string) ([]imap.UID, error) {
	const newest = 10 // more will hardly arrive between filing and searching
	if s.exists == 0 {
		return nil, nil
	}
	first := max(s.exists, newest) - newest + 1
	var uids []imap.UID
	c := &command{
		name: "FETCH", args: fmt.Sprintf("%d:%d (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])", first, s.exists),
		data: func(r *response) {
			item := parseFetch(r)
			if item.uid > 0 && strings.Contains(item.body, messageID) {
				uids = append(uids, item.uid)
			}
		},
	}
	err := s.do(ctx, wire.CommandDeadline, c)
	return uids, err
}

type fetchItem struct {
	uid   imap.UID
	body  string
	found bool
}

// parseFetch reads "* 1 FETCH (UID 7 FLAGS (\Seen) BODY[] {n} …)".
func parseFetch(r *response) fetchItem {
	var item fetchItem
	if r.name != "FETCH" || len(r.values) == 0 {
		return item
	}
	fields := r.values[0].items
	for i := 0; i+1 < len(fields); i += 2 {
		switch name := strings.ToUpper(fields[i].text); {
		case name == "UID":
			item.uid = parseUID(fields[i+1].text)
		case strings.HasPrefix(name, "BODY["):
			item.body, item.found = fields[i+1].text, fields[i+1].kind == text
		}
	}
	return item
}

// Fetch reads one message of the selected folder without marking it as read.
func (s *Session) Fetch(ctx context.Context, uid imap.UID) ([]byte, error) {
	return s.fetch(uid, func(c *command) error { return s.do(ctx, wire.CommandDeadline, c) })
}

// FetchFrom opens a folder and reads one message of it without marking it as read.
func (s *Session) FetchFrom(ctx context.Context, folder Folder, uid imap.UID) ([]byte, error) {
	return s.fetch(uid, func(c *command) error { return s.within(ctx, folder, c) })
}

func (s *Session) fetch(uid imap.UID, run func(*command) error) ([]byte, error) {
	set, err := oneMessage(uid)
	if err != nil {
		return nil, err
	}
	var body []byte
	c := &command{name: "UID FETCH", args: set + " (UID BODY.PEEK[])", data: func(r *response) {
		if item := parseFetch(r); item.found && item.uid == uid {
			body = []byte(item.body)
		}
	}}
	s.scan.ownLiteral = true
	defer func() { s.scan.ownLiteral = false }()
	if err := run(c); err != nil {
		return nil, err
	}
	if body == nil {
		return nil, ErrGone
	}
	return body, nil
}

// Removal says how a message was removed.
type Removal string

// The outcomes of Remove.
const (
	RemovedExactly Removal = "uid-expunge" // RFC 4315 §2.1
	RemovedAlone   Removal = "expunge"     // it was the only one marked deleted
	// LeftMarked means that the message was only marked as deleted: EXPUNGE would also remove other marked messages.
	LeftMarked Removal = "left-marked"
)

// Remove deletes exactly one message of the selected folder. The caller has read it and knows that it is its own.
func (s *Session) Remove(ctx context.Context, uid imap.UID) (Removal, error) {
	set, err := oneMessage(uid)
	if err != nil {
		return "", err
	}
	mark := &command{name: "UID STORE", args: fmt.Sprintf("%s +FLAGS.SILENT (%s)", set, imap.FlagDeleted)}
	if s.uidplus {
		expunge := &command{name: "UID EXPUNGE", args: set}
		var left []imap.UID
		look := searching("UID "+set, &left)
		if err := s.exchange(ctx, wire.CommandDeadline, mark, expunge, look); err != nil {
			return "", err
		}
		if err := errors.Join(mark.err, expunge.err); err != nil {
			return "", err
		}
		if look.err == nil && len(left) == 0 {
			return RemovedExactly, nil
		}
		return RemovedExactly, s.confirmGone(ctx, set) // the server may have looked before it removed
	}
	if err := s.do(ctx, wire.CommandDeadline, mark); err != nil {
		return "", err
	}
	marked, err := s.search(ctx, "DELETED")
	if err != nil {
		return "", err
	}
	// EXPUNGE without UIDPLUS removes every marked message, also those that the person marked and may want back.
	if len(marked) != 1 || marked[0] != uid {
		return LeftMarked, nil
	}
	if err := s.do(ctx, wire.CommandDeadline, &command{name: "EXPUNGE"}); err != nil {
		return "", err
	}
	return RemovedAlone, s.confirmGone(ctx, set)
}

func (s *Session) confirmGone(ctx context.Context, set string) error {
	uids, err := s.search(ctx, "UID "+set)
	if err == nil && len(uids) > 0 {
		err = ErrStillThere
	}
	return err
}

// Quota is the storage limit of a mailbox and how much of it is used (RFC 9208).
type Quota struct {
	Root string // the server's name for the limit, often "User quota" or empty
	// Resource is STORAGE, counted in units of 1,024 octets, or MESSAGE.
	Resource    imap.QuotaResourceType
	Used, Limit uint64
}

// Full returns the share that is used: 1 means full, and a server may report more.
func (q Quota) Full() float64 {
	if q.Limit == 0 {
		return 0
	}
	return float64(q.Used) / float64(q.Limit)
}

// Quota asks how full the mailbox is.
func (s *Session) Quota(ctx context.Context, folder Folder) ([]Quota, error) {
	if err := s.know(ctx); err != nil {
		return nil, err
	}
	if !s.caps.Has(imap.CapQuota) {
		return nil, ErrNotOffered
	}
	const most = 20
	var quotas []Quota
	c := &command{name: "GETQUOTAROOT", args: quote(folder.raw), data: func(r *response) {
		// * QUOTA "root" (STORAGE 10 512 MESSAGE 3 100)
		if r.name != "QUOTA" || len(r.values) < 2 {
			return
		}
		w := words(r.values[1].items)
		for i := 0; i+2 < len(w) && len(quotas) < most; i += 3 {
			used, err1 := strconv.ParseUint(w[i+1], 10, 64)
			limit, err2 := strconv.ParseUint(w[i+2], 10, 64)
			if err1 == nil && err2 == nil {
				resource := imap.QuotaResourceType(strings.ToUpper(clip(w[i])))
				quotas = append(quotas, Quota{clip(r.values[0].text), resource, used, limit})
			}
		}
	}}
	err := s.do(ctx, wire.CommandDeadline, c)
	return quotas, err
}
