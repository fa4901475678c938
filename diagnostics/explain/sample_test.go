package explain

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"postier/internal/check"
)

// TestSamples measures the catalogue on foreign replies, which were drawn and set apart before it was widened, without
// what the catalogue had word by word, and labelled by reading before the classifier saw them.
//
//   - sample.json, 200 replies over all protocols: 119 had a cause and 83 the right one before the layer of single
//     words was written, 180 and 138 after.
//   - sample-2.json, 210 replies over SMTP and IMAP from collections of bounces and the sources of servers: 190 had a
//     cause and 163 the right one before the wide entries were ordered by kind, 205 and 187 after. Then its faults were
//     looked at and their kinds repaired, so it measures no more than that they stay repaired.
//   - sample-3.json, 148 replies of the same sources, drawn with them and opened after that repair: 128 had a cause
//     and 103 the right one before the wide entries were ordered by kind, 145 and 127 after the repair. Its faults were
//     repaired in turn.
//
// The test keeps the figures from falling. A change that is made for one of these replies takes it out of its sample's
// purpose; sample.json has none.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file               string
		size, known, right int
	}{
		{"sample.json", 200, 192, 155},
		{"sample-2.json", 210, 210, 207},
		{"sample-3.json", 148, 147, 145},
	} {
		data, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		var sample []struct {
			Protocol, Reply string
			Accept          []check.Cause
		}
		if err := json.Unmarshal(data, &sample); err != nil || len(sample) != c.size {
			t.Fatalf("%s: %d replies, %v", c.file, len(sample), err)
		}
		known, right := 0, 0
		for _, s := range sample {
			a := Match(Query{Protocol: s.Protocol, Text: s.Reply})
			if a.Cause != check.CauseUnknown {
				known++
			}
			if slices.Contains(s.Accept, a.Cause) {
				right++
			}
		}
		t.Logf("%s: of %d replies %d have a cause, %d the right one", c.file, len(sample), known, right)
		if known < c.known || right < c.right {
			t.Errorf("%s: %d have a cause and %d the right one, were %d and %d", c.file, known, right, c.known, c.right)
		}
	}
}
