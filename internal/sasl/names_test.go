package sasl

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	t.Parallel()
	const typed, ascii = "anna@bücher.example", "anna@xn--bcher-kva.example"
	for _, row := range []struct {
		username string
		utf8     bool
		want     []string
	}{
		{typed, false, []string{ascii, typed}},
		{typed, true, []string{typed, ascii}},
		{ascii, false, []string{ascii}},
		{ascii, true, []string{ascii}},
		{"Anna@Durand.example", false, []string{"Anna@Durand.example"}},
		{"anna", false, []string{"anna"}},
		{"jörg", false, []string{"jörg"}},
		{"jörg@durand.example", false, []string{"jörg@durand.example"}},
		{"anna@ü ü", false, []string{"anna@ü ü"}},
		{"", false, []string{""}},
	} {
		if got := Names(row.username, row.utf8); !slices.Equal(got, row.want) {
			t.Errorf("Names(%q, %t) = %q, want %q", row.username, row.utf8, got, row.want)
		}
	}
}
