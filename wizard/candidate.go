package wizard

import (
	"postier/config"
	"postier/presets"
)

// Candidate is a provider that may serve the address, with the settings that postier would use there.
type Candidate struct {
	Provider   string `json:"provider"` // preset id, or "custom"
	Name       string `json:"name"`
	Origin     string `json:"origin"`     // preset, mx, srv, autoconfig, probe, manual
	Confidence string `json:"confidence"` // certain, likely, guess
	Checked    string `json:"checked,omitempty"`
	Via        string `json:"via,omitempty"` // the MX host or URL that led here
	// Confirm is true when the person has to confirm the servers, because their domain is neither the address's own nor
	// known from a preset (docs/security.md T5).
	Confirm bool `json:"confirm,omitempty"`
	// Reasons say why Confirm is set, in discovery's words: other-domain, redirected, alias, guess, mx-derived,
	// cleartext.
	Reasons    []string          `json:"reasons,omitempty"`
	Submission config.Server     `json:"submission"`
	IMAP       *config.Server    `json:"imap,omitempty"`
	Credential config.SecretType `json:"credential"`
	SentMode   config.SentMode   `json:"sent_mode"`
}

// CandidateOf makes a candidate for an address from a preset. via is the MX host or URL by which the preset was found,
// and asked holds the values that the person gave for the preset's placeholders.
func CandidateOf(p *presets.Provider, address, origin, via string, asked map[string]string) Candidate {
	smtp, imap := p.ServersWith(address, asked)
	confidence, checked := p.Confidence()
	c := Candidate{
		Provider: p.ID, Name: p.Name, Origin: origin, Via: via, Confidence: string(confidence), Checked: checked,
		Credential: p.Credential.Type, SentMode: p.SentCopy.Mode,
	}
	if origin == "mx" && confidence == presets.Certain {
		c.Confidence = string(presets.Likely) // the domain's owner may send elsewhere than it receives
	}
	if len(smtp) > 0 {
		c.Submission = smtp[0].Server
	}
	if len(imap) > 0 && !imap[0].Cleartext {
		server := imap[0].Server
		c.IMAP = &server
	}
	return c
}
