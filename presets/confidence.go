package presets

import (
	"cmp"

	"postier/internal/locale"
)

// Level says how well a fact is known.
type Level string

// The levels, from the strongest. A remembered fact is never shown as certain.
const (
	Verified   Level = "verified"   // a listed source was read
	Partly     Level = "partly"     // read in parts, or in a secondary source
	Remembered Level = "remembered" // not read anywhere on the day of checking
)

// Trust is a level with its reason.
type Trust struct {
	Level Level  `json:"level"`
	Note  string `json:"note,omitempty"`
	// Checked is the day on which this part was reviewed, where it is not the one of the whole file (YYYY-MM-DD).
	Checked string `json:"checked,omitempty"`
	// Sources are those of this part, where they are not the whole file's: keys of data/sources.json.
	Sources []string `json:"sources,omitempty"`
}

// Confidence says how certain a setting is. The values are those of discover --json.
type Confidence string

// The confidences.
const (
	Certain Confidence = "certain"
	Likely  Confidence = "likely"
	Guess   Confidence = "guess"
)

// Confidence of the servers, with the day on which they were last checked (YYYY-MM-DD).
// Only a flagship whose servers were read in a source is certain.
func (p *Provider) Confidence() (Confidence, string) {
	c := p.ConfidenceIn("smtp")
	if p.Source() == SourceISPDB && c == Certain {
		c = Likely
	}
	return c, p.Checked
}

// ConfidenceIn is the confidence of one part, by its key in the provider's file, such as imap or app_password_steps. A
// part without an entry is a guess.
func (p *Provider) ConfidenceIn(part string) Confidence {
	return p.Trust[part].Level.Confidence()
}

// StepsKnown is how well the steps to the password are known, since which day, and from where.
func (p *Provider) StepsKnown() (c Confidence, checked string, sources []string) {
	trust := p.Trust["app_password_steps"]
	checked, sources = cmp.Or(trust.Checked, p.Checked), trust.Sources
	if len(sources) == 0 {
		sources = p.Sources
	}
	return trust.Level.Confidence(), checked, sources
}

// Confidence maps a level to a confidence.
func (l Level) Confidence() Confidence {
	switch l {
	case Verified:
		return Certain
	case Partly:
		return Likely
	default:
		return Guess
	}
}

// Text puts the confidence into words, with the day of the last check (YYYY-MM-DD).
func (c Confidence) Text(checked string) locale.Text {
	switch c {
	case Certain:
		return locale.Msg("presets.confidence.certain", "date", checked)
	case Likely:
		return locale.Msg("presets.confidence.likely", "date", checked)
	default:
		return locale.Msg("presets.confidence.guess", "date", checked)
	}
}
