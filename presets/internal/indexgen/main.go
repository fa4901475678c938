// Command indexgen writes the table on which presets looks domains and MX names up, from the provider files.
//
// It reads the files with a type of its own, so that it still runs when the table that it writes is missing or broken.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "data", "folder with flagships and ispdb")
	out := flag.String("out", "index_data.go", "file to write")
	flag.Parse()
	text, err := build(os.DirFS(*data))
	if err == nil {
		err = os.WriteFile(*out, text, 0o644)
	}
	if err != nil {
		log.Fatalf("indexgen: %v", err)
	}
}

// provider is the part of a provider's file that the table needs.
type provider struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Names      map[string]string `json:"names"`
	Kind       string            `json:"kind"`
	Countries  []string          `json:"countries"`
	Domains    []string          `json:"domains"`
	MXSuffixes []string          `json:"mx_suffixes"`
	MXRank     int               `json:"mx_rank"`
	SameAs     string            `json:"same_as"`
	SPF        struct {
		Include  []string `json:"include"`
		Redirect string   `json:"redirect"`
	} `json:"spf"`
	source string
}

// build makes the Go file for the providers under fsys.
func build(fsys fs.FS) ([]byte, error) {
	flagships, err := read(fsys, "flagships")
	if err != nil {
		return nil, err
	}
	second, err := read(fsys, "ispdb")
	if err != nil {
		return nil, err
	}
	all := append(slices.Clone(flagships), second...)
	slices.SortFunc(all, func(a, b provider) int { return strings.Compare(a.ID, b.ID) })
	for i := 1; i < len(all); i++ {
		if all[i].ID == all[i-1].ID {
			return nil, fmt.Errorf("two providers have the id %q", all[i].ID)
		}
	}
	domains, err := domainRows(append(slices.Clone(flagships), second...))
	if err != nil {
		return nil, err
	}
	return render(all, []table{
		{"domainIndex", domains},
		{"flagshipSuffixes", rowsBy(flagships, func(p provider) []string { return p.MXSuffixes })},
		{"ispdbSuffixes", rowsBy(second, func(p provider) []string { return p.MXSuffixes })},
		{"spfIndex", rowsBy(flagships, spfTargets)},
	})
}

func read(fsys fs.FS, folder string) ([]provider, error) {
	names, err := fs.Glob(fsys, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	var out []provider
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var p provider
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if p.ID+".json" != path.Base(name) {
			return nil, fmt.Errorf("%s: the id %q is not the file's name", name, p.ID)
		}
		p.source = folder
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b provider) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// row leads from a name to the files of its providers, as folder/id.
type row struct {
	name      string
	providers []string
}

// target is the file that a look-up of p's names leads to: its own, or that of the flagship that it is.
func target(p provider) string {
	if p.SameAs != "" {
		return "flagships/" + p.SameAs
	}
	return p.source + "/" + p.ID
}

// sorted makes rows in the order of their names.
func sorted(owners map[string][]string) []row {
	var rows []row
	for _, name := range slices.Sorted(maps.Keys(owners)) {
		rows = append(rows, row{name, owners[name]})
	}
	return rows
}

// domainRows maps each domain to one provider: the first in the list wins, flagships before the second source. An entry
// of the second source that is marked as a flagship leads to that flagship.
func domainRows(list []provider) ([]row, error) {
	known := map[string]bool{}
	for _, p := range list {
		known[p.source+"/"+p.ID] = true
	}
	owner := map[string]provider{}
	for _, p := range list {
		if !known[target(p)] {
			return nil, fmt.Errorf("%s: same_as names no flagship: %q", p.ID, p.SameAs)
		}
		for _, d := range p.Domains {
			first, owned := owner[d]
			switch {
			case !owned:
				owner[d] = p
			case first.source == p.source && target(first) != target(p):
				return nil, fmt.Errorf("%s and %s both have the domain %s", first.ID, p.ID, d)
			}
		}
	}
	owners := map[string][]string{}
	for d, p := range owner {
		owners[d] = []string{target(p)}
	}
	return sorted(owners), nil
}

// spfTargets are the names that a customer's SPF record includes or redirects to.
func spfTargets(p provider) []string {
	if p.SPF.Redirect == "" {
		return p.SPF.Include
	}
	return append(slices.Clone(p.SPF.Include), p.SPF.Redirect)
}

// rowsBy keeps every provider of a shared name, in the order of rank and id.
func rowsBy(list []provider, names func(provider) []string) []row {
	owners := map[string][]string{}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b provider) int { return a.MXRank - b.MXRank })
	for _, p := range list {
		for _, s := range names(p) {
			owners[s] = append(owners[s], target(p))
		}
	}
	return sorted(owners)
}

// table is one variable of the generated file.
type table struct {
	name string
	rows []row
}

// render writes rows that name the files of their providers. A row depends on nothing but the files of its own
// providers, so a new provider adds lines and changes none.
func render(all []provider, tables []table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("// Code generated by presets/internal/indexgen from presets/data; DO NOT EDIT.\n")
	b.WriteString("// The names under data/ispdb are covered by the notice there (MPL-2.0).\n\npackage presets\n\n")
	b.WriteString("var providerIndex = [...]Entry{\n")
	for _, p := range all {
		source := "SourceFlagship"
		if p.source == "ispdb" {
			source = "SourceISPDB"
		}
		fmt.Fprintf(&b, "{ID: %q, Name: %q, Kind: %q, Source: %s, Countries: %q", p.ID, p.Name, p.Kind, source,
			strings.Join(p.Countries, " "))
		if p.SameAs != "" {
			fmt.Fprintf(&b, ", SameAs: %q", p.SameAs)
		}
		if len(p.Names) > 0 {
			b.WriteString(", Names: []NameIn{")
			for _, lang := range slices.Sorted(maps.Keys(p.Names)) {
				fmt.Fprintf(&b, "{%q, %q}, ", lang, p.Names[lang])
			}
			b.WriteString("}")
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	for _, table := range tables {
		fmt.Fprintf(&b, "\nvar %s = []indexRow{\n", table.name)
		for _, r := range table.rows {
			fmt.Fprintf(&b, "{%q, %q},\n", r.name, strings.Join(r.providers, " "))
		}
		b.WriteString("}\n")
	}
	return format.Source(b.Bytes())
}
