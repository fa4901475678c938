package watch

import (
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
)

// ahead is how long before its day a dated fact of a provider is told.
const ahead = 60 * 24 * time.Hour

// facts lists what the provider of a profile will change soon, as far as it concerns one that signs in with a password.
func (r *record) facts(book *presets.Book, p *config.Profile, now time.Time, lang locale.Lang) []Fact {
	list := []Fact{}
	for _, d := range coming(book, p, now) {
		day, _ := time.Parse(time.DateOnly, d.Date)
		days := int(day.Sub(now.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
		list = append(list, Fact{ID: d.ID, Date: d.Date, Days: days, Text: d.Before.In(lang)})
		key := d.ID + " " + d.Date
		if r.Facts[key].IsZero() {
			r.Facts[key] = now
			r.Notices = append(r.Notices, &notice{Kind: KindAhead, At: now, Fact: &d})
		}
	}
	return list
}

// coming are the provider's facts whose day is near and about which there is something to say before it.
func coming(book *presets.Book, p *config.Profile, now time.Time) []presets.Dated {
	if book == nil {
		book = presets.Default()
	}
	provider, ok := book.Get(p.Provider)
	if !ok || p.Credential.Type == config.SecretOAuth || p.Credential.Kind == config.CredentialOAuth {
		return nil
	}
	var list []presets.Dated
	for _, d := range provider.Dated {
		day, err := time.Parse(time.DateOnly, d.Date)
		if err == nil && now.UTC().Before(day) && day.Sub(now) <= ahead && !d.Before.Empty() {
			list = append(list, d)
		}
	}
	return list
}
