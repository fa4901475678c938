package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the top of the tree, from here.
const root = "../.."

// prose is what a person reads in a file: the text of a page, the comments of everything else.
type prose struct{ file, text string }

// pageOrSource tells which files are read for citations. The data that tests compare with is not text of this project.
func pageOrSource(file string) bool {
	return slices.Contains([]string{".go", ".md", ".sh", ".txtar"}, path.Ext(file)) &&
		(!strings.Contains(file, "testdata/") || path.Ext(file) == ".txtar")
}

// everyProse reads the whole tree.
func everyProse(t *testing.T) []prose {
	t.Helper()
	var out []prose
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		file, _ := filepath.Rel(root, name)
		file = filepath.ToSlash(file)
		switch {
		case entry.IsDir() && file == ".git":
			return fs.SkipDir
		case entry.IsDir() || !pageOrSource(file):
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out = append(out, prose{file, words(t, file, string(data))})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// words extracts the prose of a file. The lines of one comment are joined, so that a citation may be broken between
// them.
func words(t *testing.T, file, text string) string {
	t.Helper()
	var b strings.Builder
	switch path.Ext(file) {
	case ".md":
		return text
	case ".go":
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range parsed.Comments {
			b.WriteString(strings.Join(strings.Fields(group.Text()), " ") + "\n")
		}
	default:
		for line := range strings.Lines(text) {
			if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
				b.WriteString(comment + "\n")
			}
		}
	}
	return b.String()
}

var (
	// citation is a page, and the place in it: a section, a threat or an invariant.
	citation = regexp.MustCompile(`([\w./-]*\w\.md)(?: (§\d+(?:\.\d+)*|[TI]\d+))?`)
	// decision is a record by its number.
	decision = regexp.MustCompile(`[Dd]ecisions?[ /](\d{4})\b`)
	// threat is the short form where the page was named before.
	threat = regexp.MustCompile(`\bT(\d{1,2})\b`)
	// requirement is a wish by its name, as a comment gives it.
	requirement = regexp.MustCompile(`\(([DPIMC]-\d+)\)|(?m:^([DPIMC]-\d+):)`)
	// folder is a path of this tree, as a page or a comment writes it. Text directly before it makes it part of another
	// path.
	folder = regexp.MustCompile(
		`(?:^|[\s(\x60"“])((?:cmd|internal|tui|wizard|diagnostics|presets|config|delivery|docs|bench|e2e)(?:/[\w.*{},-]+)+)`)
	// testName is a test that a page names.
	testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
)

// page finds the file that a citation in from names, or "".
func page(from, name string) string {
	for _, file := range []string{name, path.Join(path.Dir(from), name)} {
		if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// hasPlace reports whether a page has the section "§2.1", the threat "T5" or the invariant "I3".
func hasPlace(t *testing.T, file, place string) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	if section, ok := strings.CutPrefix(place, "§"); ok {
		return regexp.MustCompile(`(?m)^#+ ` + regexp.QuoteMeta(section) + `\.? `).Match(data)
	}
	return strings.Contains(string(data), `<a id="`+strings.ToLower(place)+`"></a>`)
}

// TestCitationsResolve: every citation in a comment or a page leads to an existing page, and to the place in it.
func TestCitationsResolve(t *testing.T) {
	t.Parallel()
	requirements := everyRequirement(t)
	for _, p := range everyProse(t) {
		comment := path.Ext(p.file) != ".md"
		for _, m := range citation.FindAllStringSubmatch(p.text, -1) {
			// In a page, a bare name may be a file of the reader's own; a place in it or a folder makes it one of ours.
			if !comment && m[2] == "" && !strings.Contains(m[1], "/") || strings.HasPrefix(m[1], "/") {
				continue
			}
			switch file := page(p.file, m[1]); {
			case file == "":
				t.Errorf("%s cites %s, which is not in the tree", p.file, m[1])
			case m[2] != "" && !hasPlace(t, file, m[2]):
				t.Errorf("%s cites %s %s, which that page does not have", p.file, m[1], m[2])
			}
		}
		for _, m := range folder.FindAllStringSubmatch(p.text, -1) {
			if name := strings.TrimRight(m[1], ".,"); !strings.ContainsAny(name, "*{}") && !isThere(name) {
				t.Errorf("%s names %s, which is not in the tree", p.file, name)
			}
		}
		for _, m := range decision.FindAllStringSubmatch(p.text, -1) {
			if found, _ := filepath.Glob(filepath.Join(root, "docs/decisions", m[1]+"-*.md")); len(found) != 1 {
				t.Errorf("%s cites decision %s: %d pages", p.file, m[1], len(found))
			}
		}
		if !comment {
			continue
		}
		for _, m := range threat.FindAllStringSubmatch(p.text, -1) {
			if !hasPlace(t, "docs/security.md", "T"+m[1]) {
				t.Errorf("%s cites T%s, which docs/security.md does not have", p.file, m[1])
			}
		}
		for _, m := range requirement.FindAllStringSubmatch(p.text, -1) {
			if name := m[1] + m[2]; !requirements[name] {
				t.Errorf("%s cites %s, which docs/requirements.md does not have", p.file, name)
			}
		}
	}
}

// capitals stand for a name in a recipe.
var capitals = regexp.MustCompile(`[A-Z]{3,}`)

// isThere reports whether a path is a file or a folder of the tree, or a name of the package in that folder.
func isThere(name string) bool {
	if capitals.MatchString(path.Dir(name)) || capitals.MatchString(strings.TrimSuffix(path.Base(name), ".md")) {
		return true
	}
	for {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err == nil {
			return true
		}
		dot := strings.LastIndexByte(name, '.')
		if dot < strings.LastIndexByte(name, '/') {
			return false
		}
		name = name[:dot]
	}
}

// everyRequirement reads the names off the page.
func everyRequirement(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs/requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]-\d+) `).FindAllStringSubmatch(string(data), -1) {
		out[m[1]] = true
	}
	return out
}

// TestRequirementsPage: each wish has one row, which says what to type and where to look, names a test, and says what
// is missing; the numbers have no gaps, and the parts against real servers that are named exist.
func TestRequirementsPage(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, "docs/requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z])-(\d+) .*$`).FindAllStringSubmatch(string(data), -1) {
		last[m[1]]++
		if m[2] != strconv.Itoa(last[m[1]]) {
			t.Errorf("after %s-%d comes %s-%s", m[1], last[m[1]]-1, m[1], m[2])
		}
		cells := strings.Split(strings.TrimSuffix(m[0], " |"), " | ")
		if len(cells) != 5 || !testName.MatchString(cells[3]) {
			t.Errorf("%s-%s has not wish, command, screen, tests and what is missing", m[1], m[2])
			continue
		}
		parts := regexp.MustCompile("`(\\d\\d-[a-z-]+)`").FindAllStringSubmatch(cells[3], -1)
		for _, part := range parts {
			if _, err := os.Stat(filepath.Join(root, "e2e/parts", part[1]+".sh")); err != nil {
				t.Errorf("%s-%s names %s, which is no part", m[1], m[2], part[1])
			}
		}
		if cells[4] != "yes" && !strings.HasPrefix(cells[4], "no: ") {
			t.Errorf("%s-%s neither says yes nor what is missing: %s", m[1], m[2], cells[4])
		}
	}
	if len(last) == 0 {
		t.Error("the page lists no wish")
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)"></a>`)
	markup  = regexp.MustCompile(`<[^>]*>|[^\p{L}\p{N} _-]`)
)

