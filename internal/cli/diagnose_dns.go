package cli

import (
	"net/netip"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/dns"
	"postier/internal/account"
	"postier/internal/safetext"
)

func (a *app) diagnoseDNS() *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: "dns DOMAIN", Short: a.T("cli.short.diagnose-dns"), Args: a.args(0, 1)}
	cmd.Flags().StringSliceVar(&o.only, "only", nil, a.T("cli.flag.only"))
	cmd.Flags().StringArrayVar(&o.selectors, "selector", nil, a.T("cli.flag.selector"))
	cmd.Flags().StringVar(&o.ip, "ip", "", a.T("cli.flag.ip"))
	cmd.Flags().StringVar(&o.provider, "provider", "", a.T("cli.flag.provider"))
	cmd.Flags().StringVar(&o.list, "list", "", a.T("diagnose.flag.list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.knownChecks(o.only); err != nil {
			return err
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		options := dns.Options{Selectors: o.selectors, GuessSelectors: len(o.selectors) == 0}
		if o.ip != "" {
			if options.IP, err = netip.ParseAddr(o.ip); err != nil {
				return a.Fault(exitData, "cli.error.ip", "value", safetext.FromRemote(o.ip))
			}
		}
		target := account.Of("", &config.Profile{Provider: o.provider}, a.book())
		switch {
		case o.list != "" && len(args) > 0:
			return usagef(a.T("cli.error.argument", "argument", safetext.FromRemote(args[0])))
		case o.list != "":
			return a.listDNS(cmd.Context(), o, network, target, options)
		case len(args) == 0:
			return a.args(1, 1)(cmd, args)
		}
		if v := config.ValidateDomain(args[0]); !v.Empty() {
			return &exitError{exitData, a.Say(v)}
		}
		options.Domain, o.domain = args[0], args[0]
		return a.diagnosed(cmd.Context(), o, network, target, dns.Plan(network, target, options))
	}
	return cmd
}
