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

// layer is a rank of packages, and why it stands above the next one.
type layer struct {
	why      string
	packages []string
}

// layers orders the packages, the highest first. A package belongs to the layer that names the longest prefix of its
// folder; it may import its own layer and the layers below, never one above.
var layers = []layer{
	{"these start the program or look at the whole tree", []string{
		"cmd", "e2e", "bench", "docs", "packaging", "internal/archtest",
	}},
	{"the command line knows every command", []string{"internal/cli"}},
	{"the command line collects the commands, which do not know it", []string{
		"internal/cli/setup", "internal/cli/profile", "internal/cli/send", "internal/cli/lookup",
		"internal/cli/service", "internal/cli/serve",
	}},
	{"other commands run the checks through this one", []string{"internal/cli/diagnose"}},
	{"what commands share knows none of them", []string{"internal/cli/command"}},
	{"a front end draws what it is given and works for every command", []string{"tui"}},
	{"another program tests a connection without a front end of ours", []string{"connection"}},
	{"a stream to a helper is the same whatever carries it", []string{"share/local"}},
	{"these do the work, and no front end is needed for it", []string{"wizard/worker", "delivery", "watch", "share"}},
	{"a conversation and a check are values that others carry out or show", []string{"wizard", "diagnostics"}},
	{"an account and its servers exist without a check of them", []string{
		"internal/account", "internal/discovery", "internal/rehearsal", "internal/scripted",
	}},
	{"what is known of providers holds without a network", []string{"presets"}},
	{
		"the clients speak to every server and know no provider",
		[]string{"internal/smtp", "internal/imap", "internal/sasl"},
	},
	{"an address is written in one way in every message", []string{"internal/addressfield"}},
	{"the contract of the file is the same whoever reads it", []string{"config"}},
	{"tokens and the rules for domains know no profile", []string{"internal/oauth", "internal/mailauth"}},
	{"only this dials, for whatever protocol", []string{"internal/wire"}},
	{"files and data are read in one way, whatever they hold", []string{
		"internal/safefile", "internal/strictjson", "internal/recipes",
	}},
	{"names and words are used by everything above", []string{"internal/check", "internal/locale"}},
	{"these stand alone", []string{
		"internal/exitcode", "internal/jsonschema", "internal/organisation", "internal/parallel", "internal/pattern",
		"internal/peercred", "internal/safetext",
		"internal/screenshot", "internal/secret", "internal/spool", "internal/turns", "internal/typeset",
		"internal/utf7",
	}},
}

// otherSide are packages that play the servers in a test, so that tests of every layer may import them.
var otherSide = []string{"internal/scripted", "internal/rehearsal"}

// upward are the other imports of tests that point up, with the reason.
var upward = []struct{ from, to, why string }{
	{"internal/rehearsal", "diagnostics", "the servers of the demo must pass the checks"},
	{"internal/smtp", "diagnostics/explain", "what the client reports must be explained"},
	{"internal/imap", "presets", "the folders of the providers must be chosen"},
}

// neighbours are packages of one layer that must not know each other, with the reason.
var neighbours = []struct{ from, to, why string }{
	{"wizard", "diagnostics", "the conversation asks for work and is told the outcome; it is tested without a network"},
	{"diagnostics", "wizard", "checks are run by programs that hold no conversation"},
	{"wizard/worker", "delivery", "setting up and sending are two programs in one binary"},
	{"delivery", "wizard", "sending reads the configuration and nothing else"},
	{"delivery", "watch", "mail is sent whether or not anyone watches"},
	{"watch", "wizard", "no one is there to be asked"},
	{"share", "wizard/worker", "who looks on needs none of the work"},
	{"share", "delivery", "who looks on needs none of the work"},
}

// forbidden are imports that a part of the tree must never reach, directly or through another package of ours.
var forbidden = []struct{ under, path, why string }{
	{"wizard", "charm.land/", "the wizard is a value; a front end draws it"},
	{"wizard", "os/exec", "the wizard only asks for work"},
	{"wizard", "postier/internal/wire", "the wizard has no network"},
	{"wizard", "net/http", "the wizard has no network"},
	{"wizard", "postier/share", "the wizard does not know that somebody looks on; a front end says what it shows"},
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

	{"share", "postier/internal/wire", "a view crosses over whatever stream it is given"},
	{"tui", "postier/share/local", "a front end shows what is shared, and not over what"},
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

// apart are in the folder of another package and above it, with the reason. Its rules do not apply to them.
var apart = map[string]string{
	"wizard/worker": "carries out what the wizard asks for",
	"share/local":   "carries the view from one program to the other",
}

// governed reports whether a rule for the folder top applies to dir.
func governed(dir, top string) bool {
	for own := range apart {
		if below(dir, own) && !below(top, own) {
			return false
		}
	}
	return below(dir, top)
}

// imports maps each package of the module to what its files import: those of the program, or its tests.
func imports(t *testing.T, tests bool) map[string][]string {
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
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") != tests {
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

// layerOf is the layer of a folder; -1 when no layer names it.
func layerOf(dir string) int {
	found, longest := -1, 0
	for i, l := range layers {
		for _, name := range l.packages {
			if below(dir, name) && len(name) > longest {
				found, longest = i, len(name)
			}
		}
	}
	return found
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for dir, list := range imports(t, false) {
		if layerOf(dir) < 0 {
			t.Errorf("no layer names %s", dir)
		}
		for _, target := range ours(list) {
			if layerOf(target) < layerOf(dir) {
				t.Errorf("%s imports %s, which stands above it: %s", dir, target, layers[layerOf(dir)].why)
			}
			for _, n := range neighbours {
				if governed(dir, n.from) && below(target, n.to) {
					t.Errorf("%s imports %s: %s", dir, target, n.why)
				}
			}
		}
	}
}

// TestTestsPointDown: a test knows no layer above what it tests either, apart from the other side of the wire.
func TestTestsPointDown(t *testing.T) {
	t.Parallel()
	for dir, list := range imports(t, true) {
		for _, target := range ours(list) {
			allowed := layerOf(target) >= layerOf(dir)
			for _, top := range otherSide {
				allowed = allowed || below(target, top)
			}
			for _, u := range upward {
				allowed = allowed || below(dir, u.from) && below(target, u.to)
			}
			if !allowed {
				t.Errorf("a test of %s imports %s, which stands above it", dir, target)
			}
		}
	}
}

// ours are the packages of this module in a list of imports, as folders.
func ours(list []string) []string {
	var out []string
	for _, path := range list {
		if target, ok := strings.CutPrefix(path, "postier/"); ok {
			out = append(out, target)
		}
	}
	return out
}

func TestForbiddenImports(t *testing.T) {
	t.Parallel()
	graph := imports(t, false)
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
