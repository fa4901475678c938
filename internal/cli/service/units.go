package service

import (
	"embed"
	"path/filepath"
	"strings"
)

//go:embed units
var files embed.FS

// unit is a file of the service.
type unit struct {
	path string // where systemd reads it
	text string
}

// name is the unit's name for systemctl.
func (u unit) name() string { return filepath.Base(u.path) }

// isUnit tells a unit from the lines for systemd-sysusers and systemd-tmpfiles.
func (u unit) isUnit() bool {
	return strings.HasSuffix(u.path, ".service") || strings.HasSuffix(u.path, ".socket")
}

// systemUnits are the files of the machine's service, for the program at a path.
func systemUnits(program string) []unit {
	return []unit{
		render("/etc/systemd/system/postier.service", "system.service", program),
		render("/etc/systemd/system/postier.socket", "system.socket", program),
		render("/etc/sysusers.d/postier.conf", "sysusers.conf", program),
		render("/etc/tmpfiles.d/postier.conf", "tmpfiles.conf", program),
	}
}

// userUnits are the files of one user's service; folder is the user's folder of units.
func userUnits(program, folder string) []unit {
	return []unit{render(filepath.Join(folder, "postier.service"), "user.service", program)}
}

// serving makes a unit serve another configuration than the one that is found by itself.
func serving(text, path string, folders []string) string {
	quoted := make([]string, len(folders))
	for i, folder := range folders {
		quoted[i] = quoteUnit("-" + folder)
	}
	return strings.NewReplacer(
		" queue run --daemon\n", " --config "+strings.ReplaceAll(quoteUnit(path), "$", "$$")+" queue run --daemon\n",
		"\nReadWritePaths=", "\nReadWritePaths="+strings.Join(quoted, " ")+" ",
	).Replace(text)
}

// quoteUnit writes a word of a unit, in which % begins a specifier (systemd.syntax(7)).
func quoteUnit(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(word) + `"`
}

// render puts the program's path into a file of this package.
func render(path, name, program string) unit {
	text, err := files.ReadFile("units/" + name)
	if err != nil {
		panic("service: a file of this program is missing: " + err.Error())
	}
	return unit{path, strings.ReplaceAll(string(text), "@PROGRAM@", program)}
}
