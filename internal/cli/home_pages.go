package cli

import (
	"context"
	"errors"
	"strings"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/cli/profile"
	"postier/internal/cli/send"
	"postier/internal/cli/service"
	"postier/internal/exitcode"
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

// testPage sends a test message and shows every check.
func testPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	_, p, err := f.Profile(name)
	if err != nil {
		return wizard.Words{}, err
	}
	page := home.NewTest(name, p)
	if agreed, err := ask(ctx, f, page); !agreed {
		return wizard.Words{}, err
	}
	return read(ctx, f, titled("home.test.title", name), func() error {
		return diagnose.Run(ctx, diagnose.TestOf(f, name, page.Values()[home.FieldRecipient]))
	}, func(err error) wizard.Notice { return tested(name, p.Enabled, err) })
}

// tested says what a test came to. The address of somebody else that was refused says nothing about the profile, and
// what passes sends nothing while the profile is switched off.
func tested(name string, enabled bool, err error) wizard.Notice {
	var failure *command.Error
	shown, cause := safetext.FromRemote(name), causeOf(err)
	switch {
	case err == nil && enabled:
		return wizard.Notice{Level: wizard.LevelGood, Text: wizard.Msg("cli.home.test-passed", "name", shown)}
	case err == nil:
		return wizard.Notice{Level: wizard.LevelWarn, Text: wizard.Msg("cli.home.test-off", "name", shown)}
	case errors.As(err, &failure) && failure.Recipient != "":
		refused := locale.Msg("cli.home.test-refused", "name", shown, "address", safetext.FromRemote(failure.Recipient))
		return wizard.Notice{Level: wizard.LevelWarn, Text: profile.WithCause(refused, cause)}
	case cause != "":
		found := locale.Msg("cli.home.test-found", "name", shown)
		return wizard.Notice{Level: wizard.LevelFail, Text: profile.WithCause(found, cause)}
	}
	return wizard.Notice{Level: wizard.LevelFail, Text: wizard.Msg("cli.home.test-failed", "name", shown)}
}

func titled(key, name string) wizard.Words { return wizard.Msg(key, "name", safetext.FromRemote(name)) }

// read runs a command, and waits until what it printed was read: on a page of its own that begins with the first line,
// or, where no screen can be drawn, until Enter. came says what the command came to; nil where its own words do. An
// error of the command is among them.
func read(ctx context.Context, f *command.Factory, title wizard.Words, run func() error,
	came func(error) wizard.Notice,
) (wizard.Words, error) {
	drawn := f.Drawable()
	printed := func() string { return "" }
	if drawn {
		printed = f.Keep()
	}
	err := run()
	if err != nil {
		exit(f, err)
	}
	text := printed()
	var notice wizard.Notice
	if came != nil {
		notice = came(err)
	}
	switch {
	case ctx.Err() != nil:
		return wizard.Words{}, ctx.Err()
	case drawn:
		_, err = ask(ctx, f, home.NewReading(title, notice, text))
		return notice.Text, err
	}
	f.Println("")
	f.Println(f.T("cli.home.back"))
	return notice.Text, f.WaitForEnter(ctx)
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
	return read(ctx, f, titled("home.log.title", name), func() error {
		return send.Resend(ctx, f, values[home.FieldMessage], values[home.FieldResend])
	}, nil)
}

// watchPage shows what the watch found, changes its settings, and checks the profile where the person says so.
func watchPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	page, err := send.WatchPage(ctx, f, name, sentenceOf(f))
	if err != nil {
		return wizard.Words{}, err
	}
	saved, err := ask(ctx, f, page)
	if saved && page.Tried() {
		return read(ctx, f, titled("home.watch.title", name), func() error { return send.WatchNow(ctx, f, name) }, nil)
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
		return read(ctx, f, wizard.Msg("home.queue.title"), func() error { return send.QueueNow(ctx, f) }, nil)
	case saved && page.Installs():
		return read(ctx, f, wizard.Msg("home.queue.install"), func() error { return service.Install(ctx, f) }, nil)
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
	return read(ctx, f, titled("home.export.title", name), func() error {
		return profile.Export(ctx, f, page.Values()[home.FieldFormat], name)
	}, nil)
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
		return read(ctx, f, titled("home.templates.title-one", template), func() error {
			return send.TryTemplate(ctx, f, name, template)
		}, nil)
	}
	return saidIf(saved, "home.templates.saved", "name", safetext.FromRemote(template)), err
}

// reportPage is the report for support: it is shown in full before it is written, or sent to the vendor's support.
func reportPage(ctx context.Context, f *command.Factory, name string) (wizard.Words, error) {
	post := send.Letter(f)
	if !f.Drawable() {
		return read(ctx, f, wizard.Words{}, func() error {
			_, err := diagnose.ReportOf(ctx, f, post, nil, name)
			return err
		}, nil)
	}
	var sent wizard.Words
	said, err := diagnose.ReportOf(ctx, f, func(ctx context.Context, l diagnose.Letter) error {
		printed := f.Keep()
		err := post(ctx, l)
		sent = wizard.Remote(strings.TrimSpace(printed()))
		return err
	}, func(ctx context.Context, page *home.Page) (bool, error) { return ask(ctx, f, page) }, name)
	switch {
	case ctx.Err() != nil:
		return wizard.Words{}, err
	case command.Code(err) == exitcode.Interrupted: // neither written nor sent
		err = nil
	case !sent.Empty():
		said = sent
	}
	return said, err
}
