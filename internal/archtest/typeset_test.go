package archtest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// printers are the folders that lay text out for people.
var printers = []string{"/tui/", "/internal/cli/", "/diagnostics/report/", "/presets/guide/"}

// ownMeasure matches widths that are counted in characters or octets. Names and texts of people hold wide characters
// and combining marks, so a column that is counted that way does not line up; internal/typeset counts cells.
var ownMeasure = regexp.MustCompile(`RuneCountInString\(|ansi\.(StringWidth|Truncate|Wrap|Wordwrap)\(|"[^"]*%-\*s`)

func TestOneMeasureOfText(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		laidOut := false
		for _, folder := range printers {
			laidOut = laidOut || strings.Contains(path, folder)
		}
		if !laidOut || strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := ownMeasure.Find(source); found != nil {
			t.Errorf("%s measures text by itself (%s): internal/typeset counts terminal cells", path, found)
		}
	}
}
