package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/account"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
	"postier/presets/vendor"
)

// version is set by the linker for releases.
var version = "0.1.0"

// streams are what a run talks through; tests give their own.
type streams struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
}

// app is one run: global flags, and the parts that commands share. Nothing is opened before a command needs it.
type app struct {
	streams
	called     string // the first argument, when it may be a command
	configFlag string
	langFlag   string
	plain      bool
	noColor    bool
	json       bool
	verbose    bool
	resolver   string
	caFile     string
	timeout    time.Duration
	unwritten  error // the first failed write of println

	vendor    *vendor.File // nil when there is none
	providers *presets.Book
}

// run is the whole program; it returns the exit code of docs/reference.md §4.
func run(args []string, s streams) int {
	// bubbletea would append raw keys, passwords included, to a file that this names (docs/security.md T12).
	_ = os.Unsetenv("TEA_TRACE")
	_ = os.Unsetenv("TEA_DEBUG")
	hardenProcess()
	a := &app{streams: s}
	args = calledAs(args)
	a.langFlag = languageBeforehand(args)
	if len(args) > 1 {
		a.called = args[1]
	}
	root := a.root()
	root.SetArgs(args[1:])
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	code := a.exit(root.ExecuteContext(ctx))
	if code == exitOK && a.unwritten != nil {
		code = a.exit(a.unwritten)
	}
	a.support(code)
	return code
}

// languageBeforehand finds --lang without parsing the rest, so that help and usage errors speak it too.
func languageBeforehand(args []string) string {
	for i, arg := range args {
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			return value
		}
	}
	return ""
}

func (a *app) lang() locale.Lang {
	if lang, ok := locale.Parse(a.langFlag); ok {
		return lang
	}
	return locale.FromEnvironment(a.getenv)
}

// T is a message in the person's language.
func (a *app) T(key string, args ...any) string { return locale.For(a.lang()).T(key, args...) }

// Say puts a text of another package into words.
func (a *app) Say(text locale.Text) string { return locale.For(a.lang()).Say(text) }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "postier", Short: a.T("cli.short.postier"), SilenceErrors: true, SilenceUsage: true, Args: a.noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.home(cmd.Context()) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFlag, "config", "", a.T("cli.flag.config"))
	flags.StringVar(&a.langFlag, "lang", a.langFlag, a.T("cli.flag.lang", "languages", locale.Codes()))
	flags.BoolVar(&a.plain, "plain", false, a.T("cli.flag.plain"))
	flags.BoolVar(&a.noColor, "no-color", false, a.T("cli.flag.no-color"))
	flags.BoolVar(&a.json, "json", false, a.T("cli.flag.json"))
	flags.BoolVarP(&a.verbose, "verbose", "v", false, a.T("cli.flag.verbose"))
	flags.StringVar(&a.resolver, "resolver", "", a.T("cli.flag.resolver"))
	flags.StringVar(&a.caFile, "ca-file", "", a.T("cli.flag.ca-file"))
	flags.DurationVar(&a.timeout, "timeout", 0, a.T("cli.flag.timeout"))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return a.flagError(err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.checkGlobals(); err != nil {
			return err
		}
		return a.loadVendor(cmd)
	}
	root.AddCommand(a.commands()...)
	a.localise(root)
	return root
}

func (a *app) checkGlobals() error {
	if a.langFlag != "" {
		if _, ok := locale.Parse(a.langFlag); !ok {
			return usagef(a.T("cli.error.lang", "value", safetext.FromRemote(a.langFlag), "languages", locale.Codes()))
		}
	}
	if a.timeout < 0 {
		return usagef(a.T("cli.error.timeout"))
	}
	return nil
}

// network is everything a check may touch, as the global flags say.
func (a *app) network() (*wire.Network, error) {
	n := &wire.Network{Resolver: wire.SystemResolver(), Timeout: a.timeout, Policy: a.policy()}
	resolver := a.resolver
	if resolver == "" {
		resolver = a.getenv("POSTIER_RESOLVER")
	}
	if resolver != "" {
		at, err := wire.ResolverAt(resolver)
		if err != nil {
			return nil, usagef(a.T("cli.error.resolver", "value", safetext.FromRemote(resolver)))
		}
		n.Resolver = at
	}
	for _, caFile := range []string{a.extraRoots(), a.vendorRoots()} {
		trusting, err := a.trusting(n, "", caFile)
		if err != nil {
			return nil, err
		}
		n = trusting
	}
	return n, nil
}

// extraRoots is the absolute path of the roots to trust in addition, empty for none.
func (a *app) extraRoots() string {
	path := a.caFile
	if path == "" {
		path = a.getenv("POSTIER_CA_FILE")
	}
	if path == "" {
		return a.vendorRoots()
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// trusting is the network that trusts the roots of a file in addition; a relative path starts at the configuration's
// folder, and "" is no file.
func (a *app) trusting(network *wire.Network, configPath, caFile string) (*wire.Network, error) {
	trusting, err := account.Trusting(network, configPath, caFile)
	if err != nil {
		return nil, a.Fault(exitConfig, "cli.error.ca-file", "path", safetext.FromRemote(caFile), "error",
			safetext.FromRemote(err.Error()))
	}
	return trusting, nil
}

// configPath is the configuration in use; found says whether it exists.
func (a *app) configPath() (path string, found bool) {
	path, found = config.Find(a.configFlag, a.getenv)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path, found
}

// document loads the configuration, which must exist.
func (a *app) document() (*config.Document, error) {
	path, _ := a.configPath()
	doc, err := config.Load(path)
	if missing(err) {
		return nil, a.Fault(exitConfig, "cli.error.no-config", "path", safetext.FromRemote(path))
	}
	return doc, err
}

// println keeps the first error for the exit code: a script that got half a list, or an empty password, must not read
// 0.
func (a *app) println(text string) {
	if _, err := fmt.Fprintln(a.out, text); err != nil && a.unwritten == nil {
		a.unwritten = err
	}
}

// colourless reports whether colours are off.
func (a *app) colourless() bool { return a.noColor || a.getenv("NO_COLOR") != "" }
