package report

import "testing"

// TestFlat: a list of objects reads as the values of each; nothing else changes.
func TestFlat(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`[{"name":"com","exists":true,"outcome":"empty"},{"name":"x.com"}]`: " com true empty, x.com",
		`["a","b"]`:       `["a","b"]`,
		`[{"a":["b"]}]`:   `[{"a":["b"]}]`,
		`{"a":"b"}`:       `{"a":"b"}`,
		`[{"limit":100}]`: " 100",
		`"[{"`:            `"[{"`,
		`[{"broken`:       "",
	} {
		if got := flat([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
