package cli

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
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

// answerless is an address of which no profile is known, and the server to check for it.
func (o *office) answerless(more ...string) []string {
	return append([]string{
		"report", "klara@customer.example", "--smtp-host=127.0.0.1", "--smtp-port", strconv.Itoa(o.server.Port()),
		"--smtp-security=tls", "--only=smtp.greeting", "--to", supportAddress,
	}, more...)
}

// TestReportOnNoProfile: a report on an address without a profile leaves by the default, and by the fallback where the
// default is switched off; the answer goes to that address, or to the default's own where no address was given.
func TestReportOnNoProfile(t *testing.T) {
	t.Parallel()
	const own = "contact@durand.example"
	for name, c := range map[string]struct {
		off           bool
		user          string // in the place of the address
		from, replyTo string
	}{
		"the default":                   {false, "", own, "klara@customer.example"},
		"the fallback":                  {true, "", "noreply@platform.example", "klara@customer.example"},
		"the default, no address":       {false, "klara", own, ""},
		"the fallback, no address":      {true, "klara", "noreply@platform.example", own},
		"the default, the user's name":  {false, "klara@customer.example", own, "klara@customer.example"},
		"the default, its own address":  {false, own, own, ""},
		"the fallback, its own address": {true, "noreply@platform.example", "noreply@platform.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			o.withSpare()
			if c.off {
				o.change(func(p *config.Profile) { p.Enabled = false })
			}
			args := o.answerless("--yes")
			if c.user != "" {
				args = append(append(args[:1:1], args[2:]...), "--user", c.user)
			}
			_, stderr := o.want(0, "", append([]string{"postier"}, args...)...)
			taken := o.taken()
			if len(taken) != 1 {
				t.Fatalf("%s%q", stderr, taken)
			}
			header, _ := reportIn(t, taken[0])
			if from := header.Get("From"); !strings.Contains(from, c.from) {
				t.Errorf("from %s", from)
			}
			if to := strings.Trim(header.Get("Reply-To"), "<>"); to != c.replyTo {
				t.Errorf("the answer goes to %q", to)
			}
			if strings.Contains(stderr, "cannot send now") {
				t.Errorf("it speaks of a profile: %s", stderr)
			}
		})
	}
}

// TestPasswordThatIsAWordIsNotSent: where no one can be asked, what leaves has the password in none of its sentences.
func TestPasswordThatIsAWordIsNotSent(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"md", "json", "html"} {
		o := newOffice(t, nil)
		o.secret("greeting")
		ask := []string{"postier", "report", "durand", "--only=smtp.greeting", "--format", format, "--yes"}
		if stdout, _ := o.want(0, "", append(ask, "--out", filepath.Join(t.TempDir(), "r"))...); !strings.Contains(
			stdout, "greeting") {
			t.Fatalf("%s: the password is no word of the report", format)
		}
		stdout, stderr := o.want(0, "", append(ask, "--to", supportAddress)...)
		if !strings.Contains(stderr, "replaced everywhere") {
			t.Errorf("%s: not said: %s", format, stderr)
		}
		for _, message := range o.taken() {
			if _, report := reportIn(t, message); report != stdout || strings.Contains(report, "greeting") {
				t.Errorf("%s: sent\n%s", format, report)
			}
		}
		if len(o.taken()) != 1 {
			t.Errorf("%s: sent %q", format, o.taken())
		}
	}
}

// secret makes this the password.
func (o *office) secret(password string) {
	o.t.Helper()
	path := filepath.Join(filepath.Dir(o.path), "secrets", "durand")
	if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// TestReportIsAnsweredFor: the exit code is that of the last thing which the person was asked.
func TestReportIsAnsweredFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write, send string
		code, sent  int
	}{
		"sent alone":    {"n", "y", exitcode.OK, 1},
		"both":          {"y", "y", exitcode.OK, 1},
		"written alone": {"y", "n", exitcode.Interrupted, 0},
		"none":          {"n", "n", exitcode.Interrupted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			o.change(func(p *config.Profile) { p.TestMode.Enabled, p.TestMode.Address = true, "trial@durand.example" })
			env := map[string]string{"POSTIER_CONFIG": o.path, "POSTIER_CA_FILE": o.ca, "LC_ALL": "C"}
			console := startConsoleIn(t, func(name string) string { return env[name] },
				o.answerless("--out", filepath.Join(t.TempDir(), "r"))...)
			console.wait("Password of klara")
			_, _ = io.WriteString(console.master, "\n")
			console.wait("Write it to")
			_, _ = io.WriteString(console.master, c.write+"\n")
			console.wait("Send exactly this report to " + supportAddress)
			_, _ = io.WriteString(console.master, c.send+"\n")
			if code := console.exitCode(); code != c.code || len(o.taken()) != c.sent {
				t.Errorf("exit code %d, sent %q\n%s", code, o.taken(), console.written())
			}
			if c.sent > 0 && (!o.said("RCPT TO:<"+supportAddress+">") || o.said("trial@durand.example")) {
				t.Error("not sent to support, in test mode")
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
		c.wait("Send exactly this report to " + supportAddress + ", with the sender")
		c.wait("contact@durand.example? [y/N]")
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
