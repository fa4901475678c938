package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// office is a configuration on disk and the server that it leads to.
type office struct {
	t      *testing.T
	path   string
	ca     string
	server *scripted.Server
	vendor string // the vendor file; empty for none
}

func newOffice(t *testing.T, script scripted.Script) *office {
	t.Helper()
	folder := t.TempDir()
	ca := scripted.StartCA(t)
	cert, err := ca.Certificate(certificates.Good, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, path: filepath.Join(folder, "config.json")}
	if o.ca, err = ca.WriteFile(folder); err != nil {
		t.Fatal(err)
	}
	o.server = scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true, Script: script})
	doc := config.New(o.path)
	profile := &config.Profile{
		Enabled: true, From: config.Address{Name: "Cabinet Durand", Address: "contact@durand.example"},
		Senders: []string{"durand.example"},
		Submission: config.Server{
			Host: "127.0.0.1", Port: o.server.Port(), Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: "contact@durand.example",
		},
		Credential: config.Credential{Kind: config.CredentialFile, Path: "secrets/durand", Type: config.SecretPassword},
		SentCopy:   config.SentCopy{Mode: config.SentNone}, Kinds: map[string]bool{"quote": false},
	}
	for _, err := range []error{
		os.Chmod(folder, 0o700), doc.Put("durand", profile), doc.Save(), os.Mkdir(filepath.Join(folder, "secrets"), 0o700),
		os.WriteFile(filepath.Join(folder, "secrets", "durand"), []byte("C4nary#password-7"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *office) change(edit func(*config.Profile)) {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	edit(doc.File.Profiles["durand"])
	if err := doc.Save(); err != nil {
		o.t.Fatal(err)
	}
}

// run is one call of the program; the configuration comes by the environment, as for a program that knows only
// sendmail.
func (o *office) run(stdin string, args ...string) (code int, stdout, stderr string) {
	o.t.Helper()
	var out, complaints bytes.Buffer
	env := map[string]string{"POSTIER_CONFIG": o.path, "POSTIER_CA_FILE": o.ca, "LC_ALL": "C"}
	if o.vendor != "" {
		env["POSTIER_VENDOR"] = o.vendor
	}
	code = run(args, command.Streams{
		In: strings.NewReader(stdin), Out: &out, Err: &complaints,
		Getenv: func(name string) string { return env[name] },
	})
	return code, out.String(), complaints.String()
}

func (o *office) want(code int, stdin string, args ...string) (stdout, stderr string) {
	o.t.Helper()
	got, stdout, stderr := o.run(stdin, args...)
	if got != code {
		o.t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	if strings.Contains(stdout+stderr, "<sendcli.") || strings.Contains(stdout+stderr, "<delivery.") {
		o.t.Errorf("%v: a sentence is missing: %s%s", args, stdout, stderr)
	}
	return stdout, stderr
}

// taken are the messages that the server was given.
func (o *office) taken() []string {
	var out []string
	text := ""
	for _, r := range o.server.Records() {
		switch {
		case r.Phase != "message":
		case string(r.Data) == ".\r\n":
			out, text = append(out, text), ""
		default:
			text += string(r.Data)
		}
	}
	return out
}

func (o *office) said(command string) bool {
	return bytes.Contains(o.server.Received(), []byte(command))
}

const invoice = "From: Billing <billing@durand.example>\nTo: klara@customer.example\nBcc: " +
	"archive@customer.example\nSubject: Invoice 7\n\nHello\n.\nTo: nobody@evil.example\n"

// An invoicing program that knows nothing but sendmail.
func TestSendmail(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	stdout, stderr := o.want(0, invoice, "/usr/sbin/sendmail", "-t", "-i", "-f", "billing@durand.example")
	if stdout+stderr != "" {
		t.Errorf("not silent: %s%s", stdout, stderr)
	}
	got := o.taken()
	if len(got) != 1 || strings.Contains(got[0], "archive@") || !strings.Contains(got[0], "\r\n..\r\n") {
		t.Errorf("%q", got)
	}
	for _, command := range []string{
		"MAIL FROM:<billing@durand.example>", "RCPT TO:<klara@customer.example>",
		"RCPT TO:<archive@customer.example>",
	} {
		if !o.said(command) {
			t.Errorf("no %s", command)
		}
	}
	if o.said("RCPT TO:<nobody@evil.example>") {
		t.Error("a recipient from behind the blank line")
	}
	o.want(0, "Subject: x\n\nup to here\n.\nnot this\n", "sendmail", "-oem", "-FKlara Müller", "--",
		"klara@customer.example")
	if got := o.taken(); len(got) != 2 || strings.Contains(got[1], "not this") {
		t.Errorf("%q", got)
	}
	for _, row := range []struct {
		code int
		args []string
	}{
		{64, []string{"sendmail", "-Z", "a@b.example"}},
		{64, []string{"sendmail", "-bd"}},
		{64, []string{"sendmail", "-f"}},
		{64, []string{"sendmail"}},
		{65, []string{"sendmail", "no address"}},
		{0, []string{"mailq"}},
		{0, []string{"newaliases"}},
		{0, []string{"sendmail", "-q"}},
		{0, []string{"sendmail", "-h"}},
		{0, []string{"sendmail", "-f", "klara@customer.example", "--help"}},
		{0, []string{"sendmail", "--help", "--lang", "de"}},
	} {
		o.want(row.code, "Subject: x\n\nx\n", row.args...)
	}
	o.want(0, "", "sendmail", "klara@customer.example") // an empty message, as sendmail(8) sends it
}

func TestSendmailSpeaksSMTP(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	dialog := "EHLO x\r\nMAIL FROM:<billing@durand.example> BODY=8BITMIME\r\n" +
		"RCPT TO:<klara@customer.example>\r\nDATA\r\n" +
		"From: billing@durand.example\r\nSubject: one\r\n\r\n..dot\n.\nMAIL FROM:<evil@x.example>\r\n.\r\n" +
		"MAIL FROM:<billing@durand.example>\r\nRCPT TO:<karl@customer.example>\r\nDATA\r\nSubject: " +
		"two\r\n\r\nx\r\n.\r\nFROB\r\nRCPT TO:<a@b.example>\r\nQUIT\r\n"
	stdout, _ := o.want(0, dialog, "sendmail", "-bs")
	if strings.Count(stdout, "250 2.0.0 ok: queued as") != 2 || !strings.Contains(stdout, "500 5.5.2") ||
		!strings.Contains(stdout, "503 5.5.1") || !strings.HasSuffix(stdout, "221 2.0.0 bye\r\n") {
		t.Errorf("%s", stdout)
	}
	got := o.taken()
	if len(got) != 2 || o.server.Connections() != 1 || !strings.Contains(got[0], "MAIL FROM:<evil@x.example>") {
		t.Errorf("%d messages over %d connections: %q", len(got), o.server.Connections(), got)
	}
}

// A state that cannot be opened accepts nothing, which is said where a message was handed in and nowhere else.
func TestUnusableState(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	state := filepath.Join(filepath.Dir(o.path), "postier.db")
	if err := os.WriteFile(state, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	const refused = "Nothing was accepted."
	for _, args := range [][]string{
		{"postier", "send", "--to", "klara@customer.example", "--body", "Hello"},
		{"postier", "sendmail", "klara@customer.example"},
	} {
		if _, stderr := o.want(exitcode.IO, invoice, args...); !strings.Contains(stderr, refused) {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	for _, args := range [][]string{
		{"postier", "queue", "list"}, {"postier", "queue", "run"}, {"postier", "suppress", "list"},
	} {
		if _, stderr := o.want(exitcode.IO, "", args...); strings.Contains(stderr, refused) {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	if err := os.Chmod(state, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr := o.want(exitcode.Config, invoice, "sendmail", "-t"); !strings.Contains(stderr, "chmod 600 "+state) {
		t.Errorf("others can read it: %s", stderr)
	}
}

// edit changes the file as a person does who does not validate it.
func (o *office) edit(old, new string) {
	o.t.Helper()
	text, err := os.ReadFile(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		o.t.Fatalf("no %s in %s", old, text)
	}
	if err := os.WriteFile(o.path, bytes.Replace(text, []byte(old), []byte(new), 1), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// What validate refuses sends nothing, whatever is wrong with it, and shows no password of the database. What waits can
// still be seen.
func TestInvalidConfiguration(t *testing.T) {
	t.Parallel()
	const version = `"version": 1,`
	for name, row := range map[string]struct {
		old, new string
		lost     bool // the queue cannot be found either
	}{
		"a limit":          {`"from": {`, `"limits": {"per_day": -1}, "from": {`, false},
		"default":          {version, version + `"fallback": "nope",`, false},
		"key":              {version, version + `"colour": "red",`, false},
		"kind":             {`"kind": "file"`, `"kind": "zzz"`, false},
		"senders":          {`"durand.example"`, `"x y"`, false},
		"another scheme":   {version, version + `"queue": {"database": "mysql://u:S3cretDB@127.0.0.1/d"},`, true},
		"keywords":         {version, version + `"queue": {"database": "host=127.0.0.1 password=S3cretDB"},`, true},
		"a password":       {version, version + `"queue": {"database": "POSTGRES://u:S3cretDB@127.0.0.1/d"},`, true},
		"the key's secret": {version, version + `"queue": {"database": "postgres://u@127.0.0.1/d?sslpassword=S3cretDB"},`, true},
		"memory":           {version, version + `"queue": {"database": ":memory:"},`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			o.edit(row.old, row.new)
			shown, _ := o.want(exitcode.OK, "", "postier", "config", "show")
			for _, args := range [][]string{
				{"config", "validate"},
				{"sendmail", "-t"},
				{"sendmail", "-bs"},
				{"queue", "run"},
				{"send", "--to", "klara@customer.example", "--body", "Hello"},
			} {
				stdout, stderr := o.want(exitcode.Config, invoice, append([]string{"postier"}, args...)...)
				shown += stdout + stderr
			}
			code := exitcode.OK
			if row.lost {
				code = exitcode.Config
			}
			for _, args := range [][]string{{"queue", "list"}, {"limits", "show", "durand"}} {
				stdout, stderr := o.want(code, "", append([]string{"postier"}, args...)...)
				shown += stdout + stderr
			}
			if strings.Contains(shown, "S3cretDB") {
				t.Errorf("the password is shown:\n%s", shown)
			}
			if o.server.Connections() > 0 {
				t.Error("something was sent")
			}
		})
	}
}

// P-4, P-5, P-7, D-4, C-8: what send does and says.
func TestSend(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	send := func(more ...string) []string {
		return append([]string{
			"postier", "send", "--to", "klara@customer.example", "--subject", "Invoice 7", "--body",
			"Hello",
		}, more...)
	}
	if stdout, _ := o.want(0, "", send()...); !strings.Contains(stdout, "Sent through durand") {
		t.Errorf("%s", stdout)
	}
	if _, stderr := o.want(1, "", send("--kind", "quote")...); !strings.Contains(stderr, "quote") {
		t.Errorf("D-4: %s", stderr)
	}
	o.want(0, "", "postier", "suppress", "add", "*@gone.example", "--reason", "asked for it")
	if stdout, stderr := o.want(0, "", send("--to", "x@gone.example", "--json")...); !strings.Contains(stdout,
		`"asked for it"`) {
		t.Errorf("P-7: %s%s", stdout, stderr)
	}
	o.change(func(p *config.Profile) {
		p.TestMode = config.TestMode{Enabled: true, Address: "essai@durand.example"}
		p.Limits.PerHour = 3
	})
	var d delivery.Decision
	stdout, _ := o.want(0, "", send("--dry-run", "--json")...)
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || !d.TestMode || d.Recipients[0] != "essai@durand.example" ||
		d.Room.Left["hour"] != 1 {
		t.Errorf("P-5: %v, %s", err, stdout)
	}
	before := len(o.taken())
	if stdout, _ := o.want(0, "", send()...); !strings.Contains(stdout,
		"TEST: sent to essai@durand.example instead of klara@customer.example") || len(o.taken()) != before+1 {
		t.Errorf("P-5: %s", stdout)
	}
	if _, stderr := o.want(75, "", send("--direct", "--for-real")...); !strings.Contains(stderr, "not before") {
		t.Errorf("P-4 --direct: %s", stderr)
	}
	if _, stderr := o.want(0, "", send("--for-real")...); !strings.Contains(stderr, "waiting in the queue") {
		t.Errorf("P-4: %s", stderr)
	}
	var lines []struct {
		ID, Cause string
		Due       time.Time
	}
	stdout, _ = o.want(0, "", "postier", "queue", "list", "--json")
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil || len(lines) != 1 ||
		lines[0].Cause != string(check.CauseOwnLimitReached) || !lines[0].Due.After(time.Now()) {
		t.Fatalf("%v, %s", err, stdout)
	}
	if stdout, _ := o.want(0, "", "postier", "limits", "show"); !strings.Contains(stdout, "3 messages an hour  left: 0") {
		t.Errorf("%s", stdout)
	}
	o.want(0, "", "postier", "limits", "reset", "durand")
	o.want(0, "", "postier", "queue", "retry", lines[0].ID)
	before = len(o.taken())
	o.want(0, "", "postier", "queue", "run")
	if len(o.taken()) != before+1 {
		t.Error("the queue did not send what it was told to")
	}
	if stdout, _ := o.want(0, "", "postier", "queue", "list"); !strings.Contains(stdout, "empty") {
		t.Errorf("%s", stdout)
	}
	o.want(65, "", "postier", "queue", "remove", "nothing")
}

// P-8, M-8.
func TestTemplateAndAdvice(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.want(0, "Subject: Reminder {{n}}\n\nDear {{name}}\n", "postier", "template", "edit", "reminder")
	if stdout, _ := o.want(0, "", "postier", "template", "show", "reminder", "--set", "n=7"); !strings.Contains(stdout,
		"Subject: Reminder 7") {
		t.Errorf("%s", stdout)
	}
	o.want(65, "", "postier", "send", "--to", "a@b.example", "--template", "reminder", "--set", "n=7")
	_, stderr := o.want(0, "", "postier", "send", "--to", "a@b.example", "--template", "reminder", "--set", "n=7", "--set",
		"name=Klara", "--subject", "URGENT REMINDER")
	if !strings.Contains(stderr, "capitals") {
		t.Errorf("M-8: %s", stderr)
	}
	if got := o.taken(); len(got) != 1 || !strings.Contains(got[0], "Dear Klara") {
		t.Errorf("%q", got)
	}
	o.want(0, "", "postier", "template", "remove", "reminder")
	o.want(65, "", "postier", "template", "show", "reminder")
}

// P-4: what waited for the limit leaves with the next run of the queue once the limits are reset.
func TestLimitsResetReleases(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.change(func(p *config.Profile) { p.Limits.PerHour = 1 })
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t"}
	o.want(0, "", message...)
	o.want(0, "", message...)
	o.want(0, "", "postier", "queue", "run")
	if n := len(o.taken()); n != 1 {
		t.Fatalf("%d messages left", n)
	}
	if stdout, _ := o.want(0, "", "postier", "limits", "reset", "durand"); !strings.Contains(stdout, "due now: 1") {
		t.Error(stdout)
	}
	o.want(0, "", "postier", "queue", "run")
	if n := len(o.taken()); n != 2 {
		t.Errorf("%d messages left", n)
	}
	if stdout, _ := o.want(0, "", "postier", "limits", "reset", "durand"); stdout != "" {
		t.Errorf("nothing waited: %s", stdout)
	}
}
