package site

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var docs = filepath.Join("..", "..", "..", "docs")

// written makes the site of the tree, and returns its files by name.
func written(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	if err := Write(docs, folder); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ids are the anchors of a page.
func ids(page []byte) map[string]bool {
	found := map[string]bool{}
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		for _, attribute := range tokens.Token().Attr {
			if attribute.Key == "id" {
				found[attribute.Val] = true
			}
		}
	}
	return found
}

// TestEveryLinkLeadsSomewhere follows all links of the finished pages, those of the list included.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	files := written(t, t.TempDir())
	followed := 0
	for name, page := range files {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, link := range links(page) {
			file, anchor, _ := strings.Cut(link, "#")
			if strings.HasPrefix(link, "https://") {
				continue
			}
			to, known := files[file]
			if file == "" {
				to, known = page, true
			}
			switch {
			case !known:
				t.Errorf("%s leads to %s, which is not there", name, link)
			case anchor != "" && !ids(to)[anchor]:
				t.Errorf("%s leads to %s, which has no such anchor", name, link)
			}
			followed++
		}
	}
	if followed < 500 {
		t.Errorf("only %d links were found", followed)
	}
}

// TestPagesNeedNothing: no script, nothing from elsewhere, no style of their own, and every language where it is.
func TestPagesNeedNothing(t *testing.T) {
	t.Parallel()
	files := written(t, t.TempDir())
	for name, page := range files {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		text := string(page)
		tokens := html.NewTokenizer(bytes.NewReader(page))
		for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
			token := tokens.Token()
			if slices.Contains([]string{"script", "iframe", "object", "style", "form"}, token.Data) && kind != html.TextToken {
				t.Errorf("%s has <%s>", name, token.Data)
			}
			for _, attribute := range token.Attr {
				external := strings.Contains(attribute.Val, "//") && token.Data != "a" && attribute.Key != "content"
				if strings.HasPrefix(attribute.Key, "on") || attribute.Key == "style" || external {
					t.Errorf("%s: <%s %s=%q>", name, token.Data, attribute.Key, attribute.Val)
				}
			}
		}
		if !strings.Contains(text, `name="viewport"`) || !strings.Contains(text, "<h1 ") ||
			strings.Contains(text, "<!--") {
			t.Errorf("%s is not whole", name)
		}
		language := "en"
		if parts := strings.Split(name, "."); len(parts) == 3 {
			language = parts[1]
		}
		if !strings.Contains(text, `<html lang="`+language+`">`) {
			t.Errorf("%s does not say that it is in %s", name, language)
		}
	}
	if css := string(files["style.css"]); strings.Contains(css, "url(") || strings.Contains(css, "@import") ||
		!strings.Contains(css, "prefers-color-scheme: dark") {
		t.Error("the style needs something, or has no dark side")
	}
	for _, name := range []string{
		"index.html", "index.fr.html", "index.de.html", "reference.html", "support.html", "style.css",
	} {
		if len(files[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestTheSameTreeGivesTheSameOctets(t *testing.T) {
	t.Parallel()
	one, other := written(t, t.TempDir()), written(t, t.TempDir())
	for name, data := range one {
		if !bytes.Equal(data, other[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if len(one) != len(other) {
		t.Errorf("%d and %d files", len(one), len(other))
	}
}

// TestDeadLinksAreErrors makes each kind of fault in a small manual.
func TestDeadLinksAreErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# A\n[x](gone.md)\n":                    "gone.md, which is not there",
		"# A\n[x](gone.txt)\n":                   "gone.txt, which is not there",
		"# A\n![x](gone.svg)\n":                  "gone.svg, which is not there",
		"# A\n[x](#nowhere)\n":                   "#nowhere",
		"# A\n[x](../reference.md#nowhere)\n":    "#nowhere",
		"# A\n<b>x</b>\n":                        "has HTML: <b>",
		"# A\n\n<div>x</div>\n":                  "HTML in it: <div>",
		"# A\n\n<!-- for a test -->\n":           "",
		"# <a id=\"T\"></a>A\n[x](#T) [y](#a)\n": "",
		"text\n":                                 "no title",
		"# A\n[x](../reference.md#b-ü-1) [y](#été) [z](https://example.org)\n\n## Été!\n": "",
	} {
		folder := t.TempDir()
		for name, content := range map[string]string{
			"manual/README.md": text, "reference.md": "# R\n## B ü\n## B ü\n", "security.md": "# S\n",
		} {
			path := filepath.Join(folder, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Write(folder, t.TempDir())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestNothingIsWrittenOutside links to files above the documents, which a reader of the tree can follow.
func TestNothingIsWrittenOutside(t *testing.T) {
	t.Parallel()
	folder, out := t.TempDir(), filepath.Join(t.TempDir(), "site")
	for name, content := range map[string]string{
		"docs/manual/README.md": "# A\n[x](../../X.txt) [y](../../Y.md) [z](../../Z.svg) [w](../W.txt)\n",
		"docs/reference.md":     "# R\n", "docs/security.md": "# S\n", "docs/W.txt": "w\n",
		"X.txt": "x\n", "Y.md": "# Y\n", "Z.svg": "<svg/>\n",
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(filepath.Join(folder, "docs"), out); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(entries) != 1 {
		t.Errorf("next to the site stands %v, %v", entries, err)
	}
	if _, err := os.Stat(filepath.Join(out, "W.txt")); err != nil {
		t.Error(err)
	}
	shown := filepath.Join(folder, "docs", "manual", "README.md")
	if err := os.WriteFile(shown, []byte("# A\n![z](../../Z.svg)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(folder, "docs"), t.TempDir()); err == nil || !strings.Contains(err.Error(), "Z.svg") {
		t.Errorf("a picture from above the documents: %v", err)
	}
	page, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || strings.Contains(string(page), "..") || !strings.Contains(string(page), `href="W.txt"`) {
		t.Errorf("the page leads outside: %v\n%s", err, page)
	}
}

func TestKeepTogether(t *testing.T) {
	t.Parallel()
	const page = `<p>« Oui » : <code>set --a-b x</code> ? Non ; fin !</p><pre><code>a -b : ?</code></pre>`
	for language, want := range map[string]string{
		"fr": "<p>«\u00a0Oui\u00a0»\u00a0: <code>set <span>--a-b</span> x</code>\u202f? Non\u202f; fin\u202f!</p>" +
			"<pre><code>a -b : ?</code></pre>",
		"en": `<p>« Oui » : <code>set <span>--a-b</span> x</code> ? Non ; fin !</p><pre><code>a -b : ?</code></pre>`,
	} {
		if got := string(keepTogether([]byte(page), language)); got != want {
			t.Errorf("%s: %s, want %s", language, got, want)
		}
	}
}

// oneLanguage are the pages that are not in every language, and why.
var oneLanguage = map[string]string{
	"dayboard":  "its screens are those of one recorded run, in which all speak French",
	"reference": "names, codes and keys for programs; the pages for people are translated",
	"security":  "for those who read the source",
}

// TestEveryPageIsInEveryLanguage: a page has its translations, names them in its third line, and sends its reader to
// pages in the same language; the front page leads to all of them.
func TestEveryPageIsInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := &site{docs: docs, pages: map[string]*page{}, files: map[string]bool{}}
	if err := s.read(); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.pages {
		data, err := os.ReadFile(filepath.Join(docs, filepath.FromSlash(p.source)))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		_, alone := oneLanguage[p.name]
		for _, l := range languages {
			other := s.in(p.name, l.Code)
			switch {
			case l.Code == p.language || alone:
			case other.language != l.Code:
				t.Errorf("%s is not in %s", p.source, l.Name)
			case !strings.Contains(lines[2], "]("+path.Base(other.source)+")"):
				t.Errorf("%s does not lead to %s in its third line", p.source, other.source)
			}
		}
		if english := s.in(p.name, languages[0].Code); len(english.headings) != len(p.headings) {
			t.Errorf("%s has %d parts, %s has %d", p.source, len(p.headings), english.source, len(english.headings))
		}
		lines[2] = ""
		seen := map[*page]bool{p: true}
		for _, m := range linkToPage.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
			to := s.pages[path.Join(path.Dir(p.source), m[1])]
			if to == nil {
				continue // in the source tree only
			}
			if better := s.in(to.name, p.language); better != to {
				t.Errorf("%s leads to %s and not to %s", p.source, to.source, better.source)
			}
			seen[to] = true
		}
		for _, name := range order {
			if to := s.in(name, p.language); p.name == order[0] && !seen[to] {
				t.Errorf("%s does not lead to %s", p.source, to.source)
			}
		}
	}
}

var linkToPage = regexp.MustCompile(`\]\(([^)#:]+\.md)(?:#[^)]*)?\)`)

// TestTranslationsShowTheSameFiles: what a page tells its reader to copy is the same in every language.
func TestTranslationsShowTheSameFiles(t *testing.T) {
	t.Parallel()
	blocks := func(name string) []string {
		data, err := os.ReadFile(filepath.Join(docs, "manual", name))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile("(?s)```json\n.*?```").FindAllString(string(data), -1)
	}
	for _, name := range []string{"scripts", "vendor", "machine"} {
		for _, l := range languages[1:] {
			english, other := blocks(name+".md"), blocks(name+"."+l.Code+".md")
			if len(english) == 0 || !slices.Equal(english, other) {
				t.Errorf("%s shows other files in %s", name, l.Name)
			}
		}
	}
}
