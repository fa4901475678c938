package locale

import (
	"testing"
	"time"

	"postier/internal/safetext"
)

func TestPluralsAndArguments(t *testing.T) {
	if got := For(French).N("common.seconds", 0); got != "0 seconde" {
		t.Errorf("French zero is singular, got %q", got)
	}
	if got := For(German).N("common.seconds", 2); got != "2 Sekunden" {
		t.Errorf("got %q", got)
	}
	if got := For(English).T("common.nowhere"); got != "<common.nowhere>" {
		t.Errorf("missing key: got %q", got)
	}
	if got := fill("{a} and {b}", []any{"a", safetext.FromRemote("\x1b[2J"), "b", 3}); got != `\x1b[2J and 3` {
		t.Errorf("got %q", got)
	}
}

// TestColon: French parts the colon from its label, and a question keeps its own mark.
func TestColon(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		lang        Lang
		label, want string
	}{
		{English, "Provider", "Provider:"},
		{French, "Fournisseur", "Fournisseur :"},
		{German, "Anbieter", "Anbieter:"},
		{French, "Est-il arrivé ?", "Est-il arrivé ?"},
	} {
		if got := For(row.lang).Colon(row.label); got != row.want {
			t.Errorf("%s: %q, want %q", row.label, got, row.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for lang, want := range map[Lang]string{English: "0.25 s", French: "0,25 s", German: "0,25 s"} {
		if got := For(lang).Seconds(250*time.Millisecond, 2); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}
