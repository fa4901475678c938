package smtp

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

type script = scripted.Script

// TestEachCheckFailsForItsOwnReason has one row for each way a rung breaks: exactly that check fails, with that cause.
func TestEachCheckFailsForItsOwnReason(t *testing.T) {
	t.Parallel()
	const none, implicit, upgrade = config.SecurityNone, config.SecurityTLS, config.SecurityStartTLS
	for _, test := range []struct {
		name     string
		security config.Security
		script   script
		caps     []string // before TLS
		capsTLS  []string
		change   func(*account.Target)
		message  string
		id       check.ID
		cause    check.Cause
	}{
		{
			name: "busy greeting", security: implicit,
			script: script{"greeting": scripted.Reply("421 4.7.0 mail.example Error: too many connections from 192.0.2.7")},
			id:     check.SMTPGreeting, cause: "too-many-connections",
		},
		{
			name: "greeting refused without words", security: upgrade, script: script{"greeting": scripted.Reply("554 no")},
			id: check.SMTPGreeting, cause: "greeting-refused",
		},
		{
			name: "an IMAP server", security: upgrade,
			script: script{"greeting": scripted.Reply("* OK [CAPABILITY IMAP4rev1] ready")}, id: check.SMTPGreeting,
			cause: "wrong-service",
		},
		{
			name: "a POP server inside TLS", security: implicit, script: script{"greeting": scripted.Reply("+OK POP3 ready")},
			id: check.SMTPGreeting, cause: "wrong-service",
		},
		{
			name: "a TLS alert where the greeting is due", security: upgrade,
			script: script{"greeting": {Raw: []byte{21, 3, 3, 0, 2, 2, 40}, Close: true}}, id: check.SMTPGreeting,
			cause: "tls-wrong-mode",
		},
		{
			name: "plain text on a TLS port", security: implicit,
			script: script{"tls": scripted.Reply("220 mail.example ESMTP")}, id: check.SMTPTLS, cause: "tls-wrong-mode",
		},
		{
			name: "no STARTTLS", security: upgrade, caps: []string{"SIZE 100", "AUTH PLAIN"}, id: check.SMTPTLS,
			cause: "tls-stripped",
		},
		{
			name: "STARTTLS overwritten by a firewall", security: upgrade, caps: []string{"SIZE 100", "XXXXXXXA", "AUTH PLAIN"},
			id: check.SMTPTLS, cause: "security-software-intercept",
		},
		{
			name: "STARTTLS refused without words", security: upgrade, script: script{"STARTTLS": scripted.Reply("502 no")},
			id: check.SMTPTLS, cause: "tls-stripped",
		},
		{
			name: "STARTTLS fails at the server", security: upgrade,
			script: script{"STARTTLS": scripted.Reply("454 4.7.0 TLS not available due to local problem")},
			id:     check.SMTPTLS, cause: "starttls-failed",
		},
		{
			name: "STARTTLS refused for now without words", security: upgrade,
			script: script{"STARTTLS": scripted.Reply("454 no")}, id: check.SMTPTLS, cause: "starttls-failed",
		},
		{
			name: "closing down at STARTTLS", security: upgrade,
			script: script{"STARTTLS": scripted.Reply("421 4.3.0 too busy, closing")}, id: check.SMTPTLS,
			cause: "starttls-failed",
		},
		{
			name: "EHLO unknown, HELO would go", security: upgrade, script: script{"EHLO": scripted.Reply("502 what")},
			id: check.SMTPTLS, cause: "tls-stripped",
		},
		{
			name: "handshake refused", security: implicit, script: script{"tls": {TLSAlert: 80}}, id: check.SMTPTLS,
			cause: "tls-handshake",
		},
		{
			name: "internal error behind STARTTLS", security: upgrade, script: script{"tls": {TLSAlert: 80}},
			id: check.SMTPTLS, cause: "starttls-failed",
		},
		{
			name: "old TLS only", security: implicit, script: script{"tls": {TLSAlert: 70}}, id: check.SMTPTLS,
			cause: "tls-version-unsupported",
		},
		{name: "cleartext only", security: none, id: check.SMTPTLS, cause: "insecure-cleartext"},
		{
			name: "injected in the same segment", security: upgrade,
			script: script{"STARTTLS": {Inject: "250-evil\r\n250 AUTH PLAIN\r\n"}}, id: check.SMTPInjection,
			cause: "tls-injected",
		},
		{
			name: "injected a moment later", security: upgrade,
			script: script{"STARTTLS": {InjectLater: "250-evil\r\n250 AUTH PLAIN\r\n", InjectDelay: 20 * time.Millisecond}},
			id:     check.SMTPInjection, cause: "tls-injected",
		},
		{
			name: "one byte injected", security: upgrade, script: script{"STARTTLS": {Inject: "2"}},
			id: check.SMTPInjection, cause: "tls-injected",
		},
		{
			name: "name refused in EHLO", security: implicit,
			script: script{"EHLO": scripted.Reply(
				"504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname")}, id: check.SMTPEhlo,
			cause: "helo-rejected",
		},
		{
			name: "EHLO unknown", security: implicit, script: script{"EHLO": scripted.Reply("500 what")},
			id: check.SMTPEhlo, cause: "ehlo-unsupported",
		},
		{
			name: "AUTH not offered", security: implicit, capsTLS: []string{"SIZE 100"}, id: check.SMTPAuthOffered,
			cause: "auth-not-offered",
		},
		{
			name: "AUTH offered without a mechanism", security: implicit, capsTLS: []string{"AUTH"},
			id: check.SMTPAuthOffered, cause: "auth-not-offered",
		},
		{
			name: "only unknown mechanisms", security: implicit, capsTLS: []string{"AUTH GSSAPI ANONYMOUS"},
			id: check.SMTPAuthOffered, cause: "auth-mechanism-unsupported",
		},
		{
			name: "only OAuth for a password", security: implicit, capsTLS: []string{"AUTH XOAUTH2"},
			id: check.SMTPAuthOffered, cause: "basic-auth-disabled",
		},
		{
			name: "the wanted mechanism is missing", security: implicit, capsTLS: []string{"AUTH PLAIN LOGIN"},
			change: func(t *account.Target) { t.Submission.Auth = config.MechanismCRAMMD5 }, id: check.SMTPAuthOffered,
			cause: "auth-mechanism-unsupported",
		},
		{
			name: "wrong password", security: implicit,
			script: script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed: (reason unavailable)")},
			id:     check.SMTPAuth, cause: "wrong-password",
		},
		{
			name: "refused in words nobody knows", security: upgrade, script: script{"auth": scripted.Reply("535 nej")},
			id: check.SMTPAuth, cause: "wrong-password",
		},
		{
			name: "app password wanted", security: implicit,
			script: script{"auth": scripted.Reply(
				"534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9 " +
					"https://support.google.com/mail/?p=InvalidSecondFactor")},
			change: func(t *account.Target) { t.Provider = "gmail" }, id: check.SMTPAuth,
			cause: "app-password-required",
		},
		{
			name: "sender refused at MAIL", security: implicit, script: script{"MAIL": scripted.Reply("550 nein")},
			id: check.SMTPSender, cause: "sender-rejected",
		},
		{
			name: "sender refused at RCPT", security: upgrade,
			script: script{"RCPT": scripted.Reply(
				"553 5.7.1 <marie@durand.example>: Sender address rejected: not owned by user paul@durand.example")},
			id: check.SMTPSender, cause: "sender-not-owned",
		},
		{
			name: "recipient unknown", security: implicit,
			script: script{"RCPT": scripted.Reply(
				"550 5.1.1 <x@durand.example>: Recipient address rejected: User unknown in virtual mailbox table")},
			id: check.SMTPRecipient, cause: "recipient-unknown",
		},
		{
			name: "greylisted", security: implicit,
			script: script{"RCPT": scripted.Reply(
				"450 4.2.0 <x@durand.example>: Recipient address rejected: Greylisted, see http://postgrey")},
			id: check.SMTPRecipient, cause: "greylisted",
		},
		{
			name: "mailbox full", security: implicit, script: script{"RCPT": scripted.Reply("452 4.2.2 Mailbox full")},
			id: check.SMTPRecipient, cause: "mailbox-full",
		},
		{
			name: "recipient refused without words", security: implicit, script: script{"RCPT": scripted.Reply("550 no")},
			id: check.SMTPRecipient, cause: "recipient-rejected",
		},
		{
			name: "content refused", security: implicit, message: "x",
			script: script{".": scripted.Reply("554 5.7.1 Message rejected as spam by Content Filtering")},
			id:     check.SMTPData, cause: "content-rejected",
		},
		{
			name: "cut after the dot", security: implicit, message: "x", script: script{".": {Close: true}},
			id: check.SMTPData, cause: "delivery-unknown",
		},
		{
			name: "reset after the dot", security: upgrade, message: "x", script: script{".": {Reset: true}},
			id: check.SMTPData, cause: "delivery-unknown",
		},
		{
			name: "silence after the dot", security: implicit, message: "x", script: script{".": {Hang: true}},
			id: check.SMTPData, cause: "delivery-unknown",
		},
		{
			name: "DATA refused", security: implicit, message: "x", script: script{"DATA": scripted.Reply("554 5.5.1 nein")},
			id: check.SMTPData, cause: "message-refused",
		},
		{
			name: "too large", security: implicit, message: strings.Repeat("x", 200),
			capsTLS: []string{"SIZE 100", "AUTH PLAIN"}, id: check.SMTPSender, cause: "message-too-large",
		},
		{
			name: "accents in the address", security: implicit,
			change: func(t *account.Target) { t.From = "zoë@durand.example" },
			id:     check.SMTPSender, cause: "utf8-unsupported",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, test.security,
				scripted.Options{Script: test.script, Capabilities: test.caps, CapabilitiesTLS: test.capsTLS})
			for _, a := range test.script {
				if a.Hang {
					b.network.Timeout = 1500 * time.Millisecond
				}
			}
			if test.change != nil {
				test.change(&b.target)
			}
			var o Options
			if test.message != "" {
				o.Message = []byte(test.message)
			}
			results := b.run(t, o)
			wantRoot(t, results, test.id, string(test.cause))
			noLeak(t, results)
			b.server.NoSecretInClear(t, password, user)
			if n := strings.Count(strings.Join(b.server.Commands(), " "), "AUTH"); n > 1 {
				t.Errorf("%d sign-ins in one run", n)
			}
		})
	}
}

