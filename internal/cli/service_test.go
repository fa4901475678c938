package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postier/delivery"
	"postier/delivery/smtpserver"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
)

// visitor is a user of a machine who has no configuration, or cannot read the one that is there.
type visitor struct {
	t      *testing.T
	env    map[string]string
	handed chan handed
}

// handed is what the service was given.
type handed struct {
	raw  delivery.Raw
	text string
}

// newVisitor starts a service whose reply to each message is given; one that begins with 554 greets with it.
func newVisitor(t *testing.T, reply string) *visitor {
	t.Helper()
	folder := t.TempDir()
	v := &visitor{t: t, handed: make(chan handed, 10), env: map[string]string{
		"HOME": folder, "POSTIER_SOCKET": filepath.Join(folder, "submit"), "LC_ALL": "C",
	}}
	if reply == "" {
		return v
	}
	l, err := net.Listen("unix", v.env["POSTIER_SOCKET"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go v.serve(conn, reply)
		}
	}()
	return v
}

func (v *visitor) serve(conn net.Conn, reply string) {
	defer func() { _ = conn.Close() }()
	if strings.HasPrefix(reply, "554 5.7.1 no ") {
		_, _ = conn.Write([]byte(reply + "\r\n"))
		return
	}
	server := &smtpserver.Server{Forward: func(_ context.Context, m *delivery.Message, raw delivery.Raw) string {
		v.handed <- handed{raw, string(m.Bytes())}
		return reply
	}}
	_ = server.Serve(context.Background(), conn, conn)
}

func (v *visitor) want(code int, stdin string, args ...string) (stdout, stderr string) {
	v.t.Helper()
	var out, complaints bytes.Buffer
	got := run(args, command.Streams{
		In: strings.NewReader(stdin), Out: &out, Err: &complaints,
		Getenv: func(name string) string { return v.env[name] },
	})
	if got != code {
		v.t.Errorf("%v: exit %d, want %d\n%s%s", args, got, code, &out, &complaints)
	}
	if strings.Contains(out.String()+complaints.String(), "<sendcli.") {
		v.t.Errorf("%v: a sentence is missing: %s%s", args, &out, &complaints)
	}
	return out.String(), complaints.String()
}

func TestSendmailThroughTheService(t *testing.T) {
	t.Parallel()
	v := newVisitor(t, "250 2.0.0 ok: queued as 0123abcd")
	stdout, stderr := v.want(0, invoice, "/usr/sbin/sendmail", "-t", "-i", "-f", "billing@durand.example", "-FBilling")
	if stdout+stderr != "" {
		t.Errorf("not silent: %s%s", stdout, stderr)
	}
	got := <-v.handed
	if got.raw.Sender != "billing@durand.example" || !strings.Contains(got.text, "X-Postier-Name: Billing\r\n") ||
		!slices.Equal(got.raw.Recipients, []string{"klara@customer.example", "archive@customer.example"}) {
		t.Errorf("%+v", got)
	}
	for _, sender := range []string{"root", "no address", "<>"} {
		v.want(0, "x\n", "sendmail", "-f", sender, "root")
		if got := <-v.handed; got.raw.Sender != "" || !slices.Equal(got.raw.Recipients, []string{"root"}) {
			t.Errorf("-f %s: %+v", sender, got.raw)
		}
	}
	v.want(65, "To: a b, root\n\nx\n", "sendmail", "-t") // the others have their message
	if got := <-v.handed; !slices.Equal(got.raw.Recipients, []string{"root"}) {
		t.Errorf("%v", got.raw.Recipients)
	}
	dialog := "EHLO x\nMAIL FROM:<root>\nRCPT TO:<root>\nDATA\nSubject: one\n\nx\n.\nQUIT\n"
	stdout, _ = v.want(0, dialog, "sendmail", "-bs", "-F", "Daemon")
	if got := <-v.handed; !strings.Contains(stdout, "250 2.0.0 ok: queued as 0123abcd") ||
		!strings.Contains(got.text, "X-Postier-Name: Daemon\r\n") {
		t.Errorf("%s\n%+v", stdout, got)
	}
	v.want(0, "", "sendmail", "-q")
	v.want(64, "x\n", "sendmail", "--direct", "root")
}

