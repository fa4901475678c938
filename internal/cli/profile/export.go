package profile

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/export"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/wizard"
)

// ExportOptions are the flags and arguments of `postier export`.
type ExportOptions struct {
	*command.Factory
	Format string
	Name   []string // of the profile; none for the default
	List   bool
	Out    string
	Inline bool
}

// NewExport is `postier export`.
func NewExport(f *command.Factory, run command.Run[*ExportOptions]) *cobra.Command {
	o := &ExportOptions{Factory: f}
	cmd := &cobra.Command{Use: "export FORMAT [PROFILE]", Short: f.T("cli.short.export"), Args: f.Args(0, 2)}
	cmd.Flags().BoolVar(&o.List, "list", false, f.T("cli.flag.export-list"))
	cmd.Flags().StringVar(&o.Out, "out", "", f.T("cli.flag.export-out"))
	cmd.Flags().BoolVar(&o.Inline, "inline-secret", false, f.T("cli.flag.inline-secret"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0:
			o.Format, o.Name = args[0], args[1:]
		case !o.List:
			return f.Args(1, 2)(cmd, args)
		}
		return run.Or(runExport)(cmd.Context(), o)
	}
	return cmd
}

// Export prints a profile as the configuration of another program, for the home screen.
func Export(ctx context.Context, f *command.Factory, format, name string) error {
	return runExport(ctx, &ExportOptions{Factory: f, Format: format, Name: []string{name}})
}

// ExportChoices are the formats as a field offers them.
func ExportChoices() []wizard.Choice {
	var list []wizard.Choice
	for _, format := range export.Formats() {
		list = append(list, wizard.Choice{
			Value: format.Name, Label: wizard.Remote(format.Name), Detail: wizard.Words{Msg: format.Summary},
		})
	}
	return list
}

func listFormats(f *command.Factory) error {
	if f.JSON {
		var names []string
		for _, format := range export.Formats() {
			names = append(names, format.Name)
		}
		return f.PrintJSON(names)
	}
	for _, format := range export.Formats() {
		f.Println(format.Name + "\t" + f.Say(format.Summary)) // a tab, for cut
	}
	return nil
}

// runExport prints the artifacts, or writes them with mode 0600. Notes go to standard error, so that a pipe gets the
// file.
func runExport(ctx context.Context, o *ExportOptions) error {
	if o.List {
		return listFormats(o.Factory)
	}
	doc, name, p, err := o.ProfileNamed(o.Name)
	if err != nil {
		return err
	}
	if err := o.Own(name, p); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	options := export.Options{
		Program: program, Config: doc.Path, DefaultConfig: o.ConfigFlag == "" && o.Getenv("POSTIER_CONFIG") == "",
	}
	if o.Inline && p.Submission.Auth != config.MechanismNone {
		// A secret that the format must not contain is not even fetched.
		if wanted, known := export.Find(o.Format); known {
			if may, _ := wanted.TakesInlineSecret(); !may {
				return &export.Error{Reason: locale.Msg("config.export.no_inline", "format", wanted.Name)}
			}
		}
		if options.InlineSecret, err = o.Credentials(doc.Path).Resolve(ctx, name, p); err != nil {
			return err
		}
	}
	if format, _ := export.Find(o.Format); format.HoldsAuthority() && p.TLS.CAFile != "" {
		if _, options.Authority, err = account.Roots(doc.Path, p.TLS.CAFile); err != nil {
			return o.Fault(exitcode.Config, "cli.error.ca-file", "path", safetext.FromRemote(p.TLS.CAFile), "error",
				safetext.FromRemote(err.Error()))
		}
	}
	artifacts, err := export.Export(o.Format, name, p, options)
	if err != nil {
		return err
	}
	return o.deliver(artifacts)
}

// deliver prints or writes the artifacts. Several go to a folder, or to standard output one after the other under
// their names, as head does it.
func (o *ExportOptions) deliver(artifacts []export.Artifact) error {
	info, err := os.Stat(o.Out)
	folder := len(artifacts) > 1 || err == nil && info.IsDir() || strings.HasSuffix(o.Out, string(filepath.Separator))
	for i, artifact := range artifacts {
		for _, note := range artifact.Notes {
			o.Note(o.Say(note))
		}
		if o.Out == "" {
			heading := ""
			if len(artifacts) > 1 {
				heading = "==> " + artifact.Path + " <==\n"
				if i > 0 {
					heading = "\n" + heading
				}
			}
			if _, err := o.Factory.Out.Write(append([]byte(heading), artifact.Content...)); err != nil {
				return err
			}
			continue
		}
		path := o.Out
		if folder {
			path = filepath.Join(path, artifact.Path)
		}
		if err := safefile.Write(path, artifact.Content, safefile.Options{Alone: true}); err != nil {
			return err
		}
		// The lock serves files that several processes write. Here it would only be left over in a folder whose files other
		// programs may all read.
		_ = os.Remove(path + ".lock")
		o.Note(o.T("cli.export.written", "path", safetext.FromRemote(path)))
	}
	return nil
}
