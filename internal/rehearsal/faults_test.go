package rehearsal

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"postier/internal/scripted"

	"github.com/emersion/go-imap/v2"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/rehearsal/certificates"
)

// slowness of the slow faults in these tests: visible, and quick.
const slowness = 150 * time.Millisecond

// sendingOutcomes are the faults that a plain submission runs into: the step, and what the error says.
var sendingOutcomes = map[string]struct{ step, says string }{
	"connection-refused":      {"connect", "connection refused"},
	"port-blocked":            {"connect", "i/o timeout"},
	"port-465-blocked":        {"connect", "i/o timeout"},
	"connection-dropped":      {"ehlo", "EOF"},
	"server-busy":             {"ehlo", "451 4.3.0 Temporary system problem"},
	"cert-expired":            {"connect", "has expired"},
	"cert-not-yet-valid":      {"connect", "not yet valid"},
	"cert-wrong-name":         {"connect", "not " + SMTPHost},
	"cert-self-signed":        {"connect", "unknown authority"},
	"cert-untrusted":          {"connect", "unknown authority"},
	"tls-wrong-mode":          {"connect", "first record does not look like a TLS handshake"},
	"tls-old":                 {"connect", "protocol version not supported"},
	"starttls-failed":         {"starttls", "454 4.7.0 TLS not available"},
	"wrong-password":          {"auth", "535 5.7.8"},
	"app-password-required":   {"auth", "534 5.7.9"},
	"basic-auth-disabled":     {"auth", "535 5.7.139"},
	"smtp-auth-disabled":      {"auth", "535 5.7.139"},
	"webmail-login-required":  {"auth", "534 5.7.14"},
	"too-many-login-attempts": {"auth", "454 4.7.0 Too many"},
	"account-suspended":       {"auth", "535 5.7.139"},
	"auth-temporary-failure":  {"auth", "454 4.7.0 Temporary"},
	"auth-not-offered":        {"auth", "504 5.7.4"}, // to AUTH all the same
	"login-only":              {"auth", "504"},       // to AUTH PLAIN; TestLoginOnly signs in
	"quota-exceeded":          {"mail", "550 5.4.5"},
	"sender-not-owned":        {"rcpt", "553 5.7.1 <marie@atelier-demo.example>: Sender address rejected: not owned"},
	"relay-denied":            {"rcpt", "554 5.7.1 <contact@atelier-demo.example>: Relay access denied"},
	"recipient-unknown":       {"rcpt", "550 5.1.1"},
	"greylisted":              {"rcpt", "450 4.2.0"},
	"ip-blocklisted":          {"rcpt", "554 5.7.1 Service unavailable"},
	"rate-limited":            {"rcpt", "452 4.5.3"},
	"mailbox-full":            {"rcpt", "452 4.2.2"},
	"message-too-large":       {"dot", "552 5.3.4"},
	"content-rejected":        {"dot", "554 5.7.1 Message rejected"},
	"delivery-unknown":        {"dot", "EOF"},
}

// otherwise are the faults with a test of their own below, and those that a submission does not notice.
var otherwise = []string{
	"dns-down", "ipv6-broken", "silent-server", "slow-banner", "starttls-stripped", "starttls-injected",
	"imap-disabled", "imap-wrong-password", "imap-refused", "no-sent-folder", "no-special-use", "append-refused",
	"append-corrupted",
	"sent-by-server", "spf-missing", "spf-wrong", "spf-too-many-lookups", "dkim-missing", "dkim-revoked", "dmarc-missing",
	"junk", "lost", "slow-delivery",
	"oauth-declined", "oauth-expired", "oauth-slow-down", "oauth-server-error", "oauth-wrong-account",
}

func TestEveryFaultIsTested(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Faults() {
		if seen[f.Name] {
			t.Errorf("%s is listed twice", f.Name)
		}
		seen[f.Name] = true
		if _, sending := sendingOutcomes[f.Name]; !sending && !slices.Contains(otherwise, f.Name) {
			t.Errorf("%s has no test", f.Name)
		}
		if !f.SignIn && (f.Cause == "") != (f.Check == "") {
			t.Errorf("%s: cause %q with check %q", f.Name, f.Cause, f.Check)
		}
		for _, lang := range locale.All() {
			if said := locale.For(lang).Say(f.Text); strings.HasPrefix(said, "<") || len([]rune(said)) > 80 {
				t.Errorf("%s in %s: %q", f.Name, lang, said)
			}
		}
	}
	if len(seen) != len(sendingOutcomes)+len(otherwise) {
		t.Errorf("%d faults, but %d are tested", len(seen), len(sendingOutcomes)+len(otherwise))
	}
}

