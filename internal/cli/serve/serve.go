// Package serve holds `postier serve`: the wizard and the home screen over SSH, for many people with a configuration
// each.
package serve

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/cli/setup"
	"postier/internal/exitcode"
	"postier/internal/parallel"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/share/relay"
	"postier/tui"
	"postier/tui/served"
	"postier/wizard/carrier"
)

// Options are the flags of `postier serve`.
type Options struct {
	*command.Factory
	Listen, Keys, HostKey, Root   string
	Networks                      []string
	Demo                          bool
	Sessions, PerUser, PerAddress int
	Idle                          time.Duration

	program Program

	desk desk

	mu     sync.Mutex
	quotas map[string]*wire.Quota // by account
}

// Program is the program as it is without a command.
type Program struct {
	// Home is the wizard while nothing is configured, and the home screen afterwards.
	Home func(context.Context, *command.Factory) error
	// End puts the end of a run into words.
	End func(*command.Factory, error) int
}

// New is `postier serve`.
func New(f *command.Factory, program Program, run command.Run[*Options]) *cobra.Command {
	o := &Options{Factory: f, program: program, quotas: map[string]*wire.Quota{}}
	cmd := command.New(f, "serve", "cli.short.serve", o, run.Or(serve))
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:2222", f.T("served.flag.listen"))
	cmd.Flags().StringVar(&o.Keys, "authorized-keys", "", f.T("served.flag.authorized-keys"))
	cmd.Flags().StringVar(&o.HostKey, "host-key", "", f.T("served.flag.host-key"))
	cmd.Flags().StringVar(&o.Root, "root", "", f.T("served.flag.root"))
	cmd.Flags().StringSliceVar(&o.Networks, "allow-networks", nil, f.T("served.flag.allow-networks"))
	cmd.Flags().BoolVar(&o.Demo, "demo", false, f.T("served.flag.demo"))
	cmd.Flags().IntVar(&o.Sessions, "max-sessions", served.Defaults.Sessions, f.T("served.flag.max-sessions"))
	cmd.Flags().IntVar(&o.PerUser, "max-per-user", served.Defaults.PerUser, f.T("served.flag.max-per-user"))
	cmd.Flags().IntVar(&o.PerAddress, "max-per-address", served.Defaults.PerSource, f.T("served.flag.max-per-address"))
	cmd.Flags().DurationVar(&o.Idle, "idle", served.Defaults.Idle, f.T("served.flag.idle"))
	return cmd
}

func serve(ctx context.Context, o *Options) error {
	if !served.Possible {
		return o.Fault(exitcode.Unavailable, "served.error.system")
	}
	allowed, err := o.networks()
	if err != nil {
		return err
	}
	keys, err := o.keys()
	if err != nil {
		return err
	}
	root, err := o.openRoot()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	hostKey := cmp.Or(o.HostKey, filepath.Join(o.Root, hostKeyName))
	key, fresh, err := served.HostKey(hostKey)
	if err != nil {
		return o.fileFault(hostKey, err)
	}
	server, err := served.New(served.Options{
		Keys: keys, HostKey: key, Audit: o.Err, Code: command.Code,
		Limits: served.Limits{Sessions: o.Sessions, PerUser: o.PerUser, PerSource: o.PerAddress, Idle: o.Idle},
		Run: func(ctx context.Context, s *served.Session) error {
			return o.session(ctx, root, allowed, s)
		},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return o.Fault(exitcode.Unavailable, "served.error.listen", "address", safetext.FromRemote(o.Listen), "error",
			safetext.FromRemote(err.Error()))
	}
	if fresh {
		o.Note(o.T("served.new-host-key", "path", safetext.FromRemote(hostKey)))
	}
	o.Println(o.T("served.listening", "address", listener.Addr().String(), "fingerprint", served.Fingerprint(key)))
	return server.Serve(ctx, listener)
}

// networks are those of --allow-networks.
func (o *Options) networks() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range o.Networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, command.Usage(o.T("served.error.network", "value", safetext.FromRemote(text)))
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

// keys reads the file of keys, and names the lines that were left out.
func (o *Options) keys() (*served.Keys, error) {
	if o.Keys == "" {
		return nil, command.Usage(o.T("served.error.no-keys-file"))
	}
	keys, err := served.OpenKeys(o.Keys)
	if keys != nil {
		for _, r := range keys.Refusals() {
			o.Note(o.T("served.key-refused", "path", safetext.FromRemote(o.Keys), "line", r.Line, "reason", r.Reason))
		}
	}
	if errors.Is(err, served.ErrNoKeys) {
		return nil, o.Fault(exitcode.Config, "served.error.no-keys", "path", safetext.FromRemote(o.Keys))
	}
	return keys, o.fileFault(o.Keys, err)
}

// hostKeyName is the server's key in the root. No account has a folder of this name.
const hostKeyName = ".host-key"

// openRoot opens the folder of all users, and makes it where it is missing.
func (o *Options) openRoot() (*os.Root, error) {
	const private fs.FileMode = 0o700
	if o.Root == "" {
		path, _ := o.ConfigPath()
		o.Root = filepath.Join(filepath.Dir(path), "served")
	}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, err
	}
	o.Root = root
	if err := os.MkdirAll(root, private); err != nil {
		return nil, o.fileFault(root, err)
	}
	info, err := os.Lstat(root)
	if err != nil {
		return nil, o.fileFault(root, err)
	}
	if !info.IsDir() || info.Mode().Perm()&^private != 0 || !safefile.Own(info) {
		return nil, o.Fault(exitcode.Config, "served.error.root", "path", safetext.FromRemote(root))
	}
	return os.OpenRoot(root)
}

