package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/tui/plain"
)

// version is set by the linker for releases.
var version = "0.1.0"

// run is the whole program; it returns the exit code of docs/reference.md §4.
func run(args []string, s command.Streams) int {
	// bubbletea would append all keys, including passwords, to the file that these variables name (docs/security.md T12).
	_ = os.Unsetenv("TEA_TRACE")
	_ = os.Unsetenv("TEA_DEBUG")
	hardenProcess()
	args = calledAs(args)
	out := &answered{Writer: s.Out}
	if wantsJSON(args) {
		s.Out = out
	}
	f := command.NewFactory(s, version)
	f.LangFlag = languageBeforehand(args)
	called := ""
	if len(args) > 1 {
		called = args[1]
	}
	root := newRoot(f, called)
	root.SetArgs(args[1:])
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	ctx, stop := untilSignal()
	defer stop()
	onTerminal := plain.IsTerminal(s.In)
	err := root.ExecuteContext(ctx)
	hungUp := onTerminal && !plain.IsTerminal(s.In) // its end may be read before the signal comes
	f.EndSharing(hungUp || ctx.Err() != nil && !errors.Is(context.Cause(ctx), errCtrlC))
	code := exit(f, err)
	if s.Out == out && (f.JSON && code != exitcode.OK || code == exitcode.Usage) {
		answerFailure(f, out, err, sentence(f, f.Sentence(err)))
	}
	if code == exitcode.OK {
		code = exit(f, f.Unwritten())
	}
	nameSupport(f, code)
	return code
}

// errCtrlC is why a run ends that the person stopped.
var errCtrlC = errors.New("interrupted")

// untilSignal is a context that a signal ends. Its cause tells the person's own from the loss of the terminal and the
// end of the machine, which a helper who looks on must not take for the person's wish.
func untilSignal() (ctx context.Context, stop func()) {
	running, ended := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	ctx, end := context.WithCancelCause(running)
	pressed := make(chan os.Signal, 1)
	signal.Notify(pressed, os.Interrupt)
	go func() {
		select {
		case <-pressed:
			end(errCtrlC)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(pressed); ended() }
}

// calledAs maps the names under which other programs call a mailer to the command and its arguments.
func calledAs(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch strings.TrimSuffix(filepath.Base(args[0]), ".exe") {
	case "sendmail":
		return append([]string{args[0], "sendmail"}, args[1:]...)
	case "mailq":
		return append([]string{args[0], "sendmail", "-bp"}, args[1:]...)
	case "newaliases":
		return []string{args[0], "sendmail", "-bi"}
	}
	return args
}

// languageBeforehand finds --lang without parsing the rest, so that help and usage errors are in that language too.
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

func newRoot(f *command.Factory, called string) *cobra.Command {
	root := &cobra.Command{
		Use: "postier", Short: f.T("cli.short.postier"), SilenceErrors: true, SilenceUsage: true, Args: f.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runHome(cmd.Context(), f) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&f.ConfigFlag, "config", "", f.T("cli.flag.config"))
	flags.StringVar(&f.LangFlag, "lang", f.LangFlag, f.T("cli.flag.lang", "languages", locale.Codes()))
	flags.BoolVar(&f.Plain, "plain", false, f.T("cli.flag.plain"))
	flags.BoolVar(&f.NoColor, "no-color", false, f.T("cli.flag.no-color"))
	flags.BoolVar(&f.JSON, "json", false, f.T("cli.flag.json"))
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, f.T("cli.flag.verbose"))
	flags.StringVar(&f.Resolver, "resolver", "", f.T("cli.flag.resolver"))
	flags.StringVar(&f.CAFile, "ca-file", "", f.T("cli.flag.ca-file"))
	flags.DurationVar(&f.Timeout, "timeout", 0, f.T("cli.flag.timeout"))
	completeValues(root, flags)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(f, err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Name() == cobra.ShellCompRequestCmd {
			return nil // the last word is one that is only begun
		}
		if err := checkGlobals(f); err != nil {
			return err
		}
		if err := together(f, cmd); err != nil {
			return err
		}
		f.NameProgram()
		return f.LoadVendor(cmd)
	}
	root.AddCommand(commands(f, called)...)
	localise(f, root)
	return root
}

// together refuses flags that exclude each other. cobra would do so later, in words of its own.
func together(f *command.Factory, cmd *cobra.Command) error {
	groups := map[string][]string{}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		for _, group := range flag.Annotations["cobra_annotation_mutually_exclusive"] {
			groups[group] = append(groups[group], "--"+flag.Name)
		}
	})
	for _, flags := range groups {
		if len(flags) > 1 {
			return command.Usage(f.T("cli.error.flags-together", "flags", strings.Join(flags, ", ")))
		}
	}
	return nil
}

func checkGlobals(f *command.Factory) error {
	if f.LangFlag != "" {
		if _, ok := locale.Parse(f.LangFlag); !ok {
			return command.Usage(f.T("cli.error.lang", "value", safetext.FromRemote(f.LangFlag), "languages", locale.Codes()))
		}
	}
	if f.Timeout < 0 {
		return command.Usage(f.T("cli.error.timeout"))
	}
	return nil
}

// nameSupport prints the vendor's contact after a failure, but not after a mistake on the command line or when the user
// ended the run.
func nameSupport(f *command.Factory, code int) {
	switch code {
	case exitcode.OK, exitcode.Usage, exitcode.Interrupted:
		return
	}
	if contact := f.Vendor.Contact(f.Lang()); contact != "" {
		f.Note(contact)
	}
}
