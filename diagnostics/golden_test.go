package diagnostics_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"postier/diagnostics"
	"postier/internal/check"
)

var update = flag.Bool("update", false, "write the golden files again; read the difference before committing it")

// varying is what differs from run to run in the evidence, and what stands in its place in the golden files.
var varying = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`("(?:took_ms|waited_ms|seconds|octets|[a-z]+_octets|port)": )[0-9.]+`), "${1}0"},
	{regexp.MustCompile(`(127\.0\.0\.1|\[::1\]):[0-9]+`), "${1}:0"},
	{regexp.MustCompile(`\[(IPv6:::1|127\.0\.0\.1)\]`), "[LOOPBACK]"},
	{regexp.MustCompile(`[0-9a-f]{64}`), "SHA256"},
	{regexp.MustCompile(`[0-9a-zA-Z.]*[0-9a-zA-Z]{16,}(@|\\u003c|\\u003e)`), "RANDOM$1"},
	{regexp.MustCompile(`p=MII[0-9A-Za-z+/=]+…?`), "p=KEY"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`), "TIME"},
}

// golden compares the evidence of a run with what it was before: programs read its JSON.
func golden(t *testing.T, name string, r diagnostics.Result) {
	t.Helper()
	// Two address families race for the first place, and the second may come too late: net.connect6 has it.
	if r.ID == check.NetConnect || r.ID == check.IMAPConnect {
		r.Evidence = slices.DeleteFunc(slices.Clone(r.Evidence), func(o diagnostics.Observation) bool {
			c, ok := o.(diagnostics.Connection)
			return ok && c.Attempt.IPv6()
		})
	}
	text, err := json.MarshalIndent(r.Evidence, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	for _, v := range varying {
		text = v.pattern.ReplaceAll(text, []byte(v.instead))
	}
	path := filepath.Join("testdata", "evidence", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing; write it with -update, read it and commit it", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s differs; write it again with -update and read the difference:\n%s", path, text)
	}
}
