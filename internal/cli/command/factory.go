// Package command is what the commands are built from: the factory of their parts, the printer, errors with their exit
// codes, and the flags that several commands share. A command is an options struct, a constructor that binds flags to
// it, and a function that runs on it.
package command

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"postier/config"
	"postier/internal/account"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
	"postier/presets/vendor"
	"postier/share"
	"postier/tui"
)

// Factory holds the global flags and makes the parts that commands share. Nothing is opened before a command asks for
// it.
type Factory struct {
	Printer
	Version string

	ConfigFlag string
	Resolver   string
	CAFile     string
	Timeout    time.Duration

	// Vendor is the vendor file, nil when there is none; Providers are the built-in ones with what it says of them, nil
	// for the built-in ones alone.
	Vendor    *vendor.File
	Providers *presets.Book

	// Served is set in a session of `postier serve`: the person has a terminal here, and no shell and no files.
	Served *Served

	sharing *share.Presenter

	// Network makes the network that the flags describe; tests replace it.
	Network func() (*wire.Network, error)
}

// Served is what a session knows of its server.
type Served struct {
	// Terminal tells about changes of the terminal.
	Terminal tui.Served
	// Offer lets the session be shared through the server; nil where it cannot be.
	Offer share.Opener
}

// Terminal is how the terminal differs from one of this process.
func (f *Factory) Terminal() tui.Served {
	if f.Served == nil {
		return tui.Served{}
	}
	return f.Served.Terminal
}

// NewFactory is a factory whose network follows the flags.
func NewFactory(s Streams, version string) *Factory {
	f := &Factory{Printer: Printer{Streams: s}, Version: version}
	f.Network = f.network
	return f
}

func (f *Factory) network() (*wire.Network, error) {
	n := &wire.Network{Resolver: wire.SystemResolver(), Timeout: f.Timeout, Policy: f.Policy()}
	if resolver := cmp.Or(f.Resolver, f.Getenv("POSTIER_RESOLVER")); resolver != "" {
		at, err := wire.ResolverAt(resolver)
		if err != nil {
			return nil, Usage(f.T("cli.error.resolver", "value", safetext.FromRemote(resolver)))
		}
		n.Resolver = at
	}
	for _, caFile := range []string{f.ExtraRoots(), f.vendorRoots()} {
		trusting, err := f.Trusting(n, "", caFile)
		if err != nil {
			return nil, err
		}
		n = trusting
	}
	return n, nil
}

// ExtraRoots is the absolute path of the roots to trust in addition, empty for none.
func (f *Factory) ExtraRoots() string {
	path := cmp.Or(f.CAFile, f.Getenv("POSTIER_CA_FILE"))
	if path == "" {
		return f.vendorRoots()
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Trusting is the network that trusts the roots of a file in addition; a relative path starts at the configuration's
// folder, and "" is no file.
func (f *Factory) Trusting(network *wire.Network, configPath, caFile string) (*wire.Network, error) {
	trusting, err := account.Trusting(network, configPath, caFile)
	if err != nil {
		return nil, f.Fault(exitcode.Config, "cli.error.ca-file", "path", safetext.FromRemote(caFile), "error",
			safetext.FromRemote(err.Error()))
	}
	return trusting, nil
}

// ConfigPath is the configuration in use; found says whether it exists.
func (f *Factory) ConfigPath() (path string, found bool) {
	path, found = config.Find(f.ConfigFlag, f.Getenv)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path, found
}

// Document loads the configuration, which must exist.
func (f *Factory) Document() (*config.Document, error) {
	path, _ := f.ConfigPath()
	doc, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.NoConfig(path)
	}
	return doc, err
}

// NoConfig says that there is no configuration yet. It names the file: the error of safefile names the first missing
// folder.
func (f *Factory) NoConfig(path string) error {
	return f.Fault(exitcode.Config, "cli.error.no-config", "path", safetext.FromRemote(path))
}

// Profile is a profile by name.
func (f *Factory) Profile(name string) (*config.Document, *config.Profile, error) {
	doc, err := f.Document()
	if err != nil {
		return nil, nil, err
	}
	p, err := doc.Profile(name)
	return doc, p, err
}

// ProfileNamed is the profile that the first argument names, or the default.
func (f *Factory) ProfileNamed(args []string) (doc *config.Document, name string, p *config.Profile, err error) {
	if doc, err = f.Document(); err != nil {
		return nil, "", nil, err
	}
	if name = doc.File.Default; len(args) > 0 {
		name = args[0]
	}
	if name == "" {
		return nil, "", nil, f.Fault(exitcode.Data, "cli.error.no-default")
	}
	p, err = doc.Profile(name)
	return doc, name, p, err
}
