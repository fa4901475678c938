// Package locale turns message keys into sentences in the person's language.
//
// A language is a folder below catalogue. The data of presets and explain holds English, French and German itself; a
// further language adds data.po, which translates the English sentences of that data (see Choose).
//
// A key is "domain.rest", for instance wizard.address.title. Each domain has one gettext file a language,
// catalogue/LANG/DOMAIN.po, embedded and parsed only when a key of that domain is first asked for, so that a command
// that prints nothing parses nothing. A message names its arguments: "connect to {host}". Plural forms follow each
// file's Plural-Forms header.
package locale

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leonelquinteros/gotext"

	"postier/internal/safetext"
)

//go:embed catalogue
var files embed.FS

// Lang is a language that postier speaks.
type Lang string

// The languages in which the data of other packages is written.
const (
	English Lang = "en"
	French  Lang = "fr"
	German  Lang = "de"
)

// Written lists the languages in which data is written: a text in a data file has each of them.
func Written() []Lang { return []Lang{English, French, German} }

// All lists the languages in the order in which the language key goes through them: those in which data is written,
// then each further folder of the catalogue.
func All() []Lang { return slices.Clone(all()) }

var all = sync.OnceValue(func() []Lang {
	langs := Written()
	folders, _ := files.ReadDir("catalogue") // embedded: reading it cannot fail
	for _, folder := range folders {
		if lang := Lang(folder.Name()); !slices.Contains(langs, lang) {
			langs = append(langs, lang)
		}
	}
	return langs
})

// Codes lists the languages as a flag takes them.
func Codes() string {
	var codes []string
	for _, lang := range all() {
		codes = append(codes, string(lang))
	}
	return strings.Join(codes, ", ")
}

// Name is the language's own name for itself.
func (l Lang) Name() string { return For(l).T("common.language") }

// Choose picks the words of a text that data holds by language. For a language that the data does not hold, the English
// sentence is translated by that language's catalogue.
func Choose(texts map[Lang]string, lang Lang) string {
	if text, ok := texts[lang]; ok {
		return text
	}
	return For(lang).Translate(texts[English])
}

// Next is the language after l; the first follows the last.
func (l Lang) Next() Lang {
	all := All()
	for i, other := range all {
		if other == l {
			return all[(i+1)%len(all)]
		}
	}
	return English
}

// Parse reads a language from a flag: its code, or a locale name such as fr_CH.UTF-8.
func Parse(s string) (Lang, bool) {
	base, _, _ := strings.Cut(strings.ToLower(s), ".")
	base, _, _ = strings.Cut(strings.ReplaceAll(base, "-", "_"), "_")
	for _, l := range All() {
		if string(l) == base {
			return l, true
		}
	}
	return English, false
}

// FromEnvironment picks the language as POSIX says: LC_ALL, then LC_MESSAGES, then LANG; English if none matches.
func FromEnvironment(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			l, _ := Parse(value)
			return l
		}
	}
	return English
}

// Catalogue speaks one language.
type Catalogue struct {
	lang    Lang
	mu      sync.Mutex
	domains map[string]*gotext.Po
}

var (
	catalogues   = map[Lang]*Catalogue{}
	cataloguesMu sync.Mutex
)

// For returns the catalogue of a language. It reads nothing yet.
func For(lang Lang) *Catalogue {
	cataloguesMu.Lock()
	defer cataloguesMu.Unlock()
	c := catalogues[lang]
	if c == nil {
		c = &Catalogue{lang: lang, domains: map[string]*gotext.Po{}}
		catalogues[lang] = c
	}
	return c
}

// Lang is the catalogue's language.
func (c *Catalogue) Lang() Lang { return c.lang }

// T returns the message of a key. args are name, value pairs that fill {name}; a safetext.Remote is escaped. A key that
// no file has comes back in angle brackets; a test finds such keys.
func (c *Catalogue) T(key string, args ...any) string {
	po := c.domain(key)
	if po == nil || !po.IsTranslated(key) {
		return "<" + key + ">"
	}
	return fill(po.Get(key, nil...), args)
}

// N is T with a plural form chosen by n, which also fills {n}.
func (c *Catalogue) N(key string, n int, args ...any) string {
	po := c.domain(key)
	if po == nil || !po.IsTranslatedN(key, n) {
		return "<" + key + ">"
	}
	return fill(po.GetN(key, key, n, nil...), append([]any{"n", n}, args...))
}

// Seconds is a short duration with so many decimals and the language's mark before them: "0,1 s".
func (c *Catalogue) Seconds(d time.Duration, decimals int) string {
	number := strconv.FormatFloat(d.Seconds(), 'f', decimals, 64)
	return strings.Replace(number, ".", c.T("common.decimal-mark"), 1) + " s"
}

// Translate translates an English sentence of the data by data.po. A sentence that is not there comes back as it is.
func (c *Catalogue) Translate(english string) string {
	if po := c.domain("data."); po != nil && english != "" && po.IsTranslated(english) {
		return po.Get(english, nil...)
	}
	return english
}

// Has reports whether the key has a message.
func (c *Catalogue) Has(key string) bool {
	po := c.domain(key)
	return po != nil && po.IsTranslated(key)
}

// Text is a message key with its arguments: the place that chooses it need not know the language.
type Text struct {
	Key  string
	Args []any // name, value pairs
}

// Msg builds a Text.
func Msg(key string, args ...any) Text { return Text{Key: key, Args: args} }

// Empty reports whether there is no message.
func (t Text) Empty() bool { return t.Key == "" }

// Say puts t into words.
func (c *Catalogue) Say(t Text) string {
	if t.Key == "" {
		return ""
	}
	return c.T(t.Key, t.Args...)
}

// Colon puts a colon after a label by the rules of the language: French has a space before it. A label that already
// ends in a punctuation mark, as a question does, gets none.
func (c *Catalogue) Colon(label string) string {
	switch {
	case strings.HasSuffix(label, "?"), strings.HasSuffix(label, "!"), strings.HasSuffix(label, ":"),
		strings.HasSuffix(label, "…"):
		return label
	case c.lang == French:
		return label + " :"
	}
	return label + ":"
}

func (c *Catalogue) domain(key string) *gotext.Po {
	name, _, found := strings.Cut(key, ".")
	if !found {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if po, ok := c.domains[name]; ok {
		return po
	}
	var po *gotext.Po
	if data, err := files.ReadFile("catalogue/" + string(c.lang) + "/" + name + ".po"); err == nil {
		po = gotext.NewPo()
		po.Parse(data)
	}
	c.domains[name] = po
	return po
}

func fill(message string, args []any) string {
	if !strings.Contains(message, "{") || len(args) == 0 {
		return message
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			continue
		}
		pairs = append(pairs, "{"+name+"}", value(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(message)
}

func value(v any) string {
	switch v := v.(type) {
	case safetext.Remote:
		return v.Escaped()
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}
