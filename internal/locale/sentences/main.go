// Command sentences writes data.po of a language that the data of presets and explain does not hold: each English
// sentence of that data, with the translation that the file already has.
//
//	go run ./internal/locale/sentences nl
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/leonelquinteros/gotext"
)

// data are the folders whose files hold texts by language.
var data = []string{"presets/data", "diagnostics/explain/data"}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: sentences LANGUAGE")
	}
	if err := write(".", os.Args[1]); err != nil {
		log.Fatalf("sentences: %v", err)
	}
}

// write brings data.po of one language up to date.
func write(root, lang string) error {
	list, err := sentences(os.DirFS(root))
	if err != nil {
		return err
	}
	file := filepath.Join(root, "internal", "locale", "catalogue", lang, "data.po")
	old := gotext.NewPo()
	if text, err := os.ReadFile(file); err == nil {
		old.Parse(text)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "msgid \"\"\nmsgstr \"\"\n\"Language: %s\\n\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n", lang)
	for _, sentence := range list {
		translation := ""
		if old.IsTranslated(sentence) {
			translation = old.Get(sentence, nil...)
		}
		fmt.Fprintf(&b, "\nmsgid %s\nmsgstr %s\n", strconv.Quote(sentence), strconv.Quote(translation))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// sentences lists the English sentences of the data, each once.
func sentences(root fs.FS) ([]string, error) {
	found := map[string]bool{}
	for _, folder := range data {
		err := fs.WalkDir(root, folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
				return err
			}
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			var tree any
			if err := json.Unmarshal(text, &tree); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			gather(tree, false, found)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var out []string
	for sentence := range found {
		out = append(out, sentence)
	}
	slices.Sort(out)
	return out, nil
}

// gather collects the words below every member "en" that stands next to other languages.
func gather(tree any, english bool, into map[string]bool) {
	switch tree := tree.(type) {
	case string:
		if english && tree != "" {
			into[tree] = true
		}
	case []any:
		for _, item := range tree {
			gather(item, english, into)
		}
	case map[string]any:
		_, other := tree["fr"]
		for key, value := range tree {
			switch {
			case other && key == "en":
				gather(value, true, into)
			case other && len(key) == len("en") && !english:
				// another language
			default:
				gather(value, english, into)
			}
		}
	}
}
