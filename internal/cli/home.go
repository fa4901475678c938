package cli

import (
	"context"
	"errors"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/tui"
	"postier/wizard"
)

// home is `postier` alone: the wizard while nothing is configured, the home screen afterwards. Where nothing can be
// drawn it lists the profiles and what to type next.
func (a *app) home(ctx context.Context) error {
	path, found := a.configPath()
	if !found {
		return a.runSetup(ctx, &setupOptions{}, "", nil, &secretFlags{})
	}
	if !a.drawable() {
		if err := a.listProfiles(); err != nil {
			return err
		}
		a.println(a.T("cli.home.hint"))
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
			return a.runSetup(ctx, &setupOptions{}, "", nil, &secretFlags{})
		}
		choice, err := tui.Home(ctx, tui.HomeOptions{
			Items: homeItems(doc), Select: selected, Notice: notice, Lang: a.lang(), NoColor: a.colourless(), Getenv: a.getenv,
			In: a.in, Out: a.out,
		})
		if err != nil {
			return err
		}
		a.langFlag, selected = string(choice.Lang), choice.Profile
		if choice.Action == tui.HomeQuit {
			return nil
		}
		if notice, err = a.homeAction(ctx, doc, choice); err != nil {
			return err
		}
	}
}

func homeItems(doc *config.Document) []tui.HomeItem {
	var items []tui.HomeItem
	for _, name := range doc.File.Names() {
		p := doc.File.Profiles[name]
		item := tui.HomeItem{
			Name: name, Label: p.Label, Address: p.From.Address, Default: name == doc.File.Default,
			Enabled: p.Enabled,
		}
		if p.Validated != nil {
			item.Proven, item.Verdict, item.Changed = p.Validated.At, verdictOf(p.Validated.Checks), !p.Proven()
		}
		switch {
		case p.Disabled != nil:
			item.Next = wizard.M("cli.home.disabled", "cause", p.Disabled.Cause)
		case item.Proven.IsZero(), item.Changed:
			item.Next = wizard.M("cli.home.test")
		case item.Verdict != check.Pass:
			item.Next = wizard.M("cli.home.dns")
		}
		items = append(items, item)
	}
	return items
}

// verdictOf is the worst of the statuses that were proven.
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

// homeAction carries out what was chosen and says how it ended. Only the end of the whole program is an error.
func (a *app) homeAction(ctx context.Context, doc *config.Document, choice tui.HomeChoice) (wizard.Words, error) {
	var err error
	switch choice.Action {
	case tui.HomeAdd:
		err = a.runSetup(ctx, &setupOptions{}, "", nil, &secretFlags{})
	case tui.HomeEdit:
		err = a.runSetup(ctx, &setupOptions{edit: choice.Profile}, "", nil, &secretFlags{})
	case tui.HomeTest:
		return a.homeTest(ctx, choice.Profile)
	case tui.HomeDelete:
		err = a.removeProfile(ctx, choice.Profile)
	case tui.HomeDefault:
		err = change(doc, doc.SetDefault(choice.Profile))
	case tui.HomeEnable:
		err = a.enableProfile(ctx, choice.Profile, false)
	case tui.HomeDisable:
		err = change(doc, doc.Disable(choice.Profile, "", time.Now()))
	}
	switch {
	case err == nil, errors.Is(err, tui.ErrInterrupted):
		return wizard.Words{}, nil
	case ctx.Err() != nil:
		return wizard.Words{}, err
	}
	if text, ok := config.Describe(err); ok {
		return wizard.Words{Msg: text}, nil
	}
	return wizard.R(err.Error()), nil
}

func change(doc *config.Document, err error) error {
	if err != nil {
		return err
	}
	return doc.Save()
}

// homeTest checks a profile as `diagnose` does and waits, so that the lines can be read.
func (a *app) homeTest(ctx context.Context, name string) (wizard.Words, error) {
	err := a.runDiagnose(ctx, a.testOf(ctx, name), []string{name}, nil, &secretFlags{})
	var own *exitError
	if err != nil && !errors.As(err, &own) {
		a.exit(err)
	}
	a.println("")
	a.println(a.T("cli.home.back"))
	if err := a.waitForEnter(ctx); err != nil {
		return wizard.Words{}, err
	}
	if own != nil {
		return wizard.M("cli.home.test-failed", "name", safetext.FromRemote(name)), nil
	}
	return wizard.M("cli.home.test-passed", "name", safetext.FromRemote(name)), nil
}
