package cli

import (
	"context"
	"errors"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/cli/profile"
	"postier/internal/cli/setup"
	"postier/internal/safetext"
	"postier/tui"
	"postier/wizard"
	"postier/wizard/carrier"
)

// runHome is `postier` without a command: the wizard while nothing is configured, the home screen afterwards. Where the
// screen cannot be drawn, it lists the profiles and says what to type next.
func runHome(ctx context.Context, f *command.Factory) error {
	path, found := f.ConfigPath()
	if !found {
		return setup.Run(ctx, &setup.Options{Factory: f})
	}
	if !f.Drawable() {
		if err := profile.List(ctx, f); err != nil {
			return err
		}
		f.Println(f.T("cli.home.hint"))
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
		choice, err := tui.Home(ctx, tui.HomeOptions{
			Items: homeItems(doc, statuses), Select: selected, Notice: notice, Queue: queueWords(f, statuses),
			Lang: f.Lang(), NoColor: f.Colourless(), Getenv: f.Getenv, In: f.In, Out: f.Out,
		})
		if err != nil {
			return err
		}
		f.LangFlag, selected = string(choice.Lang), choice.Profile
		if choice.Action == tui.HomeQuit {
			return nil
		}
		if notice, err = homeAction(ctx, f, doc, choice); err != nil {
			return err
		}
	}
}

// queueWords say that nothing sends the messages that wait.
func queueWords(f *command.Factory, statuses profile.Statuses) wizard.Words {
	if !statuses.Unkept {
		return wizard.Words{}
	}
	return wizard.Msg("sendcli.unkept", "command", f.Program()+" service install")
}

func homeItems(doc *config.Document, statuses profile.Statuses) []tui.HomeItem {
	var items []tui.HomeItem
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		item := tui.HomeItem{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Fallback: name == doc.File.Fallback, Enabled: p.Enabled,
		}
		if p.Validated != nil {
			item.Proven, item.Verdict, item.Changed = p.Validated.At, verdictOf(p.Validated.Checks), !p.Proven()
		}
		status := statuses.Profiles[name]
		item.Trouble, item.Traffic = status.Trouble(), status.Traffic()
		switch {
		case status.State == delivery.HealthOff && status.Cause != "":
			item.Next = wizard.Msg("cli.home.repair")
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
func homeAction(ctx context.Context, f *command.Factory, doc *config.Document, choice tui.HomeChoice) (wizard.Words,
	error,
) {
	var err error
	switch choice.Action {
	case tui.HomeAdd:
		err = setup.Run(ctx, &setup.Options{Factory: f})
	case tui.HomeEdit:
		err = setup.Run(ctx, &setup.Options{Factory: f, Edit: choice.Profile})
	case tui.HomeTest:
		return homeTest(ctx, f, choice.Profile)
	case tui.HomeDelete:
		err = profile.Remove(ctx, f, choice.Profile)
	case tui.HomeDefault:
		err = change(doc, doc.SetDefault(choice.Profile))
	case tui.HomeFallback:
		err = profile.SetFallback(ctx, f, doc, choice.Profile)
	case tui.HomeNoFallback:
		err = profile.SetFallback(ctx, f, doc, "")
	case tui.HomeEnable:
		err = profile.Enable(ctx, &profile.EnableOptions{Factory: f, Name: choice.Profile})
	case tui.HomeDisable:
		err = change(doc, doc.Disable(choice.Profile, "", time.Now()))
	}
	switch {
	case err == nil, errors.Is(err, carrier.ErrInterrupted):
		return wizard.Words{}, nil
	case ctx.Err() != nil:
		return wizard.Words{}, err
	}
	if text, ok := config.Describe(err); ok {
		return wizard.Literal(f.Say(text)), nil
	}
	return wizard.Remote(err.Error()), nil
}

func change(doc *config.Document, err error) error {
	if err != nil {
		return err
	}
	return doc.Save()
}

// homeTest checks a profile as `diagnose` does, and waits so that the user can read the lines.
func homeTest(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	err := diagnose.Run(ctx, diagnose.TestOf(ctx, f, name))
	var own *command.Error
	if err != nil && !errors.As(err, &own) {
		exit(f, err)
	}
	f.Println("")
	f.Println(f.T("cli.home.back"))
	if err := f.WaitForEnter(ctx); err != nil {
		return wizard.Words{}, err
	}
	if own != nil {
		return wizard.Msg("cli.home.test-failed", "name", safetext.FromRemote(name)), nil
	}
	return wizard.Msg("cli.home.test-passed", "name", safetext.FromRemote(name)), nil
}
