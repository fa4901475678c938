package diagnose

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"postier/diagnostics"
	"postier/diagnostics/portprobe"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/home"
	"postier/wizard/worker"
)

// ReportOptions are the flags and arguments of `postier report`.
type ReportOptions struct {
	Options
	Out    string
	Format string
	Mask   bool
	// To is who gets the report by mail, when the person says yes.
	To string

	post Post
	// ask shows a page of the home screen and reports whether the person agreed; nil where lines are printed. said is
	// what became of the report.
	ask  Ask
	said wizard.Words
}

// Ask shows a page, and reports whether the person agreed.
type Ask func(context.Context, *home.Page) (bool, error)

// NewReport is `postier report`, the bundle for support: it is shown in full before it is written or sent.
func NewReport(f *command.Factory, post Post, run command.Run[*ReportOptions]) *cobra.Command {
	o := &ReportOptions{Options: Options{Factory: f}, post: post}
	cmd := &cobra.Command{Use: "report [PROFILE | ADDRESS]", Short: f.T("diagnose.short.report"), Args: f.Args(0, 1)}
	o.Flags.bind(f, cmd)
	cmd.Flags().StringVar(&o.Out, "out", "", f.T("diagnose.flag.out"))
	cmd.Flags().StringVar(&o.To, "to", "", f.T("diagnose.flag.to"))
	cmd.Flags().StringVar(&o.Format, "format", string(report.Markdown), f.T("diagnose.flag.format"))
	cmd.Flags().BoolVar(&o.Mask, "mask", true, f.T("diagnose.flag.mask"))
	cmd.Flags().BoolVar(&o.Yes, "yes", false, f.T("diagnose.flag.yes"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.About = args
		if f.JSON && !cmd.Flags().Changed("format") {
			o.Format = string(report.JSONFile)
		}
		if text := command.OneOf(o.Format, report.Formats()...); !text.Empty() {
			return command.Usage(f.Say(text))
		}
		return run.Or(runReport)(cmd.Context(), o)
	}
	return cmd
}

// ReportOf is the report of the home screen about a profile, and says what became of it. It is offered to the vendor's
// support.
func ReportOf(ctx context.Context, f *command.Factory, post Post, ask Ask, name string) (wizard.Words, error) {
	o := &ReportOptions{
		Options: Options{Factory: f, About: []string{name}}, Format: string(report.Markdown), Mask: true, post: post,
		ask: ask,
	}
	o.Out = o.file()
	if f.Vendor != nil {
		o.To = f.Vendor.Support.Email
	}
	err := runReport(ctx, o)
	return o.said, err
}

// file is the name of the report.
func (o *ReportOptions) file() string { return "postier-report." + o.Format }

func runReport(ctx context.Context, o *ReportOptions) error {
	if err := o.checkTo(); err != nil {
		return err
	}
	c, err := o.checkup(ctx)
	if err != nil {
		return err
	}
	plans, err := c.plans(&o.Options)
	if err != nil {
		return err
	}
	plans = choose(o.Only, plans)
	info := c.info()
	info.Width, info.Colour = 0, false // it becomes a file
	info.Steps = worker.StepNumbers()
	var observe func(diagnostics.Event)
	if plain.IsTerminal(o.Err) {
		o.Note(o.T("diagnose.report.checking"))
		view := newLiveView(o.Factory, true)
		observe = view.observe
		defer view.stop()
	}
	diagnostics.GuardLockout(nil, plans...)
	results := rootcause.Run(ctx, c.network, observe, plans...)
	info.Took = time.Since(info.Started)
	if ctx.Err() != nil {
		return command.Quiet(exitcode.Interrupted)
	}
	if o.Probe && len(portprobe.Suspicious(results)) > 0 {
		info.Ports = c.probeElsewhere(ctx, results)
	}
	var mask *report.Mask
	if o.Mask {
		mask = report.MaskOf(c.target)
	}
	bundle := report.NewBundle(info, results, o.System(), c.bundleSettings(), mask)
	content, err := bundle.Render(report.Format(o.Format))
	switch {
	case errors.Is(err, report.ErrCanary):
		return o.Fault(exitcode.Failed, "diagnose.report.canary")
	case err != nil:
		return err
	}
	if bundle.Common(report.Format(o.Format)) {
		o.Note(o.T("diagnose.report.common"))
		if o.hides(ctx) {
			content = bundle.Hide(content, report.Format(o.Format))
		}
	}
	err = o.handOut(ctx, content)
	if o.To == "" || ctx.Err() != nil || err != nil && !errors.Is(err, errDeclined) {
		return err
	}
	return o.mail(ctx, c.target, &bundle, results, content)
}

// hides reports whether a password that is a word of the report is replaced in postier's own sentences, too. Where
// no one can be asked, no report that leaves the machine holds it.
func (o *ReportOptions) hides(ctx context.Context) bool {
	if o.Yes || !o.Interactive() {
		if o.To != "" {
			o.Note(o.T("diagnose.report.hidden"))
		}
		return o.To != ""
	}
	return o.Confirm(ctx, o.T("diagnose.report.hide"))
}

// handOut shows the report in full, and writes it when the user agrees, with --yes, or with --out when no one can be
// asked. One that is sent is written with --out only. In a served session it can be copied from the screen, and the
// person has no files.
func (o *ReportOptions) handOut(ctx context.Context, content []byte) error {
	path := o.Out
	if path == "" && o.To == "" && (o.Yes || o.Interactive()) {
		path = o.file()
	}
	if o.Served != nil {
		path = ""
	}
	agreed, err := o.agreed(ctx, path, content)
	switch {
	case err != nil, path == "":
		return err
	case !agreed:
		o.tell(wizard.Msg("diagnose.report.not-written"))
		return errDeclined
	}
	if err := safefile.Write(path, content, safefile.Options{Alone: true}); err != nil {
		return err
	}
	o.tell(wizard.Msg("diagnose.report.written", "path", safetext.FromRemote(path)))
	return nil
}

// agreed shows the report, and asks whether it is to be written where someone can be asked.
func (o *ReportOptions) agreed(ctx context.Context, path string, content []byte) (bool, error) {
	if o.ask != nil {
		return o.ask(ctx, home.NewReport(path, content))
	}
	if _, err := o.Factory.Out.Write(content); err != nil {
		return false, command.Failure(exitcode.IO, safetext.Escape(err.Error()))
	}
	if path == "" || o.Yes || !o.Interactive() {
		return true, nil
	}
	return o.Agree(ctx, o.T("diagnose.report.write", "path", safetext.FromRemote(path))), nil
}

// tell says what became of the report.
func (o *ReportOptions) tell(words wizard.Words) {
	if o.said = words; o.ask == nil {
		o.Note(o.Say(words.Msg))
	}
}

// bundleSettings are those of the saved profile, nil without one: what was checked is in the report anyway.
func (c *checkup) bundleSettings() *report.Settings {
	if c.target.Profile == "" {
		return nil
	}
	_, p, err := c.Profile(c.target.Profile)
	if err != nil {
		return nil
	}
	return report.SettingsOf(p)
}
