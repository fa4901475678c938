package cli

import (
	"errors"
	"io"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/arrival"
	"postier/internal/mailauth/spf"
	"postier/internal/safetext"
)

// clientFlags are the flags that say who sent something.
type clientFlags struct{ ip, sender, helo string }

func (a *app) clientFlags(cmd *cobra.Command) *clientFlags {
	f := &clientFlags{}
	cmd.Flags().StringVar(&f.ip, "ip", "", a.T("cli.flag.ip"))
	cmd.Flags().StringVar(&f.sender, "sender", "", a.T("cli.flag.sender"))
	cmd.Flags().StringVar(&f.helo, "helo", "", a.T("cli.flag.helo"))
	return f
}

func (a *app) parseIP(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return ip, a.Fault(exitData, "cli.error.ip", "value", safetext.FromRemote(text))
	}
	return ip, nil
}

// diagnoseSPF evaluates SPF for one client (RFC 7208 §4). The exit code says whether the question could be answered:
// 0 for pass, neutral and none, 1 for fail, softfail and permerror, 75 for temperror.
func (a *app) diagnoseSPF() *cobra.Command {
	cmd := &cobra.Command{Use: "spf", Short: a.T("cli.short.diagnose-spf"), Args: a.noArgs}
	flags := a.clientFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if given := cmd.Flags().Changed; !given("ip") || !given("sender") && !given("helo") {
			return usagef(a.T("diagnose.spf.missing"))
		}
		client, err := a.parseIP(flags.ip)
		if err != nil {
			return err
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		result := spf.Check(cmd.Context(), network.Resolver, client, flags.helo, flags.sender)
		if a.json {
			err = a.printJSON(result)
		} else {
			a.printSPF(result)
		}
		if err != nil {
			return err
		}
		return spfCode(result.Result)
	}
	return cmd
}

func spfCode(v spf.Verdict) error {
	switch v {
	case spf.Fail, spf.SoftFail, spf.PermError:
		return quiet(exitFailed)
	case spf.TempError:
		return quiet(exitTempFail)
	}
	return nil
}

// exitTempFail is 75 of docs/reference.md §4: try again later.
const exitTempFail = 75

func (a *app) printSPF(result spf.Result) {
	line := string(result.Result)
	if !result.Mechanism.Empty() {
		line += "  " + result.Mechanism.Escaped()
	}
	if result.Reason != "" {
		line += "  (" + string(result.Reason) + ")"
	}
	a.println(line)
	for _, step := range result.Trace {
		a.println("  " + safetext.Escape(strings.Repeat("  ", step.Depth)+step.Domain+"  "+step.Term+"  "+step.Outcome))
	}
	a.println("  " + a.T("diagnose.spf.counts", "lookups", result.Lookups, "void", result.Void))
	if !result.Explanation.Empty() {
		a.println(a.T("cli.spf.explanation", "text", result.Explanation))
	}
}

// maxMessage bounds a message on standard input: providers take no larger ones.
const maxMessage = 50 << 20

// diagnoseMessage judges a received message. The exit code is 1 when DMARC fails, 75 when DNS kept it from being
// judged.
func (a *app) diagnoseMessage() *cobra.Command {
	cmd := &cobra.Command{Use: "message", Short: a.T("cli.short.diagnose-message"), Args: a.noArgs}
	flags := a.clientFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		given := arrival.Client{Sender: safetext.FromRemote(flags.sender), HELO: safetext.FromRemote(flags.helo)}
		if flags.ip != "" {
			var err error
			if given.IP, err = a.parseIP(flags.ip); err != nil {
				return err
			}
		}
		if v := config.ValidateAddress(flags.sender); flags.sender != "" && !v.Empty() {
			return &exitError{exitData, a.Say(v)}
		}
		raw, err := io.ReadAll(io.LimitReader(a.in, maxMessage+1))
		switch {
		case err != nil:
			return err
		case len(raw) > maxMessage:
			return &exitError{exitData, a.T("diagnose.message.too-large", "megabytes", maxMessage>>20)}
		case len(strings.TrimSpace(string(raw[:min(len(raw), 4096)]))) == 0:
			return a.Fault(exitData, "cli.error.message-empty")
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		judged, err := arrival.Evaluate(cmd.Context(), network, raw, given)
		switch {
		case errors.Is(err, arrival.ErrNoMessage):
			return &exitError{exitData, a.T("diagnose.message.malformed")}
		case err != nil:
			return err
		case a.json:
			err = a.printJSON(judged)
		default:
			a.printMessage(judged)
		}
		if err != nil {
			return err
		}
		return messageCode(judged)
	}
	return cmd
}

func messageCode(e arrival.Evaluation) error {
	switch e.DMARC.Result {
	case "fail", "permerror":
		return quiet(exitFailed)
	case "temperror":
		return quiet(exitTempFail)
	}
	return nil
}

func (a *app) printMessage(e arrival.Evaluation) {
	if len(e.DKIM) == 0 {
		a.println("DKIM   none  " + a.T("diagnose.message.unsigned"))
	}
	for _, s := range e.DKIM {
		line := "DKIM   " + s.Result + "  d=" + s.Domain.Escaped() + " s=" + s.Selector.Escaped() + " " +
			s.Algorithm.Escaped()
		if !s.Reason.Empty() {
			line += "  " + s.Reason.Escaped()
		}
		a.println(line)
	}
	spfLine := "SPF    " + string(e.SPF.Result.Result)
	if e.SPF.IP.IsValid() {
		spfLine += "  ip=" + e.SPF.IP.String() + " sender=" + e.SPF.Sender.Escaped() + " helo=" + e.SPF.HELO.Escaped()
	} else {
		spfLine += "  " + a.T("diagnose.message.no-client")
	}
	if !e.SPF.Mechanism.Empty() {
		spfLine += "  " + e.SPF.Mechanism.Escaped()
	}
	a.println(spfLine)
	policy := string(e.DMARC.Policy)
	if policy == "" {
		policy = "-"
	}
	a.println("DMARC  " + string(e.DMARC.Result) + "  " + e.DMARC.Domain.Escaped() + "  p=" + policy + "  " +
		a.T("diagnose.message.aligned", "spf", a.yesNo(e.DMARC.Aligned.SPF), "dkim", a.yesNo(e.DMARC.Aligned.DKIM)))
	for _, field := range e.AuthenticationResults {
		a.println("")
		a.println(a.T("diagnose.message.receiver", "name", safetext.FromRemote(field.ServiceID)))
		for _, m := range field.Results {
			line := "  " + safetext.Escape(m.Method+"="+m.Result)
			for _, p := range m.Properties {
				line += " " + safetext.Escape(p.Name+"="+p.Value)
			}
			a.println(line)
		}
	}
}

func (a *app) yesNo(v bool) string {
	if v {
		return a.T("diagnose.yes")
	}
	return a.T("diagnose.no")
}
