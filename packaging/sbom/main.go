// Command sbom lists the parts of a Go program, as the linker has noted them in it, as CycloneDX (JSON, version 1.6).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"postier/packaging/parts"
)

type component struct {
	Type       string     `json:"type"`
	Reference  string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Purl       string     `json:"purl"`
	Licences   []licence  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type dependency struct {
	Reference string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// bom has no serial number: it would be another one in each build.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one program is wanted, not %d", len(args))
	}
	linked, info, err := parts.Linked(args[0])
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(list(linked, info))
}

func list(linked []parts.Part, info *debug.BuildInfo) bom {
	program := module("application", info.Main.Path, info.Main.Version)
	program.license("MIT")
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			b.Metadata.Timestamp = s.Value
		}
		program.Properties = append(program.Properties, property{"build:" + s.Key, s.Value})
	}
	b.Metadata.Component = program
	for _, p := range linked {
		part := module("library", p.Path, p.Version)
		part.license(p.Licences...)
		if p.Sum != "" { // the module's hash in go.sum, which no other list knows
			part.Properties = []property{{"go:sum", p.Sum}}
		}
		b.Components = append(b.Components, part)
	}
	uses := dependency{Reference: program.Reference}
	for _, c := range b.Components {
		uses.DependsOn = append(uses.DependsOn, c.Reference)
	}
	b.Dependencies = []dependency{uses}
	return b
}

func (c *component) license(ids ...string) {
	for _, id := range ids {
		var l licence
		l.License.ID = id
		c.Licences = append(c.Licences, l)
	}
}

// module names a module as package-url does for Go.
func module(kind, path, version string) component {
	purl := "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Reference: purl, Name: path, Version: version, Purl: purl}
}
