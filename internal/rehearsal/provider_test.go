package rehearsal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/internal/scripted"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
)

func start(t *testing.T, o Options) *Provider {
	t.Helper()
	p, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dialTo connects to a port of a host, with TLS from the first octet on 465 and 993.
func dialTo(t *testing.T, p *Provider, host string, port int) (net.Conn, error) {
	t.Helper()
	address, _ := p.Route("tcp", host, port)
	conn, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if port == config.PortSubmissions || port == config.PortIMAPS {
		secured := tls.Client(conn, p.clientTLS(host))
		return secured, secured.Handshake()
	}
	return conn, nil
}

func (p *Provider) clientTLS(host string) *tls.Config {
	return &tls.Config{RootCAs: p.Roots, ServerName: host, Time: p.now}
}

const message = "From: Marie <marie@atelier-demo.example>\r\nTo: contact@atelier-demo.example\r\nSubject: essai " +
	"4711\r\n" +
	"Date: Sat, 21 Nov 2026 20:00:00 +0000\r\nMessage-ID: <4711@atelier-demo.example>\r\n\r\nBonjour,\r\n.point\r\n"

// submit sends the message with a plain client and returns the error with the step that gave it, and the reply to it.
func submit(t *testing.T, p *Provider, auth smtp.Auth) (step string, err error) {
	t.Helper()
	conn, err := dialTo(t, p, SMTPHost, p.Submission.Port)
	if err != nil {
		return "connect", err
	}
	client, err := smtp.NewClient(conn, SMTPHost)
	if err != nil {
		return "greeting", err
	}
	if err := client.Hello("pc.example"); err != nil {
		return "ehlo", err
	}
	if p.Submission.Security == config.SecurityStartTLS {
		if err := client.StartTLS(p.clientTLS(SMTPHost)); err != nil {
			return "starttls", err
		}
	}
	if err := client.Auth(auth); err != nil {
		return "auth", err
	}
	if err := client.Mail(Address); err != nil {
		return "mail", err
	}
	if err := client.Rcpt(Alias); err != nil {
		return "rcpt", err
	}
	w, err := client.Data()
	if err != nil {
		return "data", err
	}
	_, _ = io.WriteString(w, message)
	if err := w.Close(); err != nil {
		return "dot", err
	}
	return "", client.Quit()
}

// plain is AUTH PLAIN that does not look at the connection, which net/smtp would do.
type plain struct{ username, password string }

func (a plain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.username + "\x00" + a.password), nil
}

func (a plain) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errors.New("unexpected challenge")
	}
	return nil, nil
}

// login is AUTH LOGIN.
type login struct{ answers []string }

func (a *login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *login) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	next := a.answers[0]
	a.answers = a.answers[1:]
	return []byte(next), nil
}

func typed(p *Provider) smtp.Auth { return plain{p.Address, p.Typed.Reveal()} }

func openIMAP(t *testing.T, p *Provider, password string) (*imapclient.Client, error) {
	t.Helper()
	conn, err := dialTo(t, p, IMAPHost, config.PortIMAPS)
	if err != nil {
		return nil, err
	}
	client := imapclient.New(conn, nil)
	return client, client.Login(p.Address, password).Wait()
}

func TestTheWholeWay(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Lang: locale.French})
	if step, err := submit(t, p, typed(p)); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	client, err := openIMAP(t, p, p.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := client.Select("INBOX", nil).Wait()
	if err != nil || selected.NumMessages != 1 {
		t.Fatalf("inbox: %+v, %v", selected, err)
	}
	boxes, err := scripted.Mailboxes(p.Mailbox())
	if err != nil {
		t.Fatal(err)
	}
	raw := string(boxes["INBOX"][0].Raw)
	for _, want := range []string{
		"Return-Path: <marie@atelier-demo.example>\r\n",
		"Authentication-Results: mx.poste-demo.example;",
		"spf=pass", "dkim=pass", "dmarc=pass",
		"Received: from out.poste-demo.example (out.poste-demo.example [192.0.2.25])",
		"DKIM-Signature: ", "s=poste1", "d=atelier-demo.example", "Subject: essai 4711", "\r\n.point\r\n",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("the message has no %q:\n%s", want, raw)
		}
	}
	for _, line := range strings.Split(raw, "\r\n") {
		const longest = 998 // RFC 5322 §2.1.1
		if len(line) > longest || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
}

