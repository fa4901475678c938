package smtp

import (
	"postier/diagnostics"
	"postier/internal/safetext"
)

// Buffered counts the octets that were already received when the server agreed to STARTTLS. More than none is an
// injection.
type Buffered struct {
	Octets int `json:"octets"`
}

// OAuthDocument is the error document in which a server explains a refused token (RFC 7628 §3.2.2).
type OAuthDocument struct {
	Text          safetext.Remote  `json:"-"`
	Status        *safetext.Remote `json:"status,omitzero"`
	Schemes       *safetext.Remote `json:"schemes,omitzero"`
	Scope         *safetext.Remote `json:"scope,omitzero"`
	Configuration *safetext.Remote `json:"openid-configuration,omitzero"`
}

// RefusedMechanism is a sign-in mechanism that the server offered and then refused, without testing the secret.
type RefusedMechanism struct {
	Text      safetext.Remote `json:"-"`
	Mechanism string          `json:"mechanism"`
}

// RefusedHelo is the name that the server refused in EHLO, before it took another kind of name.
type RefusedHelo struct {
	Name safetext.Remote `json:"name"`
}

// Alias is a further sender address that was tried. Reply is set when the server refused it.
type Alias struct {
	Text     safetext.Remote  `json:"-"`
	Accepted bool             `json:"accepted"`
	Reply    *safetext.Remote `json:"reply,omitzero"`
}

// Message describes the message as it was sent.
type Message struct {
	Octets     int   `json:"octets"`
	Recipients int   `json:"recipients"`
	TookMS     int64 `json:"took_ms"`
}

// QueueID is the identifier that the server gave the message.
type QueueID struct {
	Text safetext.Remote `json:"-"`
}

// The kinds of the contract: diagnostics.Observation.

func (Buffered) Kind() string         { return "buffered" }
func (OAuthDocument) Kind() string    { return "oauth" }
func (RefusedMechanism) Kind() string { return "mechanism-refused" }
func (RefusedHelo) Kind() string      { return "helo-refused" }
func (Alias) Kind() string            { return "alias" }
func (Message) Kind() string          { return "message" }
func (QueueID) Kind() string          { return "queue" }

// What is quoted: diagnostics.Spoken.

func (d OAuthDocument) Said() safetext.Remote    { return d.Text }
func (m RefusedMechanism) Said() safetext.Remote { return m.Text }
func (a Alias) Said() safetext.Remote            { return a.Text }
func (q QueueID) Said() safetext.Remote          { return q.Text }

// What fits in a row: diagnostics.Briefer.

func (m Message) Brief() string { return diagnostics.Octets(m.Octets) }
func (q QueueID) Brief() string { return q.Text.Raw() }
