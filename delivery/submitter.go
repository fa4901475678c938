package delivery

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"time"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/check"
)

// Submitter takes messages as `send` and `sendmail` do: it decides by the profiles and their rules, prepares the
// message as decided, and sends it or hands it to the queue.
type Submitter struct {
	File  *config.File
	Queue *Queue
	// Unattended is true where no one is there to type the password of a profile that asks for it (C-2).
	Unattended bool
}

// ErrUnattended says that someone has to be there who types the password. In the queue, the message would wait for
// ever.
var ErrUnattended = errors.New("a person has to type the password")

// How says how a prepared message is sent. The zero How sends it now, and leaves it to the queue when that fails.
type How struct {
	Direct bool // send now, keep nothing
	Later  bool // only accept
	Held   bool // accept; the caller delivers when it is ready
}

// Receipt is the outcome for one message.
type Receipt struct {
	Decision  Decision
	MessageID string
	Item      *Item // nil when the decision was not to send
	Try       Try
}

// Decide says what happens to a message under the present limits and suppression list, and why.
func (s *Submitter) Decide(ctx context.Context, r Request) (Decision, error) {
	var failure error
	keep := func(err error) {
		if failure == nil {
			failure = err
		}
	}
	d := Decide(s.File, r, Facts{
		Suppressed: func(address string) (string, bool) {
			reason, listed, err := s.Queue.Store.IsSuppressed(ctx, address)
			keep(err)
			return reason, listed
		},
		Room: func(profile string, l config.Limits) Room {
			room, err := s.Queue.Store.Room(ctx, profile, l)
			keep(err)
			return room
		},
		Provider: s.Queue.Provider,
	})
	return d, failure
}

// Submit prepares a message as decided, and sends it or has the queue do so.
func (s *Submitter) Submit(ctx context.Context, m *Message, r Request, d Decision, how How) (*Receipt, error) {
	out := &Receipt{Decision: d}
	if owner := s.File.Profiles[cmp.Or(d.Instead, d.Profile)]; owner != nil && r.Author == "" {
		r.Author = owner.From.Address
	}
	if !d.Send {
		if d.Profile != "" {
			s.Queue.note(ctx, refusedItem(m, d, r, s.Queue.Store.Now()))
		}
		return out, nil
	}
	if s.Unattended && s.File.Profiles[d.Profile].Credential.Kind == config.CredentialAsk {
		return nil, ErrUnattended
	}
	id, err := m.Prepare(d, s.File.Profiles[d.Profile].From, time.Now())
	if err != nil {
		return nil, err
	}
	item := NewItem(m, id, d, r.Author, s.Queue.Store.Now())
	out.MessageID, out.Item = id, item
	switch {
	case how.Direct:
		out.Try, err = s.Queue.Direct(ctx, item)
	case how.Later || !d.Room.Free():
		out.Try = Try{State: StateWaiting}
		if !d.Room.Free() {
			item.Due, item.Cause = d.Room.Next, check.CauseOwnLimitReached
		}
		err = s.Queue.Accept(ctx, item, how.Held && d.Room.Free())
	default:
		if err = s.Queue.Accept(ctx, item, true); err == nil {
			out.Try, err = s.Queue.Deliver(ctx, item)
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Raw is what a caller of sendmail(8) says about a message in addition to its text.
type Raw struct {
	Sender     string // -f
	Name       string // -F
	Kind       string
	Host       string // of the caller; empty for this machine
	Recipients []string
}

// The fields in which a caller of the machine's service says what SMTP has no place for. They go no further: Prepare
// drops them.
const (
	fieldKind = "X-Postier-Kind"
	fieldName = "X-Postier-Name"
	fieldHost = "X-Postier-Host"
)

// Carry writes into a message what SubmitRaw reads from it on the other side of SMTP.
func (m *Message) Carry(raw Raw) {
	for _, f := range []field{{fieldKind, raw.Kind}, {fieldName, raw.Name}, {fieldHost, raw.Host}} {
		if f.value != "" {
			m.set(f.name, foldWords(mime.QEncoding.Encode("utf-8", f.value)))
		}
	}
}

// carried is what the message itself says in place of its caller.
func (raw Raw) carried(m *Message) Raw {
	raw.Kind = cmp.Or(raw.Kind, decoded(m.Get(fieldKind)))
	raw.Name = cmp.Or(raw.Name, decoded(m.Get(fieldName)))
	raw.Host = cmp.Or(raw.Host, decoded(m.Get(fieldHost)))
	return raw
}

// decoded reads encoded words; what is none stays as it is.
func decoded(value string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		return text
	}
	return value
}

// SubmitRaw submits a message that another program wrote. It is routed by its author, or by the sender where it has
// none.
func (s *Submitter) SubmitRaw(ctx context.Context, m *Message, raw Raw, how How) (*Receipt, error) {
	raw = raw.carried(m)
	author, envelope := m.Author(), Envelope(raw.Sender)
	if author == "" {
		author = envelope
		m.NameAuthor(raw.Name, author)
	}
	m.host = raw.Host
	r := Request{Author: author, Envelope: envelope, Recipients: raw.Recipients, Kind: raw.Kind}
	d, err := s.Decide(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.Submit(ctx, m, r, d, how)
}

// Envelope is the address of -f. It is empty, so that the profile's own address is used, for <>, which asks for no
// bounces, and for a bare local name, as cron gives it.
func Envelope(typed string) string {
	list, _ := addressfield.List(typed)
	if len(list) != 1 || list[0].Local {
		return ""
	}
	return list[0].Address
}
