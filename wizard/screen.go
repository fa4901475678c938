package wizard

// Screen describes the current step.
func (s State) Screen() Screen {
	step := s.draft.Step
	v := Screen{
		Step: step, Number: step.Number(), Title: M("wizard.title." + string(step)), Help: "wizard.help." + string(step),
		Notices: append([]Notice(nil), s.notices...),
	}
	logicOf(step).screen(&s, &v)
	return v
}