// anchors are the places of a page that a link may lead to: its headings, as GitHub spells them, and its own marks.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		plain := markup.ReplaceAllString(m[1], "")
		out = append(out, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(plain)), " ", "-"))
	}
	for _, m := range anchor.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// TestLinksResolve follows every link within the tree, to the heading.
func TestLinksResolve(t *testing.T) {
	t.Parallel()
	for _, p := range everyProse(t) {
		if path.Ext(p.file) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			target, place, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue
			}
			file := path.Join(path.Dir(p.file), target)
			if target == "" {
				file = p.file
			}
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if info, found := os.Stat(filepath.Join(root, filepath.FromSlash(file))); found == nil && info.IsDir() {
				continue
			}
			switch {
			case err != nil:
				t.Errorf("%s links to %s, which is not there", p.file, m[1])
			case place != "" && !slices.Contains(anchors(string(data)), place):
				t.Errorf("%s links to %s, which has no such place", p.file, m[1])
			}
		}
	}
}

// TestNamedTestsExist: a page that says which test shows something names a test that is there.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	known := map[string]bool{}
	all := everyProse(t)
	for _, p := range all {
		if !strings.HasSuffix(p.file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(data), -1) {
			known[m[1]] = true
		}
	}
	for _, p := range all {
		if path.Ext(p.file) != ".md" {
			continue
		}
		for _, m := range testName.FindAllStringSubmatch(p.text, -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, which is no test", p.file, m[1])
			}
		}
	}
}