func TestEachCertificateFaultHasItsCause(t *testing.T) {
	t.Parallel()
	for kind, cause := range map[certificates.Kind]check.Cause{
		certificates.WrongName:   "cert-name-mismatch",
		certificates.Expired:     "cert-expired",
		certificates.NotYetValid: "cert-not-yet-valid",
		certificates.SelfSigned:  "cert-self-signed",
		certificates.Untrusted:   "cert-untrusted",
		certificates.NoSAN:       "cert-legacy",
		certificates.WeakKey:     "cert-weak",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			ca := scripted.StartCA(t)
			cert := certificate(t, ca, kind)
			for _, security := range []config.Security{config.SecurityTLS, config.SecurityStartTLS} {
				server := scripted.StartSMTP(t,
					scripted.Options{Certificate: &cert, ImplicitTLS: security == config.SecurityTLS})
				b := connectTo(t, security, ca, server)
				results := b.run(t, Options{Message: []byte("x")})
				wantRoot(t, results, check.SMTPCertificate, string(cause))
				b.server.NoSecret(t, password, user)
				if r := find(t, results, check.SMTPAuth); r.Status != check.Skip ||
					r.Cause != check.CauseNeedsFailed {
					t.Errorf("sign-in is %s %s", r.Status, r.Cause)
				}
				if _, ok := diagnostics.Observed[diagnostics.Certificate](find(t, results, check.SMTPCertificate).Evidence); !ok {
					t.Error("the certificate is not in evidence")
				}
				if kind == certificates.WrongName {
					fix := find(t, results, check.SMTPCertificate).Fix
					if len(fix) != 1 || fix[0].Value != certificates.WrongNameHost || fix[0].Kind != "host" {
						t.Errorf("names that fit: %+v", fix)
					}
				}
			}
		})
	}
}