func TestMechanisms(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	password := p.Password.Reveal()
	for _, auth := range []smtp.Auth{
		plain{Address, password},
		&login{[]string{Address, password}}, smtp.CRAMMD5Auth(Address, password),
		smtp.PlainAuth("", Address, password, SMTPHost),
	} {
		if step, err := submit(t, p, auth); err != nil {
			t.Errorf("%T: %s: %v", auth, step, err)
		}
	}
	for _, auth := range []smtp.Auth{
		plain{Address, "wrong"},
		plain{"someone@else.example", password},
		&login{[]string{Address, "wrong"}},
		smtp.CRAMMD5Auth(Address, "wrong"),
	} {
		if step, err := submit(t, p, auth); step != "auth" || !strings.HasPrefix(err.Error(), "535") {
			t.Errorf("%T: %s: %v", auth, step, err)
		}
	}
	if p.SignIns() != 8 {
		t.Errorf("%d sign-ins, want 8", p.SignIns())
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	conn, err := dialTo(t, p, SMTPHost, config.PortSubmission)
	if err != nil {
		t.Fatal(err)
	}
	client, err := smtp.NewClient(conn, SMTPHost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := client.Extension("AUTH"); ok {
		t.Error("AUTH is offered before STARTTLS")
	}
	if err := client.Mail(Address); !starts(err, "530") {
		t.Errorf("MAIL before AUTH: %v", err)
	}
	if err := client.StartTLS(p.clientTLS(SMTPHost)); err != nil {
		t.Fatal(err)
	}
	if ok, size := client.Extension("SIZE"); !ok || size != fmt.Sprint(maxMessage) {
		t.Errorf("SIZE %q", size)
	}
	_, err = submit(t, p, plain{Address, p.AccountPassword.Reveal()})
	if !starts(err, "534") || !strings.Contains(err.Error(), "5.7.9 Application-specific password required") {
		t.Errorf("account password: %v", err)
	}
	if err := client.Auth(typed(p)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"direction@atelier-demo.example", Address, "553"},
		{Address, "someone@elsewhere.example", "554"},
		{Address, "nobody@atelier-demo.example", "550"},
	} {
		_ = client.Reset()
		if err := client.Mail(c.from); err != nil {
			t.Errorf("MAIL %s: %v (the sender is judged at RCPT)", c.from, err)
		}
		if err := client.Rcpt(c.to); !starts(err, c.want) {
			t.Errorf("%s to %s: %v, want %s", c.from, c.to, err, c.want)
		}
	}
}

func starts(err error, code string) bool { return err != nil && strings.HasPrefix(err.Error(), code) }

// TestPort25 is the way in for other servers: no sign-in, and no relaying.
func TestPort25(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	conn, err := dialTo(t, p, MXHost, config.PortSMTP)
	if err != nil {
		t.Fatal(err)
	}
	client, err := smtp.NewClient(conn, MXHost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := client.Extension("AUTH"); ok {
		t.Error("port 25 offers AUTH")
	}
	_ = client.Mail("marie@atelier-demo.example")
	if err := client.Rcpt("x@elsewhere.example"); !starts(err, "554") {
		t.Errorf("relay: %v", err)
	}
	if err := client.Rcpt(Address); err != nil {
		t.Fatal(err)
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, message)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	boxes, err := scripted.Mailboxes(p.Mailbox())
	if err != nil || len(boxes["INBOX"]) != 1 {
		t.Fatalf("%v, %v", boxes, err)
	}
	if raw := string(boxes["INBOX"][0].Raw); !strings.Contains(raw, "spf=fail") || !strings.Contains(raw, "dkim=none") ||
		!strings.Contains(raw, "dmarc=fail") {
		t.Errorf("a forged message is not judged as one:\n%s", raw)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	for lang, want := range map[locale.Lang]string{
		locale.English: "Sent", locale.French: "Envoyés",
		locale.German: "Gesendet", "": "Sent",
	} {
		p := start(t, Options{Lang: lang})
		if p.SentFolder() != want {
			t.Errorf("%q: %q, want %q", lang, p.SentFolder(), want)
		}
		client, err := openIMAP(t, p, p.Password.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		listed, err := client.List("", "*",
			&imap.ListOptions{ReturnSpecialUse: true, ReturnStatus: &imap.StatusOptions{NumMessages: true}}).Collect()
		if err != nil || len(listed) != 5 {
			t.Fatalf("list: %d, %v", len(listed), err)
		}
		uses := map[imap.MailboxAttr]string{}
		for _, box := range listed {
			for _, attr := range box.Attrs {
				uses[attr] = box.Mailbox
			}
			if box.Status == nil {
				t.Errorf("%s has no status", box.Mailbox)
			}
		}
		if uses[imap.MailboxAttrSent] != want || uses[imap.MailboxAttrJunk] != p.JunkFolder() {
			t.Errorf("special uses: %v", uses)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Lang: locale.French})
	client, err := openIMAP(t, p, p.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if caps := client.Caps(); !caps.Has(imap.CapUIDPlus) || !caps.Has(imap.CapLiteralPlus) ||
		!caps.Has(imap.CapSpecialUse) {
		t.Errorf("capabilities after sign-in: %v", caps)
	}
	appended := appendTo(t, client, p.SentFolder())
	if appended.err != nil || appended.data.UID == 0 {
		t.Fatalf("append: %+v", appended)
	}
	if _, err := client.Select(p.SentFolder(), nil).Wait(); err != nil {
		t.Fatal(err)
	}
	uids := imap.UIDSetNum(appended.data.UID)
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := client.Fetch(uids, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil || len(fetched) != 1 || string(fetched[0].FindBodySection(whole)) != message {
		t.Fatalf("read back: %v", err)
	}
	if _, err := client.Store(uids, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}},
		nil).Collect(); err != nil {
		t.Fatal(err)
	}
	if err := client.UIDExpunge(uids).Close(); err != nil {
		t.Fatal(err)
	}
	if boxes, err := scripted.Mailboxes(p.Mailbox()); err != nil || len(boxes[p.SentFolder()]) != 0 {
		t.Errorf("not removed: %v, %v", boxes, err)
	}
	if err := client.Create("Projets", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.Rename("Projets", "Dossiers", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if listed, err := client.List("", "D%", nil).Collect(); err != nil || len(listed) != 1 {
		t.Errorf("after rename: %v, %v", listed, err)
	}
	if err := client.Delete("Dossiers").Wait(); err != nil {
		t.Fatal(err)
	}
}

type appended struct {
	data *imap.AppendData
	err  error
}

func appendTo(t *testing.T, client *imapclient.Client, folder string) appended {
	t.Helper()
	command := client.Append(folder, int64(len(message)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	_, _ = io.WriteString(command, message)
	_ = command.Close()
	data, err := command.Wait()
	return appended{data, err}
}

// TestIMAPBeforeTLS: nothing but STARTTLS is to be had on port 143.
func TestIMAPBeforeTLS(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	conn, err := dialTo(t, p, IMAPHost, config.PortIMAP)
	if err != nil {
		t.Fatal(err)
	}
	client := imapclient.New(conn, nil)
	caps := client.Caps()
	if !caps.Has(imap.CapStartTLS) || !caps.Has(imap.CapLoginDisabled) || len(caps.AuthMechanisms()) != 0 {
		t.Errorf("capabilities in clear: %v", caps)
	}
	if err := client.Login(p.Address, "anything").Wait(); err == nil {
		t.Error("LOGIN in clear was taken")
	}
	if p.SignIns() != 0 {
		t.Error("a password in clear was judged")
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	for _, c := range []struct {
		network, host string
		port          int
		open          bool
	}{
		{"tcp", SMTPHost, 465, true},
		{"tcp4", SMTPHost, 587, true},
		{"tcp6", IMAPHost, 993, true},
		{"tcp", "127.0.0.1", 993, true},
		{"tcp", "::1", 465, true},
		{"tcp", MXHost, 25, true},
		{"tcp", SMTPHost, 2525, false},
		{"tcp", "smtp.gmail.com", 465, false},
		{"tcp", "192.0.2.1", 465, false},
	} {
		address, ok := p.Route(c.network, c.host, c.port)
		host, _, err := net.SplitHostPort(address)
		if err != nil || !ok || !net.ParseIP(host).IsLoopback() {
			t.Errorf("%s:%d leads to %q, off this machine", c.host, c.port, address)
		}
		conn, err := p.Dial(context.Background(), c.network, net.JoinHostPort(c.host, fmt.Sprint(c.port)))
		if (err == nil) != c.open {
			t.Errorf("%s %s:%d: %v", c.network, c.host, c.port, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestPreset(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "dns-down", "sent-by-server", "starttls-failed"} {
		p := start(t, Options{Lang: locale.German, Fault: fault})
		preset, err := p.Preset()
		if err != nil {
			t.Fatal(err)
		}
		if err := preset.Validate(); err != nil {
			t.Error(err)
		}
		book := presets.Default().With(preset)
		if found := book.MX([]string{MXHost}); len(found) == 0 || found[0].ID != preset.ID {
			t.Errorf("not found by MX: %v", found)
		}
		if _, found := book.Domain(Domain); found != (fault == "dns-down") {
			t.Errorf("%q: found by domain: %v", fault, found)
		}
		if !strings.Contains(strings.Join(preset.AppPasswordSteps.In(locale.German), " "), p.Password.Reveal()) {
			t.Error("the guide does not show the app password")
		}
	}
}

func TestCAFile(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	path, err := p.CAFile(t.TempDir())
	if err != nil || path == "" {
		t.Errorf("%q, %v", path, err)
	}
	if _, err := Start(context.Background(), Options{Fault: "no-such-fault"}); err == nil {
		t.Error("an unknown fault was taken")
	}
}

// TestClock: certificates and headers follow the clock of the options.
func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	p := start(t, Options{Now: func() time.Time { return at }})
	if step, err := submit(t, p, typed(p)); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	boxes, err := scripted.Mailboxes(p.Mailbox())
	if err != nil || len(boxes["INBOX"]) != 1 || !strings.Contains(string(boxes["INBOX"][0].Raw), "03 Feb 2031 04:05:06") {
		t.Errorf("%v, %v", boxes, err)
	}
}

func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	for _, name := range []string{"", "silent-server", "slow-delivery", "slow-banner"} {
		p, err := Start(ctx, Options{Fault: name, Slow: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if name == "slow-delivery" {
			if step, err := submit(t, p, typed(p)); err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
		for _, port := range []int{config.PortSubmission, config.PortIMAP} {
			if _, err := dialTo(t, p, IMAPHost, port); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if name == "" {
			continue // this one ends with the context
		}
		p.Close()
		p.Close()
	}
	cancel()
	for range 10000 { // twenty seconds, for a busy machine
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	buffer := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buffer[:runtime.Stack(buffer, true)])
}
