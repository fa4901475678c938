package explain

import (
	"cmp"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"postier/internal/pattern"
)

// branch is one alternative of a pattern. Most end at plain searches for their needles, so that few expressions are
// ever compiled, and fewer run.
type branch struct {
	// needles are sets of literals. In every match stands one literal of each set.
	needles [][]needle
	re      func() *regexp.Regexp
}

// needle is a literal in lower case. Those of one protocol are numbered, so that a text is searched for each once.
type needle struct {
	literal string
	number  int
}

// needleNumbers numbers literals from 0.
type needleNumbers map[string]int

func (n needleNumbers) needle(literal string) needle {
	number, ok := n[literal]
	if !ok {
		number = len(n)
		n[literal] = number
	}
	return needle{literal, number}
}

// searched is a text that many patterns are searched in.
type searched struct {
	text, lower string
	// found remembers which needles stand in the text.
	found []presence
}

type presence byte

const (
	unsearched presence = iota
	present
	absent
)

func (t *searched) has(n needle) bool {
	if n.number >= len(t.found) {
		t.found = append(t.found, make([]presence, n.number+1-len(t.found))...)
	}
	if t.found[n.number] == unsearched {
		t.found[n.number] = absent
		if strings.Contains(t.lower, n.literal) {
			t.found[n.number] = present
		}
	}
	return t.found[n.number] == present
}

func (b branch) matches(t *searched) bool {
	for _, either := range b.needles {
		if !slices.ContainsFunc(either, t.has) {
			return false
		}
	}
	return b.re().MatchString(t.text)
}

// branchesOf splits an expression at its outermost alternatives. One that cannot be read has none.
func branchesOf(expression string, numbers needleNumbers) []branch {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	var list []branch
	for _, re := range alternatives(parsed) {
		b := branch{re: pattern.Of(re.String())}
		for _, literals := range needles(re) {
			var either []needle
			for _, literal := range literals {
				either = append(either, numbers.needle(literal))
			}
			b.needles = append(b.needles, either)
		}
		list = append(list, b)
	}
	return list
}

func alternatives(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpAlternate:
		var list []*syntax.Regexp
		for _, sub := range re.Sub {
			list = append(list, alternatives(sub)...)
		}
		return list
	case syntax.OpCapture:
		return alternatives(re.Sub[0])
	}
	return []*syntax.Regexp{re}
}

// needles returns sets of literals in lower case. In every match stands one literal of each set.
func needles(re *syntax.Regexp) [][]string {
	const shortest = 2 // a single letter stands in too many replies to spare anything
	switch re.Op {
	case syntax.OpLiteral:
		if len(re.Rune) >= shortest {
			return [][]string{{strings.ToLower(string(re.Rune))}}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needles(re.Sub[0])
	case syntax.OpConcat:
		var all [][]string
		for _, sub := range re.Sub {
			all = append(all, needles(sub)...)
		}
		return all
	case syntax.OpAlternate:
		var either []string
		for _, sub := range re.Sub {
			found := needles(sub)
			if len(found) == 0 {
				return nil
			}
			either = append(either, slices.MaxFunc(found, func(a, b []string) int {
				return cmp.Compare(minLength(a), minLength(b))
			})...)
		}
		return [][]string{either}
	}
	return nil
}

func minLength(list []string) int {
	shortest := len(list[0])
	for _, s := range list {
		shortest = min(shortest, len(s))
	}
	return shortest
}
