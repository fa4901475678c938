package wizard

// Screen returns the description of the current step for a front end.
func (s State) Screen() Screen {
	step := s.draft.Step
	v := Screen{
		Step: step, Number: step.Number(), Title: Msg("wizard.title." + string(step)), Help: "wizard.help." + string(step),
		Notices: append([]Notice(nil), s.notices...), PassedOver: s.passedOver,
		First: step == StepAddress && !s.changing || (&s).editPage(),
	}
	logicOf(step).screen(&s, &v)
	s.addSupport(&v)
	return v
}

// Beforehand says which answers were given by flags or an answers file, before the conversation began.
type Beforehand struct {
	Server   bool // host of a server
	Provider bool
}

// Given returns which answers were given beforehand.
func (s State) Given() Beforehand {
	_, smtp := s.opts.Values[FieldSMTPHost]
	_, port := s.opts.Values[FieldSMTPPort]
	_, imap := s.opts.Values[FieldIMAPHost]
	_, provider := s.opts.Values[FieldProvider]
	return Beforehand{Server: smtp || port || imap, Provider: provider}
}

// Chosen reports whether the screen shows the provider that was given beforehand.
func (s State) Chosen() bool {
	wanted := s.opts.Values[FieldProvider]
	return len(s.draft.Candidates) == 1 && s.draft.Candidates[0].Provider == wanted
}
