package profile

import (
	"context"
	"maps"
	"os"
	"slices"
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
		f.Note(f.T("cli.alias.left", "entry", safetext.FromRemote(shortened(entry))))
	}
	if err := doc.Save(); err != nil {
		return err
	}
	taken := aliasImport{slices.AppendSeq([]string{}, maps.Keys(aliases)), append([]string{}, left...)}
	slices.Sort(taken.Names)
	return f.Result(taken, func() { f.Println(f.T("cli.alias.taken", "n", len(aliases))) })
}

// aliasImport is what `alias import --json` prints.
type aliasImport struct {
	Names   []string `json:"names"`
	LeftOut []string `json:"left_out"`
}

// shortened is enough of an entry to find it by.
func shortened(entry string) string {
	const most = 80
	if runes := []rune(entry); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return entry
}

// parseAliases reads "name: target, target" lines; a line that begins with a blank continues the one before. Names are
// compared without regard to case. A target without a mail domain must be a name of the file, or it would lead nowhere.
func parseAliases(text string) (aliases map[string][]string, left []string) {
	raw := map[string][]string{}
	for _, line := range aliasLines(strings.TrimPrefix(text, "\ufeff")) {
		name, value, found := cutOutside(line, ':')
		name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"`))
		if !found || !config.ValidateAddress(name+"@local.example").Empty() {
			left = append(left, line)
			continue
		}
		for value != "" {
			var target string
			target, value, _ = cutOutside(value, ',')
			if target = strings.TrimSpace(target); target == "" {
				continue
			}
			if address, ok := aliasTarget(target); ok {
				raw[name] = append(raw[name], address)
			} else {
				left = append(left, name+": "+target)
			}
		}
	}
	return closed(raw, left)
}

// aliasLines joins the lines of each entry and drops comments.
func aliasLines(text string) []string {
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
	return lines
}

// cutOutside cuts at the first separator that does not stand in quotes: a quoted command may have any.
func cutOutside(s string, separator byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// aliasTarget is the address or the name that a target consists of. Programs (|), files (/, ~), lists to include
// (:include:) and names for delivery on this machine (\) are none, even where an address stands in them.
func aliasTarget(target string) (string, bool) {
	if inner := strings.TrimSpace(strings.Trim(target, `"`)); inner == "" || strings.ContainsRune(`|/~:\`, rune(inner[0])) {
		return "", false
	}
	list, bad := addressfield.List(target)
	if len(bad) > 0 || len(list) != 1 || list[0].Name != "" {
		return "", false
	}
	if list[0].Local {
		return strings.ToLower(list[0].User()), true
	}
	return list[0].Address, true
}

// closed drops the targets that lead to no address: an entry for itself, a name without an entry, a circle.
func closed(aliases map[string][]string, left []string) (map[string][]string, []string) {
	leads := map[string]bool{}
	reaches := func(target string) bool { return strings.Contains(target, "@") || leads[target] }
	for again := true; again; {
		again = false
		for name, targets := range aliases {
			if !leads[name] && slices.ContainsFunc(targets, reaches) {
				leads[name], again = true, true
			}
		}
	}
	kept := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		for _, target := range aliases[name] {
			if reaches(target) && target != name {
				kept[name] = append(kept[name], target)
			} else {
				left = append(left, name+": "+target)
			}
		}
	}
	return kept, left
}
