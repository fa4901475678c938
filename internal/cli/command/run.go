package command

import (
	"context"

	"github.com/spf13/cobra"
)

// Run does the work of a command with its options. A constructor takes one, so that a test can look at the options; nil
// is the command's own.
type Run[O any] func(ctx context.Context, o O) error

// Or is the run of a test, or the command's own.
func (r Run[O]) Or(own Run[O]) Run[O] {
	if r != nil {
		return r
	}
	return own
}

// Group is a command that only holds others; short is the key of its line in help.
func (p *Printer) Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: p.T(short), Args: p.NoArgs, RunE: p.NeedSubcommand}
	cmd.AddCommand(commands...)
	return cmd
}

// New is a command with options: its arguments, as many as there are places for them, and the flags that the caller
// binds.
func New[O any](f *Factory, use, short string, o O, run Run[O], arguments ...*string) *cobra.Command {
	return f.Leaf(use, short, len(arguments), len(arguments), func(ctx context.Context, args []string) error {
		for i, arg := range args {
			*arguments[i] = arg
		}
		return run(ctx, o)
	})
}

// Leaf is a command that takes only arguments, at least and at most so many.
func (p *Printer) Leaf(use, short string, least, most int, work Run[[]string]) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: p.T(short), Args: p.Args(least, most),
		RunE: func(cmd *cobra.Command, args []string) error { return work(cmd.Context(), args) },
	}
}
