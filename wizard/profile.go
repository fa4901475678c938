package wizard

import (
	"maps"
	"slices"

	"postier/config"
)

// Profile is the configuration that the draft stands for; credential is the reference under which the secret is kept.
func (d Draft) ToProfile(credential config.Credential) *config.Profile {
	p := &config.Profile{
		Label: d.Label, Enabled: true, Provider: d.Provider, From: d.From, ReplyTo: d.ReplyTo, BCC: slices.Clone(d.BCC),
		Senders: slices.Clone(d.Senders), Kinds: maps.Clone(d.Kinds), Submission: d.Submission, Credential: credential,
		Limits: d.Limits, TestMode: d.TestMode, Insecure: d.Submission.Security == config.SecurityNone && !local(d.Submission.Host),
		SentCopy: config.SentCopy{Mode: d.SentMode, IMAP: d.IMAP, Folder: d.SentFolder},
	}
	if p.SentCopy.Mode == "" {
		p.SentCopy.Mode = config.SentNone
	}
	if p.SentCopy.Mode == config.SentNone {
		p.SentCopy.Folder = ""
	}
	return p
}

// DraftOf is the draft with which a saved profile is edited. It begins at the servers' facts, everything filled in.
func DraftOf(name string, p *config.Profile, isDefault bool) Draft {
	d := Draft{
		Version: DraftVersion, Step: StepProvider, Profile: name, Editing: true, Chosen: 0,
		Address: p.From.Address, Provider: p.Provider, Submission: p.Submission, IMAP: p.SentCopy.IMAP,
		SecretType: p.Credential.Type, AskEach: p.Credential.Kind == config.CredentialAsk,
		SentMode: p.SentCopy.Mode, SentFolder: p.SentCopy.Folder, Label: p.Label, From: p.From, ReplyTo: p.ReplyTo,
		BCC: p.BCC, Senders: p.Senders, Kinds: p.Kinds, Limits: p.Limits, TestMode: p.TestMode, Default: isDefault,
	}
	if d.Provider == "custom" || d.Provider == "" {
		d.Manual, d.Chosen, d.Provider = true, -1, "custom"
	}
	origin := "saved"
	d.Candidates = []Candidate{{
		Provider: d.Provider, Name: p.Label, Origin: origin, Confidence: "certain", Submission: d.Submission, IMAP: d.IMAP,
		Credential: d.SecretType, SentMode: d.SentMode,
	}}
	return d
}