func TestSendingFaults(t *testing.T) {
	t.Parallel()
	for name, want := range sendingOutcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, Options{Fault: name})
			step, err := submit(t, p, typed(p))
			if step != want.step || err == nil || !strings.Contains(said(err), want.says) {
				t.Errorf("ended at %q with %v, want %q with %q", step, err, want.step, want.says)
			}
		})
	}
}

// said is an error with a reply as the server spelled it.
func said(err error) string {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return fmt.Sprintf("%d %s", reply.Code, reply.Msg)
	}
	return err.Error()
}

// TestOthersWork: a fault must not reach further than it says.
func TestOthersWork(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"ipv6-broken", "slow-banner", "imap-disabled", "imap-wrong-password", "imap-refused", "no-sent-folder",
		"no-special-use",
		"append-refused", "append-corrupted", "sent-by-server", "spf-missing", "spf-wrong", "spf-too-many-lookups",
		"dkim-missing",
		"dkim-revoked", "dmarc-missing", "junk", "lost", "slow-delivery", "dns-down",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, Options{Fault: name, Slow: slowness})
			begun := time.Now()
			if step, err := submit(t, p, typed(p)); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			if took := time.Since(begun); name == "slow-banner" && took < slowness {
				t.Errorf("took %v, should take at least %v", took, slowness)
			}
		})
	}
	for _, name := range []string{
		"sender-not-owned", "auth-not-offered", "smtp-auth-disabled", "port-blocked",
		"starttls-stripped", "login-only",
	} {
		p := start(t, Options{Fault: name})
		if _, err := openIMAP(t, p, p.Password.Reveal()); err != nil {
			t.Errorf("%s: IMAP: %v", name, err)
		}
	}
}

// TestMendable: the password that the guide shows helps in the faults that are about a wrong one.
func TestMendable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"wrong-password", "app-password-required"} {
		p := start(t, Options{Fault: name})
		if p.Typed.Equal(p.Password) {
			t.Errorf("%s: nothing is mistyped", name)
		}
		if step, err := submit(t, p, plain{Address, p.Password.Reveal()}); err != nil {
			t.Errorf("%s: %s: %v", name, step, err)
		}
	}
}

func TestCertificateFaults(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "cert-wrong-name"})
	_, err := submit(t, p, typed(p))
	var hostname x509.HostnameError
	if !errors.As(err, &hostname) || !slices.Contains(hostname.Certificate.DNSNames, certificates.WrongNameHost) {
		t.Errorf("%v", err)
	}
	if _, err := openIMAP(t, p, p.Password.Reveal()); !errors.As(err, &hostname) {
		t.Errorf("the same certificate serves IMAP: %v", err)
	}
}

func TestLoginOnly(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "login-only"})
	if step, err := submit(t, p, &login{[]string{Address, p.Password.Reveal()}}); err != nil {
		t.Errorf("%s: %v", step, err)
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "silent-server"})
	conn, err := dialTo(t, p, SMTPHost, p.Submission.Port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(slowness))
	var netErr net.Error
	if _, err := conn.Read(make([]byte, 1)); !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("a silent server: %v", err)
	}
}

// TestStrippedStartTLS: the trap is that the server would take the password in clear.
func TestStrippedStartTLS(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "starttls-stripped"})
	conn, err := dialTo(t, p, SMTPHost, p.Submission.Port)
	if err != nil {
		t.Fatal(err)
	}
	client, err := smtp.NewClient(conn, SMTPHost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := client.Extension("STARTTLS"); ok {
		t.Error("STARTTLS is offered")
	}
	if err := client.Auth(typed(p)); err != nil {
		t.Errorf("the trap does not snap: %v", err)
	}
	if _, err := dialTo(t, p, SMTPHost, config.PortSubmissions); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("there is a way round the fault: %v", err)
	}
}

// TestInjection: the smuggled reply is in the same segment as the answer to STARTTLS.
func TestInjection(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "starttls-injected"})
	conn, err := dialTo(t, p, SMTPHost, p.Submission.Port)
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	_, _ = reader.ReadString('\n')
	_, _ = io.WriteString(conn, "EHLO pc.example\r\n")
	for line := ""; !strings.HasPrefix(line, "250 "); {
		if line, err = reader.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(conn, "STARTTLS\r\n")
	segment := make([]byte, 512)
	n, err := reader.Read(segment)
	if got := string(segment[:n]); err != nil || !strings.HasPrefix(got, "220 ") ||
		!strings.HasSuffix(got, "\r\n250 AUTH PLAIN LOGIN\r\n") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestIPv6Broken(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "ipv6-broken"})
	for _, host := range []string{SMTPHost, "::1"} {
		if _, err := p.Dial(context.Background(), "tcp6", net.JoinHostPort(host, "465")); !errors.Is(err,
			syscall.ECONNREFUSED) {
			t.Errorf("tcp6 to %s: %v", host, err)
		}
	}
	if ips, err := p.dns.Resolver().LookupIPAddr(context.Background(), SMTPHost); err != nil || len(ips) != 2 {
		t.Errorf("addresses: %v, %v", ips, err)
	}
}

