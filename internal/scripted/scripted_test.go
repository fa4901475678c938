package scripted

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postier/internal/rehearsal/certificates"
	"postier/internal/secret"
)

const host = "mail.example"

func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	return conn, bufio.NewReader(conn)
}

func TestWellBehavedSMTP(t *testing.T) {
	t.Parallel()
	ca := StartCA(t)
	s := StartSMTP(t, Options{Certificate: Leaf(t, ca, certificates.Good, host)})
	conn, _ := dial(t, s.Addr())
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.StartTLS(&tls.Config{RootCAs: ca.Roots(), ServerName: host}); err != nil {
		t.Fatal(err)
	}
	if err := client.Auth(smtp.PlainAuth("", "anna", "canary-secret", host)); err != nil {
		t.Fatal(err)
	}
	if err := client.Mail("anna@example"); err != nil {
		t.Fatal(err)
	}
	if err := client.Rcpt("bob@example"); err != nil {
		t.Fatal(err)
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "Subject: x\r\n\r\n.dot\r\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Quit(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "message", "message", "message",
		"message", "QUIT",
	}
	if got := s.Commands(); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
	s.NoSecretInClear(t, secret.New("canary-secret"), "anna")
	catcher := &catch{TB: t}
	s.NoSecret(catcher, secret.New("canary-secret"), "anna")
	if catcher.errors == 0 {
		t.Error("NoSecret does not find the password in AUTH PLAIN")
	}
	if !strings.Contains(string(s.ReceivedPlain()), "STARTTLS") || strings.Contains(string(s.ReceivedPlain()), "MAIL") {
		t.Errorf("in clear: %q", s.ReceivedPlain())
	}
}

// catch counts errors instead of reporting them.
type catch struct {
	testing.TB
	errors int
}

func (c *catch) Errorf(string, ...any) { c.errors++ }

func TestSMTPMechanisms(t *testing.T) {
	t.Parallel()
	s := StartSMTP(t, Options{Script: Script{"auth#3": Reply("535 5.7.8 no"), "AUTH NTLM": Reply("504 5.5.4 unknown")}})
	conn, reader := dial(t, s.Addr())
	talk := func(line, want string) {
		t.Helper()
		if line != "" {
			_, _ = io.WriteString(conn, line+"\r\n")
		}
		for {
			got, err := reader.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 3 && got[3] == ' ' {
				if !strings.HasPrefix(got, want) {
					t.Errorf("after %q: %q, want %q", line, got, want)
				}
				return
			}
		}
	}
	talk("", "220 mail.example")
	talk("EHLO x", "250 AUTH")
	talk("AUTH PLAIN AGEAYg==", "235")
	talk("AUTH LOGIN", "334 VXNlcm5hbWU6")
	talk("YQ==", "334 UGFzc3dvcmQ6")
	talk("Yg==", "235")
	talk("AUTH CRAM-MD5", "334 ")
	talk("YQ==", "535")
	talk("AUTH PLAIN", "334 ")
	talk("*", "501")
	talk("AUTH NTLM", "504")
	talk("STARTTLS", "502")
	talk("FROB", "500")
	talk("BDAT 7 LAST\r\nhello", "250") // the end of the line makes seven
	talk("QUIT", "221")
}

