package command

import (
	"runtime"
	"strings"

	"postier/config"
	"postier/diagnostics/report"
)

// NameProgram makes the commands in sentences for the user carry --config where the configuration is not the one that
// is found without: typed as they are printed, they would otherwise be about another file. It is called once the flags
// are parsed.
func (f *Factory) NameProgram() {
	if f.ConfigFlag == "" && f.Getenv("POSTIER_CONFIG") == "" {
		return
	}
	path, _ := f.ConfigPath()
	f.program = Program(path)
}

// Program starts a command about the configuration at path.
func Program(path string) string { return config.Program + " --config " + ShellWord(path) }

// System says where the program runs, for a report.
func (f *Factory) System() report.System {
	return report.System{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Terminal: f.Getenv("TERM"), Locale: string(f.Lang()),
		Interactive: f.Interactive(),
	}
}

// Program starts a command about the configuration in use, as the user types it.
func (p *Printer) Program() string {
	if p.program == "" {
		return config.Program
	}
	return p.program
}

// spell completes the commands in a sentence that read or write the configuration.
func (p *Printer) spell(text string) string {
	if p.program == "" {
		return text
	}
	for _, command := range []string{
		"config ", "diagnose", "export ", "limits ", "profile ", "queue ", "secret ", "setup", "suppress ", "template ",
		"token ", "watch ",
	} {
		text = strings.ReplaceAll(text, config.Program+" "+command, p.program+" "+command)
	}
	return text
}

// ShellWord quotes a word for a POSIX shell.
func ShellWord(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
