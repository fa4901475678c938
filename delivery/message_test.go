package delivery

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/safetext"
)

var from = config.Address{Name: "Cabinet Durand", Address: "contact@durand.example"}

func prepared(t *testing.T, raw string, d Decision) (*mail.Message, string, string) {
	t.Helper()
	m, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	id, err := m.Prepare(d, from, time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	text := string(m.Bytes())
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && !strings.HasSuffix(line, "\r") || len(line) > maxLineOctets+1 ||
			strings.Contains(strings.TrimSuffix(line, "\r"), "\r") {
			t.Fatalf("a line that no server need take: %q", line)
		}
	}
	parsed, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed, id, text
}

func TestPrepareAddsWhatIsMissing(t *testing.T) {
	t.Parallel()
	m, id, _ := prepared(t, "To: klara@customer.example\nSubject: x\n\nHello\n", Decision{})
	if m.Header.Get("Message-Id") != id || !strings.HasSuffix(id, "@durand.example>") || m.Header.Get("Date") == "" ||
		m.Header.Get("From") != `"Cabinet Durand" <contact@durand.example>` {
		t.Errorf("%v", m.Header)
	}
	kept, id, _ := prepared(
		t,
		"From: a@b.example\nMessage-ID: <x7@b.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n\nHello\n",
		Decision{},
	)
	if id != "<x7@b.example>" || kept.Header.Get("Date") != "Mon, 2 Nov 2026 10:00:00 +0100" {
		t.Errorf("%s %v", id, kept.Header)
	}
}

