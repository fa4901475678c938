package wizard

import (
	"slices"
	"strconv"
	"strings"

	"postier/config"
)

// optionPages are the groups of fields behind the summary.
var optionPages = [][]FieldID{
	nil,
	{FieldLabel, FieldFromName, FieldReplyTo, FieldBCC},
	{FieldSenders, FieldKindsOn, FieldKindsOff, FieldDefault},
	{FieldPerHour, FieldPerDay, FieldPerWeek, FieldRecipients, FieldBatch, FieldWait},
	{FieldTestMode, FieldTestAddress},
}

func (s *State) enterOptions(forward bool) {
	d := &s.draft
	if d.Label == "" {
		d.Label = d.From.Name
	}
	if d.Label == "" {
		d.Label = d.Address
	}
	if len(d.Senders) == 0 {
		// A domain of one's own sends as a whole; at a public provider only the one address is the person's.
		d.Senders = []string{d.Address}
		if _, public := s.opts.Book.Domain(config.AddressDomain(d.Address)); !public {
			d.Senders = []string{strings.ToLower(config.AddressDomain(d.Address))}
		}
	}
	if forward && len(s.opts.Values) > 0 {
		s.takeOptions(slices.Concat(optionPages...)) // flags and answers fill the pages that nobody opens
	}
}

func (s *State) optionsScreen(v *Screen) {
	if s.page == 0 {
		v.Intro = []Words{M("wizard.options.intro")}
		v.Facts = s.optionFacts()
		v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.keep-all")}, {ID: ActEdit, Label: M("wizard.action.edit"), Key: 'e'}}
		return
	}
	v.Intro = []Words{M("wizard.options.page" + strconv.Itoa(s.page))}
	for _, id := range optionPages[s.page] {
		f := s.field(id, KindText, s.optionValue(id))
		if id == FieldDefault || id == FieldTestMode {
			f.Kind = KindConfirm
		}
		f.Optional = true
		v.Fields = append(v.Fields, f)
	}
	v.Actions = []Action{{ID: ActNext, Label: M("wizard.action.next")}}
}

func (s *State) optionFacts() []Fact {
	d := &s.draft
	fact := func(id FieldID) Fact {
		value := L(s.optionValue(id))
		switch {
		case s.optionValue(id) == "" || s.optionValue(id) == "0":
			value = M("wizard.options.none")
		case id == FieldDefault || id == FieldTestMode:
			value = M("wizard.confirm." + s.optionValue(id))
		}
		return Fact{Label: M("wizard.field." + string(id)), Value: value}
	}
	facts := []Fact{
		fact(FieldLabel), fact(FieldFromName), fact(FieldReplyTo), fact(FieldBCC), fact(FieldSenders), fact(FieldDefault),
		{Label: M("wizard.fact.limits"), Value: limitWords(d.Limits)}, fact(FieldTestMode),
	}
	if len(d.Kinds) > 0 {
		facts = append(facts, fact(FieldKindsOn), fact(FieldKindsOff))
	}
	return facts
}

func limitWords(l config.Limits) Words {
	switch {
	case l.PerHour > 0:
		return M("wizard.limits.hour", "n", l.PerHour)
	case l.PerDay > 0:
		return M("wizard.limits.day", "n", l.PerDay)
	case l.PerWeek > 0:
		return M("wizard.limits.week", "n", l.PerWeek)
	case l.Batch.Messages > 0:
		return M("wizard.limits.batch", "n", l.Batch.Messages, "seconds", strconv.FormatFloat(l.Batch.WaitSeconds, 'f', -1, 64))
	}
	return M("wizard.options.none")
}

// optionValue is an option as the draft holds it, in the form in which it is typed.
func (s *State) optionValue(id FieldID) string {
	d := &s.draft
	number := func(n int) string { return strconv.Itoa(n) }
	confirm := func(b bool) string {
		if b {
			return Yes
		}
		return No
	}
	switch id {
	case FieldLabel:
		return d.Label
	case FieldFromName:
		return d.From.Name
	case FieldReplyTo:
		return d.ReplyTo
	case FieldBCC:
		return strings.Join(d.BCC, ", ")
	case FieldSenders:
		return strings.Join(d.Senders, ", ")
	case FieldKindsOn:
		return s.kinds(true)
	case FieldKindsOff:
		return s.kinds(false)
	case FieldDefault:
		return confirm(d.Default)
	case FieldPerHour:
		return number(d.Limits.PerHour)
	case FieldPerDay:
		return number(d.Limits.PerDay)
	case FieldPerWeek:
		return number(d.Limits.PerWeek)
	case FieldRecipients:
		return number(d.Limits.RecipientsPerMessage)
	case FieldBatch:
		return number(d.Limits.Batch.Messages)
	case FieldWait:
		return strconv.FormatFloat(d.Limits.Batch.WaitSeconds, 'f', -1, 64)
	case FieldTestMode:
		return confirm(d.TestMode.Enabled)
	case FieldTestAddress:
		return d.TestMode.Address
	}
	return ""
}

