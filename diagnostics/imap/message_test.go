package imap

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// TestRehearsalHeaderIsASCII: a mailbox need not take a header outside ASCII, whatever the author's address is.
func TestRehearsalHeaderIsASCII(t *testing.T) {
	t.Parallel()
	for author, want := range map[string]string{
		"anna@bücher.example": "<anna@xn--bcher-kva.example>",
		"jörg@bücher.example": "=?utf-8?b?asO2cmdAYsO8Y2hlci5leGFtcGxl?= <postier@xn--bcher-kva.example>",
		"anna@durand.example": "<anna@durand.example>",
	} {
		r := newRehearsal(author, locale.French, "Bücherei", time.Unix(0, 0))
		header, _, _ := bytes.Cut(r.raw, []byte("\r\n\r\n"))
		if !safetext.IsASCII(header) || !strings.Contains(string(header), "From: "+want+"\r\n") {
			t.Errorf("header for %s:\n%s", author, header)
		}
		if !safetext.IsASCII(r.id) || strings.HasSuffix(r.id, "@postier.invalid>") {
			t.Errorf("Message-ID for %s: %s", author, r.id)
		}
	}
}
