// Command sbom lists the parts of a Go program, as the linker has noted them in it, as CycloneDX (JSON, version 1.6).
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

type component struct {
	Type       string     `json:"type"`
	Reference  string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Purl       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
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
	info, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(list(info))
}

func list(info *debug.BuildInfo) bom {
	program := module("application", info.Main.Path, info.Main.Version)
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			b.Metadata.Timestamp = s.Value
		}
		program.Properties = append(program.Properties, property{"build:" + s.Key, s.Value})
	}
	b.Metadata.Component = program
	b.Components = []component{module("library", "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		part := module("library", m.Path, m.Version)
		part.Properties = []property{{"go:sum", m.Sum}} // the module's hash in go.sum, which no other list knows
		b.Components = append(b.Components, part)
	}
	uses := dependency{Reference: program.Reference}
	for _, c := range b.Components {
		uses.DependsOn = append(uses.DependsOn, c.Reference)
	}
	b.Dependencies = []dependency{uses}
	return b
}

// module names a module as package-url does for Go.
func module(kind, path, version string) component {
	purl := "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Reference: purl, Name: path, Version: version, Purl: purl}
}
