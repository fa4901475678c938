package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/leonelquinteros/gotext"

	"postier/internal/locale"
)

const root = "../../.."

// TestDataIsTranslated: a language that the data does not hold translates every sentence of it.
func TestDataIsTranslated(t *testing.T) {
	t.Parallel()
	list, err := sentences(os.DirFS(root))
	if err != nil || len(list) == 0 {
		t.Fatal(len(list), err)
	}
	for _, lang := range locale.All()[len(locale.Written()):] {
		text, err := os.ReadFile(root + "/internal/locale/catalogue/" + string(lang) + "/data.po")
		if err != nil {
			t.Errorf("%v: run go run ./internal/locale/sentences %s", err, lang)
			continue
		}
		po := gotext.NewPo()
		po.Parse(text)
		for _, sentence := range list {
			if !po.IsTranslated(sentence) {
				t.Errorf("%s: data.po does not translate %q", lang, sentence)
			}
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	got, err := sentences(fstest.MapFS{
		"presets/data/a.json": file(`{"id": "a", "note": {"en": "One.", "fr": "Un.", "de": "Eins."},
			"steps": {"en": ["Two.", "Three."], "fr": ["Deux.", "Trois."], "de": ["Zwei.", "Drei."]}}`),
		"diagnostics/explain/data/b.json": file(
			`[{"text": {"en": {"title": "Four", "remedy": ["Two."]}, "fr": {"title": "Quatre"}}}]`),
	})
	if want := []string{"Four", "One.", "Three.", "Two."}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	_, err = sentences(fstest.MapFS{"presets/data/a.json": file("{")})
	if err == nil || !strings.Contains(err.Error(), "a.json") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestWriteKeepsTranslations: what was translated stays, and what is new is left open.
func TestWriteKeepsTranslations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, folder := range append(data, "internal/locale/catalogue/nl") {
		if err := os.MkdirAll(dir+"/"+folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("presets/data/a.json", `{"note": {"en": "One \"1\"."  , "fr": "Un."}, "fact": {"en": "Two.", "fr": "Deux."}}`)
	put("internal/locale/catalogue/nl/data.po", "msgid \"\"\nmsgstr \"\"\n\nmsgid \"Two.\"\nmsgstr \"Twee.\"\n")
	if err := write(dir, "nl"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir + "/internal/locale/catalogue/nl/data.po")
	want := "msgid \"One \\\"1\\\".\"\nmsgstr \"\"\n\nmsgid \"Two.\"\nmsgstr \"Twee.\"\n"
	if err != nil || !strings.HasSuffix(string(text), want) {
		t.Errorf("%v\n%s", err, text)
	}
}
