package plain

import (
	"context"
	"errors"
	"fmt"

	"postier/wizard"
)

// Stopped says at which step an unattended run stopped before it was complete, and why.
type Stopped struct {
	Step wizard.Step
	// Finding is the failed check, nil when a person would have been asked.
	Finding *wizard.Report
	// Question is true when a person would have been asked.
	Question bool
	// SignIn is true when the person would have been asked to sign in by browser.
	SignIn bool
	// Field is the field whose value was missing or invalid; empty for any other reason.
	Field wizard.FieldID
	// Err is why the configuration could not be written.
	Err error
	// Saved is true when the configuration was written despite the finding, because only someone else can fix it.
	Saved bool
}

func (s *Stopped) Error() string {
	if s.Finding != nil {
		return fmt.Sprintf("setup stopped at step %d (%s): %s", s.Step.Number(), s.Step, s.Finding.Cause)
	}
	if s.Err != nil {
		return fmt.Sprintf("setup stopped at step %d (%s): %v", s.Step.Number(), s.Step, s.Err)
	}
	return fmt.Sprintf("setup stopped at step %d (%s): a person would have been asked", s.Step.Number(), s.Step)
}

func (s *Stopped) Unwrap() error { return s.Err }

// Unattended goes through the steps without asking, prints each as plain lines and closes the conversation. The values
// given beforehand are the answers; it stops where only a person could answer.
func Unattended(ctx context.Context, o Options) error {
	d := newDialog(o)
	d.causes = true
	defer d.conversation.Close()
	// A run visits every step a few times at most. If it takes more rounds, an answer does not lead on.
	const most = 60
	for range most {
		if err := d.settle(ctx); err != nil {
			return err
		}
		v := d.conversation.Screen()
		d.screen(v, wizard.Screen{})
		action, stopped := unattendedAction(o.Conversation.State, v)
		if stopped != nil && stopped.SignIn && o.SignIn {
			action, stopped = wizard.ActSignIn, nil
		}
		if stopped != nil {
			return stopped
		}
		d.conversation.Answer(wizard.Answer{Action: action})
		if d.conversation.Ended() {
			d.drain(ctx)
			if step, finding := o.Conversation.Remaining(); finding != nil {
				return &Stopped{Step: step, Finding: finding, Saved: true}
			}
			return nil
		}
	}
	return &Stopped{Step: o.Conversation.Step(), Question: true}
}

// settle waits until the current step's own work is done.
func (d *dialog) settle(ctx context.Context) error {
	prompted := 0
	for d.conversation.Screen().Busy != nil {
		if v := d.conversation.Screen(); v.Busy.Countdown && v.Busy.Request != prompted {
			prompted = v.Busy.Request
			d.screen(v, wizard.Screen{}) // says what someone has to do in the browser
		}
		if err := d.conversation.Next(ctx); err != nil {
			return interrupted(err)
		}
	}
	return nil
}

// unattendedAction returns the action that goes on where no decision is needed, else why the run stops.
func unattendedAction(s wizard.State, v wizard.Screen) (wizard.ActionID, *Stopped) {
	stop := &Stopped{Step: v.Step, Question: true}
	for _, f := range v.Fields {
		if !f.Error.Empty() {
			stop.Field = f.ID
			return "", stop
		}
	}
	if v.Finding != nil && !s.Passed() {
		stop.Finding, stop.Question = v.Finding, false
		return "", stop
	}
	if err := s.SaveFailure(); err != nil {
		if stop.Err, stop.Question = err, false; errors.As(err, new(*wizard.NameTaken)) {
			stop.Field = wizard.FieldProfile
		}
		return "", stop
	}
	given := s.Given()
	has := map[wizard.ActionID]bool{}
	for _, a := range v.Actions {
		if a.Disabled.Empty() {
			has[a.ID] = true
		}
	}
	switch {
	case v.Step == wizard.StepAddress && has[wizard.ActKeep]:
		return wizard.ActKeep, nil
	case v.Step == wizard.StepProvider && given.Server && has[wizard.ActEdit]:
		return wizard.ActEdit, nil
	case v.Step == wizard.StepProvider && given.Server && has[wizard.ActManual] && !has[wizard.ActNext]:
		return wizard.ActManual, nil
	case v.Step == wizard.StepProvider && given.Provider && has[wizard.ActChoose] && len(v.Fields) == 0 && !s.Chosen():
		return wizard.ActChoose, nil
	case v.Step == wizard.StepCredential && has[wizard.ActKeep]:
		return wizard.ActKeep, nil // a secret from a file or command is used exactly as it is
	}
	if len(v.Actions) > 0 && v.Actions[0].Disabled.Empty() {
		switch v.Actions[0].ID {
		case wizard.ActNext, wizard.ActSave, wizard.ActQuit:
			return v.Actions[0].ID, nil
		case wizard.ActSignIn:
			stop.SignIn = true
		}
	}
	return "", stop
}