func TestCertificateNearItsEndIsAWarning(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert := certificate(t, ca, certificates.SoonExpiring)
	b := connectTo(t, config.SecurityTLS, ca,
		scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true}))
	results := b.run(t, Options{})
	if r := find(t, results, check.SMTPCertificate); r.Status != check.Warn ||
		r.Cause != "cert-soon-expiring" {
		t.Errorf("%s %s", r.Status, r.Cause)
	}
	if r := find(t, results, check.SMTPAuth); r.Status != check.Pass {
		t.Errorf("sign-in is %s %s", r.Status, r.Cause)
	}
}

func TestAliasOfTheHostIsOfferedWhenItsNameFits(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert, err := ca.Certificate(certificates.Good, "*.provider.example")
	if err != nil {
		t.Fatal(err)
	}
	b := connectTo(t, config.SecurityTLS, ca,
		scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true}))
	names := scripted.StartDNS(t,
		"smtp.durand.example. IN CNAME out.provider.example.\nout.provider.example. IN A 192.0.2.10\n")
	if b.network.Resolver, err = wire.ResolverAt(names.Addr()); err != nil {
		t.Fatal(err)
	}
	fix := find(t, b.run(t, Options{}), check.SMTPCertificate).Fix
	if len(fix) != 1 || fix[0].Value != "out.provider.example" {
		t.Errorf("names that fit: %+v", fix)
	}
}

