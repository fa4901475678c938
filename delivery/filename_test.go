package delivery

import (
	"mime"
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"invoice.pdf", "Übersicht März 2026.pdf", strings.Repeat("請求書", 27) + ".pdf", `a"b.txt`,
		strings.Repeat("x", 200) + ".txt",
	} {
		header := "attachment" + fileName(name)
		for line := range strings.SplitSeq("Content-Disposition: "+header, "\r\n") {
			if len(line) > 78 {
				t.Errorf("%s: a line of %d columns", name, len(line))
			}
		}
		_, params, err := mime.ParseMediaType(strings.ReplaceAll(header, "\r\n", ""))
		if err != nil || params["filename"] != name || strings.Contains(header, "=?") {
			t.Errorf("%s: read back as %q, %v", name, params["filename"], err)
		}
	}
	if got := fileName("a\r\nBcc: x@x.example"); strings.Contains(got, "\nBcc") {
		t.Errorf("%q", got)
	}
}
