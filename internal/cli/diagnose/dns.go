package diagnose

import (
	"context"
	"net/netip"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/dns"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// DNSOptions are the flags and arguments of `postier diagnose dns`.
type DNSOptions struct {
	*command.Factory
	Only      []string
	Domain    string
	List      string // a file with a domain a line, "-" for standard input
	Selectors []string
	IP        string
	Provider  string

	Blocklists bool
}

// NewDNS is `postier diagnose dns`.
func NewDNS(f *command.Factory, run command.Run[*DNSOptions]) *cobra.Command {
	o := &DNSOptions{Factory: f}
	cmd := &cobra.Command{Use: "dns DOMAIN", Short: f.T("cli.short.diagnose-dns"), Args: f.Args(0, 1)}
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, f.T("cli.flag.only"))
	cmd.Flags().StringArrayVar(&o.Selectors, "selector", nil, f.T("cli.flag.selector"))
	cmd.Flags().StringVar(&o.IP, "ip", "", f.T("cli.flag.ip"))
	cmd.Flags().StringVar(&o.Provider, "provider", "", f.T("cli.flag.provider"))
	cmd.Flags().BoolVar(&o.Blocklists, "blocklists", false, f.T("diagnose.flag.blocklists"))
	cmd.Flags().StringVar(&o.List, "list", "", f.T("diagnose.flag.list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case o.List != "" && len(args) > 0:
			return f.NoArgs(cmd, args)
		case o.List == "" && len(args) == 0:
			return f.Args(1, 1)(cmd, args)
		case len(args) > 0:
			o.Domain = args[0]
		}
		return run.Or(runDNS)(cmd.Context(), o)
	}
	return cmd
}

func runDNS(ctx context.Context, o *DNSOptions) error {
	c, err := newCheckup(o.Factory, Flags{Only: o.Only})
	if err != nil {
		return err
	}
	c.domain = o.Domain
	options := dns.Options{Domain: o.Domain, Selectors: o.Selectors, GuessSelectors: len(o.Selectors) == 0}
	options.Blocklists = o.Blocklists
	if o.IP != "" {
		if options.IP, err = netip.ParseAddr(o.IP); err != nil {
			return o.Fault(exitcode.Data, "cli.error.ip", "value", safetext.FromRemote(o.IP))
		}
	}
	c.target = account.Of("", &config.Profile{Provider: o.Provider}, o.Book())
	if o.List != "" {
		return c.list(ctx, o.List, options)
	}
	if v := config.ValidateDomain(o.Domain); !v.Empty() {
		return o.Data(v)
	}
	options.HTTP = dns.Fetching(c.network)
	return c.run(ctx, dns.Plan(c.network, c.target, options))
}
