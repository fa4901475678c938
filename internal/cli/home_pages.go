package cli

import (
	"context"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/cli/profile"
	"postier/internal/cli/send"
	"postier/internal/cli/service"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/tui"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/home"
)

// homePage shows a page about a profile, does what the person asks for on it, and says how that ended.
type homePage func(ctx context.Context, f *command.Factory, name string) (wizard.Words, error)

// homePages are the pages of the home screen.
var homePages = map[home.Action]homePage{
	home.TestMode: optionPage(home.NewTestMode), home.Kinds: optionPage(home.NewKinds), home.Limits: limitsPage,
	home.Suppress: suppressPage, home.Test: testPage, home.Log: logPage, home.Watch: watchPage,
	home.Templates: templatesPage, home.Queue: queuePage, home.Export: exportPage,
	home.Report: reportPage,
}

// ask shows a page until it is over, and reports whether it ended with what it is for.
func ask(ctx context.Context, f *command.Factory, page *home.Page) (bool, error) {
	var lang locale.Lang
	var err error
	if f.Drawable() {
		lang, err = tui.Ask(ctx, tui.PageOptions{
			Page: page, Product: f.Product(), Lang: f.Lang(), NoColor: f.Colourless(), Getenv: f.Getenv, In: f.In, Out: f.Out,
			Served: f.Terminal(), Share: f.Sharing(),
		})
	} else {
		lang, err = plain.Ask(ctx, plain.PageOptions{
			Page: page, Product: f.Product(), Lang: f.Lang(), In: f.In, Out: f.Out, Share: f.Sharing(),
		})
	}
	f.LangFlag = string(lang)
	return page.Saved() && err == nil, err
}

// optionPage is a page of options, which no server knows.
func optionPage(make func(string, *config.Profile, home.Save) *home.Page) homePage {
	return func(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
		_, p, err := f.Profile(name)
		if err != nil {
			return wizard.Words{}, err
		}
		page := make(name, p, func(values map[wizard.FieldID]string) map[wizard.FieldID]wizard.Words {
			refused, err := profile.SetOptions(f, name, values)
			if err != nil {
				return map[wizard.FieldID]wizard.Words{"": sentenceOf(f)(err)}
			}
			return refused
		})
		saved, err := ask(ctx, f, page)
		return saidIf(saved, "home.saved", "name", safetext.FromRemote(name)), err
	}
}

// limitsPage is the page of the limits, which also sets the counters to zero.
func limitsPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	return optionPage(func(name string, p *config.Profile, save home.Save) *home.Page {
		return home.NewLimits(name, p, save, func() wizard.Words {
			if _, err := send.ResetLimits(ctx, f, name); err != nil {
				return sentenceOf(f)(err)
			}
			return wizard.Words{}
		})
	})(ctx, f, name)
}

func saidIf(done bool, key string, args ...any) wizard.Words {
	if !done {
		return wizard.Words{}
	}
	return wizard.Words{Msg: locale.Msg(key, args...)}
}

func suppressPage(ctx context.Context, f *command.Factory, _ string) (wizard.Words, error) {
	page, err := send.SuppressionPage(ctx, f, sentenceOf(f))
	if err != nil {
		return wizard.Words{}, err
	}
	saved, err := ask(ctx, f, page)
	return saidIf(saved, "home.suppress.saved"), err
}

// testPage sends a test message and shows every check, and waits so that the user can read the lines.
func testPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	_, p, err := f.Profile(name)
	if err != nil {
		return wizard.Words{}, err
	}
	page := home.NewTest(name, p)
	if agreed, err := ask(ctx, f, page); !agreed {
		return wizard.Words{}, err
	}
	tested := diagnose.Run(ctx, diagnose.TestOf(f, name, page.Values()[home.FieldRecipient]))
	failed, err := read(ctx, f, tested)
	switch {
	case err != nil:
		return wizard.Words{}, err
	case failed && causeOf(tested) != "":
		said := locale.Msg("cli.home.test-found", "name", safetext.FromRemote(name))
		return profile.WithCause(said, causeOf(tested)), nil
	case failed:
		return wizard.Msg("cli.home.test-failed", "name", safetext.FromRemote(name)), nil
	}
	return wizard.Msg("cli.home.test-passed", "name", safetext.FromRemote(name)), nil
}

// read waits until what a command printed was read. failed is true when it ended with an error, which is printed too.
func read(ctx context.Context, f *command.Factory, err error) (failed bool, ended error) {
	if err != nil {
		exit(f, err)
	}
	f.Println("")
	f.Println(f.T("cli.home.back"))
	return err != nil, f.WaitForEnter(ctx)
}

func logPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	page, err := send.LogPage(ctx, f, name)
	if err != nil {
		return wizard.Words{}, err
	}
	if agreed, err := ask(ctx, f, page); !agreed {
		return wizard.Words{}, err
	}
	values := page.Values()
	_, err = read(ctx, f, send.Resend(ctx, f, values[home.FieldMessage], values[home.FieldResend]))
	return wizard.Words{}, err
}

// watchPage shows what the watch found, changes its settings, and checks the profile where the person says so.
func watchPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	page, err := send.WatchPage(ctx, f, name, sentenceOf(f))
	if err != nil {
		return wizard.Words{}, err
	}
	saved, err := ask(ctx, f, page)
	if saved && page.Tried() {
		_, err = read(ctx, f, send.WatchNow(ctx, f, name))
		return wizard.Words{}, err
	}
	return saidIf(saved, "home.watch.saved"), err
}

// queuePage shows what waits, and sends it or installs the service where the person says so.
func queuePage(ctx context.Context, f *command.Factory, _ string) (wizard.Words, error) {
	page, err := send.QueuePage(ctx, f, sentenceOf(f))
	if err != nil {
		return wizard.Words{}, err
	}
	saved, err := ask(ctx, f, page)
	switch {
	case saved && page.Tried():
		_, err = read(ctx, f, send.QueueNow(ctx, f))
		return wizard.Words{}, err
	case saved && page.Installs():
		_, err = read(ctx, f, service.Install(ctx, f))
		return wizard.Words{}, err
	}
	return saidIf(saved, "home.queue.saved"), err
}

// exportPage shows a profile as the configuration of another program.
func exportPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	if f.Served != nil {
		return wizard.Msg("home.export.served"), nil
	}
	page := home.NewExport(name, profile.ExportChoices())
	if agreed, err := ask(ctx, f, page); !agreed {
		return wizard.Words{}, err
	}
	_, err := read(ctx, f, profile.Export(ctx, f, page.Values()[home.FieldFormat], name))
	return wizard.Words{}, err
}

// templatesPage changes the header of a template, and sends a test with it where the person says so.
func templatesPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	page, err := send.TemplatesPage(f, sentenceOf(f))
	if err != nil {
		return wizard.Words{}, err
	}
	saved, err := ask(ctx, f, page)
	template := page.Values()[home.FieldTemplate]
	if saved && err == nil && page.Tried() {
		_, err = read(ctx, f, send.TryTemplate(ctx, f, name, template))
		return wizard.Words{}, err
	}
	return saidIf(saved, "home.templates.saved", "name", safetext.FromRemote(template)), err
}

// reportPage is the report for support: it is shown in full before it is written, or sent to the vendor's support.
func reportPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	_, err := read(ctx, f, diagnose.ReportOf(ctx, f, send.Letter(f), name))
	return wizard.Words{}, err
}