func TestSendThroughTheService(t *testing.T) {
	t.Parallel()
	v := newVisitor(t, "250 2.0.0 ok: queued as 0123abcd")
	send := []string{
		"postier", "send", "--to", "Klara <klara@customer.example>", "--subject", "Invoice", "--body", "Hello",
	}
	if stdout, _ := v.want(0, "", send...); !strings.Contains(stdout, "0123abcd") {
		t.Errorf("%s", stdout)
	}
	got := <-v.handed
	for _, name := range []string{"\r\nFrom:", "\r\nMessage-ID:"} { // the service knows its profile's address
		if strings.Contains("\r\n"+got.text, name) {
			t.Errorf("%q in %s", name, got.text)
		}
	}
	v.want(0, "Hello\n", "postier", "send", "--to", "klara@customer.example", "--from", "billing@durand.example",
		"--kind", "quote", "--subject", "Quote")
	if got := <-v.handed; !strings.Contains(got.text, "From: <billing@durand.example>") ||
		!strings.Contains(got.text, "X-Postier-Kind: quote") || !strings.Contains(got.text, "Hello") {
		t.Errorf("%s", got.text)
	}
	stdout, _ := v.want(0, "", append(send, "--json")...)
	var out struct{ ID, State string }
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || out.ID != "0123abcd" || out.State != "waiting" {
		t.Errorf("%v: %s", err, stdout)
	}
	for _, flags := range [][]string{
		{"--direct"},
		{"--dry-run"},
		{"--profile", "x"},
		{"--method", "own"},
		{"--test"},
		{"--for-real"},
		{"--template", "x"},
	} {
		if _, stderr := v.want(exitcode.Usage, "", append(slices.Clone(send), flags...)...); !strings.Contains(stderr,
			flags[0]+" needs a configuration of your own") {
			t.Errorf("%v: %s", flags, stderr)
		}
	}
}

// TestServiceKeepsTheQueue: what the service keeps is shown to its administrator alone, and the caller is told so.
func TestServiceKeepsTheQueue(t *testing.T) {
	t.Parallel()
	v := newVisitor(t, "250 2.0.0 ok: queued as 0123abcd")
	for _, args := range [][]string{
		{"sendmail", "-bp"},
		{"mailq"},
		{"postier", "queue", "list", "--json"},
		{"postier", "queue", "retry", "x"},
		{"postier", "log"},
	} {
		_, stderr := v.want(exitcode.NoPerm, "", args...)
		if !strings.Contains(stderr, "sudo -u postier postier queue list") {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	v = newVisitor(t, "")
	if _, stderr := v.want(exitcode.Config, "", "mailq"); strings.Contains(stderr, "sudo -u") {
		t.Errorf("without a service: %s", stderr)
	}
}

// TestServiceReplies: each reply of the service has the exit code that a configuration of one's own would give.
func TestServiceReplies(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]struct {
		code int
		says string
	}{
		"554 5.7.1 no messages from anna":    {exitcode.NoPerm, "postier: no messages from anna\n"},
		"554 5.6.0 the message is a loop":    {exitcode.Data, "did not take the message: the message is a loop"},
		"552 5.3.4 too large":                {exitcode.Data, "too large"},
		"554 5.3.5 no profile":               {exitcode.Config, "no profile"},
		"554 5.7.1 the kind is off":          {exitcode.Failed, "the kind is off"},
		"451 4.3.0 the disk is full":         {exitcode.TempFail, "the disk is full"},
		"554 5.6.0 \x1b[2J evil \u202e text": {exitcode.Data, `\x1b`},
	} {
		v := newVisitor(t, reply)
		if _, stderr := v.want(want.code, "x\n", "sendmail", "root"); !strings.Contains(stderr, want.says) ||
			strings.Contains(stderr, "\x1b") {
			t.Errorf("%q: %q", reply, stderr)
		}
	}
}

// TestNoServiceAndNoConfiguration: both ways out are named, and no command that would lock out another user.
func TestNoServiceAndNoConfiguration(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"sendmail", "root"}, {"sendmail", "-q"}, {"postier", "send", "--to", "a@b.example", "--body", "x"},
	} {
		v := newVisitor(t, "")
		_, stderr := v.want(exitcode.Config, "x\n", args...)
		for _, want := range []string{"postier setup", "postier service install --system"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v does not name %q: %s", args, want, stderr)
			}
		}
		if strings.Contains(stderr, "chmod") || strings.Contains(stderr, "chown") {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	v := newVisitor(t, "250 2.0.0 ok: queued as 0123abcd")
	_, stderr := v.want(exitcode.Config, "x\n", "sendmail", "--config", filepath.Join(v.env["HOME"], "none.json"), "root")
	if !strings.Contains(stderr, "none.json") {
		t.Errorf("a configuration that was named and is missing: %s", stderr)
	}
}

// TestConfigurationOfTheService: a user who may not read the machine's configuration sends through its owner.
func TestConfigurationOfTheService(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	v := newVisitor(t, "250 2.0.0 ok: queued as 0123abcd")
	path := filepath.Join(v.env["HOME"], "config.json")
	const service = 4711
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, service, service); err != nil {
		t.Fatal(err)
	}
	v.env["POSTIER_CONFIG"] = path
	v.want(0, "x\n", "sendmail", "root")
	if got := <-v.handed; !slices.Equal(got.raw.Recipients, []string{"root"}) {
		t.Errorf("%+v", got)
	}
	_, stderr := v.want(exitcode.Config, "", "postier", "alias", "list")
	if !strings.Contains(stderr, "sudo -u 4711") || strings.Contains(stderr, "chown") {
		t.Errorf("%s", stderr)
	}
}
