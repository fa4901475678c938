package send

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/safetext"
	"postier/wizard"
	"postier/wizard/home"
)

// SuppressionPage is the home screen's page of the suppression list. say puts an error into words.
func SuppressionPage(ctx context.Context, f *command.Factory, say func(error) wizard.Words) (*home.Page, error) {
	var entries []home.Suppressed
	err := withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
		list, err := s.Suppressed(ctx)
		slices.SortStableFunc(list, func(a, b delivery.Entry) int { return b.Added.Compare(a.Added) })
		for _, e := range list {
			entries = append(entries, home.Suppressed{
				Pattern: e.Pattern, Reason: safetext.FromRemote(e.Reason), Proposed: e.Proposed,
			})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return home.NewSuppress(entries, suppressionList{ctx, f, say}), nil
}

// suppressionList writes what the page says.
type suppressionList struct {
	ctx context.Context
	f   *command.Factory
	say func(error) wizard.Words
}

func (l suppressionList) Suppress(pattern string) wizard.Words {
	return l.write(pattern, func(ctx context.Context, s *delivery.Store) error {
		return s.Suppress(ctx, delivery.Entry{Pattern: pattern})
	})
}

func (l suppressionList) Unsuppress(pattern string) wizard.Words {
	return l.write(pattern, func(ctx context.Context, s *delivery.Store) error { return s.Unsuppress(ctx, pattern) })
}

func (l suppressionList) write(pattern string, work func(context.Context, *delivery.Store) error) wizard.Words {
	err := withState(l.ctx, l.f, work, "value", safetext.FromRemote(pattern))
	if err == nil {
		return wizard.Words{}
	}
	return l.say(err)
}

// mostLogged is how many messages the page of the log shows; `postier log` has all.
const mostLogged = 200

// LogPage is the home screen's page of what a profile sent.
func LogPage(ctx context.Context, f *command.Factory, profile string) (*home.Page, error) {
	var messages []home.Sent
	enough := errors.New("enough")
	err := withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
		return s.Log(ctx, delivery.LogFilter{Profile: profile}, func(item *delivery.Item) error {
			messages = append(messages, sentOf(logLineOf(item)))
			if len(messages) == mostLogged {
				return enough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	return home.NewLog(profile, messages), nil
}

// sentOf is a message of the log in one line, and all that is known of it.
func sentOf(l logLine) home.Sent {
	var addresses []string
	for _, r := range l.Recipients {
		addresses = append(addresses, r.Address)
	}
	to := strings.Join(addresses, ", ")
	state := wizard.Msg("sendcli.queue.state-" + string(l.state))
	line := state
	line.Literal = l.Time.Local().Format(minute)
	line.Remote = safetext.FromRemote(strings.TrimSpace(to + "  " + l.Subject.Raw()))
	fact := func(label string, value wizard.Words) wizard.Fact {
		return wizard.Fact{Label: wizard.Msg("home.log." + label), Value: value}
	}
	facts := []wizard.Fact{
		fact("time", wizard.Literal(l.Time.Local().Format(clock))), fact("state", state),
		fact("subject", wizard.Words{Remote: l.Subject}), fact("from", wizard.Remote(l.From)),
	}
	for _, r := range l.Recipients {
		f := fact("recipient", wizard.Remote(r.Address))
		f.Detail = wizard.Msg("sendcli.queue.state-sent")
		if r.Result != delivery.ResultSent {
			f.Detail = wizard.Msg("sendcli.log.result-" + string(r.Result))
		}
		if r.Code != "" {
			f.Detail.Literal = "(" + r.Code + ")"
		}
		f.Detail.Remote = r.Reply
		facts = append(facts, f)
	}
	facts = append(facts, fact("copy", wizard.Msg("sendcli.log.copy-"+string(l.SentCopy))))
	if l.Instead != "" {
		facts = append(facts, fact("by", wizard.Remote(l.Profile)))
	}
	if !l.QueueID.Empty() {
		facts = append(facts, fact("queue-id", wizard.Words{Remote: l.QueueID}))
	}
	return home.Sent{ID: l.ID, Line: line, Facts: facts}
}

// Resend sends a message of the log again, to another address where one is given.
func Resend(ctx context.Context, f *command.Factory, id, to string) error {
	return runResend(ctx, &ResendOptions{Factory: f, ID: id, To: to})
}
