package parts

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// linkedFor are the modules that the program has on a system, as the linker will note them.
func linkedFor(t *testing.T, system string) []*debug.Module {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}"+
		`{"Path":"{{.Path}}","Version":"{{.Version}}"}{{end}}{{end}}`, "./cmd/postier")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []*debug.Module
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		m := &debug.Module{}
		if err := d.Decode(m); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(other *debug.Module) bool { return other.Path == m.Path }) {
			list = append(list, m)
		}
	}
}

// TestEveryModuleHasItsLicence: what is released has the text of each licence with it, which is one that allows this,
// and the decision about modules names the right one.
func TestEveryModuleHasItsLicence(t *testing.T) {
	t.Parallel()
	named := decided(t)
	for _, system := range []string{"linux", "darwin", "windows"} {
		modules := linkedFor(t, system)
		if len(modules) < 40 {
			t.Fatalf("%s: only %d modules found", system, len(modules))
		}
		list, err := Of(runtime.Version(), modules)
		if err != nil {
			t.Fatalf("%s: %v", system, err)
		}
		if len(list) != len(modules)+1 {
			t.Errorf("%s: %d parts of %d modules", system, len(list), len(modules))
		}
		for _, p := range list {
			if !slices.ContainsFunc(p.Notices, func(n Notice) bool { return len(n.Text) > 400 }) {
				t.Errorf("%s: no text of a licence", p.Path)
			}
			if want, ok := named[p.Path]; ok && !slices.Contains(p.Licences, want) {
				t.Errorf("docs/decisions/0003-modules.md says %s of %s, which has %v", want, p.Path, p.Licences)
			}
		}
	}
}

// decided are the licences that docs/decisions/0003-modules.md names, by module.
func decided(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "decisions", "0003-modules.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^ ]+) \\|").FindAllStringSubmatch(string(page), -1) {
		named[row[1]] = strings.Replace(row[2], "BSD-3", "BSD-3-Clause", 1)
	}
	if len(named) < 30 {
		t.Fatalf("only %d rows", len(named))
	}
	return named
}

func TestWhatMayNotBePassedOnIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "README.md"), []byte("as you like it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Part{Path: "none.example/module"}
	if err := p.read(folder); err == nil || !strings.Contains(err.Error(), "no licence") {
		t.Errorf("without a licence: %v", err)
	}
	if err := p.read(""); err == nil {
		t.Error("without sources: no error")
	}
	p.Licences = []string{"AGPL-3.0"}
	if err := p.judge(); err == nil || !strings.Contains(err.Error(), "AGPL-3.0") {
		t.Errorf("another licence: %v", err)
	}
}
