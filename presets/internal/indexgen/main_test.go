package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestIndexIsFresh: after an edit of a provider's file, go generate must be run, or the look-up would miss it.
func TestIndexIsFresh(t *testing.T) {
	t.Parallel()
	want, err := build(os.DirFS("../../data"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../index_data.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("presets/index_data.go is not what the files under presets/data give: run go generate ./presets")
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"id is not the file's name", map[string]string{"flagships/a.json": `{"id":"b"}`}, "is not the file's name"},
		{"id twice", map[string]string{"flagships/a.json": `{"id":"a"}`, "ispdb/a.json": `{"id":"a"}`}, "two providers"},
		{"domain twice", map[string]string{
			"flagships/a.json": `{"id":"a","domains":["x.example"]}`,
			"flagships/b.json": `{"id":"b","domains":["x.example"]}`,
		}, "both have the domain"},
		{"same_as nobody", map[string]string{"ispdb/a.json": `{"id":"a","same_as":"z"}`}, "names no flagship"},
		{"not JSON", map[string]string{"flagships/a.json": `{`}, "a.json"},
	} {
		fsys := fstest.MapFS{}
		for name, text := range tt.files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, err := build(fsys); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFlagshipsWin(t *testing.T) {
	t.Parallel()
	text, err := build(fstest.MapFS{
		"flagships/a.json": {Data: []byte(
			`{"id":"a","name":"A","domains":["x.example"],"mx_suffixes":["mx.example"],"mx_rank":1}`)},
		"flagships/b.json": {Data: []byte(`{"id":"b","name":"B","mx_suffixes":["mx.example"]}`)},
		"ispdb/x.json":     {Data: []byte(`{"id":"x","name":"X","domains":["x.example","y.example"],"same_as":"b"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"x.example", "flagships/a"}`, `{"y.example", "flagships/b"}`, `{"mx.example", "flagships/b flagships/a"}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

// TestNewProviderAddsRows: the rows of other providers stay as they are.
func TestNewProviderAddsRows(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"flagships/b.json": {Data: []byte(`{"id":"b","name":"B","domains":["b.example"],"mx_suffixes":["mx.example"]}`)},
		"ispdb/x.json":     {Data: []byte(`{"id":"x","name":"X","domains":["x.example"]}`)},
	}
	before, err := build(files)
	if err != nil {
		t.Fatal(err)
	}
	files["flagships/a.json"] = &fstest.MapFile{Data: []byte(
		`{"id":"a","name":"A","domains":["a.example"],"mx_suffixes":["a.example"]}`)}
	after, err := build(files)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(before)) {
		if !strings.Contains(string(after), line) {
			t.Errorf("this line changed: %s", line)
		}
	}
}
