// Package diagnose holds the commands that run checks: diagnose and its kin, and the report for support.
package diagnose

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/diagnostics/smtp"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	mailbox "postier/internal/imap"
	"postier/internal/safetext"
	submission "postier/internal/smtp"
	"postier/tui/plain"
	"postier/wizard"
)

// Flags are those of every command that runs checks at a server.
type Flags struct {
	Only       []string
	Transcript bool
	Cleartext  bool
	Probe      bool
	ProbeHosts []string
	Repair     bool
	Yes        bool
	Share      bool
	Values     map[wizard.FieldID]string
	Secrets    *command.SecretFlags
}

func (o *Flags) bind(f *command.Factory, cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, f.T("cli.flag.only"))
	cmd.Flags().BoolVar(&o.Transcript, "transcript", false, f.T("cli.flag.transcript"))
	cmd.Flags().BoolVar(&o.Cleartext, "insecure-cleartext", false, f.T("cli.flag.cleartext"))
	cmd.Flags().BoolVar(&o.Probe, "probe-elsewhere", false, f.T("diagnose.flag.probe"))
	cmd.Flags().BoolVar(&o.Repair, "repair", false, f.T("diagnose.flag.repair"))
	cmd.Flags().StringArrayVar(&o.ProbeHosts, "probe-host", nil, f.T("diagnose.flag.probe-host"))
	f.SettingFlags(cmd, command.CheckFields(), &o.Values)
	o.Secrets = f.SecretFlags(cmd)
}

// bindShare lets a helper look on.
func (o *Flags) bindShare(f *command.Factory, cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.Share, "share", false, f.T("cli.flag.share"))
}

// Options are the flags and arguments of `postier diagnose`.
type Options struct {
	*command.Factory
	Flags
	About   []string // a profile or an address; none for the default profile, or for settings given by flags
	Arrival bool
	SendTo  string
	Matrix  bool

	Blocklists bool

	off  string // the profile that is checked, where it is switched off
	home bool   // the check is that of the home screen, where a key switches it on
}

