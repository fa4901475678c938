package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/tui/plain"
	"postier/wizard"
)

type diagnoseOptions struct {
	only       []string
	transcript bool
	arrival    bool
	sendTo     string
	selectors  []string
	ip         string
	cleartext  bool
	matrix     bool
	probe      bool
	probeHosts []string
	provider   string
	domain     string
	list       string
	// proof is the saved profile that the results speak for, nil when there is none.
	proof *proof
}

func (a *app) diagnoseCommand() *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: "diagnose [PROFILE | ADDRESS]", Short: a.T("cli.short.diagnose"), Args: a.args(0, 1)}
	a.diagnoseFlags(cmd, o)
	cmd.Flags().BoolVar(&o.arrival, "arrival", false, a.T("cli.flag.arrival"))
	cmd.Flags().StringVar(&o.sendTo, "send-to", "", a.T("cli.flag.send-to"))
	cmd.Flags().BoolVar(&o.matrix, "matrix", false, a.T("diagnose.flag.matrix"))
	values, secrets := a.settingFlags(cmd, checkFields), a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.runDiagnose(cmd.Context(), o, args, values.given(), secrets)
	}
	cmd.AddCommand(a.diagnoseServer("smtp"), a.diagnoseServer("imap"), a.diagnoseDNS(), a.diagnoseSPF(),
		a.diagnoseMessage())
	return cmd
}

func (a *app) diagnoseFlags(cmd *cobra.Command, o *diagnoseOptions) {
	cmd.Flags().StringSliceVar(&o.only, "only", nil, a.T("cli.flag.only"))
	cmd.Flags().BoolVar(&o.transcript, "transcript", false, a.T("cli.flag.transcript"))
	cmd.Flags().BoolVar(&o.cleartext, "insecure-cleartext", false, a.T("cli.flag.cleartext"))
	cmd.Flags().BoolVar(&o.probe, "probe-elsewhere", false, a.T("diagnose.flag.probe"))
	cmd.Flags().StringArrayVar(&o.probeHosts, "probe-host", nil, a.T("diagnose.flag.probe-host"))
}

// runDiagnose checks a saved profile, an address with its preset, or settings given by flags.
func (a *app) runDiagnose(ctx context.Context, o *diagnoseOptions, args []string, values map[wizard.FieldID]string,
	secrets *secretFlags,
) error {
	network, target, err := a.diagnoseInput(ctx, o, args, values, secrets)
	if err != nil {
		return err
	}
	if o.matrix {
		return a.runMatrix(ctx, o, network, target)
	}
	plans, err := a.diagnosePlans(o, network, target)
	if err != nil {
		return err
	}
	return a.diagnosed(ctx, o, network, target, plans...)
}

// diagnoseInput gathers what to check and what to sign in with.
func (a *app) diagnoseInput(ctx context.Context, o *diagnoseOptions, args []string, values map[wizard.FieldID]string,
	secrets *secretFlags,
) (*wire.Network, account.Target, error) {
	var target account.Target
	if err := a.knownChecks(o.only); err != nil {
		return nil, target, err
	}
	if err := a.checkGiven("", values); err != nil {
		return nil, target, err
	}
	network, err := a.network()
	if err != nil {
		return nil, target, err
	}
	if target, err = a.diagnoseTarget(ctx, args, values); err != nil {
		return nil, target, err
	}
	if network, err = a.profileNetwork(network, target); err != nil {
		return nil, target, err
	}
	o.proof = a.proofOf(o, target, values, secrets)
	if o.sendTo != "" {
		if err := a.checkGiven(o.sendTo, nil); err != nil {
			return nil, target, err
		}
		target.Recipient = o.sendTo
	}
	given, err := secrets.read(ctx, a)
	if err != nil {
		return nil, target, err
	}
	if !given.Empty() {
		target.Secret = given
	}
	if err := a.askSecret(ctx, &target, o); err != nil {
		return nil, target, err
	}
	target.AllowCleartext = target.AllowCleartext || o.cleartext
	return network, target, nil
}

