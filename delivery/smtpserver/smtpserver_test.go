package smtpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postier/config"
	"postier/delivery"
	"postier/internal/locale"
)

// stored lists the messages in a store.
func stored(t *testing.T, store *delivery.Store) (list []*delivery.Item, err error) {
	t.Helper()
	err = store.Each(t.Context(), true, func(item *delivery.Item) error { list = append(list, item); return nil })
	return list, err
}

// newServer is a server that leaves everything to a queue of its own.
func newServer(t *testing.T) (*Server, *delivery.Store) {
	t.Helper()
	store, err := delivery.OpenStore(t.Context(), config.Database{File: filepath.Join(t.TempDir(), "postier.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	file := &config.File{Version: config.Version, Default: "durand", Profiles: map[string]*config.Profile{"durand": {
		Enabled: true, From: config.Address{Address: "contact@durand.example"},
		Submission: config.Server{Host: "smtp.durand.example"},
	}}}
	queue := &delivery.Queue{
		Store: store, Lang: locale.English,
		Provider: func(*config.Profile) []delivery.ProviderLimit { return nil },
	}
	return &Server{
		Submitter: &delivery.Submitter{File: file, Queue: queue}, Later: true,
		Words:     func(err error) (string, bool) { return err.Error(), errors.Is(err, delivery.ErrLoop) },
		Blocked:   func(d delivery.Decision) string { return "not sent: " + string(d.Block) },
		Transient: func(delivery.Try) bool { return false },
	}, store
}

// talk sends lines and returns the replies, one a line.
func talk(t *testing.T, s *Server, sent string) []string {
	t.Helper()
	var out strings.Builder
	if err := s.Serve(t.Context(), strings.NewReader(sent), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ReplaceAll(out.String(), "\r\n", ""), "\n") {
		t.Errorf("a reply ends in a bare LF: %q", out.String())
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\r\n"), "\r\n")
}

const message = "From: contact@durand.example\r\nTo: klara@customer.example\r\nSubject: Invoice\r\n\r\n..dot\r\nend\r\n"

func TestDialog(t *testing.T) {
	t.Parallel()
	s, store := newServer(t)
	replies := talk(t, s, "HELO here\r\nMAIL FROM:<contact@durand.example> SIZE=3\r\nRCPT TO:<klara@customer.example>\r\n"+
		"DATA\r\n"+message+".\r\nQUIT\r\nNOOP\r\n")
	want := []string{"220 ", "250 postier", "250 2.1.0", "250 2.1.5", "354 ", "250 2.0.0 ok: queued as ", "221 "}
	if len(replies) != len(want) {
		t.Fatalf("%q", replies)
	}
	for i, begin := range want {
		if !strings.HasPrefix(replies[i], begin) {
			t.Errorf("%q, want %q", replies[i], begin)
		}
	}
	items, err := stored(t, store)
	if err != nil || len(items) != 1 || !strings.HasSuffix(replies[5], items[0].ID) {
		t.Fatalf("%v, %v", items, err)
	}
	item, err := store.Item(t.Context(), items[0].ID)
	if err != nil || !strings.Contains(string(item.Raw), "\r\n.dot\r\nend") {
		t.Errorf("doubled dots are not undone: %v", err)
	}
}

// RFC 5321 §3.3, §4.1.4: what comes out of order is refused, and the dialog goes on.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s, store := newServer(t)
	for sent, want := range map[string]string{
		"MAIL FROM:<a@durand.example>":                  "503 5.5.1 EHLO first",
		"EHLO h\r\nRCPT TO:<a@b.example>":               "503 5.5.1 MAIL first",
		"EHLO h\r\nMAIL FROM:<>\r\nDATA":                "503 5.5.1 RCPT first",
		"EHLO h\r\nMAIL FROM:<>\r\nMAIL FROM:<>":        "503 5.5.1 a message is under way",
		"EHLO h\r\nMAIL a@b.example":                    "501 5.5.4 MAIL FROM:<address>",
		"EHLO h\r\nMAIL FROM:<a b>":                     "553 5.1.7 malformed address",
		"EHLO h\r\nMAIL FROM:<>\r\nRCPT TO:<a b>":       "553 5.1.3 malformed address",
		"EHLO h\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<a>": "503 5.5.1 MAIL first",
		"TURN":                         "500 5.5.2 unknown command",
		"VRFY postmaster":              "252 2.0.0 send and see",
		strings.Repeat("x", maxLine+1): "500 5.5.2 line too long",
	} {
		replies := talk(t, s, sent+"\r\n")
		if last := replies[len(replies)-1]; last != want {
			t.Errorf("%.60q: %q, want %q", sent, last, want)
		}
	}
	if items, err := stored(t, store); err != nil || len(items) != 0 {
		t.Errorf("%v, %v", items, err)
	}
}

