// Package site makes HTML pages of the manual: one page for each Markdown file and language, with the list of all pages
// next to it. A link that leads nowhere, and a page that the list lacks, are errors.
package site

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// languages are those of the manual; the first one has all pages and stands in for the others.
var languages = []language{
	{"en", "English", "Contents", "On this page"},
	{"fr", "Français", "Sommaire", "Sur cette page"},
	{"de", "Deutsch", "Inhalt", "Auf dieser Seite"},
}

type language struct{ Code, Name, Contents, OnThisPage string }

// called finds a language by its code.
func called(code string) (language, error) {
	for _, l := range languages {
		if l.Code == code {
			return l, nil
		}
	}
	return language{}, fmt.Errorf("no language is called %s", code)
}

// order is the list of the pages as a reader goes through them; the names are those of the files without language.
var order = []string{
	"README", "share", "sending", "calls", "support", "scripts", "diagnose", "discovery", "exports", "machine", "systems",
	"watch", "served", "vendor", "dayboard", "reference", "security",
}

// page is one Markdown file.
type page struct {
	name, language string
	source         string // path below the folder docs, with slashes
	title          string
	body           []byte
	headings       []heading // of the second level
	anchors        []string
}

type heading struct{ Anchor, Text string }

// file is where the page is in the site.
func (p *page) file() string {
	name := p.name
	if name == "README" {
		name = "index"
	}
	if p.language != languages[0].Code {
		name += "." + p.language
	}
	return name + ".html"
}

// site is the whole manual while it is made.
type site struct {
	docs  string
	pages map[string]*page // by source
	files map[string]bool  // other files of docs that the pages lead to
}

// Write makes the site of the folder docs in the folder out, which it makes if need be.
func Write(docs, out string) error {
	s := &site{docs: docs, pages: map[string]*page{}, files: map[string]bool{}}
	if err := s.read(); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, p := range s.pages {
		text, err := s.html(p)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, p.file()), text, 0o644); err != nil {
			return err
		}
	}
	for file := range s.files {
		if err := copyFile(filepath.Join(docs, filepath.FromSlash(file)), filepath.Join(out, placeOf(file))); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, "style.css"), style, 0o644)
}

// read parses all pages of docs.
func (s *site) read() error {
	manual, err := filepath.Glob(filepath.Join(s.docs, "manual", "*.md"))
	if err != nil || len(manual) == 0 {
		return errors.Join(err, fmt.Errorf("%s has no manual", s.docs))
	}
	sources := []string{"reference.md", "security.md"}
	for _, file := range manual {
		sources = append(sources, "manual/"+filepath.Base(file))
	}
	for _, source := range sources {
		p := &page{source: source, language: languages[0].Code, name: strings.TrimSuffix(path.Base(source), ".md")}
		if name, code, found := strings.Cut(p.name, "."); found {
			p.name, p.language = name, code
		}
		if !slices.Contains(order, p.name) {
			return fmt.Errorf("%s is not in the list of pages", source)
		}
		text, err := os.ReadFile(filepath.Join(s.docs, filepath.FromSlash(source)))
		if err != nil {
			return err
		}
		if err := s.parse(p, text); err != nil {
			return err
		}
		s.pages[source] = p
	}
	return nil
}

// in finds a page in a language, or else in the first language that has it.
func (s *site) in(name, code string) *page {
	var other *page
	for _, l := range languages {
		for _, p := range s.pages {
			switch {
			case p.name != name || p.language != l.Code:
			case p.language == code:
				return p
			case other == nil:
				other = p
			}
		}
	}
	return other
}

// placeOf is where another file of docs is in the site: recordings and pictures keep their folder.
func placeOf(file string) string {
	return strings.TrimPrefix(file, "manual/")
}

//go:embed page.html
var layout string

//go:embed style.css
var style []byte

var layoutTemplate = template.Must(template.New("page").Parse(layout))

// entry is a line of the list of pages.
type entry struct {
	File, Title, Language string
	Foreign               string // the name of the language, where it is not that of the list
	Here                  bool
	Headings              []heading
}

// html puts the page into the layout.
func (s *site) html(p *page) ([]byte, error) {
	own, err := called(p.language)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.source, err)
	}
	values := struct {
		Language         language
		Title            string
		Body             template.HTML
		Pages, Languages []entry
	}{Language: own, Title: p.title, Body: template.HTML(p.body)}
	for _, name := range order {
		if other := s.in(name, p.language); other != nil {
			e := entry{File: other.file(), Title: other.title, Language: other.language, Here: other == p}
			if e.Here {
				e.Headings = p.headings
			}
			if other.language != p.language {
				foreign, _ := called(other.language)
				e.Foreign = foreign.Name
			}
			values.Pages = append(values.Pages, e)
		}
	}
	for _, l := range languages {
		// A page that is not translated leads to the front page of the language, or to nothing.
		other := s.in(p.name, l.Code)
		if other.language != l.Code {
			other = s.in(order[0], l.Code)
		}
		if other.language == l.Code {
			values.Languages = append(values.Languages, entry{
				File: other.file(), Title: l.Name, Language: l.Code, Here: other == p,
			})
		}
	}
	var b bytes.Buffer
	err = layoutTemplate.Execute(&b, values)
	return b.Bytes(), err
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// exists reports whether a path below docs, or beside it in the tree, is there.
func (s *site) exists(file string) bool {
	_, err := os.Stat(filepath.Join(s.docs, filepath.FromSlash(file)))
	return !errors.Is(err, fs.ErrNotExist)
}
