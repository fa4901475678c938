package recipes

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"postier/internal/locale"
)

// TestProvider copies a neighbour, as the recipe says.
func TestProvider(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	neighbour := c.text("presets/data/flagships/gandi.json")
	c.put("presets/data/flagships/recipe.json", strings.NewReplacer(
		`"id": "gandi"`, `"id": "recipe"`, `"name": "Gandi Mail"`, `"name": "Recipe Mail"`, "gandi.net", "recipe.example",
	).Replace(neighbour))
	c.run("generate", "./presets")
	for line := range strings.Lines(c.files["presets/index_data.go"]) {
		if !strings.Contains(c.text("presets/index_data.go"), line) {
			t.Errorf("a new provider changed the row %s", line)
		}
	}
	c.follows("A provider")
}

// object is a JSON object whose keys keep their places when they are written again, which the data's readers ignore.
type object map[string]any

// edit decodes the list in a JSON file, changes it and writes it again.
func (c *tree) edit(file string, change func([]object) []object) {
	c.t.Helper()
	var list []object
	if err := json.Unmarshal([]byte(c.text(file)), &list); err != nil {
		c.t.Fatalf("%s: %v", file, err)
	}
	data, err := json.MarshalIndent(change(list), "", " ")
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(file, string(data)+"\n")
}

// renamed is a copy of an object with other values.
func renamed(o object, values object) object {
	out := object{}
	for key, value := range o {
		out[key] = value
	}
	for key, value := range values {
		out[key] = value
	}
	return out
}

// newReply is an entry for words that no server says.
func newReply(cause string) object {
	return object{
		"id": "recipe-reply", "code": "552", "pattern": "the recipe's box overflows", "cause": cause,
		"example": "552 The recipe's box overflows", "source": "internal/recipes", "evidence": "recalled",
	}
}

const replies = "diagnostics/explain/data/replies/smtp/general.json"

func TestReply(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	c.edit(replies, func(list []object) []object { return append(list, newReply("mailbox-full")) })
	c.follows("A reply")
}

func TestCause(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	const codes = "diagnostics/explain/testdata/codes.txt"
	highest := 0
	for line := range strings.Lines(c.text(codes)) {
		code, _, _ := strings.Cut(line, " ")
		_, number, _ := strings.Cut(code, "-")
		if n, err := strconv.Atoi(number); err == nil && n > highest {
			highest = n
		}
	}
	code := fmt.Sprintf("L-%d", highest+1)
	c.put(codes, c.text(codes)+code+" recipe-cause\n")
	c.edit("diagnostics/explain/data/causes/limits.json", func(list []object) []object {
		return append(list, renamed(list[0], object{"slug": "recipe-cause", "code": code}))
	})
	c.run("generate", "./internal/check")
	c.edit(replies, func(list []object) []object { return append(list, newReply("recipe-cause")) })
	c.run("test", "-vet=off", "./tui", "-run", "TestGoldenCards", "-update")
	c.follows("A cause")
}

// declaration cuts the source of a function or a method out of a file, with its comment.
func (c *tree) declaration(file, name string) string {
	c.t.Helper()
	text := c.text(file)
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.ParseComments)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			return text[set.Position(f.Pos()).Offset:set.Position(f.End()).Offset]
		}
	}
	c.t.Fatalf("%s has no function %s", file, name)
	return ""
}

// row cuts the element with this key out of a literal.
func (c *tree) row(file, key string) string {
	c.t.Helper()
	text := c.text(file)
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	found := ""
	ast.Inspect(parsed, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			from, to := set.Position(pair.Pos()).Offset, set.Position(pair.End()).Offset
			if text[from:set.Position(pair.Key.End()).Offset] == key && found == "" {
				found = text[from:to]
			}
		}
		return true
	})
	if found == "" {
		c.t.Fatalf("%s has no row for %s", file, key)
	}
	return found
}

