package delivery

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every wish stands once in docs/requirements.md, with a test that exists.
func TestRequirementsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	for letter, count := range map[string]int{"D": 7, "P": 11, "I": 6, "M": 10, "C": 8} {
		for n := 1; n <= count; n++ {
			if rows := strings.Count(string(page), fmt.Sprintf("\n| %s-%d ", letter, n)); rows != 1 {
				t.Errorf("%s-%d has %d rows", letter, n, rows)
			}
		}
	}
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1) {
		if !tests[m[1]] {
			t.Errorf("the page names %s, which nobody wrote", m[1])
		}
	}
}
