package setup

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/rehearsal"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
	"postier/wizard/worker"
)

// DemoOptions are the flags of `postier demo`.
type DemoOptions struct {
	*command.Factory
	Fault, Keep             string
	List, Yes, OAuth, Serve bool
}

// NewDemo is `postier demo`.
func NewDemo(f *command.Factory, run command.Run[*DemoOptions]) *cobra.Command {
	o := &DemoOptions{Factory: f}
	cmd := command.New(f, "demo", "cli.short.demo", o, run.Or(Demo))
	cmd.Flags().StringVar(&o.Fault, "fault", "", f.T("cli.flag.fault"))
	cmd.Flags().BoolVar(&o.List, "list-faults", false, f.T("cli.flag.list-faults"))
	cmd.Flags().StringVar(&o.Keep, "keep", "", f.T("cli.flag.keep"))
	cmd.Flags().BoolVar(&o.OAuth, "oauth", false, f.T("oauth.demo.flag"))
	cmd.Flags().BoolVar(&o.Yes, "yes", false, f.T("cli.flag.yes"))
	cmd.Flags().BoolVar(&o.Serve, "serve", false, f.T("cli.flag.serve"))
	cmd.MarkFlagsMutuallyExclusive("serve", "yes")
	cmd.MarkFlagsMutuallyExclusive("serve", "oauth") // the browser sign-in needs a client id that no preset has
	return cmd
}

// demoArrival is how long the demo looks for its message: it arrives at once or, with one fault, never.
const demoArrival = 12 * time.Second

// demoTimeout shortens the deadlines of the steps: a demonstration should not wait.
const demoTimeout = 6 * time.Second

// Demo runs the demonstration.
func Demo(ctx context.Context, o *DemoOptions) error {
	f := o.Factory
	if o.List {
		return listFaults(f)
	}
	if _, known := rehearsal.FindFault(o.Fault); o.Fault != "" && !known {
		return f.Fault(exitcode.Usage, "cli.error.fault", "name", safetext.FromRemote(o.Fault))
	}
	provider, err := rehearsal.Start(ctx, rehearsal.Options{
		Lang: f.Lang(), Fault: o.Fault, OAuth: o.OAuth, Serve: o.Serve,
	})
	if err != nil {
		return err
	}
	defer provider.Close()
	folder := o.Keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "postier-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	if o.Serve {
		return serveDemo(ctx, f, provider, folder)
	}
	c, err := demoConversation(f, provider, filepath.Join(folder, "config.json"))
	if err != nil {
		return err
	}
	c.unattended = o.Yes || !f.Interactive()
	c.options.Rehearsal, c.options.Kept = true, o.Keep != ""
	tell := f.Prose
	if f.JSON {
		tell = f.Note
	}
	tell(f.T("cli.demo.hello"))
	if o.Fault != "" {
		fault := provider.Fault()
		tell(f.T("cli.demo.fault", "name", fault.Name, "text", f.Say(fault.Text)))
	}
	browser := o.OAuth || provider.Fault().SignIn
	if browser {
		c.options.Clients = map[string]wizard.Client{rehearsal.OAuthName: {ID: rehearsal.OAuthClient}}
		c.approves = true
	}
	switch {
	case !browser && c.unattended:
		c.options.Secret = provider.Typed
	case browser && !c.unattended:
		tell(f.T("oauth.demo.account", "address", provider.Address))
	case !c.unattended:
		tell(f.T("cli.demo.account", "address", provider.Address, "password", provider.Typed.Reveal()))
	}
	if !c.unattended {
		tell(f.T("cli.demo.enter"))
		if err := f.WaitForEnter(ctx); err != nil {
			return err
		}
	}
	return converse(ctx, f, c)
}

// demoConversation is the wizard with the servers of the demo: it resolves, trusts and dials nothing else.
func demoConversation(f *command.Factory, provider *rehearsal.Provider, path string) (conversation, error) {
	preset, err := provider.Preset()
	if err != nil {
		return conversation{}, err
	}
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		return conversation{}, err
	}
	network := &wire.Network{
		Resolver: resolver, Roots: provider.Roots, Timeout: cmp.Or(f.Timeout, demoTimeout), Route: provider.Route,
	}
	book := presets.Default().With(preset)
	c := conversation{
		options: wizard.Options{
			Book: book, Product: f.Product(), Today: time.Now().Format(time.DateOnly), Address: provider.Address,
			ConfigPath: path, Program: command.Program(path),
		},
		worker: &worker.Worker{
			Network: network, Book: book, ConfigPath: path, Lang: f.Lang(), Product: f.Product(),
			NoDraft: true, Arrival: demoArrival,
		},
	}
	vendorSupport(f, &c.options)
	return c, nil
}

func listFaults(f *command.Factory) error {
	var rows []faultRow
	for _, fault := range rehearsal.Faults() {
		rows = append(rows, faultRow{fault.Name, fault.Cause, explain.Code(fault.Cause), f.Say(fault.Text)})
	}
	return command.List(&f.Printer, rows, func(r faultRow) {
		// New columns go to the end: programs count them.
		f.Println(r.Name + "\t" + string(cmp.Or(r.Cause, "-")) + "\t" + r.Text + "\t" + cmp.Or(r.Code, "-"))
	})
}

// faultRow is a failure that can be rehearsed.
type faultRow struct {
	Name  string      `json:"name"`
	Cause check.Cause `json:"cause,omitempty"` // absent where the wizard gets round it
	Code  string      `json:"code,omitempty"`
	Text  string      `json:"text"`
}
