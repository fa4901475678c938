package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/safetext"
	"postier/tui/plain"
)

func (a *app) templateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "template", Short: a.T("sendcli.short.template"), Args: a.noArgs, RunE: a.needSubcommand}
	var set []string
	show := &cobra.Command{
		Use: "show NAME", Short: a.T("sendcli.short.template-show"), Args: a.args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.showTemplate(args[0], set)
		},
	}
	show.Flags().StringArrayVar(&set, "set", nil, a.T("sendcli.flag.set"))
	file := ""
	edit := &cobra.Command{
		Use: "edit NAME", Short: a.T("sendcli.short.template-edit"), Args: a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.editTemplate(cmd.Context(), args[0], file)
		},
	}
	edit.Flags().StringVar(&file, "file", "", a.T("sendcli.flag.file"))
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: a.T("sendcli.short.template-list"), Args: a.noArgs,
			RunE: func(*cobra.Command, []string) error { return a.listTemplates() },
		},
		show, edit,
		&cobra.Command{
			Use: "remove NAME", Short: a.T("sendcli.short.template-remove"), Args: a.args(1, 1),
			RunE: func(_ *cobra.Command, args []string) error {
				return a.templateFault(a.templates().Remove(args[0]), args[0])
			},
		},
	)
	return cmd
}

func (a *app) templates() delivery.Templates {
	path, _ := a.configPath()
	return delivery.TemplatesOf(path)
}

func (a *app) templateFault(err error, name string) error {
	switch {
	case errors.Is(err, delivery.ErrTemplateName):
		return a.Fault(exitData, "sendcli.template.name", "name", safetext.FromRemote(name))
	case errors.Is(err, fs.ErrNotExist):
		return a.Fault(exitData, "sendcli.template.none", "name", safetext.FromRemote(name))
	}
	return err
}

func (a *app) templateNamed(configPath, name string) (delivery.Template, error) {
	t, err := delivery.TemplatesOf(configPath).Get(name)
	return t, a.templateFault(err, name)
}

// templateValues reads name=value.
func (a *app) templateValues(set []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usagef(a.T("sendcli.template.set", "value", safetext.FromRemote(pair)))
		}
		values[name] = value
	}
	return values, nil
}

func (a *app) listTemplates() error {
	names, err := a.templates().List()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(names)
	}
	for _, name := range names {
		a.println(name)
	}
	return nil
}

// showTemplate is the preview: with values filled in, as far as they are given.
func (a *app) showTemplate(name string, set []string) error {
	t, err := a.templates().Get(name)
	if err != nil {
		return a.templateFault(err, name)
	}
	values, err := a.templateValues(set)
	if err != nil {
		return err
	}
	if a.json {
		t.Subject, t.Body, _ = t.Fill(values)
		return a.printJSON(t)
	}
	subject, body, absent := t.Fill(values)
	a.println(a.T("sendcli.template.subject", "subject", safetext.FromRemote(subject)))
	a.println("")
	for line := range strings.SplitSeq(strings.TrimRight(body, "\n"), "\n") {
		a.println(safetext.Escape(line))
	}
	if len(absent) > 0 {
		a.complain(a.T("sendcli.template.absent", "fields", strings.Join(absent, ", ")))
	}
	return nil
}

// editTemplate takes the text from a file or from stdin. There is no editor: on a terminal the text is typed, Ctrl+D
// ends it.
func (a *app) editTemplate(_ context.Context, name, file string) error {
	const most = 256 << 10 // a template is a letter
	in := a.in
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		in = f
	} else if plain.IsTerminal(a.in) {
		_, _ = io.WriteString(a.err, a.T("sendcli.template.type")+"\n")
	}
	data, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return err
	}
	return a.templateFault(a.templates().Put(name, string(data)), name)
}