func (s *State) kinds(on bool) string {
	var names []string
	for name, value := range s.draft.Kinds {
		if value == on {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (s *State) answerOptions(a Answer) {
	switch a.Action {
	case ActEdit:
		if s.page == 0 {
			s.page = 1
		}
	case ActNext:
		if !s.takeOptions(optionPages[s.page]) {
			return
		}
		if s.page > 0 && s.page+1 < len(optionPages) {
			s.page++
			return
		}
		if s.page == 0 && len(s.errors) == 0 && s.leftOver() {
			return
		}
		s.forward()
	}
}

// leftOver opens the page of an option that was given beforehand and is wrong.
func (s *State) leftOver() bool {
	for page, ids := range optionPages {
		for _, id := range ids {
			if _, typed := s.typed[id]; typed && !s.takeOptions(ids) {
				s.page = page
				return true
			}
		}
	}
	return false
}

// takeOptions takes the typed values of some fields into the draft; it reports false when one is wrong.
func (s *State) takeOptions(ids []FieldID) bool {
	for _, id := range ids {
		raw, typed := s.typed[id]
		if !typed {
			continue
		}
		if words := s.takeOption(id, strings.TrimSpace(raw)); !words.Empty() {
			s.errors[id] = words
			continue
		}
		s.take(id)
	}
	if slices.Contains(ids, FieldTestMode) && s.draft.TestMode.Enabled && s.draft.TestMode.Address == "" {
		s.errors[FieldTestAddress] = M("wizard.options.test-address")
	}
	return len(s.errors) == 0
}

func (s *State) takeOption(id FieldID, raw string) Words {
	d := &s.draft
	switch id {
	case FieldLabel:
		d.Label = raw
		return Words{Msg: config.ValidateText(raw)}
	case FieldFromName:
		d.From.Name = raw
		return Words{Msg: config.ValidateText(raw)}
	case FieldReplyTo:
		d.ReplyTo = raw
		if raw == "" {
			return Words{}
		}
		return Words{Msg: config.ValidateAddress(raw)}
	case FieldBCC:
		d.BCC = list(raw)
		for _, address := range d.BCC {
			if text := config.ValidateAddress(address); !text.Empty() {
				return Words{Msg: text}
			}
		}
	case FieldSenders:
		d.Senders = list(raw)
		for _, sender := range d.Senders {
			if text := config.ValidateSender(sender); !text.Empty() {
				return Words{Msg: text}
			}
		}
	case FieldKindsOn, FieldKindsOff:
		return s.takeKinds(id == FieldKindsOn, list(raw))
	case FieldDefault:
		d.Default = raw == Yes
	case FieldTestMode:
		d.TestMode.Enabled = raw == Yes
	case FieldTestAddress:
		d.TestMode.Address = raw
		if raw == "" {
			return Words{}
		}
		return Words{Msg: config.ValidateAddress(raw)}
	case FieldWait:
		wait, text := config.ParseWait(raw)
		if raw != "" && !text.Empty() {
			return Words{Msg: text}
		}
		d.Limits.Batch.WaitSeconds = wait
	default:
		return s.takeLimit(id, raw)
	}
	return Words{}
}

func (s *State) takeLimit(id FieldID, raw string) Words {
	l := &s.draft.Limits
	n, text := config.ParseLimit(raw)
	if raw != "" && !text.Empty() {
		return Words{Msg: text}
	}
	switch id {
	case FieldPerHour:
		l.PerHour = n
	case FieldPerDay:
		l.PerDay = n
	case FieldPerWeek:
		l.PerWeek = n
	case FieldRecipients:
		l.RecipientsPerMessage = n
	case FieldBatch:
		l.Batch.Messages = n
	}
	return Words{}
}

func (s *State) takeKinds(on bool, names []string) Words {
	kinds := map[string]bool{}
	for name, value := range s.draft.Kinds {
		if value != on {
			kinds[name] = value
		}
	}
	for _, name := range names {
		if text := config.ValidateName(name); !text.Empty() {
			return Words{Msg: text}
		}
		kinds[name] = on
	}
	s.draft.Kinds = kinds
	if len(kinds) == 0 {
		s.draft.Kinds = nil
	}
	return Words{}
}

func list(raw string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(raw, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' }) {
		if !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}
