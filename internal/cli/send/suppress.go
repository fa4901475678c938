package send

import (
	"context"
	"encoding/csv"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// NewSuppress is `postier suppress`.
func NewSuppress(f *command.Factory) *cobra.Command {
	return f.Group("suppress", "sendcli.short.suppress",
		NewSuppressList(f, nil),
		newSuppressEntry(f, "add"), newSuppressEntry(f, "edit"), newSuppressEntry(f, "accept"),
		f.Leaf("remove ADDRESS|@DOMAIN", "sendcli.short.suppress-remove", 1, 1,
			func(ctx context.Context, args []string) error {
				return withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
					return s.Unsuppress(ctx, args[0])
				}, "value", safetext.FromRemote(args[0]))
			}),
		f.Leaf("import FILE", "sendcli.short.suppress-import", 1, 1, importSuppressed(f)),
		f.Leaf("export", "sendcli.short.suppress-export", 0, 0, func(ctx context.Context, _ []string) error {
			return withState(ctx, f, func(ctx context.Context, s *delivery.Store) error { return s.ExportCSV(ctx, f.Out) })
		}))
}

// newSuppressEntry is `postier suppress add` and its like, which all write one entry.
func newSuppressEntry(f *command.Factory, name string) *cobra.Command {
	reason := ""
	short := "sendcli.short.suppress-" + name
	cmd := f.Leaf(name+" ADDRESS|@DOMAIN", short, 1, 1, func(ctx context.Context, args []string) error {
		return withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
			return s.Suppress(ctx, delivery.Entry{Pattern: args[0], Reason: reason})
		}, "value", safetext.FromRemote(args[0]))
	})
	cmd.Flags().StringVar(&reason, "reason", "", f.T("sendcli.flag.reason"))
	return cmd
}

// SuppressListOptions are the flags of `postier suppress list`.
type SuppressListOptions struct {
	*command.Factory
	Proposed bool
}

// NewSuppressList is `postier suppress list`.
func NewSuppressList(f *command.Factory, run command.Run[*SuppressListOptions]) *cobra.Command {
	o := &SuppressListOptions{Factory: f}
	cmd := command.New(f, "list", "sendcli.short.suppress-list", o, run.Or(runSuppressList))
	cmd.Flags().BoolVar(&o.Proposed, "proposed", false, f.T("sendcli.flag.proposed"))
	return cmd
}

func runSuppressList(ctx context.Context, o *SuppressListOptions) error {
	return withState(ctx, o.Factory, func(ctx context.Context, s *delivery.Store) error {
		list, err := s.Suppressed(ctx)
		if err != nil {
			return err
		}
		shown := []delivery.Entry{}
		waiting := 0
		for _, e := range list {
			if e.Proposed {
				waiting++
			}
			if e.Proposed == o.Proposed {
				shown = append(shown, e)
			}
		}
		if o.JSON {
			return o.PrintJSON(shown)
		}
		for _, e := range shown {
			o.Println(safetext.Escape(e.Pattern) + "  " + e.Added.Local().Format("2006-01-02") + "  " +
				safetext.Escape(e.Reason))
		}
		if !o.Proposed && waiting > 0 {
			o.Complain(o.T("sendcli.suppress.waiting", "n", waiting))
		}
		return nil
	})
}

func importSuppressed(f *command.Factory) command.Run[[]string] {
	return func(ctx context.Context, args []string) error {
		path := args[0]
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		return withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
			n, err := s.ImportCSV(ctx, file)
			var malformed *csv.ParseError
			switch {
			case errors.As(err, &malformed), errors.Is(err, delivery.ErrPattern):
				return f.Fault(exitcode.Data, "sendcli.suppress.import", "path", safetext.FromRemote(path), "error",
					safetext.FromRemote(err.Error()))
			case err != nil:
				return err
			}
			return f.Result(suppressImport{n}, func() { f.Println(f.T("sendcli.suppress.imported", "n", n)) })
		})
	}
}

// suppressImport is what `suppress import --json` prints.
type suppressImport struct {
	Added int `json:"added"`
}
