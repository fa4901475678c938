package smtp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/diagnostics/explain"
	"postier/internal/smtp"
)

// TestRepliesMeanWhatTheirTextMeans: a reply that goes to the catalogue as values is found like the same reply pasted
// as text, for every example of the catalogue and for the forms that servers give to codes.
func TestRepliesMeanWhatTheirTextMeans(t *testing.T) {
	t.Parallel()
	texts := []string{
		"550 #5.1.0 Address rejected user@example.org", "550 5.7.1: Relaying denied", "550 4.2.1 of another class",
		"550-no code here\n550 5.1.1 User unknown", "550-5.1.1 one\n550-5.1.1 two\n550 5.2.2 three",
		"535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8 https://support.google.com",
		"550", "451 4.7.1.2 no code", "421 4.3.2 closing",
	}
	files, err := filepath.Glob("../../diagnostics/explain/data/replies/smtp/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogue: %v", err)
	}
	for _, name := range files {
		var entries []struct{ Example string }
		data, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(data, &entries)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			texts = append(texts, e.Example)
		}
	}
	compared := 0
	for _, text := range texts {
		r, err := smtp.ParseReply(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
		if err != nil || r.Text() != text {
			continue // an example with words around the reply, which no server says
		}
		compared++
		got, want := explain.MatchSMTP(r, ""), explain.Match(explain.ParseReplyAs(explain.SMTP, text))
		if got.Cause != want.Cause || got.Reply != want.Reply || got.Retry != want.Retry || got.Exit != want.Exit {
			t.Errorf("%q: %s by %q, its text gives %s by %q", text, got.Cause, got.Reply, want.Cause, want.Reply)
		}
	}
	if compared < len(texts)/2 {
		t.Errorf("only %d of %d replies were compared", compared, len(texts))
	}
	t.Logf("%d of %d replies compared", compared, len(texts))
}
