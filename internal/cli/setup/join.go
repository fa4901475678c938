package setup

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/share"
	"postier/share/local"
	"postier/tui"
	"postier/tui/plain"
)

// JoinOptions are the arguments of `postier join`.
type JoinOptions struct {
	*command.Factory
	Code string
	// Find looks for the session with the code; tests have their own.
	Find func(context.Context, share.Code) (io.ReadWriteCloser, error)
}

// NewJoin is `postier join`.
func NewJoin(f *command.Factory, run command.Run[*JoinOptions]) *cobra.Command {
	o := &JoinOptions{Factory: f, Find: local.Machine{Getenv: f.Getenv}.Join}
	return f.Leaf("join CODE", "cli.short.join", 1, 2, func(ctx context.Context, args []string) error {
		o.Code = strings.Join(args, " ") // as it is said: two groups
		return run.Or(Join)(ctx, o)
	})
}

// Join looks at the session that a person shares.
func Join(ctx context.Context, o *JoinOptions) error {
	code, ok := share.ParseCode(o.Code)
	switch {
	case ok:
	case strings.TrimSpace(o.Code) == "":
		return o.Fault(exitcode.Usage, "cli.error.join-empty", "program", o.Program())
	default:
		return o.Fault(exitcode.Usage, "cli.error.join-form", "code", safetext.FromRemote(o.Code))
	}
	stream, err := o.Find(ctx, code)
	if err != nil {
		return joinError(o.Factory, err)
	}
	viewer := share.NewViewer(stream)
	defer viewer.Close()
	err = tui.ErrNoTerminal
	if o.Drawable() {
		err = tui.Watch(ctx, tui.WatchOptions{
			Viewer: viewer, Product: o.Product(), Lang: o.Lang(), NoColor: o.Colourless(), Getenv: o.Getenv, In: o.In,
			Out: o.Out, Served: o.Terminal(),
		})
	}
	if errors.Is(err, tui.ErrNoTerminal) {
		err = plain.Watch(ctx, plain.WatchOptions{
			Viewer: viewer, Product: o.Product(), Lang: o.Lang(), In: o.In, Out: o.Out,
		})
	}
	if err != nil {
		return joinError(o.Factory, err)
	}
	o.Println(o.T("cli.join.over"))
	return nil
}

// joinError puts into words why a helper cannot look, or no longer.
func joinError(f *command.Factory, err error) error {
	switch {
	case errors.Is(err, local.ErrNone):
		return f.Fault(exitcode.Unavailable, "cli.error.join-none")
	case errors.Is(err, share.ErrCode):
		return f.Fault(exitcode.NoPerm, "cli.error.join-code")
	case errors.Is(err, share.ErrGuessing):
		return f.Fault(exitcode.NoPerm, "cli.error.join-guessing")
	case errors.Is(err, share.ErrVersion), errors.Is(err, share.ErrDialog):
		return f.Fault(exitcode.Protocol, "cli.error.join-version")
	case errors.Is(err, share.ErrLost), errors.Is(err, io.EOF), errors.As(err, new(*net.OpError)):
		return f.Fault(exitcode.Unavailable, "cli.error.join-lost")
	}
	return err
}