func TestGreylistingEnds(t *testing.T) {
	t.Parallel()
	at := time.Now()
	p := start(t, Options{Fault: "greylisted", Now: func() time.Time { return at }})
	for _, wait := range []time.Duration{0, time.Second} {
		at = at.Add(wait)
		if step, err := submit(t, p, typed(p)); step != "rcpt" {
			t.Errorf("after %v: %s, %v", wait, step, err)
		}
	}
	at = at.Add(greyPeriod)
	if step, err := submit(t, p, typed(p)); err != nil {
		t.Errorf("after a minute: %s: %v", step, err)
	}
}

func TestIMAPFaults(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		code imap.ResponseCode
		says string
	}{
		"imap-disabled":         {imap.ResponseCodeAlert, "not enabled for IMAP"},
		"imap-wrong-password":   {imap.ResponseCodeAuthenticationFailed, "Authentication failed"},
		"account-suspended":     {imap.ResponseCodeContactAdmin, "suspended"},
		"basic-auth-disabled":   {"", "BasicAuthBlocked"},
		"wrong-password":        {imap.ResponseCodeAuthenticationFailed, "Authentication failed"},
		"app-password-required": {imap.ResponseCodeAlert, "Application-specific password required"},
	} {
		p := start(t, Options{Fault: name})
		_, err := openIMAP(t, p, p.Typed.Reveal())
		var no *imap.Error
		if !errors.As(err, &no) || no.Code != want.code || !strings.Contains(no.Text, want.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := start(t, Options{Fault: "imap-refused"})
	if _, err := openIMAP(t, p, "x"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("imap-refused: %v", err)
	}
}

func TestAppendFaults(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]imap.ResponseCode{
		"append-refused": imap.ResponseCodeCannot, "mailbox-full": imap.ResponseCodeOverQuota,
	} {
		p := start(t, Options{Fault: name})
		client, err := openIMAP(t, p, p.Password.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		var no *imap.Error
		if got := appendTo(t, client, p.SentFolder()); !errors.As(got.err, &no) || no.Code != code {
			t.Errorf("%s: %v", name, got.err)
		}
	}
	p := start(t, Options{Fault: "append-corrupted"})
	client, err := openIMAP(t, p, p.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if got := appendTo(t, client, p.SentFolder()); got.err != nil {
		t.Fatal(got.err)
	}
	boxes, err := scripted.Mailboxes(p.Mailbox())
	if err != nil || len(boxes["Sent"]) != 1 || string(boxes["Sent"][0].Raw) == message {
		t.Errorf("not corrupted: %v, %v", boxes, err)
	}
}

func TestFolderFaults(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Lang: locale.French, Fault: "no-sent-folder"})
	client, err := openIMAP(t, p, p.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	listed, err := client.List("", "*", &imap.ListOptions{ReturnSpecialUse: true}).Collect()
	if err != nil || len(listed) != 4 || p.SentFolder() != "" {
		t.Errorf("no-sent-folder: %d folders, %q, %v", len(listed), p.SentFolder(), err)
	}
	p = start(t, Options{Lang: locale.French, Fault: "no-special-use"})
	if client, err = openIMAP(t, p, p.Password.Reveal()); err != nil {
		t.Fatal(err)
	}
	if client.Caps().Has(imap.CapSpecialUse) {
		t.Error("no-special-use: the capability is there")
	}
	if _, err := client.List("", "*", &imap.ListOptions{ReturnSpecialUse: true}).Collect(); err == nil {
		t.Error("no-special-use: RETURN (SPECIAL-USE) is understood")
	}
	listed, err = client.List("", "*", nil).Collect()
	if err != nil || len(listed) != 5 {
		t.Fatalf("no-special-use: %d folders, %v", len(listed), err)
	}
	for _, box := range listed {
		if len(box.Attrs) != 1 || box.Attrs[0] != imap.MailboxAttrHasNoChildren {
			t.Errorf("no-special-use: %s has %v", box.Mailbox, box.Attrs)
		}
	}
}

// TestWhereItLands follows a message to its folder, and to what the receiving side wrote about it.
func TestWhereItLands(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		folder string // empty: nowhere
		says   []string
	}{
		"":                     {"INBOX", []string{"spf=pass", "dkim=pass", "dmarc=pass"}},
		"junk":                 {"Junk", []string{"X-Spam-Flag: YES", "dmarc=pass"}},
		"lost":                 {"", nil},
		"slow-delivery":        {"", nil},
		"spf-missing":          {"INBOX", []string{"spf=none", "dkim=pass", "dmarc=pass"}},
		"spf-wrong":            {"INBOX", []string{"spf=fail", "dkim=pass", "dmarc=pass"}},
		"spf-too-many-lookups": {"INBOX", []string{"spf=permerror", "dkim=pass", "dmarc=pass"}},
		"dkim-missing":         {"INBOX", []string{"spf=pass", "dkim=none", "dmarc=pass"}},
		"dkim-revoked":         {"INBOX", []string{"spf=pass", "dkim=permerror", "dmarc=pass"}},
		"dmarc-missing":        {"INBOX", []string{"spf=pass", "dkim=pass", "dmarc=none"}},
		"dns-down":             {"INBOX", []string{"spf=temperror", "dkim=temperror", "dmarc=temperror"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, Options{Fault: name, Slow: time.Minute})
			if step, err := submit(t, p, typed(p)); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			boxes, err := scripted.Mailboxes(p.Mailbox())
			if err != nil {
				t.Fatal(err)
			}
			for folder, messages := range boxes {
				if wanted := folder == want.folder; wanted != (len(messages) == 1) {
					t.Errorf("%d messages in %s", len(messages), folder)
				}
			}
			for _, says := range want.says {
				if raw := string(boxes[want.folder][0].Raw); !strings.Contains(raw, says) {
					t.Errorf("no %q in\n%s", says, raw)
				}
			}
		})
	}
}

