package cli

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
	"postier/internal/account"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/presets"
	"postier/tui/plain"
	"postier/wizard"
)

type reportOptions struct {
	diagnoseOptions
	out    string
	format string
	mask   bool
	yes    bool
}

// reportCommand is the bundle for support: it is shown in full before it is written.
func (a *app) reportCommand() *cobra.Command {
	o := &reportOptions{}
	cmd := &cobra.Command{Use: "report [PROFILE | ADDRESS]", Short: a.T("diagnose.short.report"), Args: a.args(0, 1)}
	a.diagnoseFlags(cmd, &o.diagnoseOptions)
	cmd.Flags().StringVar(&o.out, "out", "", a.T("diagnose.flag.out"))
	cmd.Flags().StringVar(&o.format, "format", string(report.Markdown), a.T("diagnose.flag.format"))
	cmd.Flags().BoolVar(&o.mask, "mask", true, a.T("diagnose.flag.mask"))
	cmd.Flags().BoolVar(&o.yes, "yes", false, a.T("diagnose.flag.yes"))
	values, secrets := a.settingFlags(cmd, checkFields), a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if a.json && !cmd.Flags().Changed("format") {
			o.format = string(report.JSONFile)
		}
		switch report.Format(o.format) {
		case report.Markdown, report.HTML, report.JSONFile:
		default:
			return usagef(a.T("cli.error.one-of", "value", safetext.FromRemote(o.format), "words", "md, html, json"))
		}
		return a.runReport(cmd.Context(), o, args, values.given(), secrets)
	}
	return cmd
}

func (a *app) runReport(ctx context.Context, o *reportOptions, args []string, values map[wizard.FieldID]string,
	secrets *secretFlags,
) error {
	network, target, err := a.diagnoseInput(ctx, &o.diagnoseOptions, args, values, secrets)
	if err != nil {
		return err
	}
	plans, err := a.diagnosePlans(&o.diagnoseOptions, network, target)
	if err != nil {
		return err
	}
	plans = chosen(o.only, plans)
	info := a.reportInfo(&o.diagnoseOptions, target)
	info.Steps = stepNumbers()
	var observe func(diagnostics.Event)
	if plain.IsTerminal(a.err) {
		a.note(a.T("diagnose.report.checking"))
		view := a.newStatusView(info, plans)
		observe = view.observe
		defer view.stop()
	}
	diagnostics.OneRefusal(nil, plans...)
	results := diagnostics.Run(ctx, observe, plans...)
	info.Took = time.Since(info.Started)
	if ctx.Err() != nil {
		return quiet(exitInterrupted)
	}
	if o.probe && len(portprobe.Suspicious(results)) > 0 {
		info.Ports = a.probeElsewhere(ctx, &o.diagnoseOptions, network, target, results)
	}
	settings, mask := a.bundleSettings(target), (*report.Mask)(nil)
	if o.mask {
		mask = bundleMask(target)
	}
	bundle := report.NewBundle(info, results, a.system(), settings, mask)
	content, err := bundle.Render(report.Format(o.format))
	switch {
	case errors.Is(err, report.ErrCanary):
		return &exitError{exitFailed, a.T("diagnose.report.canary")}
	case err != nil:
		return err
	}
	return a.handOut(ctx, o, content)
}

// handOut shows the report in full, and writes it when the person agrees, with --yes, or with --out where nobody can be
// asked.
func (a *app) handOut(ctx context.Context, o *reportOptions, content []byte) error {
	if _, err := a.out.Write(content); err != nil {
		return &exitError{exitIO, safetext.Escape(err.Error())}
	}
	path := o.out
	if path == "" && (o.yes || a.interactive()) {
		path = "postier-report." + o.format
	}
	if path == "" {
		return nil
	}
	if a.interactive() && !o.yes && !a.confirm(ctx, a.T("diagnose.report.write", "path", safetext.FromRemote(path))) {
		a.note(a.T("diagnose.report.not-written"))
		return quiet(exitInterrupted)
	}
	if err := safefile.Write(path, content, safefile.Options{}); err != nil {
		return err
	}
	a.note(a.T("diagnose.report.written", "path", safetext.FromRemote(path)))
	return nil
}

// stepNumbers are the wizard's steps in which an area is tested: what support says over the phone.
func stepNumbers() map[string]int {
	return map[string]int{
		"smtp": wizard.StepSubmission.Number(), "imap": wizard.StepSent.Number(), "dns": wizard.StepDNS.Number(),
		"arrival": wizard.StepTest.Number(),
	}
}

func (a *app) system() report.System {
	return report.System{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Terminal: a.getenv("TERM"), Locale: string(a.lang()),
		Interactive: a.interactive(),
	}
}

// bundleSettings are those of the saved profile; without one what was checked is in the report already.
func (a *app) bundleSettings(target account.Target) *report.Settings {
	if target.Profile == "" {
		return nil
	}
	doc, err := a.document()
	if err != nil {
		return nil
	}
	if _, p, err := a.profileNamed(doc, []string{target.Profile}); err == nil {
		return report.SettingsOf(p)
	}
	return nil
}

// bundleMask hides whose account it is. A provider's domain says nothing about the person and stays.
func bundleMask(target account.Target) *report.Mask {
	var domains []string
	var words []string
	if _, isProvider := presets.Default().Get(target.Profile); !isProvider { // profiles are often named after the provider
		words = append(words, target.Profile)
	}
	for _, address := range []string{target.Address, target.From, target.Recipient, target.Submission.Username} {
		if at := strings.LastIndexByte(address, '@'); at >= 0 {
			domains = append(domains, address[at+1:])
		} else if address != "" {
			words = append(words, address)
		}
	}
	for _, s := range []*config.Server{target.IMAP} {
		if s != nil && !strings.Contains(s.Username, "@") {
			words = append(words, s.Username)
		}
	}
	return report.NewMask(domains, words, func(domain string) bool {
		_, known := presets.Lookup(domain)
		return known
	})
}
