package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/safetext"
)

func (a *app) suppressCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "suppress", Short: a.T("sendcli.short.suppress"), Args: a.noArgs, RunE: a.needSubcommand}
	reason := ""
	entry := func(use string) *cobra.Command {
		c := &cobra.Command{
			Use: use + " ADDRESS|@DOMAIN", Short: a.T("sendcli.short.suppress-" + use), Args: a.args(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.withState(cmd.Context(), func(ctx context.Context, s *delivery.Store) error {
					return a.patternFault(s.Suppress(ctx, delivery.Entry{Pattern: args[0], Reason: reason}), args[0])
				})
			},
		}
		c.Flags().StringVar(&reason, "reason", "", a.T("sendcli.flag.reason"))
		return c
	}
	proposed := false
	list := &cobra.Command{
		Use: "list", Short: a.T("sendcli.short.suppress-list"), Args: a.noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.listSuppressed(cmd.Context(), proposed)
		},
	}
	list.Flags().BoolVar(&proposed, "proposed", false, a.T("sendcli.flag.proposed"))
	cmd.AddCommand(
		list, entry("add"), entry("edit"), entry("accept"),
		&cobra.Command{
			Use: "remove ADDRESS|@DOMAIN", Short: a.T("sendcli.short.suppress-remove"), Args: a.args(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.withState(cmd.Context(), func(ctx context.Context, s *delivery.Store) error {
					return a.patternFault(s.Unsuppress(ctx, args[0]), args[0])
				})
			},
		},
		&cobra.Command{
			Use: "import FILE", Short: a.T("sendcli.short.suppress-import"), Args: a.args(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.importSuppressed(cmd.Context(), args[0])
			},
		},
		&cobra.Command{
			Use: "export", Short: a.T("sendcli.short.suppress-export"), Args: a.noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return a.withState(cmd.Context(),
					func(ctx context.Context, s *delivery.Store) error { return s.ExportCSV(ctx, a.out) })
			},
		},
	)
	return cmd
}

// withState opens the state for a command that sends nothing.
func (a *app) withState(ctx context.Context, work func(context.Context, *delivery.Store) error) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	store, err := a.openState(ctx, doc)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return a.stateError(work(ctx, store))
}

func (a *app) patternFault(err error, typed string) error {
	switch {
	case errors.Is(err, delivery.ErrPattern):
		return a.Fault(exitData, "sendcli.suppress.pattern", "value", safetext.FromRemote(typed))
	case errors.Is(err, delivery.ErrNoEntry):
		return a.Fault(exitData, "sendcli.suppress.none", "value", safetext.FromRemote(typed))
	}
	return err
}

func (a *app) listSuppressed(ctx context.Context, proposed bool) error {
	return a.withState(ctx, func(ctx context.Context, s *delivery.Store) error {
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
			if e.Proposed == proposed {
				shown = append(shown, e)
			}
		}
		if a.json {
			return a.printJSON(shown)
		}
		for _, e := range shown {
			a.println(safetext.Escape(e.Pattern) + "  " + e.Added.Local().Format("2006-01-02") + "  " +
				safetext.Escape(e.Reason))
		}
		if !proposed && waiting > 0 {
			a.complain(a.T("sendcli.suppress.waiting", "n", waiting))
		}
		return nil
	})
}

func (a *app) importSuppressed(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return a.withState(ctx, func(ctx context.Context, s *delivery.Store) error {
		n, err := s.ImportCSV(ctx, file)
		var malformed *csv.ParseError
		switch {
		case errors.As(err, &malformed), errors.Is(err, delivery.ErrPattern):
			return a.Fault(exitData, "sendcli.suppress.import", "path", safetext.FromRemote(path), "error",
				safetext.FromRemote(err.Error()))
		case err != nil:
			return err
		}
		a.println(a.T("sendcli.suppress.imported", "n", n))
		return nil
	})
}
