package recipes

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the top of the tree, from here.
const root = "../.."

// tree is a copy of the repository that a recipe may change.
type tree struct {
	t     *testing.T
	dir   string
	files map[string]string // as they were copied
}

// inCopy is set in the copy, where no recipe is carried out again.
const inCopy = "POSTIER_RECIPE"

// copyTree copies the repository without its history.
func copyTree(t *testing.T) *tree {
	t.Helper()
	if testing.Short() || os.Getenv(inCopy) != "" {
		t.Skip("compiles packages of a copy")
	}
	c := &tree{t: t, dir: t.TempDir()}
	c.files = c.read(root)
	for file, text := range c.files {
		c.put(file, text)
	}
	return c
}

// read reads every file below dir, by its path from there.
func (c *tree) read(dir string) map[string]string {
	c.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		file, _ := filepath.Rel(dir, name)
		file = filepath.ToSlash(file)
		switch {
		case entry.IsDir() && file == ".git":
			return fs.SkipDir
		case !entry.Type().IsRegular() || file == ".git": // .git is a file in a second work tree
			return nil
		}
		data, err := os.ReadFile(name)
		out[file] = string(data)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// text is a file of the copy.
func (c *tree) text(file string) string {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(file)))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

// put writes a file of the copy.
func (c *tree) put(file, text string) {
	c.t.Helper()
	name := filepath.Join(c.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// replace changes the one place in a file that reads old.
func (c *tree) replace(file, old, text string) {
	c.t.Helper()
	before := c.text(file)
	if n := strings.Count(before, old); n != 1 {
		c.t.Fatalf("%s has %q %d times, want once", file, old, n)
	}
	c.put(file, strings.Replace(before, old, text, 1))
}

// run runs the go command in the copy. Nothing is downloaded; what was compiled before is taken from the cache.
func (c *tree) run(args ...string) {
	c.t.Helper()
	command := exec.CommandContext(c.t.Context(), "go", args...)
	command.Dir = c.dir
	command.Env = append(os.Environ(), "GOFLAGS=-trimpath -buildvcs=false", "GOPROXY=off", "GOTOOLCHAIN=local",
		inCopy+"=1")
	if out, err := command.CombinedOutput(); err != nil {
		c.t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// changed lists the files that differ from those that were copied.
func (c *tree) changed() []string {
	now := c.read(c.dir)
	var out []string
	for _, file := range slices.Sorted(maps.Keys(now)) {
		if before, known := c.files[file]; !known || before != now[file] {
			out = append(out, file)
		}
	}
	return out
}

// follows holds the recipe against what was done: each file that changed is one of its places, and each place has a
// file that changed. It then runs the tests that the recipe names.
func (c *tree) follows(title string) {
	c.t.Helper()
	recipe := c.recipe(title)
	used := map[string]bool{}
	for _, file := range c.changed() {
		at := slices.Index(recipe.places, file)
		if at < 0 {
			at = slices.IndexFunc(recipe.places, func(place string) bool { return covers(place, file) })
		}
		if at < 0 {
			c.t.Errorf("%s changed, and the recipe “%s” does not name it", file, title)
			continue
		}
		used[recipe.places[at]] = true
	}
	for _, place := range recipe.places {
		if !used[place] {
			c.t.Errorf("the recipe “%s” names %s, and nothing changed there", title, place)
		}
	}
	packages := recipe.packages
	if *whole {
		packages = []string{"./..."}
	}
	c.run(append([]string{"test", "-vet=off"}, packages...)...)
}

// whole runs all tests after a recipe, to find those that the recipe should name.
var whole = flag.Bool("whole", false, "run all tests of the tree after each recipe")

// recipe is what CONTRIBUTING.md says: the places to change, and the packages whose tests prove it.
type recipe struct{ places, packages []string }

var (
	place    = regexp.MustCompile("(?m)^- `([^`]+)`")
	testLine = regexp.MustCompile("`go test ([^`]+)`")
)

func (c *tree) recipe(title string) recipe {
	c.t.Helper()
	_, rest, found := strings.Cut(c.text("CONTRIBUTING.md"), "\n### "+title+"\n")
	if !found {
		c.t.Fatalf("CONTRIBUTING.md has no recipe “%s”", title)
	}
	section, _, _ := strings.Cut(rest, "\n#")
	var out recipe
	for _, m := range place.FindAllStringSubmatch(section, -1) {
		out.places = append(out.places, m[1])
	}
	if m := testLine.FindStringSubmatch(section); m != nil {
		out.packages = strings.Fields(m[1])
	}
	if len(out.places) == 0 || len(out.packages) == 0 {
		c.t.Fatalf("the recipe “%s” names %d places and %d packages to test", title, len(out.places), len(out.packages))
	}
	return out
}

var (
	alternatives = regexp.MustCompile(`\\\{([^}]*)\\\}`)
	variable     = regexp.MustCompile(`[A-Z]{3,}|\\\*`)
)

// covers tells whether a place is this file. A place is a path, in which {a,b} is a choice and a word of capitals
// stands for any name; a place that ends in / is everything below.
func covers(place, file string) bool {
	pattern := alternatives.ReplaceAllStringFunc(regexp.QuoteMeta(place), func(choice string) string {
		choice = strings.TrimSuffix(strings.TrimPrefix(choice, `\{`), `\}`)
		return "(" + strings.ReplaceAll(choice, ",", "|") + ")"
	})
	pattern = variable.ReplaceAllString(pattern, `[^/]+`)
	if !strings.HasSuffix(place, "/") {
		pattern += "$"
	}
	return regexp.MustCompile("^" + pattern).MatchString(file)
}