func TestSlowDelivery(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Fault: "slow-delivery", Slow: 20 * time.Millisecond})
	if step, err := submit(t, p, typed(p)); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	for range 500 {
		if boxes, err := scripted.Mailboxes(p.Mailbox()); err == nil && len(boxes["INBOX"]) == 1 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the message does not arrive")
}

func TestSentByServer(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Lang: locale.French, Fault: "sent-by-server"})
	if step, err := submit(t, p, typed(p)); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	boxes, err := scripted.Mailboxes(p.Mailbox())
	if err != nil || len(boxes["Envoyés"]) != 1 || string(boxes["Envoyés"][0].Raw) != message {
		t.Errorf("the copy in Envoyés: %v, %v", boxes, err)
	}
}

// TestZone asks the name server itself.
func TestZone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := start(t, Options{})
	resolver := p.dns.Resolver()
	if mx, err := resolver.LookupMX(ctx, Domain); err != nil || len(mx) != 1 || mx[0].Host != MXHost+"." {
		t.Errorf("MX: %v, %v", mx, err)
	}
	for name, prefix := range map[string]string{
		Domain: "v=spf1 include:" + SPFInclude, SPFInclude: "v=spf1 ip4:", "_dmarc." + Domain: "v=DMARC1; p=none",
		Selector + "._domainkey." + Domain: "v=DKIM1; k=rsa; p=MII",
	} {
		if txt, err := resolver.LookupTXT(ctx, name); err != nil || len(txt) != 1 || !strings.HasPrefix(txt[0], prefix) {
			t.Errorf("%s: %q, %v", name, txt, err)
		}
	}
	if names, err := resolver.LookupAddr(ctx, outgoingIP); err != nil || len(names) != 1 || names[0] != outgoingHost+"." {
		t.Errorf("PTR: %v, %v", names, err)
	}
	if _, srv, err := resolver.LookupSRV(ctx, "submissions", "tcp", Domain); err != nil ||
		srv[0].Port != config.PortSubmissions {
		t.Errorf("SRV: %v, %v", srv, err)
	}
	for fault, name := range map[string]string{
		"spf-missing": Domain, "dkim-missing": Selector + "._domainkey." + Domain, "dmarc-missing": "_dmarc." + Domain,
	} {
		var dnsErr *net.DNSError
		if txt, err := start(t, Options{Fault: fault}).dns.Resolver().LookupTXT(ctx, name); !errors.As(err, &dnsErr) ||
			!dnsErr.IsNotFound {
			t.Errorf("%s: %q, %v", fault, txt, err)
		}
	}
	var dnsErr *net.DNSError
	if _, err := start(t, Options{Fault: "dns-down"}).lookupTXT(Domain); !errors.As(err, &dnsErr) ||
		dnsErr.IsNotFound {
		t.Errorf("dns-down: %v", err)
	}
}