// fileFault names the file of an error that does not.
func (o *Options) fileFault(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*safefile.Error)):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return o.Fault(exitcode.Config, "served.error.missing", "path", safetext.FromRemote(path))
	}
	return o.Fault(exitcode.Config, "served.error.file", "path", safetext.FromRemote(path), "error",
		safetext.FromRemote(err.Error()))
}

// What one account may connect to in an hour. Searching for the servers of a domain that no one knows takes about forty
// connections, a whole setup another thirty.
const (
	connectionsPerHour = 400
	targetsPerHour     = 80
)

func (o *Options) quota(account string) *wire.Quota {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.quotas[account]
	if q == nil {
		q = &wire.Quota{Connections: connectionsPerHour, Targets: targetsPerHour}
		o.quotas[account] = q
	}
	return q
}

// factory makes the parts of one session: those of the server, with the client's terminal and its environment.
func (o *Options) factory(s *served.Session) *command.Factory {
	streams := command.Streams{In: s.Terminal, Out: s.Terminal, Err: s.Terminal, Getenv: s.Getenv}
	if s.Terminal == nil {
		streams.In, streams.Out, streams.Err = s.Stream, s.Stream, s.Stream
	}
	f := command.NewFactory(streams, o.Version)
	f.LangFlag, f.Plain, f.NoColor, f.Timeout = o.LangFlag, o.Plain, o.NoColor, o.Timeout
	f.Vendor, f.Providers = o.Vendor, o.Providers
	f.Resolver, f.CAFile = cmp.Or(o.Resolver, o.Getenv("POSTIER_RESOLVER")), o.ExtraRoots()
	f.Served = &command.Served{Terminal: tui.Served{Resized: s.Resized}}
	return f
}

// session runs the program for one person: the same one as at a login shell, with the person's own folder, the
// environment of the person's terminal, and a network that leads to mail servers on the internet only.
func (o *Options) session(ctx context.Context, root *os.Root, allowed []netip.Prefix, s *served.Session) error {
	f := o.factory(s)
	if s.Account.Role != served.RoleUser {
		return o.ended(ctx, f, o.role(ctx, f, s))
	}
	f.Served.Offer = o.desk.open(s)
	defer func() { f.EndSharing(ctx.Err() != nil && !errors.Is(context.Cause(ctx), served.ErrLeft)) }()
	folder, err := served.Folder(root, s.Account)
	if err != nil {
		return o.fileFault(o.Root, err)
	}
	f.ConfigFlag = filepath.Join(o.Root, folder, filepath.Base(config.SystemPath))
	own := f.Network
	f.Network = func() (*wire.Network, error) {
		network, err := own()
		if err != nil {
			return nil, err
		}
		network.Served, network.Allowed, network.Quota = true, allowed, o.quota(s.Account.Name)
		return network, nil
	}
	if o.Demo {
		err = setup.Demo(ctx, &setup.DemoOptions{Factory: f})
	} else {
		err = o.program.Home(ctx, f)
	}
	return o.ended(ctx, f, err)
}

// role is the session of a key that belongs to no person with settings here.
func (o *Options) role(ctx context.Context, f *command.Factory, s *served.Session) error {
	switch {
	case s.Account.Role == served.RoleSupport:
		return o.support(ctx, f, s)
	case s.Account.Role == served.RoleShare && s.Command == relay.Command && s.Stream != nil:
		return o.relay(ctx, s)
	}
	return f.Fault(exitcode.Usage, "served.no-share")
}

// ended says how the session ended, unless the server ends it. A panic of the work is passed on to where the session
// began, which knows what to say to whom.
func (o *Options) ended(ctx context.Context, f *command.Factory, err error) error {
	var broken *carrier.PanicError
	if errors.As(err, &broken) {
		panic(&parallel.Panic{Value: broken.Value, Stack: broken.Stack})
	}
	if ctx.Err() == nil {
		o.program.End(f, err)
	}
	return err
}
