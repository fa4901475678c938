package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers orders the packages, the highest first. A package belongs to the layer that names the longest prefix of its
// folder; it may import its own layer and the layers below, never one above.
var layers = [][]string{
	{"cmd", "e2e", "bench", "docs"},
	{"internal/cli"},
	{"internal/cli/setup", "internal/cli/profile", "internal/cli/send", "internal/cli/lookup"},
	{"internal/cli/diagnose"},
	{"internal/cli/command"},
	{"tui"},
	{"wizard/worker", "delivery"},
	{"wizard", "diagnostics"},
	{"internal/account", "internal/discovery", "internal/rehearsal", "internal/scripted"},
	{"presets"},
	{"internal/smtp", "internal/imap", "internal/sasl"},
	{"config"},
}

// neighbours are packages of one layer that must not know each other, with the reason.
var neighbours = []struct{ from, to, why string }{
	{"wizard", "diagnostics", "the conversation asks for work and is told the outcome; it is tested without a network"},
	{"diagnostics", "wizard", "checks are run by programs that hold no conversation"},
	{"wizard/worker", "delivery", "setting up and sending are two programs in one binary"},
	{"delivery", "wizard", "sending reads the configuration and nothing else"},
}

// forbidden are imports that a part of the tree must never reach, directly or through another package of ours.
var forbidden = []struct{ under, path, why string }{
	{"wizard", "charm.land/", "the wizard is a value; a front end draws it"},
	{"wizard", "os/exec", "the wizard only asks for work"},
	{"wizard", "postier/internal/wire", "the wizard has no network"},
	{"wizard", "net/http", "the wizard has no network"},
	{"presets", "net/http", "presets answer without a network"},
	{"presets", "postier/internal/wire", "presets answer without a network"},
	{"presets", "os/exec", "presets are data"},
	{"config", "postier/presets", "the contract knows no provider"},
	{"config", "postier/internal/wire", "reading a configuration never touches the network"},
	{"delivery", "postier/diagnostics", "a new check must not break the mail of every user; the clients are in internal"},
	{"delivery", "postier/diagnostics/smtp", "mail is sent by internal/smtp, which knows no checks"},
	{"delivery", "postier/diagnostics/imap", "copies are filed by internal/imap, which knows no checks"},
	{"internal/imap", "github.com/emersion/go-imap/v2/imapclient", "docs/decisions/0001: its words, not its client"},
	{"diagnostics", "charm.land/", "checks print nothing"},
	{"diagnostics", "github.com/spf13/cobra", "checks know no command line"},

	{"tui", "postier/wizard/worker", "a front end says what the wizard shows; who does the work is given to it"},
	{"tui", "postier/diagnostics", "a screen comes with its words, so that a front end knows no check and no catalogue"},

	{"wizard/worker", "charm.land/", "only tui knows a terminal"},
	{"internal", "charm.land/", "only tui knows a terminal"},
}

// exempt are helpers below internal that draw on a terminal, with the reason.
var exempt = map[string]string{
	"internal/cli":        "the command line starts the front ends",
	"internal/screenshot": "draws what a terminal shows, for tests and pictures",
}

// exempted reports whether dir is one of the exempt folders, or below one.
func exempted(dir string) bool {
	for top := range exempt {
		if below(dir, top) {
			return true
		}
	}
	return false
}

// worker is in the folder of the wizard and above it: it carries out what the wizard asks for, so the wizard's rules do
// not apply to it.
const worker = "wizard/worker"

// governed reports whether a rule for the folder top applies to dir.
func governed(dir, top string) bool { return below(dir, top) && (top == worker || !below(dir, worker)) }

// imports maps each package of the module to what its non-test files import.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		dir = filepath.ToSlash(dir)
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if !slices.Contains(out[dir], name) {
				out[dir] = append(out[dir], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d packages found: the test looks in the wrong place", len(out))
	}
	return out
}

// layerOf is the layer of a folder; -1 for a leaf below internal that no layer names.
func layerOf(dir string) int {
	layer, longest := -1, 0
	for i, names := range layers {
		for _, name := range names {
			if below(dir, name) && len(name) > longest {
				layer, longest = i, len(name)
			}
		}
	}
	return layer
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for dir, list := range imports(t) {
		from := layerOf(dir)
		for _, path := range list {
			target, ours := strings.CutPrefix(path, "postier/")
			if !ours {
				continue
			}
			to := layerOf(target)
			switch {
			case from >= 0 && to >= 0 && to < from:
				t.Errorf("%s imports %s, which stands above it", dir, target)
			case from < 0 && to >= 0:
				t.Errorf("%s imports %s: internal packages are leaves", dir, target)
			}
			for _, n := range neighbours {
				if governed(dir, n.from) && below(target, n.to) {
					t.Errorf("%s imports %s: %s", dir, target, n.why)
				}
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	for dir := range graph {
		reached := map[string]string{}
		reach(graph, dir, dir, reached)
		for _, rule := range forbidden {
			if !governed(dir, rule.under) || exempted(dir) {
				continue
			}
			for path, through := range reached {
				if path == rule.path || strings.HasSuffix(rule.path, "/") && strings.HasPrefix(path, rule.path) {
					t.Errorf("%s reaches %s through %s: %s", dir, path, through, rule.why)
				}
			}
		}
	}
}

func reach(graph map[string][]string, dir, through string, reached map[string]string) {
	for _, path := range graph[dir] {
		if _, seen := reached[path]; seen {
			continue
		}
		reached[path] = through
		if target, ours := strings.CutPrefix(path, "postier/"); ours {
			reach(graph, target, target, reached)
		}
	}
}

func below(dir, top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") }
