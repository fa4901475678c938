package delivery

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/safetext"
)

// TestDomainsAreASCIIOnTheWire: whoever composed a message, its domains are written in A-labels, because a server
// without SMTPUTF8 takes no others (RFC 6531 §3.1).
func TestDomainsAreASCIIOnTheWire(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	from := config.Address{Name: "Anna Müller", Address: "anna@bücher.example"}
	draft, err := Draft{
		From: from, To: []string{"karl@bücher.example"}, CC: []string{"cc@straße.example"}, Subject: "Grüße", Body: "x",
	}.Build(now)
	if err != nil {
		t.Fatal(err)
	}
	script, err := Parse([]byte("To: Karl <karl@bücher.example>, b@bücher.example (Büro)\nCc: Süd: c@straße.example;\n" +
		"Sender: s@bücher.example\nSubject: x\n\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*Message{"composed": draft, "read": script} {
		id, err := m.Prepare(Decision{ReplyTo: "antwort@bücher.example"}, from, now)
		if err != nil {
			t.Fatal(err)
		}
		header, _, _ := bytes.Cut(m.Bytes(), []byte("\r\n\r\n"))
		if !safetext.IsASCII(header) || !strings.HasSuffix(id, "@xn--bcher-kva.example>") {
			t.Errorf("%s, Message-ID %s:\n%s", name, id, header)
		}
		for _, field := range []string{"From", "To", "Reply-To"} {
			if !strings.Contains(m.Get(field), "@xn--bcher-kva.example") {
				t.Errorf("%s: %s is %q", name, field, m.Get(field))
			}
		}
		if !strings.Contains(m.Get("Cc"), "@xn--strae-oqa.example") {
			t.Errorf("%s: Cc is %q", name, m.Get("Cc"))
		}
		if list, err := m.Recipients(); name == "composed" && (len(err) > 0 || len(list) != 2) {
			t.Errorf("%s: recipients %v, %v", name, list, err)
		}
	}
	if to, cc := script.Get("To"), script.Get("Cc"); !strings.Contains(to, "(=?utf-8?q?B=C3=BCro?=)") ||
		!strings.HasPrefix(cc, "=?utf-8?q?S=C3=BCd?=: c@") {
		t.Errorf("the comment became %q, the group %q", to, cc)
	}
}
