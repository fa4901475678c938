package wizard

import (
	"maps"
	"slices"

	"postier/config"
)

// SetOptions changes options of a saved profile by the rules of step 10, without a server: values are as they are
// typed, by field. The errors are by field, too; with any of them the profile stays as it was.
func SetOptions(p *config.Profile, values map[FieldID]string) map[FieldID]Words {
	s := State{draft: DraftOf("", p, false), typed: maps.Clone(values), errors: map[FieldID]Words{}}
	if !s.takeOptions(slices.Concat(optionPages...)) {
		return s.errors
	}
	d := &s.draft
	p.Label, p.From, p.ReplyTo, p.BCC, p.Senders = d.Label, d.From, d.ReplyTo, d.BCC, d.Senders
	p.Kinds, p.Limits, p.TestMode = d.Kinds, d.Limits, d.TestMode
	return nil
}

// OptionValues are the options of a saved profile in the form in which they are typed.
func OptionValues(p *config.Profile) map[FieldID]string {
	s := State{draft: DraftOf("", p, false)}
	values := map[FieldID]string{}
	for _, id := range OptionFields() {
		values[id] = s.optionValue(id)
	}
	return values
}

// OptionFields are the options of a profile that no server knows. Which profile is the default or the fallback is not
// among them: that is said once in the file.
func OptionFields() []FieldID {
	return slices.DeleteFunc(slices.Concat(optionPages...), func(id FieldID) bool {
		return id == FieldDefault || id == FieldFallback
	})
}
