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

// Lookups keep what was looked up for the messages of one moment: programs that hand in many hand in many alike. The
// zero Lookups keep nothing.
type Lookups struct {
	suppressed map[string]Suppressed // no reason and no address for one that is not listed
	rooms      map[string]Room
}

// NewLookups are empty ones. They are used up within moments: limits and lists change.
func NewLookups() Lookups { return Lookups{map[string]Suppressed{}, map[string]Room{}} }

// Decide says what happens to a message under the present limits and suppression list, and why.
func (s *Submitter) Decide(ctx context.Context, r Request) (Decision, error) {
	return s.decide(ctx, r, Lookups{})
}

func (s *Submitter) decide(ctx context.Context, r Request, known Lookups) (Decision, error) {
	var failure error
	keep := func(err error) {
		if failure == nil {
			failure = err
		}
	}
	d := Decide(s.File, r, Facts{
		Suppressed: func(address string) (string, bool) {
			if entry, ok := known.suppressed[address]; ok {
				return entry.Reason, entry.Address != ""
			}
			reason, listed, err := s.Queue.Store.IsSuppressed(ctx, address)
			keep(err)
			if known.suppressed != nil && err == nil {
				entry := Suppressed{Reason: reason}
				if listed {
					entry.Address = address
				}
				known.suppressed[address] = entry
			}
			return reason, listed
		},
		Room: func(profile string, l config.Limits) Room {
			if room, ok := known.rooms[profile]; ok {
				return room
			}
			room, err := s.Queue.Store.Room(ctx, profile, l)
			keep(err)
			if known.rooms != nil && err == nil {
				known.rooms[profile] = room
			}
			return room
		},
		Provider: s.Queue.Provider,
	})
	return d, failure
}

// Submit prepares a message as decided, and sends it or has the queue do so.
func (s *Submitter) Submit(ctx context.Context, m *Message, r Request, d Decision, how How) (*Receipt, error) {
	out, err := s.prepare(ctx, m, r, d)
	if err != nil {
		return nil, err
	}
	return out, s.Hand(ctx, out, how)
}

// prepare gives a message the form in which it is sent. It stores only the row of one that is not sent.
func (s *Submitter) prepare(ctx context.Context, m *Message, r Request, d Decision) (*Receipt, error) {
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
	out.MessageID, out.Item = id, NewItem(m, id, d, r.Author, s.Queue.Store.Now())
	return out, nil
}

// Hand sends a prepared message or has the queue do so. Several may be handed over side by side.
func (s *Submitter) Hand(ctx context.Context, out *Receipt, how How) (err error) {
	item, room := out.Item, out.Decision.Room
	switch {
	case item == nil: // it is not sent
	case how.Direct:
		out.Try, err = s.Queue.Direct(ctx, item)
	case how.Later || !room.Free():
		out.Try = Try{State: StateWaiting}
		if !room.Free() {
			item.Due, item.Cause = room.Next, check.CauseOwnLimitReached
		}
		err = s.Queue.Accept(ctx, item, how.Held && room.Free())
	default:
		if err = s.Queue.Accept(ctx, item, true); err == nil {
			out.Try, err = s.Queue.Deliver(ctx, item)
		}
	}
	return err
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
	out, err := s.Prepare(ctx, m, raw, Lookups{})
	if err != nil {
		return nil, err
	}
	return out, s.Hand(ctx, out, how)
}

// Prepare is SubmitRaw without its last step, which is Hand.
func (s *Submitter) Prepare(ctx context.Context, m *Message, raw Raw, known Lookups) (*Receipt, error) {
	raw = raw.carried(m)
	author, envelope := m.Author(), Envelope(raw.Sender)
	if author == "" {
		author = envelope
		m.NameAuthor(raw.Name, author)
	}
	m.host = raw.Host
	r := Request{Author: author, Envelope: envelope, Recipients: raw.Recipients, Kind: raw.Kind}
	d, err := s.decide(ctx, r, known)
	if err != nil {
		return nil, err
	}
	return s.prepare(ctx, m, r, d)
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
