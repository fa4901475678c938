package send

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/tui/plain"
)

// NewTemplate is `postier template`.
func NewTemplate(f *command.Factory) *cobra.Command {
	return f.Group("template", "sendcli.short.template",
		f.Leaf("list", "sendcli.short.template-list", 0, 0,
			func(context.Context, []string) error { return listTemplates(f) }),
		NewTemplateShow(f, nil), NewTemplateEdit(f, nil),
		f.Leaf("remove NAME", "sendcli.short.template-remove", 1, 1, func(_ context.Context, args []string) error {
			return templateFault(f, templates(f).Remove(args[0]), args[0])
		}))
}

// TemplateShowOptions are the flags and arguments of `postier template show`.
type TemplateShowOptions struct {
	*command.Factory
	Name string
	Set  []string
}

// NewTemplateShow is `postier template show`.
func NewTemplateShow(f *command.Factory, run command.Run[*TemplateShowOptions]) *cobra.Command {
	o := &TemplateShowOptions{Factory: f}
	cmd := command.New(f, "show NAME", "sendcli.short.template-show", o, run.Or(runTemplateShow), &o.Name)
	cmd.Flags().StringArrayVar(&o.Set, "set", nil, f.T("sendcli.flag.set"))
	return cmd
}

// TemplateEditOptions are the flags and arguments of `postier template edit`.
type TemplateEditOptions struct {
	*command.Factory
	Name string
	File string
}

// NewTemplateEdit is `postier template edit`.
func NewTemplateEdit(f *command.Factory, run command.Run[*TemplateEditOptions]) *cobra.Command {
	o := &TemplateEditOptions{Factory: f}
	cmd := command.New(f, "edit NAME", "sendcli.short.template-edit", o, run.Or(runTemplateEdit), &o.Name)
	cmd.Flags().StringVar(&o.File, "file", "", f.T("sendcli.flag.file"))
	return cmd
}

func templates(f *command.Factory) delivery.Templates {
	path, _ := f.ConfigPath()
	return delivery.TemplatesOf(path)
}

// templateNamed is a template in the configuration's folder.
func templateNamed(f *command.Factory, name string) (delivery.Template, error) {
	t, err := templates(f).Get(name)
	return t, templateFault(f, err, name)
}

// templateFault puts an error about a template into words.
func templateFault(f *command.Factory, err error, name string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return f.Fault(exitcode.Data, "sendcli.template.none", "name", safetext.FromRemote(name))
	}
	return f.Sentence(err, "name", safetext.FromRemote(name))
}

// templateValues reads name=value.
func templateValues(f *command.Factory, set []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, command.Usage(f.T("sendcli.template.set", "value", safetext.FromRemote(pair)))
		}
		values[name] = value
	}
	return values, nil
}

func listTemplates(f *command.Factory) error {
	names, err := templates(f).List()
	if err != nil {
		return err
	}
	return command.List(&f.Printer, names, f.Println)
}

// runTemplateShow prints the preview, filled in with the values that are given.
func runTemplateShow(_ context.Context, o *TemplateShowOptions) error {
	t, err := templateNamed(o.Factory, o.Name)
	if err != nil {
		return err
	}
	values, err := templateValues(o.Factory, o.Set)
	if err != nil {
		return err
	}
	if o.JSON {
		t.Subject, t.Body, _ = t.Fill(values)
		return o.PrintJSON(t)
	}
	subject, body, absent := t.Fill(values)
	for _, line := range []struct{ name, value string }{
		{"From", t.From}, {"Reply-To", t.ReplyTo}, {"Profile", t.Profile}, {"Kind", t.Kind},
	} {
		if line.value != "" {
			o.Println(line.name + ": " + safetext.Escape(line.value))
		}
	}
	o.Println(o.T("sendcli.template.subject", "subject", safetext.FromRemote(subject)))
	o.Println("")
	for line := range strings.SplitSeq(strings.TrimRight(body, "\n"), "\n") {
		o.Println(safetext.Escape(line))
	}
	if len(absent) > 0 {
		o.Complain(o.T("sendcli.template.absent", "fields", strings.Join(absent, ", ")))
	}
	return nil
}

// runTemplateEdit reads the text from a file or from standard input. There is no editor: on a terminal the user types
// the text and ends it with Ctrl+D.
func runTemplateEdit(_ context.Context, o *TemplateEditOptions) error {
	const most = 256 << 10 // a template is a letter
	in := o.In
	if o.File != "" {
		opened, err := os.Open(o.File)
		if err != nil {
			return err
		}
		defer func() { _ = opened.Close() }()
		in = opened
	} else if plain.IsTerminal(o.In) {
		o.Note(o.T("sendcli.template.type"))
	}
	data, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return err
	}
	return templateFault(o.Factory, templates(o.Factory).Put(o.Name, string(data)), o.Name)
}
