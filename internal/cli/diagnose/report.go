package diagnose

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/portprobe"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/presets"
	"postier/tui/plain"
	"postier/wizard"
)

// ReportOptions are the flags and arguments of `postier report`.
type ReportOptions struct {
	Options
	Out    string
	Format string
	Mask   bool
}

// NewReport is `postier report`, the bundle for support: it is shown in full before it is written.
func NewReport(f *command.Factory, run command.Run[*ReportOptions]) *cobra.Command {
	o := &ReportOptions{Options: Options{Factory: f}}
	cmd := &cobra.Command{Use: "report [PROFILE | ADDRESS]", Short: f.T("diagnose.short.report"), Args: f.Args(0, 1)}
	o.Flags.bind(f, cmd)
	cmd.Flags().StringVar(&o.Out, "out", "", f.T("diagnose.flag.out"))
	cmd.Flags().StringVar(&o.Format, "format", string(report.Markdown), f.T("diagnose.flag.format"))
	cmd.Flags().BoolVar(&o.Mask, "mask", true, f.T("diagnose.flag.mask"))
	cmd.Flags().BoolVar(&o.Yes, "yes", false, f.T("diagnose.flag.yes"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.About = args
		if f.JSON && !cmd.Flags().Changed("format") {
			o.Format = string(report.JSONFile)
		}
		if text := command.OneOf(o.Format, report.Markdown, report.HTML, report.JSONFile); !text.Empty() {
			return command.Usage(f.Say(text))
		}
		return run.Or(runReport)(cmd.Context(), o)
	}
	return cmd
}

// ReportOf is the report of the home screen about a profile.
func ReportOf(ctx context.Context, f *command.Factory, name string) error {
	return runReport(ctx, &ReportOptions{
		Options: Options{Factory: f, About: []string{name}}, Format: string(report.Markdown), Mask: true,
	})
}

func runReport(ctx context.Context, o *ReportOptions) error {
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
	info.Steps = stepNumbers()
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
		mask = bundleMask(c.target)
	}
	bundle := report.NewBundle(info, results, system(o.Factory), c.bundleSettings(), mask)
	content, err := bundle.Render(report.Format(o.Format))
	switch {
	case errors.Is(err, report.ErrCanary):
		return o.Fault(exitcode.Failed, "diagnose.report.canary")
	case err != nil:
		return err
	}
	if bundle.Common(report.Format(o.Format)) {
		o.Note(o.T("diagnose.report.common"))
		if o.Interactive() && !o.Yes && o.Confirm(ctx, o.T("diagnose.report.hide")) {
			content = bundle.Hide(content, report.Format(o.Format))
		}
	}
	return o.handOut(ctx, content)
}

// handOut shows the report in full, and writes it when the user agrees, with --yes, or with --out when no one can be
// asked.
func (o *ReportOptions) handOut(ctx context.Context, content []byte) error {
	if _, err := o.Factory.Out.Write(content); err != nil {
		return command.Failure(exitcode.IO, safetext.Escape(err.Error()))
	}
	path := o.Out
	if path == "" && (o.Yes || o.Interactive()) {
		path = "postier-report." + o.Format
	}
	if path == "" {
		return nil
	}
	if o.Interactive() && !o.Yes && !o.Confirm(ctx, o.T("diagnose.report.write", "path", safetext.FromRemote(path))) {
		o.Note(o.T("diagnose.report.not-written"))
		return command.Quiet(exitcode.Interrupted)
	}
	if err := safefile.Write(path, content, safefile.Options{}); err != nil {
		return err
	}
	o.Note(o.T("diagnose.report.written", "path", safetext.FromRemote(path)))
	return nil
}

// stepNumbers are the wizard's steps in which an area is tested, by which support guides users over the phone.
func stepNumbers() map[string]int {
	return map[string]int{
		"smtp": wizard.StepSubmission.Number(), "imap": wizard.StepSent.Number(), "dns": wizard.StepDNS.Number(),
		"arrival": wizard.StepTest.Number(),
	}
}

func system(f *command.Factory) report.System {
	return report.System{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Terminal: f.Getenv("TERM"), Locale: string(f.Lang()),
		Interactive: f.Interactive(),
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

// bundleMask hides whose account it is. A provider's domain does not identify the user and stays.
func bundleMask(target account.Target) *report.Mask {
	var domains, words []string
	if _, isProvider := presets.Default().Get(target.Profile); !isProvider { // profiles are often named after the provider
		words = append(words, target.Profile)
	}
	addresses := []string{target.Address, target.From, target.Recipient, target.Submission.Username}
	if target.IMAP != nil && !strings.Contains(target.IMAP.Username, "@") {
		addresses = append(addresses, target.IMAP.Username)
	}
	for _, address := range addresses {
		if domain := config.AddressDomain(address); domain != "" {
			domains = append(domains, domain)
		} else if address != "" {
			words = append(words, address)
		}
	}
	return report.NewMask(domains, words, func(domain string) bool {
		_, known := presets.Lookup(domain)
		return known
	})
}
