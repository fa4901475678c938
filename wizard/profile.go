package wizard

import (
	"maps"
	"slices"

	"postier/config"
)

// ToProfile makes the profile to be saved from the draft. credential refers to where the secret is stored. Only what is
// proven is saved, so a profile that a failure switched off is on again (D-5); one that a person switched off stays
// off.
func (d Draft) ToProfile(credential config.Credential) *config.Profile {
	p := &config.Profile{
		Label: d.Label, Enabled: !d.Off || d.Disabled != nil, Provider: d.Provider,
		From: d.From, ReplyTo: d.ReplyTo, BCC: slices.Clone(d.BCC),
		Senders: slices.Clone(d.Senders), Kinds: maps.Clone(d.Kinds), Submission: d.Submission, Credential: credential,
		Limits: d.Limits, TestMode: d.TestMode, TLS: d.TLS,
		Insecure: d.Submission.Cleartext() || d.IMAP.Cleartext(),
		SentCopy: config.SentCopy{Mode: d.CopyMode(), IMAP: d.IMAP, Folder: d.SentFolder},
	}
	if p.SentCopy.Mode == config.SentNone {
		p.SentCopy.Folder = ""
	}
	return p
}

// NeedsSecret reports whether at least one of the servers requires a sign-in.
func (d Draft) NeedsSecret() bool {
	return d.Submission.Auth != config.MechanismNone || d.IMAP != nil && d.IMAP.Auth != config.MechanismNone
}

// custom is the provider id for servers that are none of the book's: entered by hand, or announced by the domain.
const custom = "custom"

// originSaved is the origin of the candidate with which an edited profile begins.
const originSaved = "saved"

// DraftOf makes the draft for editing a saved profile. The conversation begins at the provider step, with every field
// filled in.
func DraftOf(name string, p *config.Profile, isDefault bool) Draft {
	d := Draft{
		Version: DraftVersion, Step: StepProvider, Profile: name, Editing: true,
		Address: p.From.Address, Provider: p.Provider, Submission: p.Submission, IMAP: p.SentCopy.IMAP,
		SecretType: p.Credential.Type, AskEach: p.Credential.Kind == config.CredentialAsk, Credential: p.Credential,
		SentMode: p.SentCopy.Mode, SentFolder: p.SentCopy.Folder, Label: p.Label, From: p.From, ReplyTo: p.ReplyTo,
		BCC: p.BCC, Senders: p.Senders, Kinds: p.Kinds, Limits: p.Limits, TestMode: p.TestMode, Default: isDefault,
		TLS: p.TLS, Off: !p.Enabled, Disabled: p.Disabled,
	}
	d.Credential.Value = "" // a draft never holds a secret, not even one that the configuration holds as plain text
	if d.Provider == "" {
		d.Provider = custom
	}
	d.Manual = d.Provider == custom
	shown := p.Label
	if shown == "" {
		shown = name
	}
	d.Candidates = []Candidate{{
		Provider: d.Provider, Name: shown, Origin: originSaved, Confidence: "certain", Submission: d.Submission, IMAP: d.IMAP,
		Credential: d.SecretType, SentMode: d.SentMode,
	}}
	return d
}
