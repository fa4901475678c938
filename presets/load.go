package presets

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

//go:embed data/flagships data/ispdb data/sources.json
var files embed.FS

// maxFile bounds a provider file that is read from elsewhere; the largest of our own is below a tenth of it.
const maxFile = 256 << 10

// Parse reads one provider file, refuses keys it does not know and says with their path what is wrong with the values.
func Parse(r io.Reader) (*Provider, error) {
	d := json.NewDecoder(io.LimitReader(r, maxFile))
	d.DisallowUnknownFields()
	p := new(Provider)
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("reading a provider file: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading a provider file: text after the end of the object")
	}
	return p, p.Validate()
}

// loaded keeps the providers whose file was read. They never change.
var loaded sync.Map // id -> *Provider

// load reads the file of a provider in the index.
func load(entry *Entry) (*Provider, bool) {
	if p, ok := loaded.Load(entry.ID); ok {
		return p.(*Provider), true
	}
	f, err := files.Open("data/" + folder(entry.Source) + "/" + entry.ID + ".json")
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	p, err := Parse(f)
	if err != nil {
		return nil, false // a test reads every file
	}
	p.source = entry.Source
	actual, _ := loaded.LoadOrStore(entry.ID, p)
	return actual.(*Provider), true
}

func folder(s Source) string {
	if s == SourceFlagship {
		return "flagships"
	}
	return "ispdb"
}

// SourceName is the site or the repository that a source was read at: the first word of what data/sources.json tells of
// it. It is "" for what was read nowhere, or in files of nobody in particular.
func SourceName(key string) string {
	switch key {
	case "memory", "public-presets", "third-party-pages", "reseller-page", "yahoo-auth005", "brake-note", "zbox-presets",
		"ispdb-data":
		return ""
	}
	name, _, _ := strings.Cut(Sources()[key], " ")
	return strings.TrimRight(name, ",:")
}

// Sources tells what the keys in a provider's lists of sources stand for.
var Sources = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	if data, err := files.ReadFile("data/sources.json"); err == nil {
		_ = json.Unmarshal(data, &out) // a test reads it
	}
	return out
})
