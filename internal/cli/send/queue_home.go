package send

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/internal/cli/command"
	"postier/wizard"
	"postier/wizard/home"
)

// mostQueued is how many waiting messages the page of the queue shows; `postier queue list` has all.
const mostQueued = 5

// QueuePage is the home screen's page of the queue. say puts an error into words.
func QueuePage(ctx context.Context, f *command.Factory, say func(error) wizard.Words) (*home.Page, error) {
	doc, err := f.Document()
	if err != nil {
		return nil, err
	}
	q := home.Queued{Mode: modeOf(&doc.File), Save: func(mode config.QueueMode) wizard.Words {
		if err := saveFile(f, func(file *config.File) { file.Queue.Mode = mode }); err != nil {
			return say(err)
		}
		return wizard.Words{}
	}}
	var waiting []wizard.Fact
	kept, next := false, time.Time{}
	enough := errors.New("enough")
	err = f.Peek(ctx, doc, func(ctx context.Context, store *delivery.Store) error {
		standings, err := store.Standings(ctx)
		if err != nil {
			return err
		}
		kept = standings.Kept
		for _, s := range standings.Profiles {
			if q.Waiting += s.Waiting; s.Waiting > 0 {
				next = sooner(s.Due, next)
			}
		}
		return store.Each(ctx, false, func(item *delivery.Item) error {
			if waiting = append(waiting, queuedFact(lineOf(item))); len(waiting) == mostQueued {
				return enough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, f.Sentence(err)
	}
	service := wizard.Msg("home.queue.service-off")
	if kept {
		service = wizard.Msg("home.queue.service-on")
	}
	q.Facts = []wizard.Fact{
		{Label: wizard.Msg("home.queue.waiting"), Value: wizard.Literal(strconv.Itoa(q.Waiting))},
		{Label: wizard.Msg("home.queue.service"), Value: service},
	}
	if kept && q.Waiting > 0 {
		at := wizard.Literal(latest(next, time.Now()).Local().Format(minute))
		q.Facts = append(q.Facts, wizard.Fact{Label: wizard.Msg("home.queue.next"), Value: at})
	}
	q.Facts = append(q.Facts, waiting...)
	q.Install = !kept && f.Served == nil
	if q.Install && q.Waiting > 0 {
		q.Notice = wizard.Msg("sendcli.unkept", "command", f.Program()+" service install")
	}
	return home.NewQueue(q), nil
}

// queuedFact is a message that waits: since when, for whom and why.
func queuedFact(l queueLine) wizard.Fact {
	fact := wizard.Fact{
		Label: wizard.Literal(l.Accepted.Local().Format(minute)), Value: wizard.Remote(strings.Join(l.To, ", ")),
	}
	if l.Cause != "" {
		fact.Detail = causeTitle(l.Cause)
	}
	return fact
}

// QueueNow tries everything that waits at once, and shows what still waits.
func QueueNow(ctx context.Context, f *command.Factory) error {
	err := withPost(ctx, f, func(p *post) error {
		var waiting []string
		err := p.queue.Store.Each(ctx, false, func(item *delivery.Item) error {
			waiting = append(waiting, item.ID)
			return nil
		})
		for _, id := range waiting {
			// One that has left since, or is being sent, needs no other try.
			if wrong := p.queue.Retry(ctx, id); !errors.Is(wrong, delivery.ErrNoItem) && !errors.Is(wrong, delivery.ErrBusy) {
				err = errors.Join(err, wrong)
			}
		}
		if err != nil {
			return err
		}
		return p.run(ctx, &QueueRunOptions{Factory: f})
	})
	if err != nil {
		return err
	}
	return runQueueList(ctx, &QueueListOptions{Factory: f})
}

// saveFile changes the configuration. Another process may save it in between: then the change is made to what that one
// wrote.
func saveFile(f *command.Factory, change func(*config.File)) error {
	const attempts = 3
	var err error
	for range attempts {
		var doc *config.Document
		if doc, err = f.Document(); err != nil {
			return err
		}
		change(&doc.File)
		if err = doc.Save(); !errors.As(err, new(*config.ChangedError)) {
			return err
		}
	}
	return err
}
