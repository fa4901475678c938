package main

import (
	"net/netip"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/safetext"
	"postier/setup"
)

func (a *app) diagnoseDNS() *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: "dns DOMAIN", Short: a.t("short.diagnose-dns"), Args: a.args(1, 1)}
	cmd.Flags().StringSliceVar(&o.only, "only", nil, a.t("flag.only"))
	cmd.Flags().StringArrayVar(&o.selectors, "selector", nil, a.t("flag.selector"))
	cmd.Flags().StringVar(&o.ip, "ip", "", a.t("flag.ip"))
	provider := cmd.Flags().String("provider", "", a.t("flag.provider"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if v := config.ValidateDomain(args[0]); !v.Empty() {
			return &exitError{exitData, a.say(v)}
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		options := dns.Options{Domain: args[0], Selectors: o.selectors, GuessSelectors: len(o.selectors) == 0}
		if o.ip != "" {
			if options.IP, err = netip.ParseAddr(o.ip); err != nil {
				return a.fault(exitData, "error.ip", "value", safetext.FromRemote(o.ip))
			}
		}
		target := diagnostics.Target{Provider: *provider}
		setup.DescribeProvider(&target, a.book())
		return a.diagnosed(cmd.Context(), o, network, target, dns.Plan(network, target, options))
	}
	return cmd
}