// diagnosePlans are the areas for a target. An arrival needs IMAP and a mailbox that the message can be found in: one's
// own, unless --arrival says that the other one is.
func (a *app) diagnosePlans(o *diagnoseOptions, network *wire.Network, target account.Target) ([]diagnostics.Plan,
	error,
) {
	signsIn := !target.Secret.Empty() && target.Submission.Auth != config.MechanismNone
	toSelf := o.sendTo != "" && strings.EqualFold(o.sendTo, target.Address)
	look := (o.arrival || toSelf) && target.IMAP != nil && signsIn
	options := smtp.Options{}
	switch {
	case o.arrival && !look:
		a.note(a.T("diagnose.arrival-without"))
	case o.sendTo != "" && !look:
		message, err := arrival.Compose(target, a.lang(), "postier", now())
		if err != nil {
			return nil, a.Fault(exitData, "cli.error.no-servers", "address", safetext.FromRemote(target.Author()))
		}
		options.Message, options.Recipients = message.Raw, []string{o.sendTo}
	}
	plans := []diagnostics.Plan{smtp.Plan(network, target, options), dns.Plan(network, target, dns.Options{})}
	if target.IMAP != nil {
		plans = append(plans, a.imapPlan(network, target, signsIn))
	}
	switch {
	case look:
		plans = append(plans, arrival.Plan(network, target, arrival.Options{Lang: a.lang()}))
	case o.arrival:
		plans = append(plans, withoutMailbox())
	}
	return plans, nil
}

// withoutMailbox is an arrival that was asked for and that nobody can look at: every check of it is told as skipped.
func withoutMailbox() diagnostics.Plan {
	skip := func(context.Context) diagnostics.Result {
		return diagnostics.Result{Status: check.Skip, Cause: "not-applicable"}
	}
	var out diagnostics.Plan
	for _, id := range check.All() {
		if strings.HasPrefix(string(id), "arrival.") {
			out.Checks = append(out.Checks, diagnostics.Check{ID: id, Run: skip})
		}
	}
	return out
}

// imapPlan is the plan for IMAP; without a sign-in only what stands before it can be judged.
func (a *app) imapPlan(network *wire.Network, target account.Target, signsIn bool) diagnostics.Plan {
	plan := imap.Plan(network, target, imap.Options{Lang: a.lang()})
	if !signsIn {
		plan.Checks = slices.DeleteFunc(plan.Checks, func(c diagnostics.Check) bool {
			return !slices.Contains([]check.ID{check.IMAPConnect, check.IMAPTLS, check.IMAPCertificate},
				c.ID)
		})
	}
	return plan
}

// askSecret asks on a terminal when a sign-in is wanted and no secret is there. Without a terminal the sign-in is left
// out.
func (a *app) askSecret(ctx context.Context, t *account.Target, o *diagnoseOptions) error {
	if t.Submission.Auth == config.MechanismNone || !t.Secret.Empty() || onlyArea(o.only, "dns") {
		return nil
	}
	if a.interactive() && !a.json {
		value, err := plain.ReadSecret(ctx, a.in, a.err,
			a.T("cli.diagnose.prompt", "user", safetext.FromRemote(t.Submission.Username), "host",
				safetext.FromRemote(t.Submission.Host)))
		if err != nil {
			return err
		}
		t.Secret = value
	}
	if t.Secret.Empty() {
		t.Submission.Auth = config.MechanismNone
		a.note(a.T("cli.diagnose.no-secret"))
	}
	return nil
}

// onlyArea reports whether --only names nothing but checks of one area.
func onlyArea(only []string, area string) bool {
	return len(only) > 0 && !slices.ContainsFunc(only,
		func(id string) bool { return id != area && !strings.HasPrefix(id, area+".") })
}
