package diagnose

import (
	"net/netip"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

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
