package presets

import (
	"time"

	"postier/internal/locale"
)

// Dated is a fact with a day on which it starts to hold.
type Dated struct {
	ID string `json:"id"`
	// Date is the day, YYYY-MM-DD. Before is said until then (empty: nothing), After from then on (empty: nothing).
	Date    string   `json:"date"`
	Before  Text     `json:"before,omitzero"`
	After   Text     `json:"after,omitzero"`
	Blocks  bool     `json:"blocks,omitempty"` // from the day on a password cannot work at all
	Trust   Level    `json:"confidence"`
	Sources []string `json:"sources"`
}

// Warning is a dated fact as it reads on a given day.
type Warning struct {
	ID   string
	Date time.Time // the day on which it starts, or started, to hold (UTC midnight)
	// Days until that day; 0 or less once it has come.
	Days int
	// Blocks is true when a password cannot work on the given day.
	Blocks     bool
	Text       string
	Confidence Confidence
}

// Warnings lists what a person must know about this provider on the day now: what has ended, and what will end.
func (p *Provider) Warnings(now time.Time, lang locale.Lang) []Warning {
	today := now.UTC().Truncate(24 * time.Hour)
	var out []Warning
	for _, d := range p.Dated {
		day, err := time.Parse(time.DateOnly, d.Date)
		text := d.On(now)
		if err != nil || text.Empty() {
			continue // Validate refuses a date that cannot be read
		}
		come := !today.Before(day)
		out = append(out, Warning{
			ID: d.ID, Date: day, Days: int(day.Sub(today) / (24 * time.Hour)),
			Blocks: come && d.Blocks, Text: text.In(lang), Confidence: d.Trust.Confidence(),
		})
	}
	return out
}

// On is the text for the day now, empty if there is none.
func (d Dated) On(now time.Time) Text {
	day, err := time.Parse(time.DateOnly, d.Date)
	switch {
	case err != nil:
		return nil
	case now.UTC().Before(day):
		return d.Before
	}
	return d.After
}
