package config

import (
	"strings"
	"testing"
)

// TestCarriers: a message about a profile goes through that one if it works, through the fallback otherwise, and
// through the default only where it is about the fallback or about none. Then the default comes first.
func TestCarriers(t *testing.T) {
	t.Parallel()
	file := &File{Default: "own", Fallback: "spare", Profiles: map[string]*Profile{
		"own": {Enabled: true}, "other": {Enabled: true}, "spare": {Enabled: true}, "off": {},
	}}
	for _, c := range []struct {
		about string
		works bool
		want  string
	}{
		{"own", true, "own spare"},
		{"own", false, "spare"},
		{"other", false, "spare"},
		{"off", true, "spare"},
		{"spare", true, "spare own"},
		{"spare", false, "own"},
		{"", true, "own spare"},
		{"", false, "own spare"},
		{"none", true, "spare"},
	} {
		if got := strings.Join(file.Carriers(c.about, c.works), " "); got != c.want {
			t.Errorf("%q, works %v: %q, want %q", c.about, c.works, got, c.want)
		}
	}
}
