package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestStartReadsNoData: providers, causes and messages are read when they are asked for. What the runtime reports of
// each package's initialisation (GODEBUG=inittrace=1) is the cost of every start, even that of `postier version`.
func TestStartReadsNoData(t *testing.T) {
	t.Parallel()
	// Patterns and small tables fit into this. The provider files alone are half a MiB, and parsed they take several times
	// that.
	const mostBytes = 64 << 10
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(trace.String()) {
		var name string
		var at, clock float64
		var octets, allocations int
		// init postier/presets @1.2 ms, 0.004 ms clock, 32 bytes, 1 allocs
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &name, &at, &clock, &octets,
			&allocations); n != 5 {
			continue
		}
		seen++
		if strings.HasPrefix(name, "postier/") && octets > mostBytes {
			t.Errorf("%s takes %d bytes at every start", name, octets)
		}
	}
	if seen < 20 {
		t.Fatalf("the trace has only %d packages:\n%s", seen, trace.String())
	}
}