// CVE-2023-51764: only CRLF . CRLF ends a message, so that no second one can be smuggled in.
func TestOnlyOneEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r"} {
		s, store := newServer(t)
		talk(t, s, "EHLO h\r\nMAIL FROM:<>\r\nRCPT TO:<klara@customer.example>\r\nDATA\r\n"+message+"x"+end+
			"MAIL FROM:<>\r\nRCPT TO:<evil@customer.example>\r\nDATA\r\n"+message+"\r\n.\r\n")
		items, err := stored(t, store)
		if err != nil || len(items) != 1 || items[0].Recipients[0].Address != "klara@customer.example" {
			t.Errorf("%q: %v, %v", end, items, err)
		}
	}
}

func TestCaps(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	replies := talk(t, s, "EHLO h\r\n"+strings.Repeat("what\r\n", maxErrors+1)+"NOOP\r\n")
	if last := replies[len(replies)-1]; last != "421 4.7.0 too many errors" {
		t.Errorf("%q", last)
	}
	var many strings.Builder
	many.WriteString("EHLO h\r\nMAIL FROM:<>\r\n")
	for i := range maxRecipients + 1 {
		fmt.Fprintf(&many, "RCPT TO:<r%d@customer.example>\r\n", i)
	}
	replies = talk(t, s, many.String())
	if last := replies[len(replies)-1]; last != "452 4.5.3 too many recipients" {
		t.Errorf("%q", last)
	}
	s.Largest = 100_000
	replies = talk(t, s, "EHLO h\r\nMAIL FROM:<>\r\nRCPT TO:<klara@customer.example>\r\nDATA\r\n"+
		strings.Repeat(strings.Repeat("x", 998)+"\r\n", s.Largest/1000+1)+".\r\nNOOP\r\n")
	if got := replies[len(replies)-2:]; got[0] != "552 5.3.4 the message is too large" || got[1] != "250 2.0.0 ok" {
		t.Errorf("%q", got)
	}
}

// A message whose sending is refused is 5yz when it is at fault itself, 4yz when the state could not be written.
func TestErrorsBecomeReplies(t *testing.T) {
	t.Parallel()
	s, store := newServer(t)
	begin := "EHLO h\r\nMAIL FROM:<>\r\nRCPT TO:<klara@customer.example>\r\nDATA\r\n"
	loop := strings.Repeat("Received: from a by b\r\n", 200)
	for sent, want := range map[string]string{
		loop + message: "554 5.6.0 ",
		"\r\n":         "250 2.0.0 ok: queued as ", // sendmail sends an empty message
	} {
		replies := talk(t, s, begin+sent+".\r\n")
		if last := replies[len(replies)-1]; !strings.HasPrefix(last, want) {
			t.Errorf("%.40q: %q, want %q", sent, last, want)
		}
	}
	s.Submitter.File.Profiles["durand"].Enabled = false
	replies := talk(t, s, begin+message+".\r\n")
	if last := replies[len(replies)-1]; !strings.HasPrefix(last, "554 5.3.5 not sent: ") {
		t.Errorf("a profile that is off: %q", last)
	}
	s.Submitter.File.Profiles["durand"].Enabled = true
	_ = store.Close()
	replies = talk(t, s, begin+message+".\r\n")
	if last := replies[len(replies)-1]; !strings.HasPrefix(last, "451 4.3.0 ") {
		t.Errorf("no state: %q", last)
	}
}

