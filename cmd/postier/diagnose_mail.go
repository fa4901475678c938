package main

import (
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"postier/diagnostics/arrival"
	"postier/diagnostics/dns/spf"
	"postier/internal/locale"
	"postier/internal/safetext"
)

func (a *app) say(t locale.Text) string { return locale.For(a.lang()).Say(t) }

// diagnoseSPF evaluates SPF for one client (RFC 7208 §4).
func (a *app) diagnoseSPF() *cobra.Command {
	var ip, sender, helo string
	cmd := &cobra.Command{Use: "spf", Short: a.t("short.diagnose-spf"), Args: a.noArgs}
	cmd.Flags().StringVar(&ip, "ip", "", a.t("flag.ip"))
	cmd.Flags().StringVar(&sender, "sender", "", a.t("flag.sender"))
	cmd.Flags().StringVar(&helo, "helo", "", a.t("flag.helo"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client, err := netip.ParseAddr(ip)
		if err != nil {
			return a.fault(exitData, "error.ip", "value", safetext.FromRemote(ip))
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		result := spf.Check(cmd.Context(), network.Resolver, client, helo, sender)
		if a.json {
			return a.printJSON(result)
		}
		a.println(string(result.Result) + "  " + result.Mechanism.Escaped())
		for _, step := range result.Trace {
			a.println("  " + safetext.Escape(step.Domain+"  "+step.Term+"  "+step.Outcome))
		}
		if !result.Explanation.Empty() {
			a.println(a.t("spf.explanation", "text", result.Explanation))
		}
		return nil
	}
	return cmd
}

// maxMessage bounds a message on standard input.
const maxMessage = 50 << 20

// diagnoseMessage judges a received message.
func (a *app) diagnoseMessage() *cobra.Command {
	return &cobra.Command{Use: "message", Short: a.t("short.diagnose-message"), Args: a.noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		raw, err := io.ReadAll(io.LimitReader(a.in, maxMessage))
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			return a.fault(exitData, "error.message-empty")
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		return a.printJSON(arrival.Judge(cmd.Context(), network, raw))
	}}
}
