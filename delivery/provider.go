package delivery

import (
	"cmp"
	"slices"

	"postier/config"
	"postier/presets"
)

// counted are the limits on the number of messages and recipients; others, such as megabytes, are left out.
var counted = []string{
	"messages_per_hour", "messages_per_day", "messages_per_week",
	"recipients_per_hour", "recipients_per_day", "recipients_per_message",
}

// ProviderPage is the page about a cause that a book of presets knows of a profile's provider.
func ProviderPage(book *presets.Book, p *config.Profile, cause config.Cause) string {
	if known, ok := book.Get(p.Provider); ok {
		return known.Page(cause)
	}
	return ""
}

// ProviderLimits are the limits that a book of presets knows of a profile's provider, the lowest of each kind first:
// which plan a customer has is not known (D-6).
func ProviderLimits(book *presets.Book, p *config.Profile) []ProviderLimit {
	known, ok := book.Get(p.Provider)
	if !ok {
		return nil
	}
	var out []ProviderLimit
	for _, l := range known.Limits {
		limit := ProviderLimit{What: l.What, Value: l.Value}
		if slices.Contains(counted, l.What) && l.Value > 0 && !slices.Contains(out, limit) {
			out = append(out, limit)
		}
	}
	slices.SortStableFunc(out, func(a, b ProviderLimit) int {
		return cmp.Or(slices.Index(counted, a.What)-slices.Index(counted, b.What), a.Value-b.Value)
	})
	return out
}
