package site

import (
	"bytes"
	"net/url"
	"slices"

	"golang.org/x/net/html"
)

// links are the targets of a piece of HTML: of links, pictures and style sheets.
func links(page []byte) []string {
	var list []string
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		token := tokens.Token()
		for _, attribute := range token.Attr {
			if token.Type != html.EndTagToken && (attribute.Key == "href" || attribute.Key == "src") {
				if link, err := url.PathUnescape(attribute.Val); err == nil {
					list = append(list, link)
				}
			}
		}
	}
	return list
}

func (p *page) has(anchor string) bool { return slices.Contains(p.anchors, anchor) }
