package delivery

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/check"
)

// The log is the table of the queue: a message keeps its row after it was sent or refused. So the log costs no write of
// its own, cannot disagree with the queue, and cannot fail while a message is accepted or sent
// (docs/decisions/0010-log.md).

// Result is what became of a message for one recipient.
type Result string

// The results.
const (
	ResultSent       Result = "sent"
	ResultWaiting    Result = "waiting"
	ResultFailed     Result = "failed"
	ResultSuppressed Result = "suppressed" // left out because of the suppression list
)

// Copy says what became of the Sent copy.
type Copy string

// The copies.
const (
	CopyFiled  Copy = "filed"
	CopyServer Copy = "server" // the provider files it
	CopyNone   Copy = "none"
	CopyDue    Copy = "due"
)

// Delivery is one recipient of a message in the log.
type Delivery struct {
	Address string
	Result  Result
	Cause   config.Cause
	Reply   string
}

// Deliveries lists all recipients of a message, also those that were left out.
func (i *Item) Deliveries() []Delivery {
	var list []Delivery
	for _, r := range i.Recipients {
		d := Delivery{Address: r.Address, Result: ResultWaiting, Cause: r.Cause, Reply: r.Reply}
		switch {
		case r.Cause == check.CauseRecipientSuppressed:
			d.Result = ResultSuppressed
		case r.State == StateSent:
			d.Result = ResultSent
		case r.State == StateFailed, i.State == StateFailed:
			d.Result = ResultFailed
		}
		if r.State == "" && d.Reply == "" {
			d.Cause, d.Reply = i.Cause, i.Reply
		}
		list = append(list, d)
	}
	for _, s := range i.Suppressed {
		list = append(list, Delivery{
			Address: s.Address, Result: ResultSuppressed, Cause: check.CauseRecipientSuppressed, Reply: s.Reason,
		})
	}
	return list
}

// SentCopy says what became of the Sent copy.
func (i *Item) SentCopy() Copy {
	switch {
	case i.State == StateCopy:
		return CopyDue
	case i.CopyTried && !i.CopyDue:
		return CopyFiled
	case i.CopyByServer:
		return CopyServer
	}
	return CopyNone
}

// Sender is the address that the message came from: its author's, whatever profile it went through.
func (i *Item) Sender() string {
	if i.Author != "" {
		return i.Author
	}
	return i.Envelope
}

// LogFilter chooses rows of the log. The zero filter chooses all.
type LogFilter struct {
	Profile string
	Since   time.Time
	// Failed chooses messages that some recipient did not get and will not.
	Failed bool
}

func (f LogFilter) matches(i *Item) bool {
	if f.Profile != "" && i.Profile != f.Profile && i.Instead != f.Profile {
		return false
	}
	if !f.Failed || i.State == StateFailed {
		return true
	}
	for _, r := range i.Recipients {
		if r.State == StateFailed {
			return true
		}
	}
	return false
}

// Log calls work with each message of the log, the newest first, without its text. It ends with the first error of
// work. Only a page of messages is in memory at a time.
func (s *Store) Log(ctx context.Context, filter LogFilter, work func(*Item) error) error {
	query := selectItems + fmt.Sprintf(`(accepted, id) < (?1, ?2) AND accepted >= ?3
		ORDER BY accepted DESC, id DESC LIMIT %d`, page)
	since := int64(math.MinInt64)
	if !filter.Since.IsZero() {
		since = filter.Since.UnixMilli()
	}
	for before, id := int64(math.MaxInt64), ""; ; {
		var list []*Item
		err := s.view(ctx, func(on executor) (err error) {
			list, err = s.items(ctx, on, query, before, id, since)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, item := range list {
			if filter.matches(item) {
				if err := work(item); err != nil {
					return err
				}
			}
			before, id = item.Accepted.UnixMilli(), item.ID
		}
	}
}

// logHeader is the first line of an export.
var logHeader = []string{
	"time", "id", "profile", "from", "subject", "recipient", "result", "reply", "queue_id", "sent_copy",
	"may_arrive_twice", "test_mode", "instead", "code",
}

// ExportLog writes the log as CSV (RFC 4180), one line a recipient.
func (s *Store) ExportLog(ctx context.Context, filter LogFilter, w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write(logHeader)
	err := s.Log(ctx, filter, func(i *Item) error {
		for _, d := range i.Deliveries() {
			line := []string{
				i.Accepted.UTC().Format(time.RFC3339), i.ID, i.Profile, i.Sender(), i.Title(), d.Address, string(d.Result),
				d.Reply, i.QueueID, string(i.SentCopy()), strconv.FormatBool(i.Doubt), strconv.FormatBool(i.TestMode), i.Instead,
				explain.Code(d.Cause),
			}
			for n, cell := range line {
				line[n] = defuse(strings.ToValidUTF8(cell, "\uFFFD"))
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

// Title is the subject as a person reads it.
func (i *Item) Title() string { return decoded(i.Subject) }

// note keeps a row of a message that is in no queue: one that was sent directly, or that is not sent at all. What
// became of it is settled by then, so an error changes nothing and is not reported: a caller would send the message
// again.
func (q *Queue) note(ctx context.Context, item *Item) {
	row := *item
	row.owner, row.loose, row.inline = "", false, false
	row.Due = q.Store.Now()
	if !row.State.Final() {
		row.State = StateFailed
	}
	if !q.keepsText() {
		row.Raw, row.rest = []byte{}, nil
	}
	_ = q.Store.insert(context.WithoutCancel(ctx), &row)
}

// refusedItem is the row of a message that a decision does not send.
func refusedItem(m *Message, d Decision, r Request, now time.Time) *Item {
	item := &Item{
		ID: newID(), State: StateFailed, Profile: d.Profile, Envelope: d.Envelope, Accepted: now, Due: now, Raw: []byte{},
		Detail: Detail{
			Author: r.Author, Kind: d.Kind, Subject: m.Get("Subject"), TestMode: d.TestMode, Instead: d.Instead,
			InsteadFor: d.InsteadFor, Block: d.Block, Suppressed: d.Suppressed,
		},
	}
	for _, address := range r.Recipients {
		listed := false
		for _, s := range d.Suppressed {
			listed = listed || key(s.Address) == key(address)
		}
		if !listed {
			item.Recipients = append(item.Recipients, Recipient{Address: address, State: StateFailed})
		}
	}
	return item
}

// logSettings are the settings of the log; without a readable configuration nothing is deleted.
func (q *Queue) logSettings() (config.Log, bool) {
	if q.Load == nil {
		return config.Log{}, false
	}
	doc, err := q.document()
	if err != nil {
		return config.Log{}, false
	}
	return doc.File.Log, true
}

// keepsText reports whether the text of finished messages is kept.
func (q *Queue) keepsText() bool {
	l, ok := q.logSettings()
	return ok && l.Text
}

// Purge deletes what is too old for the log, or more than it may hold.
func (q *Queue) Purge(ctx context.Context) error {
	l, ok := q.logSettings()
	if !ok {
		return nil
	}
	if err := q.Store.purge(ctx, q.Store.Now().Add(-l.Age())); err != nil {
		return err
	}
	return q.Store.purgeMost(ctx, l.Most())
}
