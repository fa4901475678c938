package smtp

import (
	"postier/diagnostics"
	"postier/internal/safetext"
)

// Buffered is what lay in the buffer when the consent to STARTTLS came: nothing, or it is an injection.
type Buffered struct {
	Octets int `json:"octets"`
}

// Kind implements diagnostics.Observation.
func (Buffered) Kind() string { return "buffered" }

// OAuthDocument is the error document in which a server explains a refused token (RFC 7628 §3.2.2).
type OAuthDocument struct {
	Text          safetext.Remote  `json:"-"`
	Status        *safetext.Remote `json:"status,omitzero"`
	Schemes       *safetext.Remote `json:"schemes,omitzero"`
	Scope         *safetext.Remote `json:"scope,omitzero"`
	Configuration *safetext.Remote `json:"openid-configuration,omitzero"`
}

// Kind implements diagnostics.Observation.
func (OAuthDocument) Kind() string { return "oauth" }

// Said implements diagnostics.Spoken.
func (d OAuthDocument) Said() safetext.Remote { return d.Text }

// Alias is a further sender address that was tried. Reply is there when it was refused.
type Alias struct {
	Text     safetext.Remote  `json:"-"`
	Accepted bool             `json:"accepted"`
	Reply    *safetext.Remote `json:"reply,omitzero"`
}

// Kind implements diagnostics.Observation.
func (Alias) Kind() string { return "alias" }

// Said implements diagnostics.Spoken.
func (a Alias) Said() safetext.Remote { return a.Text }

// Message is the message as it was handed over.
type Message struct {
	Octets     int   `json:"octets"`
	Recipients int   `json:"recipients"`
	TookMS     int64 `json:"took_ms"`
}

// Kind implements diagnostics.Observation.
func (Message) Kind() string { return "message" }

// Brief implements diagnostics.Briefer.
func (m Message) Brief() string { return diagnostics.Octets(m.Octets) }

// QueueID is the name that the server gave the message.
type QueueID struct {
	Text safetext.Remote `json:"-"`
}

// Kind implements diagnostics.Observation.
func (QueueID) Kind() string { return "queue" }

// Said implements diagnostics.Spoken.
func (q QueueID) Said() safetext.Remote { return q.Text }

// Brief implements diagnostics.Briefer.
func (q QueueID) Brief() string { return q.Text.Raw() }
