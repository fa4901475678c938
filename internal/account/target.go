// Package account turns a profile into what is dialled for it: the servers, the secret to sign in with, and the facts
// about the provider that checks and deliveries need.
package account

import (
	"cmp"

	"postier/config"
	"postier/internal/sasl"
	"postier/internal/secret"
)

// Target holds the servers of one account and the secret to sign in with. Checks and deliveries both dial a Target.
type Target struct {
	Address  string // the person's own address
	Profile  string
	Provider string // id of the preset, or "custom"
	From     string // author address; empty means Address
	// Recipient is the recipient of the trial RCPT and of the test message; empty means Address. It is always an
	// address that the person typed (docs/security.md T21).
	Recipient  string
	Submission config.Server
	IMAP       *config.Server // nil: no IMAP at this provider
	SentMode   config.SentMode
	SentFolder string // empty: find it
	// SentFolders are the names of that folder at the provider, in the order to try.
	SentFolders []string
	Secret      secret.Value
	// SecretType lets a check tell a refused app password from a refused account password.
	SecretType config.SecretType
	// Pins are accepted SPKI fingerprints (docs/security.md T4).
	Pins []string
	// Selectors are the DKIM selectors that the provider is known to use.
	Selectors []string
	// SPFInclude and SPFRedirect are what the provider wants in the SPF record.
	SPFInclude  []string
	SPFRedirect string
	// AllowCleartext is set only after a technician typed the host name.
	AllowCleartext bool
}

// AllowsCleartext reports whether a secret may be sent to one of the target's servers without encryption: where a
// technician allowed it, or on this machine, where nothing crosses a network (docs/security.md T1).
func (t Target) AllowsCleartext(server config.Server) bool { return t.AllowCleartext || server.Local() }

// Mailbox returns the account of the target's mailbox. Its server is empty when the target has no IMAP.
func (t Target) Mailbox() sasl.Account {
	if t.IMAP == nil {
		return sasl.Account{}
	}
	return t.at(*t.IMAP)
}

// Submitter returns the account at the submission server.
func (t Target) Submitter() sasl.Account { return t.at(t.Submission) }

func (t Target) at(server config.Server) sasl.Account {
	server.Username = cmp.Or(server.Username, t.Submission.Username, t.Address)
	return sasl.Account{
		Server: server, Secret: t.Secret, SecretType: t.SecretType, Pins: t.Pins, AllowCleartext: t.AllowsCleartext(server),
	}
}

// Author returns the address for the From field.
func (t Target) Author() string {
	if t.From != "" {
		return t.From
	}
	return t.Address
}

// To returns the recipient of a trial RCPT or of the test message.
func (t Target) To() string {
	if t.Recipient != "" {
		return t.Recipient
	}
	return t.Author()
}
