package cli

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/exitcode"
)

// supportAddress is where the reports of these tests go.
const supportAddress = "help@vendor.example"

// reportIn is the attachment of a message, with its header.
func reportIn(t *testing.T, message string) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(strings.ReplaceAll(message, "\r\n..", "\r\n.")))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("no attachment in %s", message)
		}
		if part.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(decoded(part))
		if err != nil {
			t.Fatal(err)
		}
		return m.Header, string(data)
	}
}

// withSpare adds a fallback that works.
func (o *office) withSpare() {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	platform := *doc.File.Profiles["durand"]
	platform.From, platform.Senders = config.Address{Name: "Platform", Address: "noreply@platform.example"}, nil
	for _, err := range []error{doc.Put("platform", &platform), doc.SetFallback("platform"), doc.Save()} {
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// TestReportIsSent: support gets the report that was shown, octet for octet and masked, with the code in the subject.
// It leaves by its own profile where that works and by the fallback otherwise; replies go to the person.
func TestReportIsSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		broken     bool
		flags      []string
		from, code string
	}{
		"its own profile": {false, nil, "contact@durand.example", "no failure"},
		"as JSON":         {false, []string{"--json"}, "contact@durand.example", "no failure"},
		"as HTML":         {false, []string{"--format", "html"}, "contact@durand.example", "no failure"},
		"the fallback":    {true, nil, "noreply@platform.example", "N-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			o.withSpare()
			if c.broken {
				o.refusing()
			}
			stdout, stderr := o.want(0, "", append([]string{
				"postier", "report", "durand", "--only=smtp.greeting", "--to", supportAddress, "--yes",
			}, c.flags...)...)
			taken := o.taken()
			if len(taken) != 1 || !o.said("RCPT TO:<"+supportAddress+">") {
				t.Fatalf("%s%q", stderr, taken)
			}
			header, report := reportIn(t, taken[0])
			if report != stdout || strings.Contains(report, "durand.example") {
				t.Errorf("shown:\n%s\nsent:\n%s", stdout, report)
			}
			if len(c.flags) == 1 && !json.Valid([]byte(stdout)) {
				t.Errorf("not one JSON document: %s", stdout)
			}
			if from := header.Get("From"); !strings.Contains(from, c.from) {
				t.Errorf("from %s", from)
			}
			if c.broken && (!strings.Contains(header.Get("Reply-To"), "contact@durand.example") ||
				!strings.Contains(stderr, "Profile durand cannot send now")) {
				t.Errorf("%v\n%s", header, stderr)
			}
			if subject := header.Get("Subject"); !strings.Contains(subject, "for support: "+c.code) {
				t.Errorf("subject %s", subject)
			}
			if !strings.Contains(stderr, "Sent through") {
				t.Errorf("not said: %s", stderr)
			}
		})
	}
}

// TestReportIsNotSent: without a yes, without a way and to no address, nothing is sent, and the exit code says why.
func TestReportIsNotSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.refusing()
	ask := []string{"postier", "report", "durand", "--only=smtp.greeting", "--to"}
	o.want(exitcode.Usage, "", append(ask, supportAddress)...)
	o.want(exitcode.Data, "", append(ask, "nobody", "--yes")...)
	file := filepath.Join(t.TempDir(), "report.md")
	_, stderr := o.want(exitcode.Config, "", append(ask, supportAddress, "--yes", "--out", file)...)
	if !strings.Contains(stderr, file) || !strings.Contains(stderr, "no profile can send") {
		t.Error(stderr)
	}
	if taken := o.taken(); len(taken) != 0 {
		t.Errorf("sent: %q", taken)
	}
}

// TestReportIsAskedAbout: the question names who gets the report and from whom; everything but yes leaves it unsent.
func TestReportIsAskedAbout(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct{ code, sent int }{
		"y": {exitcode.OK, 1}, "n": {exitcode.Interrupted, 0}, "": {exitcode.Interrupted, 0},
	} {
		o := newOffice(t, nil)
		env := map[string]string{"POSTIER_CONFIG": o.path, "POSTIER_CA_FILE": o.ca, "LC_ALL": "C"}
		c := startConsoleIn(t, func(name string) string { return env[name] }, "report", "durand", "--only=smtp.greeting",
			"--to", supportAddress)
		c.wait("Send exactly this report to " + supportAddress + ", with the sender contact@durand.example? [y/N]")
		if _, err := io.WriteString(c.master, answer+"\n"); err != nil {
			t.Fatal(err)
		}
		if code := c.exitCode(); code != want.code || len(o.taken()) != want.sent {
			t.Errorf("%q: exit code %d, sent %q\n%s", answer, code, o.taken(), c.written())
		}
	}
}

// decoded is the content of a part.
func decoded(part *multipart.Part) io.Reader {
	if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
		return base64.NewDecoder(base64.StdEncoding, part)
	}
	return quotedprintable.NewReader(part)
}