// TestBareLineEnds: a program that ends its lines with LF alone gets its message through; one that ends its commands
// with CRLF still ends a message with CRLF alone.
func TestBareLineEnds(t *testing.T) {
	t.Parallel()
	s, store := newServer(t)
	replies := talk(t, s, strings.ReplaceAll("EHLO here\r\nMAIL FROM:<root>\r\nRCPT TO:<root>\r\nDATA\r\n"+message+
		".\r\nMAIL FROM:<> SIZE=99999999999\r\nQUIT\r\n", "\r\n", "\n"))
	last := replies[len(replies)-3:]
	if !strings.HasPrefix(last[0], "250 2.0.0 ok: queued") || !strings.HasPrefix(last[1], "552 ") ||
		!strings.HasPrefix(last[2], "221 ") {
		t.Errorf("%q", replies)
	}
	items, err := stored(t, store)
	if err != nil || len(items) != 1 || items[0].Recipients[0].Address != "contact@durand.example" {
		t.Errorf("%v, %v", items, err)
	}
}

// Messages that a caller sends without waiting are stored together. Each still has its own reply, in its place, and is
// stored when it is told.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, store := newServer(t)
	const messages = 500 // more than is read at once
	var sent strings.Builder
	sent.WriteString("EHLO h\r\n")
	for n := range messages {
		loop := ""
		if n%7 == 3 {
			loop = "X-Loop: postier\r\n" // it is refused
		}
		fmt.Fprintf(&sent, "MAIL FROM:<>\r\nRCPT TO:<r%d@customer.example>\r\nDATA\r\n%s%s.\r\n", n, loop, message)
	}
	replies := talk(t, s, sent.String()+"QUIT\r\n")
	told := map[string]string{}
	replies = replies[slices.IndexFunc(replies, func(r string) bool { return strings.HasPrefix(r, "250 SIZE") })+1:]
	for n := range messages {
		reply := replies[4*n+3]
		id, accepted := strings.CutPrefix(reply, "250 2.0.0 ok: queued as ")
		if accepted == (n%7 == 3) || !accepted && !strings.HasPrefix(reply, "554 5.6.0 ") {
			t.Errorf("message %d: %q", n, reply)
		}
		if accepted {
			told[id] = fmt.Sprintf("r%d@customer.example", n)
		}
	}
	items, err := stored(t, store)
	if err != nil || len(items) != len(told) {
		t.Errorf("%d messages are stored, %d were told, %v", len(items), len(told), err)
	}
	for _, item := range items {
		if to := item.Recipients[0].Address; told[item.ID] != to {
			t.Errorf("the message to %s was told as that to %s", to, told[item.ID])
		}
	}
}

// A caller that waits for each reply gets it, also when it has begun the next line.
func TestRepliesWithoutDelay(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	in, say := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context(), in, out) }()
	replies := bufio.NewReader(hear)
	for _, row := range []struct{ said, want string }{
		{"", "220 "},
		{"HELO h\r\nMA", "250 "},
		{"IL FROM:<>\r\n", "250 2.1.0"},
		{"RCPT TO:<klara@customer.example>\r\nDATA\r\n", "250 2.1.5"},
		{"", "354 "},
		{message + ".\r\nMAIL", "250 2.0.0 ok: queued as"},
		{" FROM:<>\r\nQUIT\r\n", "250 2.1.0"},
	} {
		if row.said != "" {
			if _, err := io.WriteString(say, row.said); err != nil {
				t.Fatal(err)
			}
		}
		if line, err := replies.ReadString('\n'); err != nil || !strings.HasPrefix(line, row.want) {
			t.Fatalf("%q: %q, %v", row.said, line, err)
		}
	}
	if line, err := replies.ReadString('\n'); err != nil || !strings.HasPrefix(line, "221") {
		t.Errorf("%q, %v", line, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
