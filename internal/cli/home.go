package cli

import (
	"context"
	"errors"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/cli/profile"
	"postier/internal/cli/setup"
	"postier/tui"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
	"postier/wizard/worker"
)

// runHome is `postier` without a command: the wizard while nothing is configured, the home screen afterwards. Where the
// screen cannot be drawn, its plain lines have the same; where nobody answers, it lists the profiles and says what to
// type next.
func runHome(ctx context.Context, f *command.Factory) error {
	path, found := f.ConfigPath()
	if !found {
		return setup.Run(ctx, &setup.Options{Factory: f})
	}
	if !f.Interactive() {
		if err := profile.List(ctx, f); err != nil {
			return err
		}
		if !f.JSON {
			f.Println(f.T("cli.home.hint"))
		}
		return nil
	}
	var notice wizard.Words
	selected := ""
	for {
		doc, err := config.Load(path)
		if err != nil {
			return err
		}
		if len(doc.File.Profiles) == 0 {
			return setup.Run(ctx, &setup.Options{Factory: f})
		}
		statuses, err := profile.StatusesOf(ctx, f, doc)
		if err != nil && notice.Empty() {
			notice = wizard.Remote(f.Sentence(err).Error())
		}
		choice, err := showHome(ctx, f, tui.HomeOptions{
			Items: homeItems(f, doc, statuses), Select: selected, Notice: notice, Queue: queueWords(f, statuses),
			Lang: f.Lang(), Product: f.Product(), NoColor: f.Colourless(), Getenv: f.Getenv, In: f.In, Out: f.Out,
			Served: f.Terminal(), Share: f.Sharing(),
		})
		if err != nil {
			return err
		}
		f.LangFlag, selected = string(choice.Lang), choice.Profile
		if choice.Action == home.Quit {
			return nil
		}
		if notice, err = homeAction(ctx, f, doc, choice); err != nil {
			return err
		}
	}
}

// showHome draws the home screen, or prints it where the terminal cannot be drawn on.
func showHome(ctx context.Context, f *command.Factory, o tui.HomeOptions) (home.Choice, error) {
	if f.Drawable() {
		return tui.Home(ctx, o)
	}
	return plain.Home(ctx, plain.HomeOptions{
		Items: o.Items, Select: o.Select, Notice: o.Notice, Queue: o.Queue, Lang: o.Lang, Product: o.Product, In: o.In,
		Out: o.Out, Share: o.Share,
	})
}

// queueWords say that nothing sends the messages that wait.
func queueWords(f *command.Factory, statuses profile.Statuses) wizard.Words {
	if !statuses.Unkept || f.Served != nil { // the person cannot install anything here
		return wizard.Words{}
	}
	return wizard.Msg("sendcli.unkept", "command", f.Program()+" service install")
}

func homeItems(f *command.Factory, doc *config.Document, statuses profile.Statuses) []home.Item {
	var items []home.Item
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		item := home.Item{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Fallback: name == doc.File.Fallback, Platform: f.IsPlatform(name, p), Enabled: p.Enabled,
			TestMode: p.TestMode.Enabled,
		}
		if p.Validated != nil {
			item.Proven, item.Verdict, item.Changed = p.Validated.At, verdictOf(p.Validated.Checks), !p.Proven()
		}
		status := statuses.Profiles[name]
		item.Trouble, item.Traffic = status.Trouble(), status.Traffic()
		item.Fixable = !item.Platform && !item.Trouble.Empty() && worker.FixOf(status.Cause).Step != ""
		switch {
		case item.Platform: // the vendor sees to it
		case item.Fixable:
			item.Next = wizard.Msg("cli.home.repair")
		case status.State == delivery.HealthOff && status.Cause != "":
			item.Next = wizard.Msg("cli.home.enable")
		case status.State == delivery.HealthFailing, item.Proven.IsZero(), item.Changed:
			item.Next = wizard.Msg("cli.home.test")
		case item.Verdict != check.Pass:
			item.Next = wizard.Msg("cli.home.dns")
		}
		items = append(items, item)
	}
	return items
}

// verdictOf is the worst status of a proof.
func verdictOf(checks map[check.ID]check.Status) check.Status {
	verdict := check.Pass
	for _, status := range checks {
		switch {
		case status == check.Fail:
			return check.Fail
		case status == check.Warn:
			verdict = check.Warn
		}
	}
	return verdict
}

// homeAction carries out the choice and returns what to say about it. An error ends the program.
func homeAction(ctx context.Context, f *command.Factory, doc *config.Document, choice home.Choice) (wizard.Words,
	error,
) {
	if choice.Action.Changes() {
		if err := f.Own(choice.Profile, doc.File.Profiles[choice.Profile]); err != nil {
			return sentenceOf(f)(err), nil
		}
	}
	if page := homePages[choice.Action]; page != nil {
		words, err := page(ctx, f, choice.Profile)
		return homeOutcome(ctx, f, words, err)
	}
	var err error
	switch choice.Action {
	case home.Add:
		err = setup.Run(ctx, &setup.Options{Factory: f, New: true})
	case home.Edit:
		err = setup.Run(ctx, &setup.Options{Factory: f, Edit: choice.Profile})
	case home.Fix:
		err = fix(ctx, f, doc, choice.Profile)
	case home.Delete:
		err = profile.Remove(ctx, f, choice.Profile)
	case home.Default:
		err = change(doc, doc.SetDefault(choice.Profile))
	case home.MakeFallback:
		err = profile.SetFallback(ctx, f, doc, choice.Profile)
	case home.NoFallback:
		err = profile.SetFallback(ctx, f, doc, "")
	case home.Enable:
		err = profile.Enable(ctx, &profile.EnableOptions{Factory: f, Name: choice.Profile})
	case home.Disable:
		err = change(doc, doc.Disable(choice.Profile, "", time.Now()))
	}
	return homeOutcome(ctx, f, wizard.Words{}, err)
}

// homeOutcome says how an action ended. An error of one is shown on the home screen; the end of the run is none.
func homeOutcome(ctx context.Context, f *command.Factory, said wizard.Words, err error) (wizard.Words, error) {
	switch {
	case err == nil, errors.Is(err, carrier.ErrInterrupted):
		return said, nil
	case ctx.Err() != nil:
		return wizard.Words{}, err
	}
	return sentenceOf(f)(err), nil
}

// sentenceOf puts an error into words for a screen.
func sentenceOf(f *command.Factory) func(error) wizard.Words {
	return func(err error) wizard.Words {
		err = f.Sentence(err)
		if text, ok := config.Describe(err); ok {
			said := wizard.Words{Msg: text}
			if code := explain.Code(causeOf(err)); code != "" {
				said.Literal = "(" + code + ")"
			}
			return said
		}
		return wizard.Remote(words(f, err))
	}
}

// fix opens the wizard at the field that the trouble is about (M-5).
func fix(ctx context.Context, f *command.Factory, doc *config.Document, name string) error {
	statuses, err := profile.StatusesOf(ctx, f, doc)
	if err != nil {
		return err
	}
	return setup.Run(ctx, &setup.Options{Factory: f, Edit: name, Fix: statuses.Profiles[name].Cause})
}

func change(doc *config.Document, err error) error {
	if err != nil {
		return err
	}
	return doc.Save()
}
