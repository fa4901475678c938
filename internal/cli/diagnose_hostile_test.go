package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
)

const (
	hostileHost = "mail.hostile.example"
	hostileUser = "marie@hostile.example"
)

// hostileSecret has characters that every encoding changes.
var hostileSecret = secret.New(`C4nary"p&ss wörd%+/=`)

// hostileCase is one step of a dialog at which the server does one bad thing.
type hostileCase struct {
	name     string
	imap     bool
	implicit bool
	script   scripted.Script
	causes   string // that fit
}

// badManners are what a server may do at any step. What an answer means depends on the step, so several causes may fit;
// none of them is a wrong password unless the server said so.
var badManners = []struct {
	name   string
	action scripted.Action
	causes string
}{
	{"hang", scripted.Action{Hang: true}, "server-timeout"},
	{"slow drip", scripted.Action{Raw: bytes.Repeat([]byte("2"), 400), Drip: 25 * time.Millisecond}, "server-timeout"},
	{
		"garbage",
		scripted.Action{Raw: []byte("\x00\xff\xfe\x1b]52;c;ZXZpbA==\x07\r\n\u202e\r\n"), Close: true},
		"protocol-error",
	},
	{"truncation", scripted.Action{Raw: []byte("25"), Close: true}, "connection-dropped"},
	{"close", scripted.Action{Close: true}, "connection-dropped"},
	{"reset", scripted.Action{Reset: true}, "connection-dropped"},
	{"TLS alert", scripted.Action{TLSAlert: 40}, "protocol-error connection-dropped tls-wrong-mode"},
	{"endless line", scripted.Action{Endless: "\x1b[2Jx"}, "limit-exceeded"},
	{"endless reply", scripted.Action{Endless: "250-x\r\n"}, "limit-exceeded protocol-error"},
}

// tlsTrouble are further causes where the bad bytes stand in the place of a handshake.
const tlsTrouble = " tls-version-unsupported tls-wrong-mode tls-handshake tls-injected protocol-error " +
	"connection-dropped starttls-failed " +
	"tls-stripped wrong-service"

// noFailure stands for a run in which nothing failed.
const noFailure = "none"

func smtpCases() []hostileCase {
	var list []hostileCase
	for _, step := range []struct {
		phase    string
		implicit bool
		more     string
	}{
		{"greeting", false, tlsTrouble},
		{"EHLO", false, " tls-stripped"}, // whatever it says, it offers no STARTTLS
		{"STARTTLS", false, tlsTrouble},
		{"tls", false, tlsTrouble},
		{"tls", true, tlsTrouble},
		{"greeting", true, ""},
		{"tls:EHLO", false, ""},
		{"auth", true, ""},
		{"MAIL", true, ""},
		{"RCPT", true, ""},
	} {
		// RFC 5321 §4.2.1: of an unknown code the first digit counts, so that MAIL and RCPT were accepted.
		odd := "protocol-error ehlo-unsupported greeting-refused"
		if step.phase == "MAIL" || step.phase == "RCPT" {
			odd = noFailure
		}
		for _, bad := range badManners {
			list = append(list, hostileCase{
				fmt.Sprintf("smtp %s (implicit %t): %s", step.phase, step.implicit, bad.name), false,
				step.implicit,
				scripted.Script{step.phase: bad.action},
				bad.causes + step.more,
			})
		}
		list = append(list, hostileCase{
			fmt.Sprintf("smtp %s (implicit %t): wrong code", step.phase, step.implicit), false, step.implicit,
			scripted.Script{step.phase: scripted.Reply("299 \x1b[2J what\u202e")},
			odd + step.more,
		}, hostileCase{
			fmt.Sprintf("smtp %s (implicit %t): escapes", step.phase, step.implicit), false, step.implicit,
			scripted.Script{step.phase: scripted.Reply(
				"554 5.0.0 \x1b]0;owned\x07\u009b2J \u202egnorts\u200b\n```\n# <script>")},
			"greeting-refused protocol-error ehlo-unsupported wrong-password sender-rejected recipient-rejected unknown " +
				"message-refused" + step.more,
		})
	}
	evil := "250-evil\x1b[2J\r\n250 AUTH PLAIN\r\n"
	return append(list,
		hostileCase{
			"smtp STARTTLS: injected", false, false,
			scripted.Script{"STARTTLS": {Reply: "220 go", Inject: evil}},
			"tls-injected",
		},
		hostileCase{
			"smtp STARTTLS: injected later", false, false,
			scripted.Script{"STARTTLS": {Reply: "220 go", InjectLater: evil, InjectDelay: 20 * time.Millisecond}},
			"tls-injected tls-handshake tls-version-unsupported",
		},
		hostileCase{
			"smtp auth: secret echoed", false, true,
			scripted.Script{"auth": scripted.Reply("535 5.7.8 no such password: " + hostileSecret.Reveal())},
			"wrong-password",
		},
	)
}

