package strictjson

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const text = `{"b": 1.50, "a": [null, true, {"k": "v"}]}`
	n, err := Parse([]byte("\ufeff" + text))
	if err != nil || n.Compact() != strings.ReplaceAll(strings.ReplaceAll(text, ": ", ":"), ", ", ",") {
		t.Fatalf("order and numbers stay as they are: %v, %v", n, err)
	}
	for text, want := range map[string]string{
		"":                      "config.syntax.empty",
		`{"a": `:                "config.syntax.end",
		`{"a" 1}`:               "config.syntax.json",
		`{} x`:                  "config.syntax.trailing",
		`{"a": 1, "a": 2}`:      "config.syntax.twice",
		"\"\xff\"":              "config.syntax.utf8",
		strings.Repeat("[", 99): "config.syntax.deep",
	} {
		_, err := Parse([]byte(text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Problem.Key != want || syntax.Line != 1 {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	type word string
	type file struct {
		Port  int             `json:"port"`
		On    bool            `json:"on"`
		Names []string        `json:"names,omitempty"`
		Words map[word]string `json:"words,omitempty"`
	}
	n, err := Parse([]byte(`{"Port": 1, "port": 1.5, "names": ["a", 2], "words": {"x": "1", "y": "2"}, "other": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	known, misfits := Fit(n, reflect.TypeFor[*file](), map[reflect.Type][]string{reflect.TypeFor[word](): {"x"}})
	if got := known.Compact(); got != `{"names":["a"],"words":{"x":"1"}}` {
		t.Errorf("got %s", got)
	}
	want := []Misfit{
		{Path: "Port", Key: "Port", Like: "port"},
		{Path: "port", Want: "integer"},
		{Path: "names.1", Want: "string"},
		{Path: "words.y", Key: "y"},
		{Path: "other", Key: "other"},
		{Path: "on", Key: "on", Missing: true},
	}
	if !reflect.DeepEqual(misfits, want) {
		t.Errorf("got %+v", misfits)
	}
}
