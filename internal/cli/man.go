package cli

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/tui/plain"
)

// The manual page is generated from the command tree, so that it cannot become outdated. cobra/doc does that too, but
// in English only, and adds a Markdown parser and a YAML library to the binary.

// manVariables are the environment variables that the program reads; each has a sentence in the catalogue.
var manVariables = []string{
	"POSTIER_CONFIG", "POSTIER_RESOLVER", "POSTIER_CA_FILE", "NO_COLOR", "ACCESSIBLE", "TERM",
	"LC_ALL",
}

// newMan is `postier man`.
func newMan(f *command.Factory) *cobra.Command {
	cmd := &cobra.Command{Use: "man [COMMAND ...]", Short: f.T("man.short"), Long: f.T("man.long")}
	folder := cmd.Flags().String("dir", "", f.T("man.flag.dir"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *folder != "" {
			if err := f.NoArgs(cmd, args); err != nil {
				return err
			}
			return cmp.Or(writePages(f, cmd.Root(), *folder), writePage(*folder, formatName+".5", formatPage(f)))
		}
		about, rest, err := cmd.Root().Find(args)
		if err != nil || len(rest) > 0 {
			return f.Fault(exitcode.Usage, "cli.error.command", "command", safetext.FromRemote(strings.Join(args, " ")))
		}
		page := &manPage{f: f}
		page.write(about)
		if _, err := f.Out.Write([]byte(page.text.String())); err != nil {
			return err
		}
		if plain.IsTerminal(f.Out) {
			f.Note(f.T("man.hint", "command", strings.Join(append([]string{"postier man"}, args...), " ")+" | man -l -"))
		}
		return nil
	}
	return cmd
}

// writePages writes the page of every command into a folder.
func writePages(f *command.Factory, cmd *cobra.Command, folder string) error {
	const mode fs.FileMode = 0o755
	if err := os.MkdirAll(folder, mode); err != nil {
		return err
	}
	page := &manPage{f: f}
	page.write(cmd)
	if err := writePage(folder, pageName(cmd)+".1", page.text.String()); err != nil {
		return err
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			if err := writePages(f, sub, folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func writePage(folder, name, text string) error {
	const readable fs.FileMode = 0o644
	return os.WriteFile(filepath.Join(folder, name), []byte(text), readable)
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is one page in the language of man(7), encoded in UTF-8.
type manPage struct {
	f    *command.Factory
	text strings.Builder
}

func (p *manPage) line(format string, args ...any) {
	fmt.Fprintf(&p.text, format+"\n", args...)
}

func (p *manPage) section(key string) {
	p.line(".SH %s", roff(strings.ToUpper(p.f.T("man.section."+key))))
}

// item is a term with its explanation.
func (p *manPage) item(term, text string) { p.line(".TP\n\\fB%s\\fR\n%s", roff(term), roff(text)) }

// head is the title of a page and its first section.
func (p *manPage) head(name, section, short string) {
	p.line(".\\\" -*- coding: utf-8 -*-")
	p.line(`.TH "%s" "%s" "%s" "postier %s" "%s"`, roff(strings.ToUpper(name)), section, roff(build(p.f.Version).Date),
		roff(p.f.Version), roff(p.f.T("man.book")))
	p.section("name")
	p.line(`%s \- %s`, roff(name), roff(short))
}

func (p *manPage) write(cmd *cobra.Command) {
	name := pageName(cmd)
	p.head(name, "1", cmd.Short)
	p.section("synopsis")
	p.synopsis(cmd)
	p.section("description")
	about := "man.about." + strings.ReplaceAll(name, "-", ".")
	if locale.For(p.f.Lang()).Has(about) {
		p.paragraphs(p.f.T(about))
	} else {
		p.paragraphs(cmd.Short + ".")
	}
	p.subcommands(cmd)
	p.options("options", cmd.NonInheritedFlags())
	if cmd.HasParent() {
		p.options("global", cmd.InheritedFlags())
	}
	p.tables()
	p.seeAlso(cmd)
}

// synopsis shows the forms of a command; one that only holds others shows theirs.
func (p *manPage) synopsis(cmd *cobra.Command) {
	holder := cmd.HasParent() && cmd.HasAvailableSubCommands() && cmd.Use == cmd.Name()
	if !holder {
		p.form(cmd, strings.TrimPrefix(cmd.Use, cmd.Name()))
	}
	if !cmd.HasParent() {
		p.form(cmd, " "+strings.ToUpper(p.f.T("cli.help.command"))+" ...")
		return
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			p.form(sub, strings.TrimPrefix(sub.Use, sub.Name()))
		}
	}
}

// form is one line of the synopsis; words are what follows the command.
func (p *manPage) form(cmd *cobra.Command, words string) {
	options := ""
	if len(flagsOf(cmd.NonInheritedFlags())) > 0 {
		options = " [\\fI" + roff(p.f.T("man.option-word")) + "\\fR]"
	}
	p.line(".PP\n\\fB%s\\fR%s%s", roff(cmd.CommandPath()), options, roff(words))
}

func (p *manPage) subcommands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	p.section("commands")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			p.item(sub.Name()+strings.TrimPrefix(sub.Use, sub.Name()), sub.Short+".")
		}
	}
	if !cmd.HasParent() {
		return // each command of the program has a page of its own
	}
	for _, sub := range cmd.Commands() {
		if own := sub.NonInheritedFlags(); sub.IsAvailableCommand() && own.HasAvailableFlags() && len(flagsOf(own)) > 0 {
			p.line(".SS %s", roff(sub.CommandPath()))
			p.flags(flagsOf(own))
		}
	}
}

func (p *manPage) options(section string, set *pflag.FlagSet) {
	if list := flagsOf(set); len(list) > 0 {
		p.section(section)
		p.flags(list)
	}
}

// flagsOf are the flags to show; every command has --help, which needs no line of its own.
func flagsOf(set *pflag.FlagSet) []*pflag.Flag {
	var list []*pflag.Flag
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			list = append(list, f)
		}
	})
	return list
}

