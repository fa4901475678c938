package home

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"postier/config"
	"postier/wizard"
)

// Save writes changed options of a profile. The errors are by field; what is about none of them has the empty one.
type Save func(values map[wizard.FieldID]string) map[wizard.FieldID]wizard.Words

// NewTestMode is the switch of test mode (P-5). A profile without a test address proposes its own.
func NewTestMode(name string, p *config.Profile, save Save) *Page {
	values := wizard.OptionValues(p)
	page := newPage("test-mode", name, taking(save))
	address := cmp.Or(values[wizard.FieldTestAddress], p.From.Address)
	page.screen.Fields = []wizard.Field{
		field(wizard.FieldTestMode, wizard.KindConfirm, values[wizard.FieldTestMode]),
		field(wizard.FieldTestAddress, wizard.KindText, address),
	}
	return page
}

// actReset sets the counters of a profile to zero.
const actReset wizard.ActionID = "reset"

// NewLimits is the page of the limits (P-4, C-6). 0 is no limit; a field with one begins empty. reset sets the counters
// to zero; what is typed is saved as well.
func NewLimits(name string, p *config.Profile, save Save, reset func() wizard.Words) *Page {
	values := wizard.OptionValues(p)
	page := newPage("limits", name, func(page *Page, a wizard.Answer) bool {
		if page.refuse(save(a.Values)) {
			return false
		}
		if a.Action != actReset {
			return true
		}
		why := reset()
		return why.Empty() || !page.refuse(map[wizard.FieldID]wizard.Words{"": why})
	})
	page.screen.Actions = append(page.screen.Actions, wizard.Action{
		ID: actReset, Label: wizard.Msg("home.limits.reset"), Key: 'z',
	})
	for i, id := range []wizard.FieldID{
		wizard.FieldPerHour, wizard.FieldPerDay, wizard.FieldPerWeek, wizard.FieldRecipients, wizard.FieldBatch,
		wizard.FieldWait,
	} {
		f := field(id, wizard.KindText, values[id])
		if f.Value == "0" {
			f.Value = ""
		}
		f.Placeholder, f.Replaced, f.Number = wizard.Msg("wizard.limits.none"), true, i+1
		page.screen.Fields = append(page.screen.Fields, f)
	}
	return page
}

// fieldKind begins the field of a kind of message; what follows is its name.
const fieldKind = "kind-"

// fieldNewKind is for a kind that the profile does not list yet.
const fieldNewKind wizard.FieldID = "new-kind"

// NewKinds is the page on which kinds of message are switched one by one (D-4).
func NewKinds(name string, p *config.Profile, save Save) *Page {
	page := newPage("kinds", name, func(page *Page, a wizard.Answer) bool {
		kinds := map[bool][]string{}
		for _, kind := range slices.Sorted(maps.Keys(p.Kinds)) {
			on := a.Values[wizard.FieldID(fieldKind+kind)] == wizard.Yes
			kinds[on] = append(kinds[on], kind)
		}
		kinds[false] = append(kinds[false], config.ParseList(a.Values[fieldNewKind])...)
		errors := save(map[wizard.FieldID]string{
			wizard.FieldKindsOn:  strings.Join(kinds[true], ", "),
			wizard.FieldKindsOff: strings.Join(kinds[false], ", "),
		})
		for _, id := range []wizard.FieldID{wizard.FieldKindsOn, wizard.FieldKindsOff} {
			if why, wrong := errors[id]; wrong { // only what was typed can be wrong
				errors = map[wizard.FieldID]wizard.Words{fieldNewKind: why}
			}
		}
		return !page.refuse(errors)
	})
	for i, kind := range slices.Sorted(maps.Keys(p.Kinds)) {
		value := wizard.No
		if p.Kinds[kind] {
			value = wizard.Yes
		}
		page.screen.Fields = append(page.screen.Fields, wizard.Field{
			ID: wizard.FieldID(fieldKind + kind), Kind: wizard.KindConfirm, Value: value, Number: i + 1,
			Label: wizard.Msg("home.kinds.send", "kind", kind),
		})
	}
	page.screen.Fields = append(page.screen.Fields, wizard.Field{
		ID: fieldNewKind, Kind: wizard.KindText, Optional: true, Label: wizard.Msg("home.kinds.new"),
		Help: wizard.Msg("home.kinds.new-help"),
	})
	return page
}

// taking saves the values as they stand in the fields.
func taking(save Save) func(*Page, wizard.Answer) bool {
	return func(page *Page, a wizard.Answer) bool { return !page.refuse(save(a.Values)) }
}
