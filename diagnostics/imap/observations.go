package imap

import (
	"fmt"

	"postier/diagnostics"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Lookup is a look-up that failed.
type Lookup struct {
	Name    safetext.Remote `json:"name"`
	Failure wire.Failure    `json:"failure"`
}

// Capabilities are the capabilities that the server listed before and after the sign-in.
type Capabilities struct {
	Before []safetext.Remote `json:"before"`
	After  []safetext.Remote `json:"after"`
}

// Challenge is the document in which a server explains, during the sign-in, why it refuses a token (RFC 7628 §3.2.2).
type Challenge struct {
	Text safetext.Remote `json:"-"`
}

// Alert is text that the user must be shown (RFC 9051 §7.1).
type Alert struct {
	Text safetext.Remote `json:"-"`
}

// ServerID is what the server says about itself (RFC 2971), names and values alternating.
type ServerID struct {
	ID []safetext.Remote `json:"id"`
}

// Append is the message that was appended.
type Append struct {
	Folder      safetext.Remote `json:"folder"`
	MessageID   string          `json:"message_id"`
	Octets      int             `json:"octets"`
	UID         uint32          `json:"uid"`
	UIDPlus     bool            `json:"uidplus"`
	Reconnected bool            `json:"reconnected"`
}

// Brief implements diagnostics.Briefer.
func (a Append) Brief() string {
	return diagnostics.Joined(" · ", a.Folder.Raw(), diagnostics.Octets(a.Octets))
}

// MayBeFiled names a message that may still be in the folder: it is unknown whether it was stored or removed.
type MayBeFiled struct {
	Folder    safetext.Remote `json:"folder"`
	MessageID string          `json:"message_id"`
}

// Readback compares the message with the copy that the server stored. The optional fields are set when the two differ.
type Readback struct {
	UID        uint32           `json:"uid"`
	SentOctets int              `json:"sent_octets"`
	ReadOctets int              `json:"read_octets"`
	Difference *int             `json:"first_difference,omitzero"`
	Sent       *safetext.Remote `json:"sent,omitzero"`
	Read       *safetext.Remote `json:"read,omitzero"`
}

// Cleanup is how the message was removed.
type Cleanup struct {
	UID    uint32 `json:"uid"`
	Method string `json:"method"`
}

// Quota is the storage limit of a mailbox and how much is used (RFC 9208).
type Quota struct {
	Root     safetext.Remote `json:"root"`
	Resource safetext.Remote `json:"resource"`
	Used     uint64          `json:"used"`
	Limit    uint64          `json:"limit"`
}

// NoQuota says that the server reports no quota.
type NoQuota struct {
	Offered bool `json:"offered"`
}

// The kinds of the contract: diagnostics.Observation.

func (Lookup) Kind() string       { return "dns" }
func (Capabilities) Kind() string { return "capabilities" }
func (Challenge) Kind() string    { return "challenge" }
func (Alert) Kind() string        { return "alert" }
func (ServerID) Kind() string     { return "server-id" }
func (Append) Kind() string       { return "append" }
func (MayBeFiled) Kind() string   { return "may-be-filed" }
func (Readback) Kind() string     { return "readback" }
func (Cleanup) Kind() string      { return "cleanup" }
func (Quota) Kind() string        { return "quota" }
func (NoQuota) Kind() string      { return "quota" }

// What is quoted: diagnostics.Spoken.

func (c Challenge) Said() safetext.Remote { return c.Text }
func (a Alert) Said() safetext.Remote     { return a.Text }

// What fits in a row: diagnostics.Briefer.

func (r Readback) Brief() string { return diagnostics.Octets(r.ReadOctets) }
func (c Cleanup) Brief() string  { return c.Method }
func (q Quota) Brief() string    { return fmt.Sprintf("%s %d/%d", q.Resource.Raw(), q.Used, q.Limit) }
