package wizard

import (
	"slices"
	"strconv"
	"strings"

	"postier/config"
)

// optionPages are the pages of fields that follow the summary.
var optionPages = [][]FieldID{
	nil,
	{FieldLabel, FieldFromName, FieldReplyTo, FieldBCC},
	{FieldSenders, FieldKindsOn, FieldKindsOff, FieldDefault, FieldFallback},
	{FieldPerHour, FieldPerDay, FieldPerWeek, FieldRecipients, FieldBatch, FieldWait},
	{FieldTestMode, FieldTestAddress},
}

func (s *State) enterOptions(forward bool) {
	d := &s.draft
	// an empty option of a saved profile was left empty on purpose
	asSaved := len(d.Candidates) > 0 && d.Candidates[0].Origin == originSaved
	if d.Label == "" && !asSaved {
		if d.Label = d.From.Name; d.Label == "" {
			d.Label = d.Address
		}
	}
	if len(d.Senders) == 0 && !asSaved {
		// The owner of a domain may send from all of its addresses, the customer of a public provider from one.
		d.Senders = []string{d.From.Address}
		if _, public := s.opts.Book.Domain(config.AddressDomain(d.From.Address)); !public {
			d.Senders = []string{strings.ToLower(config.AddressDomain(d.From.Address))}
		}
	}
	if forward && len(s.opts.Values) > 0 {
		s.takeOptions(slices.Concat(optionPages...)) // flags and answers also fill the pages that are not opened
	}
}

func (s *State) optionsScreen(v *Screen) {
	if s.page == 0 {
		v.Intro = []Words{Msg("wizard.options.intro")}
		v.Facts = s.optionFacts()
		v.Actions = []Action{
			{ID: ActNext, Label: Msg("wizard.action.keep-all")},
			{ID: ActEdit, Label: Msg("wizard.action.edit"), Key: 'e'},
		}
		return
	}
	v.Intro = []Words{Msg("wizard.options.page." + strconv.Itoa(s.page))}
	for _, id := range optionPages[s.page] {
		if id == FieldFallback && !s.hasOthers() {
			continue
		}
		f := s.field(id, KindText, s.optionValue(id))
		if isSwitch(id) {
			f.Kind = KindConfirm
		}
		f.Optional = true
		v.Fields = append(v.Fields, f)
	}
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}}
}

// isSwitch reports whether an option is on or off.
func isSwitch(id FieldID) bool {
	return id == FieldDefault || id == FieldFallback || id == FieldTestMode
}

// hasOthers reports whether there is another profile for which this one can take over.
func (s *State) hasOthers() bool {
	return slices.ContainsFunc(s.opts.Names, func(name string) bool { return name != s.draft.Profile })
}

// optionPageOf returns the page on which an option is changed.
func optionPageOf(id FieldID) int {
	return max(0, slices.IndexFunc(optionPages, func(ids []FieldID) bool { return slices.Contains(ids, id) }))
}

func (s *State) optionFacts() []Fact {
	d := &s.draft
	fact := func(id FieldID) Fact {
		value := Literal(s.optionValue(id))
		switch {
		case s.optionValue(id) == "" || s.optionValue(id) == "0":
			value = Msg("wizard.options.none")
		case isSwitch(id):
			value = Msg("wizard.confirm." + s.optionValue(id))
		}
		return Fact{Label: Msg("wizard.field." + string(id)), Value: value, Change: place(StepOptions, id)}
	}
	facts := []Fact{
		fact(FieldLabel), fact(FieldFromName), fact(FieldReplyTo), fact(FieldBCC), fact(FieldSenders), fact(FieldDefault),
	}
	if s.hasOthers() {
		facts = append(facts, fact(FieldFallback))
	}
	facts = append(append(facts, limitFacts(d.Limits)...), fact(FieldTestMode))
	if len(d.Kinds) > 0 || s.editPage() {
		facts = append(facts, fact(FieldKindsOn), fact(FieldKindsOff))
	}
	return facts
}

// limitField is the field of each limit.
var limitField = map[string]FieldID{
	"hour": FieldPerHour, "day": FieldPerDay, "week": FieldPerWeek, "recipients": FieldRecipients, "batch": FieldBatch,
}

// limitFacts returns a fact for every limit that is set (P-4, C-6).
func limitFacts(l config.Limits) []Fact {
	var facts []Fact
	add := func(n int, key string, args ...any) {
		if n > 0 {
			facts = append(facts, Fact{
				Label: Msg("wizard.fact.limits"),
				Value: Msg("wizard.limits."+key, append(args, "n", n)...), Change: place(StepOptions, limitField[key]),
			})
		}
	}
	add(l.PerHour, "hour")
	add(l.PerDay, "day")
	add(l.PerWeek, "week")
	add(l.RecipientsPerMessage, "recipients")
	add(l.Batch.Messages, "batch", "seconds", strconv.FormatFloat(l.Batch.WaitSeconds, 'f', -1, 64))
	if len(facts) == 0 {
		facts = []Fact{{
			Label: Msg("wizard.fact.limits"), Value: Msg("wizard.limits.none"), Change: place(StepOptions, FieldPerHour),
		}}
	}
	return facts
}

