package delivery

import (
	"bytes"
	"io"
	"slices"
	"time"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/spool"
)

// State is how far the sending of an accepted message has come.
type State string

// The states. Sending and dot are stored only while a try is under way, or after one that broke off: a message found in
// sending was not handed over, one found in dot may have been (RFC 1047).
const (
	StateWaiting State = "waiting"
	StateSending State = "sending"
	StateDot     State = "dot"
	StateUnknown State = "unknown"
	StateCopy    State = "copy" // sent; only the Sent copy is still due
	StateSent    State = "sent"
	StateFailed  State = "failed"
)

// Final reports whether nothing more happens to the message.
func (s State) Final() bool { return s == StateSent || s == StateFailed }

// Recipient is one envelope recipient with what became of it.
type Recipient struct {
	Address string `json:"address"`
	// Blind copies come from the profile (C-3).
	Blind bool         `json:"blind,omitempty"`
	State State        `json:"state,omitempty"` // empty until there is a verdict; sent or failed
	Cause config.Cause `json:"cause,omitempty"`
	Reply string       `json:"reply,omitempty"` // the server's words, raw
}

// Item is one message on its way.
type Item struct {
	ID        string
	State     State
	Profile   string
	MessageID string
	Envelope  string
	Accepted  time.Time
	Due       time.Time
	Attempts  int
	// Raw is the text; of a large one its beginning, with the whole header.
	Raw []byte
	Detail
	// version is what the row was read with, next what the change under way gives it (Store.change).
	version, next int64
	owner         string
	// rest follows Raw where the text is large, nil otherwise. Of the parts in the store, the first ones are in Raw.
	rest  spool.Text
	parts int
	// parsed is Raw parsed, once it was needed: see message.
	parsed *Message
	// reworded is true when the text is no longer the one in the row.
	reworded bool
	// inline is true while the process that accepted the message delivers it: its caller sees the outcome.
	inline bool
	// loose messages are in no queue (--direct).
	loose bool
	// keepText: the text stays when the message is finished.
	keepText bool
	// withdrawn messages are deleted: what they say is no longer true.
	withdrawn bool
}

// Detail is what the queue keeps in JSON.
type Detail struct {
	Author     string      `json:"author,omitempty"`
	Kind       string      `json:"kind,omitempty"`
	Subject    string      `json:"subject,omitempty"`
	Recipients []Recipient `json:"recipients"`
	TestMode   bool        `json:"test_mode,omitempty"`
	// Own messages (bounces, notices) never cause another one.
	Own bool `json:"own,omitempty"`
	// About is the profile that a notice is about: it says that this one is switched off.
	About string `json:"about,omitempty"`
	// Pinned messages stay with their profile: a person named it.
	Pinned bool `json:"pinned,omitempty"`
	// BounceTo gets the message when this one fails; empty sends it to no one.
	BounceTo string       `json:"bounce_to,omitempty"`
	Cause    config.Cause `json:"cause,omitempty"`
	Reply    string       `json:"reply,omitempty"`
	QueueID  string       `json:"queue_id,omitempty"`
	// Doubt is true once a try ended without a verdict: a second copy may arrive.
	Doubt        bool `json:"doubt,omitempty"`
	CopyDue      bool `json:"copy_due,omitempty"`
	CopyTried    bool `json:"copy_tried,omitempty"`
	CopyFailures int  `json:"copy_failures,omitempty"`
	// CopyByServer is true when the provider files the Sent copy.
	CopyByServer bool `json:"copy_by_server,omitempty"`
	// What the decision was, for the log: who was left out, whose place the profile took, who would have got a test.
	Suppressed []Suppressed `json:"suppressed,omitempty"`
	Instead    string       `json:"instead,omitempty"`
	InsteadFor config.Cause `json:"instead_for,omitempty"`
	Originals  []string     `json:"originals,omitempty"`
	Block      Block        `json:"block,omitempty"`
}

// NewItem is a prepared message as the queue keeps it.
func NewItem(m *Message, id string, d Decision, author string, now time.Time) *Item {
	raw := m.Bytes()
	m.body = raw[len(raw)-len(m.body):] // one copy of a large message is enough
	item := &Item{
		ID: newID(), State: StateWaiting, Profile: d.Profile, MessageID: id, Envelope: d.Envelope,
		Accepted: now, Due: now, Raw: raw, rest: m.rest.text(), parsed: m,
		Detail: Detail{
			Author: author, Kind: d.Kind, Subject: m.Get("Subject"), TestMode: d.TestMode, Pinned: d.Reason == ReasonNamed,
			BounceTo: d.Envelope, Suppressed: d.Suppressed, Instead: d.Instead, InsteadFor: d.InsteadFor,
			Originals: d.Originals,
		},
	}
	if d.Instead != "" && d.ReplyTo != "" {
		item.BounceTo = d.ReplyTo // the fallback's mailbox is not the author's
	}
	for _, address := range d.Recipients {
		item.Recipients = append(item.Recipients, Recipient{Address: address})
	}
	for _, address := range d.BCC {
		item.Recipients = append(item.Recipients, Recipient{Address: address, Blind: true})
	}
	return item
}

// message is the parsed text. It is parsed once: when the message is read, or when a worker needs its header.
func (i *Item) message() (*Message, error) {
	if i.parsed == nil {
		text, body := i.Raw, []byte(nil)
		if i.rest != nil { // the text may end within a line, which Parse would end
			const blank = "\r\n\r\n"
			end := bytes.Index(text, []byte(blank)) + len(blank)
			text, body = text[:end], text[end:]
		}
		parsed, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if i.rest != nil {
			parsed.body = body
		}
		i.parsed = parsed
	}
	return i.parsed, nil
}

// sevenBit is a copy of the text for a server without 8BITMIME.
func (i *Item) sevenBit() ([]byte, error) {
	m, err := i.message()
	if err != nil {
		return nil, err
	}
	encoded := &Message{fields: slices.Clone(m.fields), body: m.body}
	if i.rest != nil {
		if encoded.body, err = io.ReadAll(spool.Reader(m.body, i.rest)); err != nil {
			return nil, err
		}
	}
	err = encoded.SevenBit()
	return encoded.Bytes(), err
}

// isASCII reports whether the text has seven bits.
func (i *Item) isASCII() (bool, error) {
	if !safetext.IsASCII(i.Raw) || i.rest == nil {
		return safetext.IsASCII(i.Raw), nil
	}
	for piece, err := range i.rest.Pieces() {
		if err != nil || !safetext.IsASCII(piece) {
			return false, err
		}
	}
	return true, nil
}

// Open lists the recipients without a verdict.
func (i *Item) Open() []string {
	var out []string
	for _, r := range i.Recipients {
		if r.State == "" {
			out = append(out, r.Address)
		}
	}
	return out
}

// Failed lists the recipients that were refused for good.
func (i *Item) Failed() []Recipient {
	var out []Recipient
	for _, r := range i.Recipients {
		if r.State == StateFailed {
			out = append(out, r)
		}
	}
	return out
}

// wantsCopy reports whether this program files the Sent copy: never where the provider does it itself (M-3), never for
// tests and own messages.
func (i *Item) wantsCopy(p *config.Profile) bool {
	return p.SentCopy.Mode == config.SentAppend && p.SentCopy.IMAP != nil && !i.TestMode && !i.Own
}
