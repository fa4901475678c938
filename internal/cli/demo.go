package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"postier/internal/rehearsal"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
	"postier/wizard/worker"
)

type demoOptions struct {
	fault, keep string
	list, yes   bool
	oauth       bool
}

func (a *app) demoCommand() *cobra.Command {
	o := &demoOptions{}
	cmd := &cobra.Command{Use: "demo", Short: a.T("cli.short.demo"), Args: a.noArgs}
	cmd.Flags().StringVar(&o.fault, "fault", "", a.T("cli.flag.fault"))
	cmd.Flags().BoolVar(&o.list, "list-faults", false, a.T("cli.flag.list-faults"))
	cmd.Flags().StringVar(&o.keep, "keep", "", a.T("cli.flag.keep"))
	cmd.Flags().BoolVar(&o.oauth, "oauth", false, a.T("oauth.demo.flag"))
	cmd.Flags().BoolVar(&o.yes, "yes", false, a.T("cli.flag.yes"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.runDemo(cmd.Context(), o) }
	return cmd
}

// demoArrival is how long the demo looks for its message: delivery there is at once or, in one fault, never.
const demoArrival = 12 * time.Second

// demoTimeout shortens the steps' deadlines: nobody wants to rehearse waiting.
const demoTimeout = 6 * time.Second

func (a *app) runDemo(ctx context.Context, o *demoOptions) error {
	if o.list {
		return a.listFaults()
	}
	if _, known := rehearsal.FindFault(o.fault); o.fault != "" && !known {
		return a.Fault(exitUsage, "cli.error.fault", "name", safetext.FromRemote(o.fault))
	}
	provider, err := rehearsal.Start(ctx, rehearsal.Options{Lang: a.lang(), Fault: o.fault, OAuth: o.oauth})
	if err != nil {
		return err
	}
	defer provider.Close()
	folder := o.keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "postier-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	c, err := a.demoConversation(provider, filepath.Join(folder, "config.json"))
	if err != nil {
		return err
	}
	c.unattended = o.yes || !a.interactive()
	c.options.Rehearsal = o.keep == ""
	a.prose(a.T("cli.demo.hello"))
	if o.fault != "" {
		fault := provider.Fault()
		a.prose(a.T("cli.demo.fault", "name", fault.Name, "text", a.Say(fault.Text)))
	}
	browser := o.oauth || provider.Fault().SignIn
	if browser {
		c.options.Clients = map[string]wizard.Client{rehearsal.OAuthName: {ID: rehearsal.OAuthClient}}
		c.approves = true
	}
	switch {
	case !browser && c.unattended:
		c.options.Secret = provider.Typed
	case browser && !c.unattended:
		a.println(a.T("oauth.demo.account", "address", provider.Address))
	case !c.unattended:
		a.prose(a.T("cli.demo.account", "address", provider.Address, "password", provider.Typed.Reveal()))
	}
	if !c.unattended {
		a.prose(a.T("cli.demo.enter"))
		if err := a.waitForEnter(ctx); err != nil {
			return err
		}
	}
	return a.converse(ctx, c)
}

// demoConversation is the wizard against the demo's servers: it resolves, trusts and connects nowhere else.
func (a *app) demoConversation(provider *rehearsal.Provider, path string) (conversation, error) {
	preset, err := provider.Preset()
	if err != nil {
		return conversation{}, err
	}
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		return conversation{}, err
	}
	timeout := demoTimeout
	if a.timeout > 0 {
		timeout = a.timeout
	}
	network := &wire.Network{
		Resolver: resolver, Roots: provider.Roots, Timeout: timeout,
		Route: provider.Route,
	}
	book := presets.Default().With(preset)
	c := conversation{
		options: wizard.Options{
			Book: book, Product: a.product(), Today: time.Now().Format(time.DateOnly), Address: provider.Address,
			ConfigPath: path,
		},
		worker: &worker.Worker{
			Network: network, Book: book, ConfigPath: path, Lang: a.lang(), Product: a.product(),
			NoDraft: true, Arrival: demoArrival,
		},
	}
	a.vendorSupport(&c.options)
	return c, nil
}

func (a *app) listFaults() error {
	for _, f := range rehearsal.Faults() {
		cause := f.Cause
		if cause == "" {
			cause = "-"
		}
		a.println(f.Name + "\t" + string(cause) + "\t" + a.Say(f.Text))
	}
	return nil
}
