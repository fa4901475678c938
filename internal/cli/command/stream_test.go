package command

import (
	"bytes"
	"errors"
	"testing"
)

type row struct {
	Name string   `json:"name"`
	List []string `json:"list"`
}

// What Stream prints cannot be told from what List prints of the same rows.
func TestStreamPrintsWhatListPrints(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]row{{}, {{"one", nil}}, {{"one\x1b[1m", []string{"<a>", "b"}}, {"two", []string{}}}} {
		for _, asJSON := range []bool{true, false} {
			var listed, streamed bytes.Buffer
			p := &Printer{Streams: Streams{Out: &listed}, JSON: asJSON}
			words := func(r row) { p.Println(r.Name) }
			if err := List(p, rows, words); err != nil {
				t.Fatal(err)
			}
			p.Out = &streamed
			if err := Stream(p, func(print func(row) error) error {
				for _, r := range rows {
					if err := print(r); err != nil {
						return err
					}
				}
				return nil
			}, words); err != nil {
				t.Fatal(err)
			}
			if listed.String() != streamed.String() {
				t.Errorf("%q, listed as %q", streamed.String(), listed.String())
			}
		}
	}
}

// A row that cannot be read ends the list with its error.
func TestStreamEndsWithAnError(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	broken := errors.New("broken")
	err := Stream(&Printer{Streams: Streams{Out: &out}, JSON: true}, func(print func(row) error) error {
		return errors.Join(print(row{Name: "one"}), broken)
	}, func(row) {})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
