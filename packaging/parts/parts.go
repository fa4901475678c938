// Package parts tells what a built Go program consists of: the modules that the linker has noted in it, and the
// licences under which they may be passed on.
package parts

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// Part is a module, or Go's standard library, with the files that have to go along with it.
type Part struct {
	Path, Version, Sum string
	Licences           []string // SPDX identifiers, sorted
	Notices            []Notice
}

// Notice is a file that the authors want to be passed on.
type Notice struct{ Name, Text string }

// Allowed are the licences that let postier be passed on under MIT with a copy of their text. Another one is a question
// for a person, so a part that has it stops the build.
var Allowed = []string{
	"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0",
}

// patents is no licence of its own, but a grant that Go's authors add to theirs.
const patents = "GooglePatentsFile"

// Linked are the parts of a built program: Go first, then the modules in the linker's order.
func Linked(program string) ([]Part, *debug.BuildInfo, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, nil, err
	}
	list, err := Of(info.GoVersion, info.Deps)
	return list, info, err
}

// Of gives Go and some modules as parts, in this order.
func Of(goVersion string, modules []*debug.Module) ([]Part, error) {
	list := []Part{{Path: "std", Version: strings.TrimPrefix(goVersion, "go")}}
	var names []string
	for _, m := range modules {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, Part{Path: m.Path, Version: m.Version, Sum: m.Sum})
		names = append(names, m.Path+"@"+m.Version)
	}
	folders, err := folders(names)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].read(folders[list[i].Path]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// folders say where the sources of modules are; "std" is those of Go. A module that is not on the machine is fetched,
// and checked against go.sum like every other.
func folders(modules []string) (map[string]string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	folders := map[string]string{"std": strings.TrimSpace(string(root))}
	said, err := exec.Command("go", append([]string{"mod", "download", "-json"}, modules...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(said)); ; {
		var module struct{ Path, Dir string }
		switch err := d.Decode(&module); {
		case errors.Is(err, io.EOF):
			return folders, nil
		case err != nil:
			return nil, err
		}
		folders[module.Path] = module.Dir
	}
}

// noticeName matches the files that authors use; licences of single packages have the same names, deeper down.
var noticeName = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents|authors)([-._].*)?$`)

// read fills in the licences and the files. A part without a licence that is known and allowed is an error.
func (p *Part) read(folder string) error {
	if folder == "" {
		return fmt.Errorf("%s: its sources are not there", p.Path)
	}
	if p.Path == "std" { // the rest of Go's folder are tools and tests
		return p.add(folder, "LICENSE", "PATENTS")
	}
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "vendor"):
			return fs.SkipDir
		case entry.Type().IsRegular() && noticeName.MatchString(entry.Name()) && filepath.Ext(path) != ".go":
			name, err := filepath.Rel(folder, path)
			names = append(names, name)
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.add(folder, names...)
}

func (p *Part) add(folder string, names ...string) error {
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		p.Notices = append(p.Notices, Notice{filepath.ToSlash(name), strings.Trim(string(text), "\n") + "\n"})
		for _, match := range licensecheck.Scan(text).Match {
			if !match.IsURL && match.ID != patents && !slices.Contains(p.Licences, match.ID) {
				p.Licences = append(p.Licences, match.ID)
			}
		}
	}
	slices.Sort(p.Licences)
	return p.judge()
}

func (p *Part) judge() error {
	if len(p.Licences) == 0 {
		return fmt.Errorf("%s: no licence was found", p.Path)
	}
	for _, id := range p.Licences {
		if !slices.Contains(Allowed, id) {
			return fmt.Errorf("%s: the licence %s is not one of %s", p.Path, id, strings.Join(Allowed, ", "))
		}
	}
	return nil
}
