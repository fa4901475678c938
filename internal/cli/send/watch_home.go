package send

import (
	"context"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
	"postier/watch"
	"postier/wizard"
	"postier/wizard/home"
)

// WatchPage is the home screen's page of the watch. say puts an error into words.
func WatchPage(ctx context.Context, f *command.Factory, name string, say func(error) wizard.Words) (*home.Page, error) {
	doc, _, err := f.Profile(name)
	if err != nil {
		return nil, err
	}
	state, err := watchStateOf(ctx, f, doc, name)
	if err != nil {
		return nil, f.Sentence(err)
	}
	w := home.Watching{
		Facts: watchFacts(state.Profiles[0]), Settings: doc.File.Watch,
		// In a served session a program would run on the server, which is not the person's.
		Programs: f.Served == nil,
		Save: func(settings config.Watch) wizard.Words {
			if err := saveFile(f, func(file *config.File) { file.Watch = settings }); err != nil {
				return say(err)
			}
			return wizard.Words{}
		},
	}
	if !state.Service && f.Served == nil {
		w.Notice = wizard.Msg("watch.set.unkept", "command", f.Program()+" service install")
	}
	return home.NewWatch(name, w), nil
}

// watchFacts are what is known of a profile.
func watchFacts(w watchedProfile) []wizard.Fact {
	list := []wizard.Fact{{Label: wizard.Msg("home.watch.state"), Value: wizard.Words{Msg: w.standing()}}}
	if w.Checked != nil {
		list = append(list, wizard.Fact{
			Label: wizard.Msg("home.watch.checked"), Value: wizard.Literal(w.Checked.Local().Format(minute)),
		})
	}
	if w.Next != nil {
		list = append(list, wizard.Fact{
			Label: wizard.Msg("home.watch.next"), Value: wizard.Literal(w.Next.Local().Format(minute)),
		})
	}
	for _, s := range w.Stopped {
		fact := wizard.Fact{Label: checkName(s.Check), Value: causeTitle(s.Cause)}
		fact.Detail = wizard.Msg("watch.since", "since", s.Since.Local().Format(minute))
		list = append(list, fact)
	}
	for _, n := range w.Untold {
		key := "home.watch.untold"
		if n.Result == watch.SentRefused {
			key = "home.watch.refused"
		}
		list = append(list, wizard.Fact{Label: wizard.Msg(key), Value: wizard.Remote(n.To)})
	}
	return list
}

// checkName is the name of a check in every language.
func checkName(id check.ID) wizard.Words {
	return inEveryLanguage(func(lang locale.Lang) string { return report.Name(lang, id) })
}

// causeTitle is a cause with its code.
func causeTitle(cause check.Cause) wizard.Words {
	info, known := explain.Cause(cause)
	if !known {
		return wizard.Words{Remote: safetext.FromRemote(string(cause))}
	}
	words := inEveryLanguage(info.Title)
	words.Literal = "(" + info.Code + ")"
	return words
}

func inEveryLanguage(say func(locale.Lang) string) wizard.Words {
	text := presets.Text{}
	for _, lang := range locale.All() {
		text[lang] = say(lang)
	}
	return wizard.Translated(text)
}

// WatchNow checks a profile at once, and prints what it found.
func WatchNow(ctx context.Context, f *command.Factory, name string) error {
	return runWatch(ctx, &WatchOptions{Factory: f, Names: []string{name}, Once: true})
}
