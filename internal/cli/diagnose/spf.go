package diagnose

import (
	"context"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/mailauth/spf"
	"postier/internal/safetext"
)

// SPFOptions are the flags of `postier diagnose spf`.
type SPFOptions struct {
	*command.Factory
	ClientFlags
}

// NewSPF is `postier diagnose spf`.
func NewSPF(f *command.Factory, run command.Run[*SPFOptions]) *cobra.Command {
	o := &SPFOptions{Factory: f}
	cmd := &cobra.Command{Use: "spf", Short: f.T("cli.short.diagnose-spf"), Args: f.NoArgs}
	o.ClientFlags.bind(f, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if given := cmd.Flags().Changed; !given("ip") || !given("sender") && !given("helo") {
			return command.Usage(f.T("diagnose.spf.missing"))
		}
		return run.Or(runSPF)(cmd.Context(), o)
	}
	return cmd
}

// runSPF evaluates SPF for one client (RFC 7208 §4). The exit code says whether the question could be answered: 0 for
// pass, neutral and none, 1 for fail, softfail and permerror, 75 for temperror.
func runSPF(ctx context.Context, o *SPFOptions) error {
	client, err := o.address(o.Factory)
	if err != nil {
		return err
	}
	network, err := o.Network()
	if err != nil {
		return err
	}
	result := spf.Check(ctx, network.Resolver, client, o.HELO, o.Sender)
	if err := o.Result(result, func() { printSPF(o.Factory, result) }); err != nil {
		return err
	}
	return command.Quiet(command.VerdictCode(result.Result))
}

func printSPF(f *command.Factory, result spf.Result) {
	line := string(result.Result)
	if !result.Mechanism.Empty() {
		line += "  " + result.Mechanism.Escaped()
	}
	if result.Reason != "" {
		line += "  (" + string(result.Reason) + ")"
	}
	f.Println(line)
	for _, step := range result.Trace {
		f.Println("  " + safetext.Escape(strings.Repeat("  ", step.Depth)+step.Domain+"  "+step.Term+"  "+step.Outcome))
	}
	f.Println("  " + f.T("diagnose.spf.counts", "lookups", result.Lookups, "void", result.Void))
	if !result.Explanation.Empty() {
		f.Println(f.T("cli.spf.explanation", "text", result.Explanation))
	}
}

// ClientFlags say who sent something.
type ClientFlags struct{ IP, Sender, HELO string }

func (c *ClientFlags) bind(f *command.Factory, cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.IP, "ip", "", f.T("cli.flag.ip"))
	cmd.Flags().StringVar(&c.Sender, "sender", "", f.T("cli.flag.sender"))
	cmd.Flags().StringVar(&c.HELO, "helo", "", f.T("cli.flag.helo"))
}

func (c *ClientFlags) address(f *command.Factory) (netip.Addr, error) {
	ip, err := netip.ParseAddr(c.IP)
	if err != nil || ip.Zone() != "" {
		return ip, f.Fault(exitcode.Data, "cli.error.ip", "value", safetext.FromRemote(c.IP))
	}
	return ip, nil
}
