package explain

import (
	"errors"
	"testing"

	"postier/internal/wire"
)

// TestOneClassifier: what `explain` says of a text about TLS, the network or DNS, a live run says of the same text as
// an error.
func TestOneClassifier(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{TLS, TCP, DNS} {
		for _, r := range replies(protocol) {
			for _, prefix := range []string{"", "remote error: "} {
				if prefix != "" && protocol != TLS {
					continue
				}
				asked := Match(Query{Protocol: protocol, Text: prefix + r.Example})
				live := Fault(wire.Classify(errors.New(prefix + r.Example)))
				if asked.Cause != live.Cause {
					t.Errorf("%s: %q is %s for explain and %s in a run", r.ID, prefix+r.Example, asked.Cause, live.Cause)
				}
			}
		}
	}
}
