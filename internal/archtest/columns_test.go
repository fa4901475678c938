package archtest

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is the widest line of code or comment. A tab counts as one column.
const columns = 120

// TestLineLength keeps lines of Go within columns. Exempt are lines that cannot be broken without changing what they
// say: the text of raw strings, a comment that is one long word such as an address, and a row of test data that begins
// with a string.
func TestLineLength(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		raw := rawStringLines(source)
		for i, line := range strings.Split(string(source), "\n") {
			width := utf8.RuneCountInString(line)
			data := strings.HasSuffix(path, "_test.go") && strings.HasPrefix(strings.TrimSpace(line), `"`)
			if width <= columns || raw[i+1] || data || len(strings.Fields(line)) <= 2 {
				continue
			}
			t.Errorf("%s:%d has %d columns, at most %d are wanted", path, i+1, width, columns)
		}
	}
}

// goFiles lists the Go files of the module without generated data.
func goFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_data.go") {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rawStringLines are the numbers of the lines that a raw string stands in.
func rawStringLines(src []byte) map[int]bool {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	out := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return out
		}
		if tok != token.STRING || !strings.HasPrefix(lit, "`") {
			continue
		}
		first := file.Line(pos)
		for n := range strings.Count(lit, "\n") + 1 {
			out[first+n] = true
		}
	}
}
