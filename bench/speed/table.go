package main

import (
	"fmt"
	"io"
)

// row is one figure, what it is compared with, and what is inside.
type row struct {
	name, value, peer, ratio, aim, inside string
}

type table struct{ rows []row }

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// print writes the rows as Markdown, and below them what is inside each.
func (t *table) print(out io.Writer) {
	fmt.Fprint(out, "| | measure | postier | compared with | ratio | aim |\n|---|---|---|---|---|---|\n")
	for n, r := range t.rows {
		fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %s |\n", n+1, r.name, r.value, r.peer, r.ratio, r.aim)
	}
	fmt.Fprintln(out)
	last := ""
	for n, r := range t.rows {
		if r.inside != "" && r.inside != last {
			fmt.Fprintf(out, "From %d: %s\n", n+1, r.inside)
		}
		last = r.inside
	}
}
