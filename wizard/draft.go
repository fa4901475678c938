package wizard

import (
	"slices"

	"postier/config"
	"postier/internal/check"
)

// Draft holds the answers so far. It never holds the secret, so it may be written to disk after each step.
type Draft struct {
	Version int    `json:"version"`
	Lang    string `json:"lang,omitempty"`
	// Product is the calling program's name, so that a resumed draft keeps it.
	Product string `json:"product,omitempty"`
	Step    Step   `json:"step"`
	// Profile is the name in the configuration; Editing is set while an existing one is changed.
	Profile string `json:"profile,omitempty"`
	Editing bool   `json:"editing,omitempty"`

	Address    string      `json:"address,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
	// Chosen is the index in Candidates, -1 while none is.
	Chosen int `json:"chosen"`
	// Manual is true when the servers are entered by hand.
	Manual bool `json:"manual,omitempty"`
	// Edited is true when the servers are shown although the preset is complete.
	Edited bool `json:"edited,omitempty"`
	// Asked holds the values of a preset's placeholders.
	Asked map[string]string `json:"asked,omitempty"`

	Provider   string            `json:"provider,omitempty"`
	Submission config.Server     `json:"submission"`
	IMAP       *config.Server    `json:"imap,omitempty"`
	SecretType config.SecretType `json:"secret_type,omitempty"`
	AskEach    bool              `json:"ask_each,omitempty"`
	// SignIn is the sign-in by browser; its tokens are stored in a file of their own.
	SignIn *SignIn `json:"sign_in,omitempty"`
	// Credential is where an edited profile keeps its secret, never the secret itself.
	Credential config.Credential `json:"credential,omitzero"`
	// TLS, Off and Disabled belong to an edited profile. One that a failure switched off is on again once it is proven.
	TLS      config.TLS       `json:"tls,omitzero"`
	Off      bool             `json:"off,omitempty"`
	Disabled *config.Disabled `json:"disabled,omitempty"`

	SentMode   config.SentMode `json:"sent_mode,omitempty"`
	SentFolder string          `json:"sent_folder,omitempty"`

	Label    string          `json:"label,omitempty"`
	From     config.Address  `json:"from"`
	ReplyTo  string          `json:"reply_to,omitempty"`
	BCC      []string        `json:"bcc,omitempty"`
	Senders  []string        `json:"senders,omitempty"`
	Kinds    map[string]bool `json:"kinds,omitempty"`
	Limits   config.Limits   `json:"limits,omitzero"`
	TestMode config.TestMode `json:"test_mode,omitzero"`
	Default  bool            `json:"default,omitempty"`
	// Fallback says that the profile takes over when another one cannot send.
	Fallback bool `json:"fallback,omitempty"`

	// Proven maps checks to their verdicts, for Validated. A change of settings empties the part that it touches.
	Proven map[check.ID]check.Status `json:"proven,omitempty"`
	// Kept says that an edited profile stays proven or unproven, on or off, with the credential that it has: nothing has
	// changed that its submission server would have to prove.
	Kept bool `json:"-"`
	// Skipped are the steps that the person chose to go on without.
	Skipped []Step `json:"skipped,omitempty"`
}

// DraftVersion is the version of the draft's file format. Drafts of another version are ignored.
const DraftVersion = 1

// CopyMode returns who files the Sent copy; config.SentNone where the person chose to go without one.
func (d Draft) CopyMode() config.SentMode {
	switch {
	case slices.Contains(d.Skipped, StepSent), d.SentMode == "":
		return config.SentNone
	case d.IMAP == nil && d.SentMode == config.SentAppend:
		return config.SentNone
	}
	return d.SentMode
}

// ReadsMailbox reports whether the test message can be looked for: there is a mailbox server, and the sign-in there was
// not given up. A refused sign-in is never tried again for the test message (docs/security.md T21).
func (d Draft) ReadsMailbox() bool {
	if d.IMAP == nil {
		return false
	}
	signedIn := d.Proven[check.IMAPAuth]
	return !slices.Contains(d.Skipped, StepSent) || signedIn == check.Pass || signedIn == check.Warn
}