func TestPinVouchesAndAChangedPinStops(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert := certificate(t, ca, certificates.SelfSigned)
	leaf := cert.Leaf
	if leaf == nil {
		t.Fatal("no leaf")
	}
	server := scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true})
	b := connectTo(t, config.SecurityTLS, ca, server)
	b.target.Pins = []string{wire.SPKI(leaf)}
	wantPass(t, b.run(t, Options{}))

	server = scripted.StartSMTP(t,
		scripted.Options{Certificate: new(certificate(t, ca, certificates.Good)), ImplicitTLS: true})
	b = connectTo(t, config.SecurityTLS, ca, server)
	b.target.Pins = []string{wire.SPKI(leaf)}
	wantRoot(t, b.run(t, Options{}), check.SMTPCertificate, "cert-pin-mismatch")
	server.NoSecret(t, password, user)
}

func TestInterceptingCertificate(t *testing.T) {
	t.Parallel()
	for clock, cause := range map[string]check.Cause{
		"avast! Web/Mail Shield Root": "security-software-intercept",
		"Somebody":                    "cert-self-signed",
	} {
		cert := selfSignedBy(t, clock)
		b := connectTo(t, config.SecurityTLS, scripted.StartCA(t),
			scripted.StartSMTP(t, scripted.Options{
				TLS:         &tls.Config{Certificates: []tls.Certificate{cert}},
				ImplicitTLS: true,
			}))
		wantRoot(t, b.run(t, Options{}), check.SMTPCertificate, string(cause))
	}
}

func TestClockBeforeThisProgramsTimeIsWrong(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{})
	b.network.Now = func() time.Time { return time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC) }
	wantRoot(t, b.run(t, Options{}), check.SMTPCertificate, "clock-wrong")
}

func TestNetworkFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, change func(*bench)) []diagnostics.Result {
		b := start(t, config.SecurityTLS, scripted.Options{})
		b.network.Timeout = time.Second
		change(b)
		return b.run(t, Options{})
	}
	route := func(address string) func(*bench) {
		return func(b *bench) { b.network.Route = func(string, string, int) (string, bool) { return address, true } }
	}
	resolver := func(zone string) func(*bench) {
		return func(b *bench) {
			var err error
			if b.network.Resolver, err = wire.ResolverAt(scripted.StartDNS(t, zone).Addr()); err != nil {
				t.Error(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*bench)
		id     check.ID
		cause  check.Cause
	}{
		{"refused", route(scripted.StartRefused(t).Addr()), check.NetConnect, "connection-refused"},
		{"blocked", route(scripted.StartBlackhole(t).Addr()), check.NetConnect, "port-blocked"},
		{"no such name", resolver("!nxdomain smtp.durand.example\n"), check.NetResolve, "dns-nxdomain"},
		{"name without address", resolver("smtp.durand.example. IN TXT x\n"), check.NetResolve, "dns-no-address"},
		{"name service ill", resolver("!servfail smtp.durand.example\n"), check.NetResolve, "dns-failure"},
		{"name service silent", resolver("!silent smtp.durand.example\n"), check.NetResolve, "dns-failure"},
		{
			"malformed host", func(b *bench) { b.target.Submission.Host = "smtp durand" }, check.NetResolve,
			"settings-invalid",
		},
		{"served mode", func(b *bench) { b.network.Served = true }, check.NetConnect, "address-not-allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantRoot(t, run(t, test.change), test.id, string(test.cause))
		})
	}
}

