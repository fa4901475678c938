package site

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// markdown reads what the pages use. Raw HTML goes through as it is, once tidy has seen all of it.
func markdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithRendererOptions(html.WithUnsafe()),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()))
}

// anchorTag is the one piece of HTML that pages may have: a place for links that keeps its name when words change.
var anchorTag = regexp.MustCompile(`^<a id="([A-Za-z0-9-]+)">$|^</a>$`)

// parse renders the page, with links to the other pages of the site in place of those to their Markdown.
func (s *site) parse(p *page, source []byte) error {
	md := markdown()
	context := parser.NewContext(parser.WithIDs(&anchors{seen: map[string]int{}}))
	doc := md.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	err := ast.Walk(doc, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Heading:
			p.addHeading(node, source)
		case *ast.Link:
			to, err := s.target(p, string(node.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			node.Destination = []byte(to)
		case *ast.Image:
			to, err := s.target(p, string(node.Destination))
			if err == nil && to == "" {
				err = fmt.Errorf("%s shows %s, which is not among the documents", p.source, node.Destination)
			}
			if err != nil {
				return ast.WalkStop, err
			}
			node.Destination = []byte(to)
		case *ast.RawHTML:
			tag := anchorTag.FindSubmatch(node.Segments.Value(source))
			if tag == nil {
				return ast.WalkStop, fmt.Errorf("%s has HTML: %s", p.source, node.Segments.Value(source))
			}
			p.anchors = append(p.anchors, string(tag[1]))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return err
	}
	if err := tidy(doc, source); err != nil {
		return fmt.Errorf("%s: %w", p.source, err)
	}
	if p.title == "" {
		return fmt.Errorf("%s has no title", p.source)
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, doc); err != nil {
		return err
	}
	p.body = keepTogether(b.Bytes(), p.language)
	return nil
}

func (p *page) addHeading(node *ast.Heading, source []byte) {
	value, _ := node.AttributeString("id")
	id, _ := value.([]byte)
	p.anchors = append(p.anchors, string(id))
	words := plain(node, source)
	switch node.Level {
	case 1:
		p.title = words
	case 2:
		p.headings = append(p.headings, heading{string(id), words})
	}
}

// plain is the text of a node without its marks.
func plain(node ast.Node, source []byte) string {
	var b strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			b.Write(child.Segment.Value(source))
			if child.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(child.Value)
		default:
			b.WriteString(plain(child, source))
		}
	}
	return b.String()
}

// target is where a link of the page leads in the site: "" where it leads to a file that is only in the source tree.
func (s *site) target(p *page, link string) (string, error) {
	if strings.HasPrefix(link, "https://") {
		return link, nil
	}
	file, anchor, _ := strings.Cut(link, "#")
	if anchor != "" {
		anchor = "#" + anchor
	}
	if file == "" {
		return anchor, nil
	}
	file = path.Join(path.Dir(p.source), file)
	switch {
	case !s.exists(file):
		return "", fmt.Errorf("%s leads to %s, which is not there", p.source, link)
	case strings.HasPrefix(file, "../"): // above the documents, as in the tree: nothing is written there
		return "", nil
	case strings.HasSuffix(file, ".md") && !strings.HasPrefix(file, "decisions/"):
		name, code, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".md"), ".")
		if code == "" {
			code = languages[0].Code
		}
		return (&page{name: name, language: code}).file() + anchor, nil
	case path.Ext(file) == ".txt", path.Ext(file) == ".svg":
		s.files[file] = true
		return placeOf(file), nil
	}
	return "", nil
}

// tidy takes comments away, and links without a target, whose words stay.
func tidy(node ast.Node, source []byte) error {
	for child := node.FirstChild(); child != nil; {
		next := child.NextSibling()
		if err := tidy(child, source); err != nil {
			return err
		}
		switch child := child.(type) {
		case *ast.HTMLBlock:
			if comment := child.Lines().Value(source); !bytes.HasPrefix(comment, []byte("<!--")) {
				return fmt.Errorf("there is HTML in it: %s", comment)
			}
			node.RemoveChild(node, child)
		case *ast.Link:
			if len(child.Destination) > 0 {
				break
			}
			for word := child.FirstChild(); word != nil; word = child.FirstChild() {
				node.InsertBefore(node, child, word)
			}
			node.RemoveChild(node, child)
		}
		child = next
	}
	return nil
}

// check follows the links of all pages to their anchors.
func (s *site) check() error {
	byFile := map[string]*page{}
	for _, p := range s.pages {
		byFile[p.file()] = p
	}
	for _, p := range s.pages {
		for _, link := range links(p.body) {
			file, anchor, _ := strings.Cut(link, "#")
			to := p
			if file != "" {
				to = byFile[file]
			}
			switch {
			case strings.HasPrefix(link, "https://"), to == nil && s.carries(file):
			case to == nil:
				return fmt.Errorf("%s leads to %s, which is no page", p.source, link)
			case anchor != "" && !to.has(anchor):
				return fmt.Errorf("%s leads to #%s of %s, which has no such heading", p.source, anchor, to.source)
			}
		}
	}
	return nil
}

func (s *site) carries(place string) bool {
	for file := range s.files {
		if placeOf(file) == place {
			return true
		}
	}
	return false
}

// anchors names headings as GitHub does, where the same files are read: letters and digits of any script in small
// letters, hyphens for spaces, nothing else; a number tells equal ones apart.
type anchors struct{ seen map[string]int }

var anchorInHeading = regexp.MustCompile(`</?a\b[^>]*>`)

func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	value = anchorInHeading.ReplaceAll(value, nil)
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(string(value)))
	n := a.seen[anchor]
	a.seen[anchor]++
	if n > 0 {
		anchor += "-" + strconv.Itoa(n)
	}
	return []byte(anchor)
}

func (a *anchors) Put([]byte) {}
