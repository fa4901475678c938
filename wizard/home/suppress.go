package home

import (
	"strconv"
	"strings"

	"postier/internal/safetext"
	"postier/wizard"
)

// Suppressed is one line of the suppression list.
type Suppressed struct {
	Pattern string
	Reason  safetext.Remote
	// Proposed entries suppress nothing yet.
	Proposed bool
}

// SuppressionList is what the page writes; an error is what to say about it.
type SuppressionList interface {
	Suppress(pattern string) wizard.Words
	Unsuppress(pattern string) wizard.Words
}

const (
	fieldPattern wizard.FieldID = "pattern"
	fieldListed  wizard.FieldID = "listed"
)

// mostListed is how many entries the page lets a person choose from, and mostProposed how many proposals it shows.
const (
	mostListed   = 1000
	mostProposed = 3
)

// NewSuppress is the page of the suppression list (P-7): what is typed is put on it, also a proposal, and what is
// chosen is taken off it.
func NewSuppress(entries []Suppressed, list SuppressionList) *Page {
	page := newPage("suppress", "", func(page *Page, a wizard.Answer) bool {
		typed, chosen := strings.TrimSpace(a.Values[fieldPattern]), a.Values[fieldListed]
		errors := map[wizard.FieldID]wizard.Words{}
		if typed != "" {
			if why := list.Suppress(typed); !why.Empty() {
				errors[fieldPattern] = why
			}
		}
		if chosen != "" {
			if why := list.Unsuppress(chosen); !why.Empty() {
				errors[fieldListed] = why
			}
		}
		if typed == "" && chosen == "" {
			errors[fieldPattern] = wizard.Msg("home.suppress.nothing")
		}
		return !page.refuse(errors)
	})
	v := &page.screen
	v.Facts = facts(entries)
	v.Fields = []wizard.Field{{
		ID: fieldPattern, Kind: wizard.KindText, Optional: true, Label: wizard.Msg("home.suppress.pattern"),
		Help: wizard.Msg("home.suppress.pattern-help"),
	}}
	if len(entries) > 0 {
		v.Fields = append(v.Fields, wizard.Field{
			ID: fieldListed, Kind: wizard.KindSearch, Optional: true, Label: wizard.Msg("home.suppress.remove"),
			Choices: choices(entries[:min(len(entries), mostListed)]),
		})
	}
	if len(entries) > mostListed {
		v.Notices = []wizard.Notice{{Level: wizard.LevelInfo, Text: wizard.Msg("home.suppress.more", "n", mostListed)}}
	}
	return page
}

// facts are how many entries there are, and the first proposals.
func facts(entries []Suppressed) []wizard.Fact {
	var list []wizard.Fact
	proposed := 0
	for _, e := range entries {
		if !e.Proposed {
			continue
		}
		if proposed++; proposed <= mostProposed {
			list = append(list, wizard.Fact{
				Label: wizard.Msg("home.suppress.proposed"), Value: wizard.Remote(e.Pattern),
				Detail: wizard.Words{Remote: e.Reason},
			})
		}
	}
	count := wizard.Fact{
		Label: wizard.Msg("home.suppress.count"), Value: wizard.Literal(strconv.Itoa(len(entries) - proposed)),
	}
	return append([]wizard.Fact{count}, list...)
}

func choices(entries []Suppressed) []wizard.Choice {
	list := []wizard.Choice{{Label: wizard.Msg("home.suppress.none")}}
	for _, e := range entries {
		list = append(list, wizard.Choice{
			Value: e.Pattern, Label: wizard.Remote(e.Pattern), Detail: wizard.Words{Remote: e.Reason},
		})
	}
	return list
}