func TestFamiliesAreReportedApart(t *testing.T) {
	t.Parallel()
	const both = "smtp.durand.example. IN A 127.0.0.1\nsmtp.durand.example. IN AAAA ::1\n"
	with := func(t *testing.T, zone, v4, v6 string) []diagnostics.Result {
		ca := scripted.StartCA(t)
		cert := certificate(t, ca, certificates.Good)
		server := scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true})
		b := connectTo(t, config.SecurityTLS, ca, server)
		resolver, err := wire.ResolverAt(scripted.StartDNS(t, zone).Addr())
		if err != nil {
			t.Fatal(err)
		}
		b.network.Resolver = resolver
		b.network.Timeout = 1500 * time.Millisecond
		b.network.Route = func(network, _ string, _ int) (string, bool) {
			address := v4
			if network == "tcp6" {
				address = v6
			}
			if address == "" {
				address = server.Addr()
			}
			return address, true
		}
		return b.run(t, Options{})
	}
	refused := scripted.StartRefused(t).Addr()
	dead := scripted.StartBlackhole(t).Addr()
	for _, test := range []struct {
		name, v4, v6   string
		four, six      check.Status
		cause4, cause6 check.Cause
	}{
		{"both good", "", "", check.Pass, check.Pass, "", ""},
		{"IPv6 refused", "", refused, check.Pass, check.Warn, "", "ipv6-broken"},
		{"IPv6 silent", "", dead, check.Pass, check.Warn, "", "ipv6-broken"},
		{"IPv4 refused", refused, "", check.Warn, check.Pass, "connection-refused", ""},
		{"both refused", refused, refused, check.Fail, check.Skip, "connection-refused", "needs-failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			results := with(t, both, test.v4, test.v6)
			four, six := find(t, results, check.NetConnect), find(t, results, check.NetConnect6)
			if four.Status != test.four || four.Cause != test.cause4 {
				t.Errorf("IPv4 %s %s, want %s %s", four.Status, four.Cause, test.four, test.cause4)
			}
			if six.Status != test.six || six.Cause != test.cause6 {
				t.Errorf("IPv6 %s %s, want %s %s", six.Status, six.Cause, test.six, test.cause6)
			}
			if _, ok := diagnostics.Observed[diagnostics.Connection](six.Evidence); !ok {
				t.Error("no evidence of the IPv6 attempt")
			}
		})
	}
}

// TestOneFamilyConnectsAndStaysSilent: the other family is used, in both modes, and the verdict never depends on which
// one was faster.
func TestOneFamilyConnectsAndStaysSilent(t *testing.T) {
	t.Parallel()
	const both = "smtp.durand.example. IN A 127.0.0.1\nsmtp.durand.example. IN AAAA ::1\n"
	for _, security := range []config.Security{config.SecurityTLS, config.SecurityStartTLS} {
		for _, network := range []string{"tcp4", "tcp6"} {
			t.Run(string(security)+" "+network, func(t *testing.T) {
				t.Parallel()
				ca := scripted.StartCA(t)
				cert := certificate(t, ca, certificates.Good)
				good := scripted.StartSMTP(t, scripted.Options{
					Certificate: &cert, ImplicitTLS: security == config.SecurityTLS,
				})
				silent := scripted.StartSMTP(t, scripted.Options{Script: scripted.Script{"greeting": {Hang: true}}})
				b := connectTo(t, security, ca, good)
				resolver, err := wire.ResolverAt(scripted.StartDNS(t, both).Addr())
				if err != nil {
					t.Fatal(err)
				}
				b.network.Resolver, b.network.Timeout = resolver, time.Second
				b.network.Route = func(family, _ string, _ int) (string, bool) {
					if family == network {
						return silent.Addr(), true
					}
					return good.Addr(), true
				}
				for range 3 {
					results := b.run(t, Options{})
					if root, failed := diagnostics.Root(results); failed {
						t.Fatalf("%s: %s", root.ID, root.Cause)
					}
					six := find(t, results, check.NetConnect6)
					if want := map[string]check.Status{"tcp4": check.Pass, "tcp6": check.Warn}[network]; six.Status != want {
						t.Errorf("IPv6 %s %s, want %s", six.Status, six.Cause, want)
					}
				}
			})
		}
	}
}

func TestSilentServerOnTheTLSPortIsAModeMixUp(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{})
	b.target.Submission.Security = config.SecurityStartTLS // on port 465, which waits for TLS
	b.network.Timeout = time.Second
	wantRoot(t, b.run(t, Options{}), check.SMTPGreeting, "tls-wrong-mode")
	b.server.NoSecret(t, password, user)
}

