package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unlinked are packages that must not be linked into the program, with the reason. Each includes the packages below it.
var unlinked = map[string]string{
	"testing":                                     "made for tests",
	"net/http/httptest":                           "made for tests",
	"github.com/stretchr":                         "made for tests",
	"go.uber.org/goleak":                          "made for tests",
	"github.com/yuin/goldmark":                    "made for the pages of the manual",
	"github.com/rogpeppe":                         "made for tests",
	"github.com/santhosh-tekuri":                  "made for tests",
	"postier/internal/archtest":                   "made for tests",
	"postier/internal/mailauth/lookup/lookuptest": "made for tests",
	"postier/internal/safefile/safefiletest":      "made for tests",
	"postier/internal/cli/command/schematest":     "made for tests",
	"postier/internal/scripted":                   "made for tests",
	"postier/internal/jsonschema":                 "builds the schemas in tests",
	"go/parser":                                   "reads programs",
}

// TestNothingForTestsIsLinked looks at everything that the program is linked from.
func TestNothingForTestsIsLinked(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("go", "list", "-deps", "postier/cmd/postier").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(list))
	if !slices.Contains(packages, "postier/delivery") {
		t.Fatalf("a list of %d packages without ours", len(packages))
	}
	for _, path := range packages {
		for root, why := range unlinked {
			if path == root || strings.HasPrefix(path, root+"/") {
				t.Errorf("the program is linked from %s: %s", path, why)
			}
		}
	}
}

// inTree reports whether a file of goFiles is below a folder of this tree, wherever the tree itself is.
func inTree(path, folder string) bool {
	below, err := filepath.Rel(filepath.Join("..", "..", filepath.FromSlash(folder)), path)
	return err == nil && filepath.IsLocal(below)
}

// testOnly are packages that only tests, those of the whole program included, benchmarks and one another may import.
var testOnly = []string{
	"postier/internal/scripted", "postier/internal/mailauth/lookup/lookuptest", "postier/internal/safefile/safefiletest",
}

// TestOnlyTestsImportTheScriptedServers keeps what plays a part in tests from growing into the program again.
func TestOnlyTestsImportTheScriptedServers(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || inTree(path, "internal/scripted") ||
			inTree(path, "e2e") { // servers of the tests of the whole program
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, made := range testOnly {
			if strings.Contains(string(source), strconv.Quote(made)) {
				t.Errorf("%s imports %s, which is made for tests", path, made)
			}
		}
	}
}

// TestNoTemplates keeps us from executing templates, with which the linker would keep every exported method
// (docs/decisions/0007-binary-size.md). Cobra executes one where its template for help or usage is set.
func TestNoTemplates(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		// What makes the packages is not linked into the program.
		if strings.HasSuffix(path, "_test.go") || inTree(path, "packaging") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"\"text/template\"", "\"html/template\"", ".SetHelpTemplate(", ".SetUsageTemplate("} {
			if strings.Contains(string(source), word) {
				t.Errorf("%s has %s", path, word)
			}
		}
	}
}
