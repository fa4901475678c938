// Command notices writes THIRD-PARTY: which modules a Go program is made of, under which licences, and the texts that
// these licences want to be passed on. A text that several modules share stands there once.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"postier/packaging/parts"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one program is wanted, not %d", len(args))
	}
	linked, _, err := parts.Linked(args[0])
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	write(out, linked)
	return out.Flush()
}

func write(out io.Writer, linked []parts.Part) {
	fmt.Fprintln(out, "postier is made with the work of others. What it contains, with the licences found in each:")
	fmt.Fprintln(out)
	from := map[string][]string{} // the files that have a text
	var texts []string
	for _, p := range linked {
		fmt.Fprintf(out, "  %s %s  %s\n", name(p), p.Version, strings.Join(p.Licences, ", "))
		for _, n := range p.Notices {
			if from[n.Text] == nil {
				texts = append(texts, n.Text)
			}
			from[n.Text] = append(from[n.Text], name(p)+": "+n.Name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(out, "\n%s\n%s\n\n%s", strings.Repeat("=", 78), strings.Join(from[text], "\n"), text)
	}
}

func name(p parts.Part) string {
	if p.Path == "std" {
		return "Go and its standard library"
	}
	return p.Path
}
