package watch

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
)

var update = flag.Bool("update", false, "write the golden files again; read the difference before committing it")

// golden compares a value's JSON with a file.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not what it was: %s", name, got.String())
	}
}

// TestShape: the keys of a round, of which programs may rely on each (docs/reference.md §3).
func TestShape(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	golden(t, "round.json", Round{
		Schema: Schema, Started: at, TookMS: 812, Verdict: check.Fail,
		Profiles: []Outcome{
			{
				Profile: "durand", Address: author, State: StateFailing, Verdict: check.Fail, Since: &at,
				Cause: check.CauseWrongPassword, Code: "A-14",
				Checks: []Check{
					{check.SMTPAuth, check.Fail, check.CauseWrongPassword, "A-14"}, {ID: check.DNSSPF, Status: check.Pass},
				},
				Certificates: []Certificate{{check.SMTPCertificate, at.AddDate(0, 0, 61), 61}},
				Changes:      []Change{{check.DNSSPF, safetext.FromRemote("v=spf1 -all"), safetext.FromRemote("v=spf1 ~all")}},
				Facts:        []Fact{{"smtp-auth-off-by-default", "2026-12-31", 32, "From the end of December 2026, …"}},
				Notices: []Sent{
					{KindFailing, author, SentTaken, "", ""},
					{KindAhead, "command", SentWaiting, check.CauseMessageRefused, explain.Code(check.CauseMessageRefused)},
				},
			},
			edited("platform", profileAt("smtp.platform.example", platform)),
		},
	})
}

// TestNoticeText: the words of each notice, in the languages of the program.
func TestNoticeText(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Watch.Notify = []string{"boss@durand.example"} })
	b.fails()
	letters := taken(t, b.fallback)
	if len(letters) != 1 {
		t.Fatalf("%d notices", len(letters))
	}
	b.since = b.clock().Add(-time.Hour)
	golden(t, "failing.json", b.lines(letters[0].text))
	b.find("durand", passed()...)
	b.round()
	letters = taken(t, b.own)
	if len(letters) != 1 {
		t.Fatalf("%d all-clears", len(letters))
	}
	golden(t, "working.json", b.lines(letters[0].text))
}

// lines are those of a notice, with a word for the time of the first failure, which is in the zone of the machine.
func (b *bench) lines(text string) []string {
	text = strings.ReplaceAll(text, b.since.Local().Format(minute), "SINCE")
	return strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}
