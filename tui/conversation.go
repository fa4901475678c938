package tui

import "postier/wizard"

// conversation is what the screens need of a wizard. Tests talk to one of their own.
type conversation interface {
	Screen() wizard.Screen
	Answer(wizard.Answer) (conversation, []wizard.Request)
	Tell(wizard.Outcome) (conversation, []wizard.Request)
	Ended() bool
}

// state is the real wizard as a conversation.
type state struct{ wizard.State }

func (s state) Answer(a wizard.Answer) (conversation, []wizard.Request) {
	next, requests := s.State.Answer(a)
	return state{next}, requests
}

func (s state) Tell(o wizard.Outcome) (conversation, []wizard.Request) {
	next, requests := s.State.Tell(o)
	return state{next}, requests
}