// TestCheck adds a check that does what a neighbour does, under an id of its own.
func TestCheck(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	const last = "\tDNSDiscovery ID = \"dns.discovery\"\n"
	c.replace("internal/check/ids.go", last, last+"\tDNSRecipe    ID = \"dns.recipe\"\n")
	c.run("generate", "./internal/check")

	const area = "diagnostics/dns/plan.go"
	c.put("diagnostics/dns/recipe.go", neighbourFile(c.text("diagnostics/dns/record.go"),
		strings.Replace(c.declaration("diagnostics/dns/record.go", "bimi"), ") bimi(", ") recipe(", 1)))
	const lastRow = "{check.DNSDiscovery, a.discovery},\n"
	c.replace(area, lastRow, lastRow+
		"\t\t{check.DNSRecipe, a.oneRecord(optional{\"default._bimi.\", \"BIMI1\", \"bimi\", check.CauseBIMIMalformed}, a.recipe)},\n")

	c.edit("diagnostics/explain/data/checks.json", func(list []object) []object {
		var out []object
		var page object
		for _, o := range list {
			if o["id"] == "dns.bimi" {
				page = renamed(o, object{"id": "dns.recipe"})
			}
		}
		for _, o := range list {
			out = append(out, o)
			if o["id"] == "dns.discovery" {
				out = append(out, page)
			}
		}
		return out
	})
	neighbour := c.row("diagnostics/coverage_test.go", "check.DNSBIMI")
	c.replace("diagnostics/coverage_test.go", neighbour,
		neighbour+",\n"+strings.Replace(neighbour, "DNSBIMI", "DNSRecipe", 1))
	c.run("test", "-vet=off", "./diagnostics", "-update")
	c.follows("A check")
}

// neighbourFile is a file of the same package, with the imports that a function of it needs.
func neighbourFile(neighbour, function string) string {
	header, _, _ := strings.Cut(neighbour, "\nimport (")
	_, rest, _ := strings.Cut(neighbour, "\nimport (")
	block, _, _ := strings.Cut(rest, "\n)")
	var imports []string
	for line := range strings.Lines(block) {
		name := strings.Trim(strings.TrimSpace(line), `"`)
		if alias, _, named := strings.Cut(strings.TrimSpace(line), ` "`); named {
			name = alias
		}
		if strings.Contains(function, name[strings.LastIndexByte(name, '/')+1:]+".") {
			imports = append(imports, line)
		}
	}
	return header + "\nimport (\n" + strings.Join(imports, "") + ")\n\n" + function + "\n"
}

func TestStepText(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	for _, lang := range locale.All() {
		file := "internal/locale/catalogue/" + string(lang) + "/wizard.po"
		_, rest, _ := strings.Cut(c.text(file), "msgid \"wizard.title.address\"\n")
		old, _, _ := strings.Cut(rest, "\n")
		c.replace(file, "msgid \"wizard.title.address\"\n"+old, "msgid \"wizard.title.address\"\nmsgstr \"Xyz\"")
	}
	c.run("test", "-vet=off", "./tui", "-update")
	c.follows("A step's text")
}

func TestExportFormat(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	c.put("config/export/recipe.go",
		strings.NewReplacer("neomuttFormat", "recipeFormat", `"neomutt"`, `"recipe"`, "export.neomutt", "export.recipe").
			Replace(c.text("config/export/neomutt.go")))
	c.replace("config/export/export.go", "neomuttFormat,", "neomuttFormat, recipeFormat,")
	for _, lang := range locale.All() {
		file := "internal/locale/catalogue/" + string(lang) + "/config.po"
		c.put(file, c.text(file)+`
msgid "config.export.recipe"
msgstr "Xyz"

msgid "config.export.put.recipe"
msgstr "Xyz"
`)
	}
	text := c.text("config/export/roundtrip_test.go")
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"neomutt":`) {
			c.replace("config/export/roundtrip_test.go", line, line+strings.Replace(line, "neomutt", "recipe", 1))
		}
	}
	c.follows("An export format")
}

// TestLanguage adds Dutch, which speaks English here: what counts is that nothing but its folder has to change.
func TestLanguage(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	const english, dutch = "internal/locale/catalogue/en/", "internal/locale/catalogue/nl/"
	for file, text := range c.files {
		if name, ok := strings.CutPrefix(file, english); ok {
			c.put(dutch+name, strings.Replace(text, "Language: en", "Language: nl", 1))
		}
	}
	c.run("run", "./internal/locale/sentences", "nl")
	c.put(dutch+"data.po", untranslated.ReplaceAllString(c.text(dutch+"data.po"), "msgid $1\nmsgstr $1\n"))
	c.run("test", "-vet=off", "./tui", "./diagnostics/report", "-update")
	c.follows("A language")
}

var untranslated = regexp.MustCompile(`(?m)^msgid (".+")\nmsgstr ""\n`)
