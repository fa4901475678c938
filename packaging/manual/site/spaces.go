package site

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// keepTogether marks what must not be parted at the end of a line: options and other words with hyphens in code, and in
// French the signs that stand after a space, or before one.
func keepTogether(body []byte, language string) []byte {
	var out bytes.Buffer
	tokens := html.NewTokenizer(bytes.NewReader(body))
	inside := map[string]int{}
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		raw := string(tokens.Raw())
		switch name, _ := tokens.TagName(); kind {
		case html.StartTagToken:
			inside[string(name)]++
		case html.EndTagToken:
			inside[string(name)]--
		case html.TextToken:
			switch {
			case inside["pre"] > 0:
			case inside["code"] > 0:
				raw = hyphenated.ReplaceAllString(raw, "<span>$0</span>")
			case language == "fr":
				raw = french.Replace(raw)
			}
		}
		out.WriteString(raw)
	}
	return out.Bytes()
}

// hyphenated is a word that is short enough to stand on one line of any window.
var hyphenated = regexp.MustCompile(`[^\s-]*-[^\s]{1,30}`)

// french has the spaces of the Imprimerie nationale: a narrow one before the high signs, a wide one elsewhere.
var french = strings.NewReplacer(" ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", " :", "\u00a0:", " »", "\u00a0»",
	"« ", "«\u00a0")
