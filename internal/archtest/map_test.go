package archtest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMapNamesEveryFolder: each package has its row on the map of CONTRIBUTING.md, and each row has its folder.
func TestMapNamesEveryFolder(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## The map\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	rows := map[string]bool{}
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			if rows[m[1]] {
				t.Errorf("the map names %s twice", m[1])
			}
			rows[m[1]] = true
			if info, err := os.Stat(filepath.Join(root, m[1])); err != nil || !info.IsDir() {
				t.Errorf("the map names %s, which is no folder", m[1])
			}
		}
	}
	missing := map[string]bool{}
	for _, p := range everyProse(t) {
		if dir := path.Dir(p.file); path.Ext(p.file) == ".go" && !rows[dir] {
			missing[dir] = true
		}
	}
	for dir := range missing {
		t.Errorf("the map in CONTRIBUTING.md has no row for %s", dir)
	}
}
