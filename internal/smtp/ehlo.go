package smtp

import (
	"slices"
	"strconv"
	"strings"
)

// maxExtensions bounds what is kept of an EHLO reply; real servers offer a dozen.
const maxExtensions = 100

// Extension is one line of an EHLO reply.
type Extension struct {
	Keyword string // upper case
	Params  string // as sent
}

// Extensions is what a server offers (RFC 5321 §4.1.1.1).
type Extensions struct {
	Domain string // the name that the server gives itself, raw
	List   []Extension
}

// parseEHLO reads the lines of a 250 reply. Keywords are compared without case (RFC 5321 §2.4); the old form
// AUTH=LOGIN, which servers still send for mail programs of the nineties, counts as AUTH LOGIN.
func parseEHLO(lines []string) Extensions {
	var e Extensions
	for i, line := range lines {
		if i == 0 {
			e.Domain, _, _ = strings.Cut(line, " ")
			continue
		}
		if len(e.List) == maxExtensions {
			break
		}
		keyword, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		keyword = strings.ToUpper(keyword)
		if rest, old := strings.CutPrefix(keyword, "AUTH="); old {
			keyword, params = "AUTH", strings.TrimSpace(rest+" "+params)
		}
		if keyword != "" {
			e.List = append(e.List, Extension{keyword, strings.TrimSpace(params)})
		}
	}
	return e
}

// Has reports whether a keyword is offered.
func (e Extensions) Has(keyword string) bool {
	_, ok := e.Params(keyword)
	return ok
}

// Params returns the parameters of a keyword, of all its lines.
func (e Extensions) Params(keyword string) (params string, ok bool) {
	var all []string
	for _, x := range e.List {
		if x.Keyword == keyword {
			ok = true
			all = append(all, x.Params)
		}
	}
	return strings.TrimSpace(strings.Join(all, " ")), ok
}

// Mechanisms lists the SASL mechanisms offered, in upper case, each once, in the server's order.
func (e Extensions) Mechanisms() []string {
	params, _ := e.Params("AUTH")
	var list []string
	for _, name := range strings.Fields(strings.ToUpper(params)) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// Size is the largest message taken, in octets; 0 means that no limit was given (RFC 1870 §3).
func (e Extensions) Size() int64 {
	params, _ := e.Params("SIZE")
	first, _, _ := strings.Cut(params, " ")
	n, err := strconv.ParseInt(first, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