func imapCases() []hostileCase {
	var list []hostileCase
	for _, step := range []struct {
		phase    string
		implicit bool
		more     string
	}{
		{"greeting", false, tlsTrouble},
		{"CAPABILITY", false, tlsTrouble},
		{"STARTTLS", false, tlsTrouble},
		{"tls", true, tlsTrouble},
		{"greeting", true, ""},
		{"auth", true, " auth-temporary-failure"},
		{"LIST", true, ""},
		{"APPEND", true, " delivery-unknown append-refused"},
	} {
		for _, bad := range badManners {
			list = append(list, hostileCase{
				fmt.Sprintf("imap %s (implicit %t): %s", step.phase, step.implicit, bad.name), true,
				step.implicit,
				scripted.Script{step.phase: bad.action},
				bad.causes + step.more,
			})
		}
		list = append(list, hostileCase{
			fmt.Sprintf("imap %s (implicit %t): escapes", step.phase, step.implicit), true, step.implicit,
			scripted.Script{step.phase: scripted.Reply("{tag} NO [ALERT] \x1b]0;owned\x07\u009b2J \u202egnorts\u200b")},
			"protocol-error wrong-password folder-missing append-refused unknown" + step.more,
		})
	}
	return append(list,
		hostileCase{
			"imap STARTTLS: injected", true, false,
			scripted.Script{"STARTTLS": {Reply: "{tag} OK go", Inject: "* CAPABILITY EVIL\r\n"}},
			"tls-injected",
		},
		hostileCase{
			"imap greeting: PREAUTH", true, false,
			scripted.Script{"greeting": scripted.Reply("* PREAUTH welcome")},
			"tls-stripped",
		},
	)
}

// hostileBench is what all cases share.
type hostileBench struct {
	ca       *certificates.CA
	resolver string
	caFile   string
	password string
}

// TestHostileMatrix runs the program against a server that misbehaves at every step in every way. Each run ends within
// its deadlines with a cause that fits and the exit code of that cause, sends no secret outside verified TLS, and says
// nothing raw and nothing secret: as JSON, text, Markdown and HTML in turn.
func TestHostileMatrix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := hostileBench{ca: scripted.StartCA(t), password: filepath.Join(dir, "password")}
	b.resolver = scripted.StartDNS(t, hostileHost+". 300 IN A 127.0.0.1\n").Addr()
	var err error
	if b.caFile, err = b.ca.WriteFile(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.password, []byte(hostileSecret.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := append(smtpCases(), imapCases()...)
	if len(cases) < 150 {
		t.Fatalf("only %d cases", len(cases))
	}
	const atOnce = 16
	room := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, c := range cases {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			b.run(t, c, i%4)
		})
	}
	wg.Wait()
}

// The sinks, in turn.
const (
	sinkJSON = iota
	sinkText
	sinkMarkdown
	sinkHTML
)

func (b hostileBench) run(t *testing.T, c hostileCase, sink int) {
	cert := scripted.Leaf(t, b.ca, certificates.Good, hostileHost)
	start := scripted.StartSMTP
	if c.imap {
		start = scripted.StartIMAP
	}
	server := start(t, scripted.Options{Certificate: cert, ImplicitTLS: c.implicit, Script: c.script})
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code := run(b.args(c, sink, server.Port()),
		command.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Getenv: func(string) string { return "" }})
	const patience = 90 * time.Second // a few steps of seconds each, on a machine that may have much else to do
	if took := time.Since(began); took > patience {
		t.Errorf("%s: took %s", c.name, took)
	}
	out := stdout.String() + stderr.String()
	cause := rootCause(t, sink, stdout.String())
	if !slices.Contains(strings.Fields(c.causes), cause) {
		t.Errorf("%s: cause %q, want one of %s\n%s", c.name, cause, c.causes, out)
	}
	if info, ok := explain.Cause(check.Cause(cause)); ok && sink <= sinkText && code != info.Exit {
		t.Errorf("%s: exit code %d for %s", c.name, code, cause)
	}
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("%s: raw %U in the output", c.name, r)
			break
		}
	}
	for _, form := range hostileSecret.Forms(hostileUser) {
		if strings.Contains(out, form) {
			t.Errorf("%s: the secret stands in the output", c.name)
		}
	}
	server.NoSecretInClear(t, hostileSecret, hostileUser)
}

func (b hostileBench) args(c hostileCase, sink, port int) []string {
	security, area := "starttls", "smtp"
	if c.implicit {
		security = "tls"
	}
	if c.imap {
		area = "imap"
	}
	args := []string{"postier", "--resolver=" + b.resolver, "--ca-file=" + b.caFile, "--timeout=" + c.timeout()}
	settings := []string{
		"--" + area + "-security=" + security, "--user=" + hostileUser, "--from=" + hostileUser,
		"--password-file=" + b.password,
	}
	switch sink {
	case sinkJSON:
		args = append(args, "diagnose", area, hostileHost+":"+strconv.Itoa(port), "--json", "--transcript")
	case sinkText:
		args = append(args, "diagnose", area, hostileHost+":"+strconv.Itoa(port), "-v", "--transcript")
	default:
		format := map[int]string{sinkMarkdown: "md", sinkHTML: "html"}[sink]
		args = append(args, "report", "--format="+format, "--mask=false", "--only="+area, "--smtp-host="+hostileHost,
			"--"+area+"-port="+strconv.Itoa(port))
		if c.imap {
			args = append(args, "--imap-host="+hostileHost)
		}
	}
	return append(args, settings...)
}

// timeout is short only where the server is slow on purpose: everywhere else a slow machine must not be mistaken for
// it.
func (c hostileCase) timeout() string {
	if strings.Contains(c.causes, "server-timeout") {
		return "3s"
	}
	return "20s"
}

var (
	jsonCause = regexp.MustCompile(`"status": "fail",\s+"cause": "([a-z0-9-]+)"`)
	saidCause = regexp.MustCompile(`\(([A-Z]-[0-9]+)\)`)
)

// rootCause is the cause of the first failure; in the readable forms it is given by its code.
func rootCause(t *testing.T, sink int, out string) string {
	t.Helper()
	if sink == sinkJSON {
		if m := jsonCause.FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return noFailure
	}
	at := strings.Index(out, "Fix this first")
	if at < 0 {
		return noFailure
	}
	m := saidCause.FindStringSubmatch(out[at:])
	if m == nil {
		return ""
	}
	cause, _ := explain.ByCode(m[1])
	return string(cause.Slug)
}
