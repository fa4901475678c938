package delivery

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/scripted"
	"postier/internal/spool"
)

const largeHeader = "From: Cabinet Durand <" + author + ">\nTo: " + customer + "\nSubject: Plans\n\n"

// largeBody is larger than what is in memory, with dots at the start of lines wherever a part may begin.
func largeBody() string {
	var b strings.Builder
	for n := 0; b.Len() < 2*inMemory; n++ {
		b.WriteString("." + strings.Repeat(string(rune('a'+n%26)), n%90) + "\n")
	}
	return b.String()
}

// onWire is a body as a server gets it.
func onWire(body string) string {
	return strings.ReplaceAll(strings.ReplaceAll(body, "\n.", "\n.."), "\n", "\r\n")
}

// large prepares a message as `sendmail` reads it.
func (b *bench) large(text string) *Item {
	b.t.Helper()
	m, err := Read(strings.NewReader(text), false)
	b.must(err)
	d := Decide(b.load(), Request{Author: author, Recipients: []string{customer}}, Facts{})
	id, err := m.Prepare(d, b.load().Profiles[d.Profile].From, b.clock.Now())
	b.must(err)
	return NewItem(m, id, d, author, b.clock.Now())
}

// A large message arrives octet for octet: from the file, from the store, through the fallback, and when it is sent
// again. Nothing of it stays, unless its text is kept.
func TestLargeMessage(t *testing.T) {
	t.Parallel()
	body := largeBody()
	b := newBench(t, nil, nil)
	sent := func(s *scripted.Server) {
		t.Helper()
		got := messages(s)
		if len(got) == 0 {
			t.Fatal("nothing came")
		}
		_, text, _ := strings.Cut(got[len(got)-1], "\r\n\r\n")
		if text != "."+onWire(body) { // the first line begins with a dot too
			t.Errorf("%d octets came, want %d", len(text), len(onWire(body))+1)
		}
	}
	now := b.large(largeHeader + body)
	if len(now.Raw) > 2*inMemory || now.rest == nil {
		t.Errorf("%d octets are in memory", len(now.Raw))
	}
	if try := b.first(now); try.State != StateSent {
		t.Fatalf("%+v", try)
	}
	sent(b.own)

	b.change(func(f *config.File) { f.Log.Text = true })
	later := b.large(largeHeader + body)
	b.must(b.queue.Accept(t.Context(), later, false))
	later.parsed.Close() // the store has it
	b.run()
	sent(b.own)

	submitter := &Submitter{File: b.load(), Queue: b.queue}
	if _, err := submitter.Resend(t.Context(), later.ID, ""); err != nil {
		t.Fatal(err)
	}
	sent(b.own)
	if got := len(messages(b.own)); got != 3 {
		t.Errorf("sent %d times", got)
	}

	waiting := b.large(largeHeader + body)
	b.must(b.queue.Accept(t.Context(), waiting, false))
	b.change(func(f *config.File) {
		f.Log.Text = false
		f.Profiles["durand"].Enabled = false
		f.Profiles["durand"].Disabled = &config.Disabled{At: b.clock.Now(), Cause: "wrong-password"}
	})
	b.run()
	sent(b.platform)
	if item := b.stored(waiting.ID); item.State != StateSent || item.Instead != "durand" || len(item.Raw) > 0 {
		t.Errorf("%s through %s, %d octets kept", item.State, item.Profile, len(item.Raw))
	}
}

// The fallback writes another header before the same body, also when the try then fails and the message is read again.
func TestLargeMessageIsRewritten(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	body := largeBody()
	accepted := b.large(largeHeader + body)
	b.must(b.queue.Accept(t.Context(), accepted, false))
	file := b.load()
	whole := func() string {
		t.Helper()
		item := b.stored(accepted.ID)
		text, err := io.ReadAll(spool.Reader(item.Raw, item.rest))
		b.must(err)
		return string(text)
	}
	before := whole()
	for round := range 2 {
		item := b.stored(accepted.ID)
		if item.rest == nil || len(item.Raw) > inMemory+maxHeader {
			t.Fatalf("%d octets are in memory", len(item.Raw))
		}
		b.must(item.reroute("platform", file.Profiles["durand"], file.Profiles["platform"],
			check.CauseWrongPassword))
		b.must(b.queue.Store.change(t.Context(), item))
		after := whole()
		_, kept, _ := strings.Cut(after, "\r\n\r\n")
		_, want, _ := strings.Cut(before, "\r\n\r\n")
		if kept != want || after == before || !strings.Contains(after, "Reply-To:") {
			t.Errorf("round %d: %d octets of body, want %d; header %.300q", round, len(kept), len(want), after)
		}
	}
}

