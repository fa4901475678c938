package wizard

// reportAction writes the state of a failed step for support (M-11). A rehearsal keeps nothing.
func (s *State) reportAction() Action {
	if s.opts.Rehearsal {
		return Action{}
	}
	return Action{ID: ActReport, Label: Msg("wizard.action.report"), Key: 'p'}
}

// askReport asks for the report, once at a time.
func (s *State) askReport() {
	if s.finding() != nil && s.work[DoReport].id == 0 && !s.opts.Rehearsal {
		s.ask(DoReport, nil)
	}
}

// takeReport says where the report is, and what to do with it.
func (s *State) takeReport(o Outcome) {
	if !o.Err.Empty() {
		s.notices = []Notice{{LevelFail, o.Err}}
		return
	}
	s.notices = []Notice{{LevelInfo, Msg("wizard.report.saved", "path", o.File)}}
}