// optionValue returns an option of the draft in the form in which it is typed.
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
	case FieldFallback:
		return confirm(d.Fallback)
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
		if s.page > 0 && s.wanted != "" && !s.changing {
			s.page, s.wanted = 0, "" // one row of the summary was changed
			return
		}
		if s.page > 0 && s.page+1 < len(optionPages) && s.wanted == "" {
			s.page++
			return
		}
		if s.page == 0 && len(s.errors) == 0 && s.openWrongOption() {
			return
		}
		s.forward()
	}
}

// openWrongOption opens the page of an option that was given beforehand and is invalid.
func (s *State) openWrongOption() bool {
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

// takeOptions puts the typed values of some fields into the draft. It reports false when one is invalid; the draft then
// keeps its value.
func (s *State) takeOptions(ids []FieldID) bool {
	for _, id := range ids {
		raw, typed := s.typed[id]
		if !typed || id == FieldTestMode || id == FieldTestAddress || id == FieldKindsOn || id == FieldKindsOff {
			continue
		}
		if words := s.takeOption(id, strings.TrimSpace(raw)); !words.Empty() {
			s.errors[id] = words
			continue
		}
		s.clearTyped(id)
	}
	if slices.Contains(ids, FieldTestMode) {
		s.takeTestMode()
	}
	if slices.Contains(ids, FieldKindsOn) {
		s.takeKinds()
	}
	return len(s.errors) == 0
}

// takeOption puts a valid value into the draft.
func (s *State) takeOption(id FieldID, raw string) Words {
	if text := config.ValidateSetting(string(id), raw); !text.Empty() {
		return Words{Msg: text}
	}
	d := &s.draft
	switch id {
	case FieldLabel:
		d.Label = raw
	case FieldFromName:
		d.From.Name = raw
	case FieldReplyTo:
		d.ReplyTo = raw
	case FieldBCC:
		d.BCC = config.ParseList(raw)
	case FieldSenders:
		d.Senders = config.ParseList(raw)
	case FieldDefault, FieldFallback:
		if raw != Yes && raw != No {
			return Msg("wizard.options.yes-no")
		}
		if id == FieldDefault {
			d.Default = raw == Yes
		} else {
			d.Fallback = raw == Yes
		}
	case FieldWait:
		d.Limits.Batch.WaitSeconds, _ = config.ParseWait(raw)
	default:
		s.takeLimit(id, raw)
	}
	return Words{}
}

// takeTestMode takes the switch and the address together: test mode without an address would send to no address (P-5).
func (s *State) takeTestMode() {
	current := &s.draft.TestMode
	on := s.value(FieldTestMode, s.optionValue(FieldTestMode))
	address := strings.TrimSpace(s.value(FieldTestAddress, current.Address))
	if on != Yes && on != No {
		s.errors[FieldTestMode] = Msg("wizard.options.yes-no")
	}
	if s.judge(FieldTestAddress, address) && on == Yes && address == "" {
		s.errors[FieldTestAddress] = Msg("wizard.options.test-address")
	}
	if s.errors[FieldTestMode].Empty() && s.errors[FieldTestAddress].Empty() {
		*current = config.TestMode{Enabled: on == Yes, Address: address}
		s.clearTyped(FieldTestMode, FieldTestAddress)
	}
}

func (s *State) takeLimit(id FieldID, raw string) {
	l := &s.draft.Limits
	n, _ := config.ParseLimit(raw)
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
}

// takeKinds takes both lists of message kinds together: a kind is on or off, never both (D-4).
func (s *State) takeKinds() {
	kinds := map[string]bool{}
	for _, id := range []FieldID{FieldKindsOn, FieldKindsOff} {
		names := s.value(id, s.optionValue(id))
		if !s.judge(id, names) {
			return
		}
		for _, name := range config.ParseList(names) {
			if on, known := kinds[name]; known && on != (id == FieldKindsOn) {
				s.errors[id] = Msg("wizard.options.kind-twice", "kind", name)
				return
			}
			kinds[name] = id == FieldKindsOn
		}
	}
	if len(kinds) == 0 {
		kinds = nil
	}
	s.draft.Kinds = kinds
	s.clearTyped(FieldKindsOn, FieldKindsOff)
}
