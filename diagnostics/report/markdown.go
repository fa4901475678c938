package report

import (
	"html"
	"strings"

	"postier/internal/locale"
	"postier/internal/typeset"
)

// markdown has headings in our own words. Everything else is in fences longer than any run of backticks inside.
func (b Bundle) markdown() []byte {
	var out strings.Builder
	out.WriteString("# " + locale.For(b.info.Lang).T("diagnose.bundle.title") + "\n")
	for _, s := range b.sections() {
		out.WriteString("\n## " + s.title + "\n\n")
		lines := s.lines
		width := 0
		for _, pair := range s.pairs {
			width = max(width, typeset.Width(pair[0]))
		}
		for _, pair := range s.pairs {
			lines = append(lines, typeset.Pad(pair[0], width)+"  "+pair[1])
		}
		content := strings.Join(lines, "\n")
		fence := strings.Repeat("`", max(3, longestRun(content, '`')+1))
		out.WriteString(fence + "text\n" + content + "\n" + fence + "\n")
	}
	return []byte(out.String())
}

func longestRun(s string, of byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// html is one file that loads nothing and runs nothing: no script, no style, no picture. Each value is one text node.
func (b Bundle) html() []byte {
	title := html.EscapeString(locale.For(b.info.Lang).T("diagnose.bundle.title"))
	var out strings.Builder
	out.WriteString("<!doctype html>\n<html lang=\"" + string(b.info.Lang) + "\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n</head>\n<body>\n<h1>" +
		title + "</h1>\n")
	for _, s := range b.sections() {
		out.WriteString("<h2>" + html.EscapeString(s.title) + "</h2>\n")
		if len(s.pairs) > 0 {
			out.WriteString("<table>\n")
			for _, pair := range s.pairs {
				out.WriteString("<tr><th align=\"left\">" + html.EscapeString(pair[0]) + "</th><td>" + html.EscapeString(pair[1]) +
					"</td></tr>\n")
			}
			out.WriteString("</table>\n")
		}
		if len(s.lines) > 0 {
			out.WriteString("<pre>\n")
			for _, line := range s.lines {
				out.WriteString("<code>" + html.EscapeString(line) + "</code>\n")
			}
			out.WriteString("</pre>\n")
		}
	}
	out.WriteString("</body>\n</html>\n")
	return []byte(out.String())
}
