package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"postier/config/export"
	"postier/internal/locale"
	"postier/internal/safefile"
	"postier/internal/safetext"
)

type exportOptions struct {
	list bool
	out  string
}

func (a *app) exportCommand() *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{Use: "export FORMAT [PROFILE]", Short: a.t("short.export"), Args: a.args(0, 2)}
	cmd.Flags().BoolVar(&o.list, "list", false, a.t("flag.export-list"))
	cmd.Flags().StringVar(&o.out, "out", "", a.t("flag.export-out"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.list {
			return a.listFormats()
		}
		if len(args) == 0 {
			return a.args(1, 2)(cmd, args)
		}
		return a.runExport(o, args[0], args[1:])
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
		a.println(f.Name + "\t" + locale.For(a.lang()).Say(f.Summary))
	}
	return nil
}

// runExport prints the artifact, or writes it with mode 0600. Notes go to standard error, so that a pipe gets the file.
func (a *app) runExport(o *exportOptions, format string, args []string) error {
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
	artifacts, err := export.Export(format, name, p, export.Options{
		Program: program, Config: doc.Path, DefaultConfig: a.configFlag == "" && a.getenv("POSTIER_CONFIG") == "",
	})
	if err != nil {
		return err
	}
	for _, artifact := range artifacts {
		for _, note := range artifact.Notes {
			a.note(locale.For(a.lang()).Say(note))
		}
		if o.out == "" {
			if _, err := a.out.Write(artifact.Content); err != nil {
				return err
			}
			continue
		}
		path := o.out
		if info, err := os.Stat(path); len(artifacts) > 1 || err == nil && info.IsDir() {
			path = filepath.Join(path, artifact.Path)
		}
		if err := safefile.Write(path, artifact.Content, safefile.Options{}); err != nil {
			return err
		}
		a.note(a.t("export.written", "path", safetext.FromRemote(path)))
	}
	return nil
}

// note goes to standard error.
func (a *app) note(text string) { _, _ = a.err.Write([]byte(text + "\n")) }