// New is `postier diagnose`.
func New(f *command.Factory, run command.Run[*Options]) *cobra.Command {
	o := &Options{Factory: f}
	cmd := &cobra.Command{Use: "diagnose [PROFILE | ADDRESS]", Short: f.T("cli.short.diagnose"), Args: f.Args(0, 1)}
	o.Flags.bind(f, cmd)
	o.bindShare(f, cmd)
	cmd.Flags().BoolVar(&o.Arrival, "arrival", false, f.T("cli.flag.arrival"))
	cmd.Flags().StringVar(&o.SendTo, "send-to", "", f.T("cli.flag.send-to"))
	cmd.Flags().BoolVar(&o.Yes, "yes", false, f.T("diagnose.flag.repair-yes"))
	cmd.Flags().BoolVar(&o.Matrix, "matrix", false, f.T("diagnose.flag.matrix"))
	cmd.Flags().BoolVar(&o.Blocklists, "blocklists", false, f.T("diagnose.flag.blocklists"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.About = args
		return run.Or(Run)(cmd.Context(), o)
	}
	cmd.AddCommand(NewServer(f, "smtp", nil), NewServer(f, "imap", nil), NewDNS(f, nil), NewSPF(f, nil),
		NewMessage(f, nil))
	return cmd
}

// Run checks a saved profile, an address with its preset, or the settings of flags.
func Run(ctx context.Context, o *Options) error {
	c, err := o.checkup(ctx)
	if err != nil {
		return err
	}
	if o.off != "" { // whatever the checks say
		key := "diagnose.off"
		if o.home {
			key = "diagnose.off-at-home"
		}
		c.off = o.T(key, "name", safetext.FromRemote(o.off))
	}
	if c.off != "" && (o.JSON || o.Matrix) {
		defer func() { o.Note(c.off) }()
	}
	if o.Matrix {
		return c.matrix(ctx)
	}
	plans, err := c.plans(o)
	if err != nil {
		return err
	}
	return c.run(ctx, plans...)
}

// Recheck walks a profile's submission server up to the sign-in and the sender's address, without sending anything.
// When that fails, the report is shown; code is that of its cause.
func Recheck(ctx context.Context, f *command.Factory, name string) (code int, err error) {
	c, err := (&Options{Factory: f, About: []string{name}}).checkup(ctx)
	if err != nil {
		return exitcode.Failed, err
	}
	info := c.info()
	results := rootcause.Run(ctx, c.network, nil, smtp.Plan(c.network, c.target, smtp.Options{}))
	info.Took = time.Since(info.Started)
	if code = report.ExitCode(results); code != exitcode.OK {
		err = c.show(info, results)
	}
	return code, err
}

// checkup finds the target and the secret to sign in with.
func (o *Options) checkup(ctx context.Context) (*checkup, error) {
	c, err := newCheckup(o.Factory, o.Flags)
	if err != nil {
		return nil, err
	}
	if c.target, err = o.target(ctx); err != nil {
		return nil, err
	}
	if err := c.trustProfile(); err != nil {
		return nil, err
	}
	c.proof = o.proofOf(c.target)
	if o.SendTo != "" {
		if err := o.CheckAddress(o.SendTo); err != nil {
			return nil, err
		}
		c.target.Recipient = o.SendTo
	}
	given, err := o.Factory.Secret(ctx, o.Secrets)
	if err != nil {
		return nil, err
	}
	if !given.Empty() {
		c.target.Secret = given
	}
	if err := c.askSecret(ctx); err != nil {
		return nil, err
	}
	c.target.AllowCleartext = c.target.AllowCleartext || o.Cleartext
	return c, nil
}

// plans returns the areas to check. An arrival needs IMAP and a mailbox in which the message can be found: the user's
// own, unless --arrival says that the recipient's is read.
func (c *checkup) plans(o *Options) ([]diagnostics.Plan, error) {
	signsIn := !c.target.Secret.Empty() && c.target.Submission.Auth != config.MechanismNone
	toSelf := o.SendTo != "" && strings.EqualFold(o.SendTo, c.target.Address)
	look := (o.Arrival || toSelf) && c.target.IMAP != nil && signsIn
	options := smtp.Options{}
	switch {
	case o.Arrival && !look:
		c.Note(c.T("diagnose.arrival-without"))
	case o.SendTo != "" && !look:
		message, err := arrival.Compose(c.target, c.Lang(), "postier", time.Now())
		if err != nil {
			return nil, c.Fault(exitcode.Data, "cli.error.no-servers", "address", safetext.FromRemote(c.target.Author()))
		}
		options.Message, options.Recipients = message.Raw, []string{o.SendTo}
	}
	filing := imap.Options{Lang: c.Lang()}
	var message diagnostics.Plan
	if look {
		message = c.arrivalPlan(&options, &filing)
	}
	plans := []diagnostics.Plan{
		smtp.Plan(c.network, c.target, options),
		dns.Plan(c.network, c.target, dns.Options{HTTP: dns.Fetching(c.network), Blocklists: o.Blocklists}),
	}
	if c.target.IMAP != nil {
		plans = append(plans, c.imapPlan(filing, signsIn))
	}
	switch {
	case look:
		plans = append(plans, message)
	case o.Arrival:
		plans = append(plans, withoutMailbox())
	}
	return plans, nil
}

// arrivalPlan is the plan of a message that is sent and found again. It goes on with the connections of the checks
// before it, so that each server sees one sign-in.
func (c *checkup) arrivalPlan(sending *smtp.Options, filing *imap.Options) diagnostics.Plan {
	var open struct {
		submission *submission.Client
		mailbox    *mailbox.Session
	}
	sending.Keep = func(client *submission.Client) { open.submission = client }
	filing.Keep = func(session *mailbox.Session) { open.mailbox = session }
	plan := arrival.Plan(c.network, c.target, arrival.Options{
		Lang: c.Lang(),
		Send: func(ctx context.Context, message []byte) (smtp.Outcome, error) {
			over := open.submission
			open.submission = nil
			return smtp.Send(ctx, c.network, c.target, smtp.Options{Message: message, Over: over})
		},
		Mailbox: func() *mailbox.Session {
			defer func() { open.mailbox = nil }()
			return open.mailbox
		},
	})
	end := plan.Close
	plan.Close = func() {
		end()
		if open.submission != nil {
			open.submission.Close()
		}
		open.mailbox.Close()
	}
	return plan
}

// withoutMailbox is the plan of an arrival that was requested but cannot be checked: it reports every check as skipped.
func withoutMailbox() diagnostics.Plan {
	skip := func(context.Context) diagnostics.Result {
		return diagnostics.Result{Status: check.Skip, Cause: check.CauseNotApplicable}
	}
	var out diagnostics.Plan
	for _, id := range check.All() {
		if within(id, "arrival") {
			out.Checks = append(out.Checks, diagnostics.Check{ID: id, Run: skip})
		}
	}
	return out
}

// imapPlan is the plan for IMAP; without a sign-in it has only the checks before it.
func (c *checkup) imapPlan(options imap.Options, signsIn bool) diagnostics.Plan {
	plan := imap.Plan(c.network, c.target, options)
	if !signsIn {
		before := []check.ID{check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate}
		plan.Checks = slices.DeleteFunc(plan.Checks,
			func(c diagnostics.Check) bool { return !slices.Contains(before, c.ID) })
	}
	return plan
}

// askSecret asks for the secret on a terminal when a sign-in needs one. Without a terminal the sign-in is left out.
func (c *checkup) askSecret(ctx context.Context) error {
	t := &c.target
	if t.Submission.Auth == config.MechanismNone || !t.Secret.Empty() || onlyArea(c.Only, "dns") {
		return nil
	}
	if c.Interactive() && !c.JSON {
		value, err := plain.ReadSecret(ctx, c.In, c.Err,
			c.T("cli.diagnose.prompt", "user", safetext.FromRemote(t.Submission.Username), "host",
				safetext.FromRemote(t.Submission.Host)))
		if err != nil {
			return err
		}
		t.Secret = value
	}
	if t.Secret.Empty() {
		t.Submission.Auth = config.MechanismNone
		c.Note(c.T("cli.diagnose.no-secret"))
	}
	return nil
}

// onlyArea reports whether --only names nothing but checks of one area.
func onlyArea(only []string, area string) bool {
	return len(only) > 0 && !slices.ContainsFunc(only,
		func(name string) bool { return !within(check.ID(name), area) })
}