// What has to be encoded is, wherever in the message it is.
func TestLargeMessageIsEncoded(t *testing.T) {
	t.Parallel()
	body := largeBody()
	for name, row := range map[string]struct {
		text, encoding string
		script         scripted.Script
	}{
		"a long line":      {body + strings.Repeat("x", maxLineOctets+1) + "\n", "quoted-printable", nil},
		"a NUL":            {body + "\x00\n", "base64", nil},
		"one endless line": {strings.Repeat("x", 2*inMemory), "quoted-printable", nil},
		"no 8BITMIME": {
			body + "é\n", "quoted-printable",
			scripted.Script{"EHLO": scripted.Reply("250-mx\r\n250 AUTH PLAIN")},
		},
		"seven bits": {body, "", scripted.Script{"EHLO": scripted.Reply("250-mx\r\n250 AUTH PLAIN")}},
	} {
		b := newBench(t, row.script, nil)
		item := b.large(largeHeader + row.text)
		if try := b.first(item); try.State != StateSent {
			t.Fatalf("%s: %+v", name, try)
		}
		m, err := Parse([]byte(messages(b.own)[0]))
		if err != nil || m.Get("Content-Transfer-Encoding") != row.encoding || longestLine(m.body) > maxLineOctets {
			t.Errorf("%s: encoded as %q, lines of %d octets, %v", name, m.Get("Content-Transfer-Encoding"),
				longestLine(m.body), err)
		}
	}
}

// In test mode, the wrapping goes round all of it.
func TestLargeMessageInTestMode(t *testing.T) {
	t.Parallel()
	m, err := Read(strings.NewReader(largeHeader+largeBody()), false)
	if err != nil {
		t.Fatal(err)
	}
	d := Decision{TestMode: true, Recipients: []string{"essai@durand.example"}, Originals: []string{customer}}
	if _, err := m.Prepare(d, config.Address{Address: author}, time.Now()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if n, err := m.WriteTo(&b); err != nil || n != m.Size() {
		t.Errorf("%d octets written of %d, %v", n, m.Size(), err)
	}
	_, boundary, _ := strings.Cut(m.Get("Content-Type"), `boundary="`)
	end := strings.ReplaceAll(largeBody(), "\n", "\r\n") + "--" + strings.Trim(boundary, `"`) + "--\r\n"
	if !strings.HasSuffix(b.String(), end) {
		t.Errorf("it ends in %q", b.String()[b.Len()-200:])
	}
}

// With a dot, what follows a line with a dot alone is not read; the caps hold for what is outside memory too.
func TestReadLarge(t *testing.T) {
	t.Parallel()
	body := strings.ReplaceAll(largeBody(), "\n.\n", "\n")[1:] // without lines of one dot
	m, err := Read(strings.NewReader(largeHeader+body+".\nmore\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Read(strings.NewReader(largeHeader+body), false)
	if err != nil || m.Size() != want.Size() {
		t.Errorf("%d octets, want %d, %v", m.Size(), want.Size(), err)
	}
	const most = inMemory + 1000
	for size, tooLarge := range map[int]bool{most: false, most + 1: true} {
		text := (largeHeader + body)[:size-1] + "\n"
		if _, err := readUpTo(strings.NewReader(text), false, most); (err != nil) != tooLarge {
			t.Errorf("%d octets: %v", size, err)
		}
	}
}

// TestLargeMessageStaysOutsideMemory counts what a message keeps of the heap. It does not run together with other
// tests.
func TestLargeMessageStaysOutsideMemory(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	s, err := OpenStore(t.Context(), fileAt(t.TempDir(), "state", "postier.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	text := strings.NewReader(largeHeader + strings.Repeat(strings.Repeat("x", 63)+"\n", 32*inMemory/64))
	before := heap()
	m, err := Read(text, false)
	if err != nil {
		t.Fatal(err)
	}
	item := &Item{ID: "large", State: StateWaiting, Raw: m.Bytes(), rest: m.rest.text(), parsed: m}
	if err := s.insert(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for _, err := range item.rest.Pieces() {
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, heap()-before)
	}
	if most > 4*inMemory {
		t.Errorf("%d octets of a message of %d are in memory", most, m.Size())
	}
	runtime.KeepAlive(text)
	m.Close()
}