func (p *manPage) flags(list []*pflag.Flag) {
	for _, f := range list {
		term := "--" + f.Name
		if f.Shorthand != "" {
			term = "-" + f.Shorthand + ", " + term
		}
		if f.Value.Type() != "bool" {
			term += " " + strings.ToUpper(p.f.T("man.value-word"))
		}
		p.item(term, f.Usage)
	}
}

// tables are the parts that every page has: exit codes, environment, files.
func (p *manPage) tables() {
	p.section("exit")
	for _, code := range exitcode.All() {
		p.item(fmt.Sprint(code), p.f.T("man.exit."+strconv.Itoa(code)))
	}
	p.section("environment")
	for _, name := range manVariables {
		p.item(name, p.f.T("man.variable."+name))
	}
	p.files()
}

func (p *manPage) files() {
	p.section("files")
	for _, file := range []struct{ path, key string }{
		{"$XDG_CONFIG_HOME/postier/config.json", "config"},
		{"$XDG_CONFIG_HOME/postier/secrets/", "secrets"},
		{"/etc/postier/config.json", "system"},
	} {
		p.item(file.path, p.f.T("man.file."+file.key))
	}
}

func (p *manPage) seeAlso(cmd *cobra.Command) {
	p.section("see-also")
	var names []string
	for _, other := range cmd.Root().Commands() {
		if other.IsAvailableCommand() && other.Name() != "help" && other != cmd {
			names = append(names, `\fBpostier\-`+roff(other.Name())+`\fR(1)`)
		}
	}
	p.line("%s", strings.Join(names, ", "))
}

// paragraphs writes text whose paragraphs are separated by empty lines.
func (p *manPage) paragraphs(text string) {
	for _, part := range strings.Split(text, "\n\n") {
		p.line(".PP\n%s", roff(part))
	}
}

// roff escapes text for the formatter: no line is read as a request and no character as an escape, and a hyphen can
// still be copied into a shell.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ", `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
