package profile

import (
	"context"
	"os"
	"strings"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// maxAliasFile bounds a file of aliases, in octets.
const maxAliasFile = 1 << 20

// importAliases takes over a file in the format of aliases(5). Programs, files and further lists to be included are no
// addresses: they are named and left out, and nothing of them is ever run or read.
func importAliases(_ context.Context, f *command.Factory, path string) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxAliasFile {
		return f.Fault(exitcode.Data, "cli.alias.large", "path", safetext.FromRemote(path))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return f.Fault(exitcode.IO, "cli.alias.unreadable", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	aliases, left := parseAliases(string(data))
	if doc.File.Aliases == nil {
		doc.File.Aliases = map[string][]string{}
	}
	for name, targets := range aliases {
		doc.File.Aliases[name] = targets
	}
	for _, entry := range left {
		f.Note(f.T("cli.alias.left", "entry", safetext.FromRemote(entry)))
	}
	if err := doc.Save(); err != nil {
		return err
	}
	f.Println(f.T("cli.alias.taken", "n", len(aliases)))
	return nil
}

// parseAliases reads "name: target, target" lines; a line that begins with a blank continues the one before. A target
// without a domain must be a name of the file, or it would lead nowhere.
func parseAliases(text string) (aliases map[string][]string, left []string) {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "#"):
		case (line[0] == ' ' || line[0] == '\t') && len(lines) > 0:
			lines[len(lines)-1] += " " + strings.TrimSpace(line)
		default:
			lines = append(lines, line)
		}
	}
	raw := map[string][]string{}
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if !found || !config.ValidateAddress(name+"@local.example").Empty() {
			left = append(left, line)
			continue
		}
		for target := range strings.SplitSeq(value, ",") {
			target = strings.Trim(strings.TrimSpace(target), `"`)
			if list, bad := addressfield.List(target); target == "" || len(bad) > 0 || len(list) != 1 ||
				strings.HasPrefix(target, ":") {
				if target != "" {
					left = append(left, name+": "+target)
				}
				continue
			}
			raw[name] = append(raw[name], target)
		}
	}
	aliases = map[string][]string{}
	for name, targets := range raw {
		for _, target := range targets {
			if _, known := raw[target]; strings.Contains(target, "@") || known && target != name {
				aliases[name] = append(aliases[name], target)
			} else {
				left = append(left, name+": "+target)
			}
		}
	}
	return closed(aliases, left)
}

// closed drops targets whose name has no entry left.
func closed(aliases map[string][]string, left []string) (map[string][]string, []string) {
	for again := true; again; {
		again = false
		for name, targets := range aliases {
			var kept []string
			for _, target := range targets {
				if _, known := aliases[target]; known || strings.Contains(target, "@") {
					kept = append(kept, target)
				} else {
					left, again = append(left, name+": "+target), true
				}
			}
			if aliases[name] = kept; len(kept) == 0 {
				delete(aliases, name)
				again = true
			}
		}
	}
	return aliases, left
}
