package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/config/export"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
)

type exportOptions struct {
	list   bool
	out    string
	inline bool
}

func (a *app) exportCommand() *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{Use: "export FORMAT [PROFILE]", Short: a.T("cli.short.export"), Args: a.args(0, 2)}
	cmd.Flags().BoolVar(&o.list, "list", false, a.T("cli.flag.export-list"))
	cmd.Flags().StringVar(&o.out, "out", "", a.T("cli.flag.export-out"))
	cmd.Flags().BoolVar(&o.inline, "inline-secret", false, a.T("cli.flag.inline-secret"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.list {
			return a.listFormats()
		}
		if len(args) == 0 {
			return a.args(1, 2)(cmd, args)
		}
		return a.runExport(cmd.Context(), o, args[0], args[1:])
	}
	return cmd
}

func (a *app) listFormats() error {
	if a.json {
		var names []string
		for _, f := range export.Formats() {
			names = append(names, f.Name)
		}
		return a.printJSON(names)
	}
	for _, f := range export.Formats() {
		a.println(f.Name + "\t" + a.Say(f.Summary)) // a tab, for cut
	}
	return nil
}

// runExport prints the artifacts, or writes them with mode 0600. Notes go to standard error, so that a pipe gets the
// file.
func (a *app) runExport(ctx context.Context, o *exportOptions, format string, args []string) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	name, p, err := a.profileNamed(doc, args)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	options := export.Options{
		Program: program, Config: doc.Path, DefaultConfig: a.configFlag == "" && a.getenv("POSTIER_CONFIG") == "",
	}
	if o.inline && p.Submission.Auth != config.MechanismNone {
		// Asked of the format first: a secret that nobody may write is not fetched.
		if f, known := export.Find(format); known {
			if may, _ := f.TakesInlineSecret(); !may {
				return &exitError{exitUsage, a.Say(locale.Msg("config.export.no_inline", "format", f.Name))}
			}
		}
		if options.InlineSecret, err = a.credentials(doc.Path).Resolve(ctx, name, p); err != nil {
			return err
		}
	}
	artifacts, err := export.Export(format, name, p, options)
	if err != nil {
		return a.exportError(err)
	}
	return a.deliver(o, artifacts)
}

// exportError gives a refusal its exit code: a format that does not exist, or a flag that it does not take, is usage; a
// value that it cannot hold is data.
func (a *app) exportError(err error) error {
	var refused *export.Error
	if !errors.As(err, &refused) {
		return err
	}
	code := exitData
	switch refused.Reason.Key {
	case "config.enum", "config.export.inline_only", "config.export.no_inline":
		code = exitUsage
	}
	return &exitError{code, a.Say(refused.Reason)}
}

// deliver prints or writes the artifacts. Several go to a folder, or to standard output one behind the other under
// their names, as head does it.
func (a *app) deliver(o *exportOptions, artifacts []export.Artifact) error {
	info, err := os.Stat(o.out)
	folder := len(artifacts) > 1 || err == nil && info.IsDir() || strings.HasSuffix(o.out, string(filepath.Separator))
	for i, artifact := range artifacts {
		for _, note := range artifact.Notes {
			a.note(a.Say(note))
		}
		if o.out == "" {
			heading := ""
			if len(artifacts) > 1 {
				heading = "==> " + artifact.Path + " <==\n"
				if i > 0 {
					heading = "\n" + heading
				}
			}
			if _, err := a.out.Write(append([]byte(heading), artifact.Content...)); err != nil {
				return err
			}
			continue
		}
		path := o.out
		if folder {
			path = filepath.Join(path, artifact.Path)
		}
		if err := safefile.Write(path, artifact.Content, safefile.Options{}); err != nil {
			return err
		}
		// The lock is for files that several write. Here it would only lie about, in folders that others read as a whole.
		_ = os.Remove(path + ".lock")
		a.note(a.T("cli.export.written", "path", safetext.FromRemote(path)))
	}
	return nil
}

// note goes to standard error.
func (a *app) note(text string) { _, _ = a.err.Write([]byte(text + "\n")) }
