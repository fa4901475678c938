package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListsAreFresh: whoever adds a check runs go generate, or reports would not list it.
func TestListsAreFresh(t *testing.T) {
	t.Parallel()
	checks, err := read("../../ids.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := source(checks)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../ids_list.go")
	if err != nil || string(got) != string(want) {
		t.Errorf("internal/check/ids_list.go is not what ids.go gives (%v): run go generate ./internal/check", err)
	}
	page, err := os.ReadFile("../../../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err := list(string(page), checks); err != nil || fresh != string(page) {
		t.Errorf("docs/reference.md does not list the checks of ids.go (%v): run go generate ./internal/check", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another type": "const A Status = \"a.b\"",
		"no type":      "const A = \"a.b\"",
		"no area":      "const A ID = \"ab\"",
		"no Go":        "const",
	} {
		file := filepath.Join(t.TempDir(), "ids.go")
		if err := os.WriteFile(file, []byte("package check\n\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if checks, err := read(file); err == nil {
			t.Errorf("%s: %v", name, checks)
		}
	}
	if _, err := list("a page without marks", nil); err == nil {
		t.Error("a page without marks was taken")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	page, err := list("before\n"+begin+"old\n"+end+"after\n", []check{{"A", "x.a"}, {"B", "x.b"}, {"C", "y.c"}})
	if want := begin + "- `x.a` `x.b`\n- `y.c`\n" + end; err != nil || !strings.Contains(page, want) {
		t.Errorf("%v\n%s", err, page)
	}
}