func TestAutoTakesImplicitTLSThenSTARTTLSAndNeverCleartext(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert := certificate(t, ca, certificates.Good)
	implicit := scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true})
	upgrade := scripted.StartSMTP(t, scripted.Options{Certificate: &cert})
	clear := scripted.StartSMTP(t, scripted.Options{})
	refused := scripted.StartRefused(t).Addr()
	for _, test := range []struct {
		name      string
		tls, plus string // behind 465 and 587
		verdict   check.Status
		id        check.ID
		cause     check.Cause
	}{
		{"both", implicit.Addr(), upgrade.Addr(), check.Pass, "", ""},
		{"465 refused", refused, upgrade.Addr(), check.Pass, "", ""},
		{"465 without TLS", clear.Addr(), upgrade.Addr(), check.Pass, "", ""},
		{"neither", refused, refused, check.Fail, check.NetConnect, "connection-refused"},
		{"465 without TLS, 587 refused", clear.Addr(), refused, check.Fail, check.SMTPTLS, "tls-wrong-mode"},
		{"no TLS anywhere", clear.Addr(), clear.Addr(), check.Fail, check.SMTPTLS, "tls-stripped"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := connectTo(t, config.SecurityTLS, ca, implicit)
			b.target.Submission.Security, b.target.Submission.Port = config.SecurityAuto, 0
			b.network.Route = func(_, _ string, port int) (string, bool) {
				return map[int]string{465: test.tls, 587: test.plus}[port], true
			}
			results := b.run(t, Options{})
			if test.cause != "" {
				wantRoot(t, results, test.id, string(test.cause))
			} else if r := find(t, results, check.SMTPRecipient); r.Status != check.Pass {
				t.Errorf("recipient %s %s\n%s", r.Status, r.Cause, dump(results))
			}
			for _, server := range []*scripted.Server{implicit, upgrade, clear} {
				server.NoSecretInClear(t, password, user)
			}
		})
	}
}

func TestCleartextOnlyWithConsent(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityNone, scripted.Options{})
	b.target.AllowCleartext = true
	results := b.run(t, Options{})
	if r := find(t, results, check.SMTPTLS); r.Status != check.Warn || r.Cause != "insecure-cleartext" {
		t.Errorf("tls %s %s", r.Status, r.Cause)
	}
	if r := find(t, results, check.SMTPRecipient); r.Status != check.Pass {
		t.Errorf("recipient %s %s\n%s", r.Status, r.Cause, dump(results))
	}
	noLeak(t, results)
}

func TestAuthOfferedBeforeTLSIsAWarning(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityStartTLS, scripted.Options{Capabilities: []string{"STARTTLS", "AUTH PLAIN LOGIN"}})
	r := find(t, b.run(t, Options{}), check.SMTPAuthOffered)
	if r.Status != check.Warn || r.Cause != "auth-before-tls" {
		t.Errorf("%s %s", r.Status, r.Cause)
	}
}

func TestWithoutSecretOrAddressesTheRestIsLeftOut(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{})
	b.target = account.Target{
		Submission: config.Server{Host: host, Port: 465, Security: config.SecurityTLS},
		Secret:     secret.Value{},
	}
	results := b.run(t, Options{})
	if v := diagnostics.Verdict(results); v != check.Pass {
		t.Errorf("verdict %s\n%s", v, dump(results))
	}
	if r := find(t, results, check.SMTPAuth); r.Status != check.Skip || r.Cause != "not-applicable" {
		t.Errorf("sign-in %s %s", r.Status, r.Cause)
	}
	if _, ok := diagnostics.Find(results, check.SMTPSender); ok {
		t.Error("a sender was tried, and nobody gave one")
	}
}

func TestAliasesAreTriedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{Script: script{
		"MAIL FROM:<PAUL@DURAND.EXAMPLE>": scripted.Reply("553 5.7.1 not owned"),
	}})
	results := b.run(t, Options{Aliases: []string{other, "info@durand.example"}})
	var got []string
	for _, e := range find(t, results, check.SMTPRecipient).Evidence {
		if alias, ok := e.(Alias); ok {
			got = append(got, alias.Text.Raw()+map[bool]string{true: " yes", false: " no"}[alias.Accepted])
		}
	}
	if strings.Join(got, ",") != other+" no,info@durand.example yes" {
		t.Errorf("aliases %q", got)
	}
	if strings.Contains(strings.Join(b.server.Commands(), " "), "DATA") {
		t.Error("something was sent")
	}
}