// C-3: no Bcc field ever leaves. T8: nothing after the blank line is a recipient.
func TestRecipientsAndBcc(t *testing.T) {
	t.Parallel()
	raw := "From: a@b.example\nTo: Klara <klara@customer.example>,\n karl@customer.example\n" +
		"Cc: undisclosed-recipients:;\nBCC: hidden@customer.example\nSubject: x\n\nTo: body@evil.example\nBcc: " +
		"body@evil.example\n"
	m, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	got, bad := m.Recipients()
	if want := []string{"klara@customer.example", "karl@customer.example", "hidden@customer.example"}; len(bad) > 0 ||
		!slices.Equal(got, want) {
		t.Errorf("%v, %v", got, bad)
	}
	_, _, text := prepared(t, raw, Decision{})
	if strings.Contains(text, "hidden@") {
		t.Error("the blind copy shows")
	}
	resent, err := Parse([]byte("To: first@x.example\nResent-To: second@x.example\n\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := resent.Recipients(); !slices.Equal(got, []string{"second@x.example"}) {
		t.Errorf("%v", got)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, raw string
		want      error
	}{
		{"nothing", " \n\n", ErrEmpty},
		{"header", "Subject: " + strings.Repeat("x", maxHeader+1) + "\n\nx", ErrHeader},
		{"loop", strings.Repeat("Received: from a by b\n", maxReceived+1) + "From: a@b.example\n\nx", ErrLoop},
		{"own mark", "From: a@b.example\nX-Loop: postier\n\nx", ErrLoop},
	} {
		m, err := Parse([]byte(row.raw))
		if err == nil {
			_, err = m.Prepare(Decision{}, from, time.Now())
		}
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := readUpTo(io.LimitReader(zeros{}, 1002), false, 1000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("size: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestDotEndsTheMessage(t *testing.T) {
	t.Parallel()
	raw := "Subject: x\n\nfirst\n.\nsecond\n"
	for dot, want := range map[bool]string{true: "first\r\n", false: "first\r\n.\r\nsecond\r\n"} {
		m, err := Read(strings.NewReader(raw), dot)
		if err != nil || string(m.body) != want {
			t.Errorf("dot %t: %q, %v", dot, m.body, err)
		}
	}
}

// Scripts write umlauts raw into the header; not every server offers SMTPUTF8.
func TestHeaderBecomesASCII(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"Rückmeldung für Zoë", "R\xfcckmeldung", strings.Repeat("Übermaß ", 200)} {
		m, _, text := prepared(t, "From: Zoë <zoe@b.example>\nSubject: "+subject+"\n\nx\n", Decision{})
		header, _, _ := strings.Cut(text, "\r\n\r\n")
		if !safetext.IsASCII(header) {
			t.Errorf("%q", header)
		}
		want := subject
		if strings.Contains(subject, "\xfc") {
			want = "Rückmeldung"
		}
		got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// 998 octets and NUL: only what a server need not take is encoded again; every other octet stays.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 400) + "ünd"
	m, _, _ := prepared(t, "From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n"+long+"\n", Decision{})
	if m.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		t.Fatalf("%v", m.Header)
	}
	if body, _ := io.ReadAll(m.Body); decodeQP(t, body) != long+"\r\n" {
		t.Errorf("%q", body)
	}
	parts := "--b\r\nContent-Type: text/plain\r\n\r\nshort, kept\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
		strings.Repeat("\x01", 1200) + "\r\n--b--\r\n"
	m, _, text := prepared(t, "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n"+parts, Decision{})
	if !strings.Contains(text, "Content-Type: text/plain\r\n\r\nshort, kept\r\n--b") {
		t.Error("a part that was fine was changed")
	}
	reader := multipart.NewReader(m.Body, "b")
	_, _ = reader.NextPart()
	if part, err := reader.NextRawPart(); err != nil || part.Header.Get("Content-Transfer-Encoding") != "base64" {
		t.Errorf("%v", err)
	}
}

// 8BITMIME: a server that does not offer it gets seven bits.
func TestSevenBit(t *testing.T) {
	t.Parallel()
	m, err := Parse(
		[]byte(
			"From: a@b.example\nContent-Type: multipart/alternative; boundary=b\nContent-Transfer-Encoding: " +
				"8bit\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße\n--b--\n",
		),
	)
	if err != nil {
		t.Fatal(err)
	}
	m.SevenBit()
	if text := string(m.Bytes()); !safetext.IsASCII(text) || !strings.Contains(text, "Gr=C3=BC=C3=9Fe") ||
		strings.Contains(text, "8bit") {
		t.Errorf("%s", text)
	}
}

// P-5: the original recipients stand in a header field and on top of the body, the customer in no field that a reply
// would find.
func TestTestModeWraps(t *testing.T) {
	t.Parallel()
	d := Decision{
		TestMode:   true,
		Recipients: []string{"essai@durand.example"},
		Originals:  []string{"klara@customer.example"},
	}
	m, _, text := prepared(
		t,
		"From: contact@durand.example\nTo: Klara <klara@customer.example>\nCc: karl@customer.example\nSubject: "+
			"Rechnung\nContent-Type: text/html; charset=utf-8\n\n<p>Hallo</p>\n",
		d,
	)
	if m.Header.Get("To") != "essai@durand.example" || m.Header.Get("Cc") != "" ||
		m.Header.Get(OriginalsHeader) != "klara@customer.example" ||
		m.Header.Get("Subject") != "[TEST] Rechnung" {
		t.Errorf("%v", m.Header)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	reader := multipart.NewReader(m.Body, params["boundary"])
	top, err := reader.NextPart()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if notice, _ := io.ReadAll(top); !bytes.Contains(notice, []byte("-> klara@customer.example")) {
		t.Errorf("%s", notice)
	}
	body, err := reader.NextPart()
	if err != nil || body.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%v", err)
	}
	if html, _ := io.ReadAll(body); !bytes.Contains(html, []byte("<p>Hallo</p>")) {
		t.Errorf("%s", html)
	}
}

// P-8: fields are filled in, what is missing is named, and no value opens a header field.
func TestTemplates(t *testing.T) {
	t.Parallel()
	folder := Templates{Folder: t.TempDir() + "/templates"}
	const reminder = "Subject: Invoice {{number}} of {{ name }}\n\nDear {{name}},\n{{total}} is due.\n"
	if err := folder.Put("reminder", reminder); err != nil {
		t.Fatal(err)
	}
	if names, err := folder.List(); err != nil || !slices.Equal(names, []string{"reminder"}) {
		t.Errorf("%v, %v", names, err)
	}
	got, err := folder.Get("reminder")
	if err != nil || !slices.Equal(got.Fields, []string{"number", "name", "total"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	subject, body, missing := got.Fill(map[string]string{"number": "7\r\nBcc: evil@x.example", "name": "{{total}}"})
	if subject != "Invoice 7 Bcc: evil@x.example of {{total}}" || !slices.Equal(missing, []string{"total"}) ||
		!strings.HasPrefix(body, "Dear {{total}},\n{{total}}") {
		t.Errorf("%q, %q, %v", subject, body, missing)
	}
	if _, err := folder.Get("../config"); !errors.Is(err, ErrTemplateName) {
		t.Errorf("got %v", err)
	}
	if err := folder.Remove("reminder"); err != nil {
		t.Error(err)
	}
}

// M-8: advice against spam folders.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"Rechnung 7": "", "IMPORTANT NOTICE": "delivery.advice.capitals", "": "delivery.advice.subject",
		"Now!! Only today!": "delivery.advice.exclamation", "RE: AG": "",
	} {
		got := ""
		for _, text := range Advice(subject, 500, 0) {
			got += text.Key
		}
		if got != want {
			t.Errorf("%q: %q", subject, got)
		}
	}
	if got := Advice("Logo", 20, 1); len(got) != 1 || got[0].Key != "delivery.advice.images" {
		t.Errorf("%v", got)
	}
}

func FuzzPrepare(f *testing.F) {
	f.Add([]byte("From: a@b.example\nTo: c@d.example\n\nx\n"), true)
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\x00\n--b--"), false)
	f.Fuzz(func(t *testing.T, raw []byte, test bool) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		d := Decision{TestMode: test, Recipients: []string{"t@x.example"}, Originals: []string{"o@x.example"}}
		if _, err := m.Prepare(d, from, time.Now()); err != nil {
			return
		}
		m.SevenBit()
		out := m.Bytes()
		if longestLine(out) > maxLineOctets ||
			bytes.Contains(bytes.ReplaceAll(out, []byte("\r\n"), nil), []byte("\r")) {
			t.Errorf("%q", out)
		}
		header, _, _ := bytes.Cut(out, []byte("\r\n\r\n"))
		if !safetext.IsASCII(header) || bytes.Contains(bytes.ToLower(header), []byte("\nbcc:")) {
			t.Errorf("%q", header)
		}
	})
}

// TestTemplateHeader (P-12): a template says author, reply address, subject, profile and kind; another header line, or
// one twice, is refused instead of reaching the customer.
func TestTemplateHeader(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want Template
		bad  bool
	}{
		{
			"From: Billing <billing@durand.example>\r\nReply-To: office@durand.example\r\nSubject: Invoice {{n}}\r\n" +
				"Profile: durand\r\nKind: invoice\r\n\r\nDear customer,\r\n",
			Template{
				From: "Billing <billing@durand.example>", ReplyTo: "office@durand.example", Subject: "Invoice {{n}}",
				Profile: "durand", Kind: "invoice", Body: "Dear customer,\n", Fields: []string{"n"},
			},
			false,
		},
		{"subject: s\n\nt", Template{Subject: "s", Body: "t", Fields: []string{}}, false},
		{"\ufeffSubject: s\n\nt", Template{Subject: "s", Body: "t", Fields: []string{}}, false},
		{"Note: pay soon\n\nKind: regards", Template{Body: "Note: pay soon\n\nKind: regards", Fields: []string{}}, false},
		{"Subject: s\n", Template{Subject: "s", Fields: []string{}}, false},
		{"", Template{Fields: []string{}}, false},
		{"Subject: s\nCc: boss@durand.example\n\nt", Template{}, true},
		{"Subject: s\nSubject: s\n\nt", Template{}, true},
		{"Subject: s\nDear customer,\n", Template{Subject: "s", Body: "Dear customer,\n", Fields: []string{}}, false},
		{"From: nobody\n\nt", Template{}, true},
		{"Reply-To: a@x.example, b@x.example\n\nt", Template{}, true},
		{"Kind: Two Words\n\nt", Template{}, true},
	} {
		got, err := parseTemplate("", row.text)
		if row.bad {
			if !errors.Is(err, ErrTemplateField) {
				t.Errorf("%q: %v", row.text, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q:\n%+v\n%+v, %v", row.text, got, row.want, err)
		}
	}
}
