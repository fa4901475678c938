package guide

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strings"

	"postier/internal/safetext"
	"postier/internal/typeset"
)

// textWidth is the longest line of prose.
const textWidth = 76

// Text writes the page as plain lines.
func (p Page) Text(out io.Writer) error {
	var b strings.Builder
	b.WriteString(p.Title + "\n" + strings.Repeat("=", typeset.Width(p.Title)) + "\n")
	for _, s := range p.Sections {
		mark := ""
		if s.Warn {
			mark = "! "
		}
		b.WriteString("\n" + mark + s.Title + "\n")
		for _, text := range s.Text {
			if s.List {
				wrap(&b, "  - ", "    ", text)
			} else {
				wrap(&b, "  ", "  ", text)
			}
		}
		for i, step := range s.Steps {
			wrap(&b, fmt.Sprintf("  %d. ", i+1), "     ", step)
		}
		for _, link := range s.Links {
			b.WriteString("  " + link + "\n") // never broken: it is copied
		}
	}
	b.WriteString("\n")
	wrap(&b, "", "", p.Footer)
	_, err := io.WriteString(out, escape(b.String()))
	return err
}

// escape replaces characters that a line of a page must not contain. The texts come from this program or from a
// vendor's file.
func escape(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = safetext.Escape(line)
	}
	return strings.Join(lines, "\n")
}

func wrap(b *strings.Builder, first, rest, said string) {
	b.WriteString(strings.Join(typeset.Fill(first, rest, said, textWidth), "\n") + "\n")
}

// Markdown writes the page as CommonMark.
func (p Page) Markdown(out io.Writer) error {
	var b strings.Builder
	b.WriteString("# " + markdown(p.Title) + "\n")
	for _, s := range p.Sections {
		b.WriteString("\n## " + markdown(s.Title) + "\n")
		quote := ""
		if s.Warn {
			quote = "> "
		}
		for i, text := range s.Text {
			point := ""
			if s.List {
				point = "- "
			}
			if !s.List || i == 0 {
				b.WriteString("\n")
			}
			b.WriteString(quote + point + markdown(text) + "\n")
			if quote != "" && !s.List && i+1 < len(s.Text) {
				b.WriteString(">") // one quotation of several paragraphs
			}
		}
		if len(s.Steps) > 0 {
			b.WriteString("\n")
		}
		for i, step := range s.Steps {
			fmt.Fprintf(&b, "%d. %s\n", i+1, markdown(step))
		}
		for _, link := range s.Links {
			b.WriteString("\n<" + link + ">\n")
		}
	}
	b.WriteString("\n---\n\n" + markdown(p.Footer) + "\n")
	_, err := io.WriteString(out, escape(b.String()))
	return err
}

// markdown escapes every character that CommonMark could take for markup (§2.4).
func markdown(text string) string {
	var b strings.Builder
	for i, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>#|~&!", r) || i == 0 && strings.ContainsRune("-+=", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// style is the whole style sheet; its hash is what the policy below allows.
const style = `body{font-family:system-ui,sans-serif;line-height:1.5;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}` +
	`h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.75rem}.warn{border-left:.3rem solid #b35900;padding-left:1rem}` +
	`a{color:#0b57a4;overflow-wrap:anywhere}footer{margin-top:2rem;border-top:1px solid #bbb;padding-top:.75rem;font-size:.9rem}` +
	`@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#181818}a{color:#8ab4f8}}`

// HTML writes the page as one file that loads nothing and runs nothing: every value is one text node.
func (p Page) HTML(out io.Writer) error {
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	text := func(s string) string { return html.EscapeString(safetext.Escape(s)) }
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"" + string(p.Lang) + "\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta http-equiv=\"Content-Security-Policy\" content=\"" + policy + "\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" " +
		"content=\"no-referrer\">\n" +
		"<title>" + text(p.Title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n<h1>" + text(p.Title) +
		"</h1>\n")
	for _, s := range p.Sections {
		class := ""
		if s.Warn {
			class = ` class="warn"`
		}
		b.WriteString("<section" + class + ">\n<h2>" + text(s.Title) + "</h2>\n")
		before, after := "<p>", "</p>\n"
		if s.List && len(s.Text) > 0 {
			b.WriteString("<ul>\n")
			before, after = "<li>", "</li>\n"
		}
		for _, paragraph := range s.Text {
			b.WriteString(before + text(paragraph) + after)
		}
		if s.List && len(s.Text) > 0 {
			b.WriteString("</ul>\n")
		}
		if len(s.Steps) > 0 {
			b.WriteString("<ol>\n")
			for _, step := range s.Steps {
				b.WriteString("<li>" + text(step) + "</li>\n")
			}
			b.WriteString("</ol>\n")
		}
		for _, link := range s.Links {
			b.WriteString(`<p><a href="` + text(link) + `" rel="noreferrer">` + text(link) + "</a></p>\n")
		}
		b.WriteString("</section>\n")
	}
	b.WriteString("</main>\n<footer>" + text(p.Footer) + "</footer>\n</body>\n</html>\n")
	_, err := io.WriteString(out, b.String())
	return err
}
