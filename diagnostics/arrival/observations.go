package arrival

import (
	"fmt"

	"postier/diagnostics"
	"postier/internal/safetext"
)

// Sent is the test message as it was submitted.
type Sent struct {
	State     string          `json:"state"`
	QueueID   safetext.Remote `json:"queue_id"`
	MessageID string          `json:"message_id"`
	Octets    int             `json:"octets"`
}

// Arrived is the message as it was found in the mailbox.
type Arrived struct {
	Folder  safetext.Remote `json:"folder"`
	Junk    bool            `json:"junk"`
	Seconds float64         `json:"seconds"`
	Hops    int             `json:"hops"` // Received fields
}

// Brief implements diagnostics.Briefer.
func (a Arrived) Brief() string {
	return diagnostics.Joined(" · ", a.Folder.Raw(), fmt.Sprint(a.Seconds)+" s")
}

// Removed is how the message was removed from the mailbox.
type Removed struct {
	Folder safetext.Remote `json:"folder"`
	Method string          `json:"method"`
	OK     bool            `json:"ok"`
}

// SentCopy says whether the provider filed a copy by itself. Removed is set when there was one to remove.
type SentCopy struct {
	Folder          safetext.Remote `json:"folder"`
	FiledByProvider bool            `json:"filed_by_provider"`
	Removed         *bool           `json:"removed,omitzero"`
}

// Placement is the folder of the message, with the reasons where that is the junk folder.
type Placement struct {
	Folder  safetext.Remote   `json:"folder"`
	Junk    bool              `json:"junk"`
	Reasons []safetext.Remote `json:"reasons,omitzero"`
}

// Authentication is what the receiver wrote about SPF, DKIM or DMARC (RFC 8601).
type Authentication struct {
	Method string          `json:"-"`
	By     string          `json:"by"`
	Result safetext.Remote `json:"result"`
	Domain safetext.Remote `json:"domain"`
	Reason safetext.Remote `json:"reason"`
}

// Brief implements diagnostics.Briefer.
func (a Authentication) Brief() string {
	return diagnostics.Joined(" · ", a.Result.Raw(), a.Domain.Raw())
}

// Verified is a DKIM signature that this program verified.
type Verified struct {
	By        string          `json:"by"`
	Domain    safetext.Remote `json:"domain"`
	Selector  safetext.Remote `json:"selector"`
	Algorithm safetext.Remote `json:"algorithm"`
	Result    string          `json:"result"`
	Reason    safetext.Remote `json:"reason"`
	Aligned   bool            `json:"aligned"`
}

// Brief implements diagnostics.Briefer.
func (v Verified) Brief() string {
	return diagnostics.Joined(" · ", v.Result, v.Domain.Raw(), v.Selector.Raw())
}

// The kinds of the contract: diagnostics.Observation.

func (Sent) Kind() string             { return "sent" }
func (Arrived) Kind() string          { return "arrival" }
func (Removed) Kind() string          { return "removed" }
func (SentCopy) Kind() string         { return "sent-copy" }
func (Placement) Kind() string        { return "placement" }
func (a Authentication) Kind() string { return a.Method }
func (Verified) Kind() string         { return "dkim" }

// What fits in a row: diagnostics.Briefer.

func (p Placement) Brief() string { return p.Folder.Raw() }
