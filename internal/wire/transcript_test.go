package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"postier/internal/secret"
)

func TestTranscriptMasksEveryForm(t *testing.T) {
	t.Parallel()
	password := secret.New("C4nary#Grüße-7")
	r := NewRecorder()
	r.Hide(password, "marie@durand.example")
	forms := password.Forms("marie@durand.example")
	if len(forms) < 8 {
		t.Fatalf("%d forms", len(forms))
	}
	for _, form := range forms {
		r.Add(Client, "AUTH PLAIN "+form+" behind")
		r.Add(Server, "535 no such password: "+form)
	}
	lines := r.Since(0)
	if len(lines) != 2*len(forms) {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		for i, form := range forms {
			if strings.Contains(line.Text.Raw(), form) {
				t.Errorf("form %d stands in %s", i, line)
			}
		}
	}
}

func TestLongSecretIsNotCutInsteadOfMasked(t *testing.T) {
	t.Parallel()
	token := secret.New(strings.Repeat("t0ken-", 500))
	r := NewRecorder()
	r.Hide(token)
	r.Add(Server, "535 "+token.Reveal())
	if text := r.Since(0)[0].Text.Raw(); strings.Contains(text, "t0ken") {
		t.Errorf("%s", text)
	}
}

func TestTranscriptLinesAreEscaped(t *testing.T) {
	t.Parallel()
	r := NewRecorder()
	r.Add(Server, "220 \x1b[2J\u202e\xff\r\n")
	line := r.Since(0)[0]
	if got, want := line.String(), `S: 220 \x1b[2J\u202e\xff`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	data, err := json.Marshal(line)
	if err != nil || string(data) != `"S: 220 \\x1b[2J\\u202e\\xff"` {
		t.Errorf("%s %v", data, err)
	}
}

func TestTranscriptIsBounded(t *testing.T) {
	t.Parallel()
	r := NewRecorder()
	for range maxTranscriptLines + 10 {
		r.Add(Server, strings.Repeat("x", 5000))
	}
	lines := r.Since(0)
	if len(lines) != maxTranscriptLines || len(lines[0].Text.Raw()) > maxTranscriptLine+len("…") {
		t.Errorf("%d lines of %d octets", len(lines), len(lines[0].Text.Raw()))
	}
}

func TestTranscriptParts(t *testing.T) {
	t.Parallel()
	r := NewRecorder()
	r.Add(Client, "one")
	mark := r.Mark()
	r.Add(Server, "two")
	if lines := r.Since(mark); len(lines) != 1 || lines[0].Text.Raw() != "two" || lines[0].At.IsZero() {
		t.Errorf("%v", lines)
	}
	if lines := r.Since(99); lines != nil {
		t.Errorf("%v", lines)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { r.Add(Note, fmt.Sprint(i)) })
	}
	wg.Wait()
	if r.Mark() != 10 {
		t.Errorf("%d lines", r.Mark())
	}
}