func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		script Script
		send   string
		want   string // everything the client reads
		err    error  // how reading ends, nil for EOF
	}{
		{
			"reply",
			Script{"greeting": Reply("554-no\n554 go away"), "QUIT": {Reply: "221 x", Close: true}},
			"QUIT\r\n",
			"554-no\r\n554 go away\r\n221 x\r\n", nil,
		},
		{"raw", Script{"greeting": {Raw: []byte("\x00\xff"), Close: true}}, "", "\x00\xff", nil},
		{
			"drip",
			Script{"greeting": {Drip: time.Millisecond}, "EHLO": {Close: true}},
			"EHLO x\r\n",
			"220 mail.example ESMTP ready\r\n", nil,
		},
		{
			"delay keeps the default",
			Script{"greeting": {Delay: time.Millisecond}, "EHLO": {Close: true}},
			"EHLO x\r\n",
			"220 mail.example ESMTP ready\r\n", nil,
		},
		{"close at once", Script{"connect": {Close: true}}, "", "", nil},
		{"reset", Script{"EHLO": {Reset: true}, "greeting": {Mute: true}}, "EHLO x\r\n", "", syscall.ECONNRESET},
		{
			"inject",
			Script{
				"greeting": {Mute: true},
				"STARTTLS": {Reply: "220 go", Inject: "250 evil\r\n", NoTLS: true, Close: true},
			},
			"STARTTLS\r\n",
			"220 go\r\n250 evil\r\n", nil,
		},
		{
			"inject later",
			Script{
				"greeting": {Mute: true},
				"STARTTLS": {Reply: "220 go", InjectLater: "250 evil\r\n", InjectDelay: time.Millisecond, NoTLS: true, Close: true},
			},
			"STARTTLS\r\n", "220 go\r\n250 evil\r\n", nil,
		},
		{
			"alert",
			Script{"greeting": {Mute: true}, "STARTTLS": Reply("220 go"), "tls": {TLSAlert: 40}},
			"STARTTLS\r\n",
			"220 go\r\n\x15\x03\x03\x00\x02\x02\x28", nil,
		},
		{
			"nth time",
			Script{"greeting": {Mute: true}, "NOOP#2": {Reply: "421 enough", Close: true}},
			"NOOP\r\nNOOP\r\n",
			"250 2.0.0 ok\r\n421 enough\r\n", nil,
		},
		{
			"whole line",
			Script{"greeting": {Mute: true}, "RCPT TO:<a@b>": {Reply: "550 no", Close: true}},
			"RCPT TO:<c@b>\r\nRCPT TO:<a@b>\r\n", "250 2.0.0 ok\r\n550 no\r\n", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := StartSMTP(t, Options{Script: c.script})
			conn, reader := dial(t, s.Addr())
			_, _ = io.WriteString(conn, c.send)
			got, err := io.ReadAll(reader)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("read %q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestEndlessAndHang(t *testing.T) {
	t.Parallel()
	s := StartSMTP(t, Options{Script: Script{"greeting": {Endless: "220-more\r\n"}}})
	_, reader := dial(t, s.Addr())
	if n, err := io.CopyN(io.Discard, reader, 1<<20); err != nil {
		t.Errorf("after %d octets: %v", n, err)
	}
	silent := StartSMTP(t, Options{Script: Script{"greeting": {Hang: true}}})
	conn, quiet := dial(t, silent.Addr())
	_, _ = io.WriteString(conn, "EHLO impatient\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if line, err := quiet.ReadString('\n'); err == nil {
		t.Errorf("a silent server said %q", line)
	}
	_ = conn.Close()
	waitFor(t, func() bool { return silent.Open() == 0 })
	if !strings.Contains(string(silent.Received()), "impatient") {
		t.Error("what was sent to a silent server is not on record")
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 10000 {
		if done() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Error("did not come about")
}

func TestTLSOnTheWrongSide(t *testing.T) {
	t.Parallel()
	ca := StartCA(t)
	implicit := StartSMTP(t, Options{Certificate: Leaf(t, ca, certificates.Good, host), ImplicitTLS: true})
	conn, reader := dial(t, implicit.Addr())
	_, _ = io.WriteString(conn, "EHLO plain\r\n")
	_, _ = io.ReadAll(reader)
	waitFor(t, func() bool { return strings.Contains(string(implicit.ReceivedPlain()), "plain") })

	plain := StartSMTP(t, Options{})
	conn, _ = dial(t, plain.Addr())
	err := tls.Client(conn, &tls.Config{ServerName: host}).Handshake()
	var header tls.RecordHeaderError
	if !errors.As(err, &header) {
		t.Errorf("TLS to a plain server: %v", err)
	}

	refusing := StartSMTP(t, Options{ImplicitTLS: true, Script: Script{"tls": {TLSAlert: 80}}})
	conn, _ = dial(t, refusing.Addr())
	err = tls.Client(conn, &tls.Config{ServerName: host}).Handshake()
	var alert tls.AlertError
	if !errors.As(err, &alert) && (err == nil || !strings.Contains(err.Error(), "internal error")) {
		t.Errorf("alert: %v", err)
	}
}

func TestIMAP(t *testing.T) {
	t.Parallel()
	ca := StartCA(t)
	s := StartIMAP(t, Options{Certificate: Leaf(t, ca, certificates.Good, host), ImplicitTLS: true, Script: Script{
		"APPEND": Reply("{tag} NO [OVERQUOTA] full"),
	}})
	client, err := imapclient.DialTLS(s.Addr(),
		&imapclient.Options{TLSConfig: &tls.Config{RootCAs: ca.Roots(), ServerName: host}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.Login("anna", "canary-secret").Wait(); err != nil {
		t.Fatal(err)
	}
	boxes, err := client.List("", "*", &imap.ListOptions{ReturnSpecialUse: true}).Collect()
	if err != nil || len(boxes) != 2 || !slices.Contains(boxes[1].Attrs, imap.MailboxAttrSent) {
		t.Errorf("list: %v, %v", boxes, err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Error(err)
	}
	message := "Subject: x\r\n\r\ny\r\n"
	appending := client.Append("Sent", int64(len(message)), nil)
	_, _ = io.WriteString(appending, message)
	_ = appending.Close()
	var imapErr *imap.Error
	if _, err := appending.Wait(); !errors.As(err, &imapErr) || imapErr.Code != imap.ResponseCodeOverQuota {
		t.Errorf("append: %v", err)
	}
	if err := client.Logout().Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(s.Received()), message) {
		t.Error("the literal is not on record")
	}
	s.NoSecretInClear(t, secret.New("canary-secret"))
}

func TestIMAPDialogs(t *testing.T) {
	t.Parallel()
	s := StartIMAP(t, Options{Script: Script{
		"greeting": {Mute: true}, "literal#2": Reply("{tag} NO too big"),
		"SELECT Gone": Reply("{tag} NO gone"),
	}})
	conn, reader := dial(t, s.Addr())
	for _, c := range []struct{ send, want string }{
		{"a AUTHENTICATE PLAIN", "+ "},
		{"AGEAYg==", "a OK"},
		{"b APPEND X {3}", "+ go ahead"},
		{"abc", "b OK"},
		{"c APPEND X {3}", "c NO too big"},
		{"d SELECT Gone", "d NO gone"},
		{"e UID FETCH 1 (UID)", "e OK UID FETCH completed"},
		{"f STARTTLS", "f BAD"},
		{"g IDLE", "+ idling"},
		{"DONE", "g OK"},
	} {
		_, _ = io.WriteString(conn, c.send+"\r\n")
		got, err := reader.ReadString('\n')
		if err != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("after %q: %q, %v; want %q", c.send, got, err, c.want)
		}
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ca := StartCA(t)
	for _, c := range []struct {
		kind certificates.Kind
		want string // part of the verdict; empty means that it is accepted
	}{
		{certificates.Good, ""},
		{certificates.WrongName, "valid for " + certificates.WrongNameHost},
		{certificates.Expired, "expired or is not yet valid"},
		{certificates.NotYetValid, "expired or is not yet valid"},
		{certificates.SelfSigned, "unknown authority"},
		{certificates.Untrusted, "unknown authority"},
		{certificates.NoSAN, "legacy Common Name"},
		{certificates.SoonExpiring, ""},
		{certificates.WeakKey, ""},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			s := StartSMTP(t, Options{Certificate: Leaf(t, ca, c.kind, host, "127.0.0.1"), ImplicitTLS: true})
			conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: ca.Roots(), ServerName: host})
			if err == nil {
				defer func() { _ = conn.Close() }()
			}
			if got := text(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
				t.Errorf("verdict %q, want %q", got, c.want)
			}
		})
	}
	if _, err := ca.Certificate("odd", host); err == nil {
		t.Error("an unknown kind was made")
	}
	path, err := ca.WriteFile(t.TempDir())
	if err != nil || !strings.HasSuffix(path, "ca.pem") {
		t.Errorf("%q, %v", path, err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestDeadPorts(t *testing.T) {
	t.Parallel()
	if _, err := net.DialTimeout("tcp", StartRefused(t).Addr(), time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	_, err := net.DialTimeout("tcp", StartBlackhole(t).Addr(), 50*time.Millisecond)
	var netErr net.Error
	if !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("blackhole: %v", err)
	}
}

// TestRoundTrips counts the round trips of a submission: TCP 1, greeting 1, EHLO 1.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	s := StartSMTP(t, Options{})
	const rtt = 60 * time.Millisecond
	proxy := StartProxy(t, s.Addr(), rtt)
	start := time.Now()
	conn, _ := dial(t, proxy.Addr())
	client := textproto.NewConn(conn)
	if _, _, err := client.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	_ = client.PrintfLine("EHLO x")
	if _, _, err := client.ReadResponse(250); err != nil {
		t.Fatal(err)
	}
	// A busy machine makes it more, never less.
	// a busy machine may take longer, none can be quicker
	if trips := float64(time.Since(start)) / float64(rtt); trips < 2.9 {
		t.Errorf("%.2f round trips, want at least 3", trips)
	}
	_ = client.PrintfLine("QUIT")
	if _, _, err := client.ReadResponse(221); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ReadLine(); !errors.Is(err, io.EOF) {
		t.Errorf("the end does not come through: %v", err)
	}
}

// TestClientFirst: what the client sends at once arrives after 1.5 RTT, as over a real network.
func TestClientFirst(t *testing.T) {
	t.Parallel()
	ca := StartCA(t)
	s := StartSMTP(t, Options{Certificate: Leaf(t, ca, certificates.Good, host), ImplicitTLS: true})
	const rtt = 60 * time.Millisecond
	proxy := StartProxy(t, s.Addr(), rtt)
	start := time.Now()
	conn, err := tls.Dial("tcp", proxy.Addr(), &tls.Config{RootCAs: ca.Roots(), ServerName: host})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// a busy machine may take longer, none can be quicker
	if trips := float64(time.Since(start)) / float64(rtt); trips < 1.9 {
		t.Errorf("%.2f round trips, want at least 2", trips)
	}
}

func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := ServeSMTP(Options{Script: Script{"EHLO": {Hang: true}}})
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := NewProxy(s.Addr(), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	imapServer, err := ServeIMAP(Options{Script: Script{"greeting": {Endless: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{s.Addr(), proxy.Addr(), imapServer.Addr()} {
		conn, _ := dial(t, addr)
		_, _ = io.WriteString(conn, "EHLO x\r\n")
	}
	proxy.Close()
	s.Close()
	imapServer.Close()
	waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
}
