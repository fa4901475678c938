package imap

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// step is the deadline in these tests; a whole run has at most a handful of them.
const step = 300 * time.Millisecond

// patience is the deadline where a server is quick to misbehave and only this machine may be slow.
const patience = 8 * time.Second

type hostileCase struct {
	name     string
	security config.Security
	script   scripted.Script
	kind     certificates.Kind
	options  func(*scripted.Options)
	target   func(*account.Target)
	fails    check.ID // the one check that fails
	cause    check.Cause
	status   check.Status // Fail unless said otherwise
	refused  int          // sign-ins that the server refused
}

const (
	implicit = config.SecurityTLS
	upgrade  = config.SecurityStartTLS
)

func hostileCases() []hostileCase {
	reply := scripted.Reply
	long := strings.Repeat("x", 1000)
	return []hostileCase{
		// the way to TLS
		{
			name: "silent greeting", security: upgrade, script: scripted.Script{"greeting": {Hang: true}},
			fails: check.IMAPConnect, cause: "tls-wrong-mode",
		},
		{
			name: "greeting drips", security: upgrade, script: scripted.Script{"greeting": {Drip: step / 5}},
			fails: check.IMAPConnect, cause: "server-timeout",
			options: func(o *scripted.Options) { o.Certificate = nil },
		},
		{
			name: "closed at once", security: upgrade, script: scripted.Script{"connect": {Close: true}},
			fails: check.IMAPConnect, cause: "connection-dropped",
		},
		{
			name: "reset at once", security: upgrade, script: scripted.Script{"connect": {Reset: true}},
			fails: check.IMAPConnect, cause: "connection-dropped",
		},
		{
			name: "SMTP answers", security: upgrade, script: scripted.Script{"greeting": reply("220 mail.example ESMTP")},
			fails: check.IMAPConnect, cause: "wrong-service",
		},
		{
			name: "POP3 answers", security: upgrade, script: scripted.Script{"greeting": reply("+OK ready")},
			fails: check.IMAPConnect, cause: "wrong-service",
		},
		{
			name: "garbage", security: upgrade,
			script: scripted.Script{"greeting": {Raw: []byte("\x00\xff\x1b[2J\u202e\r\n")}}, fails: check.IMAPConnect,
			cause: "protocol-error",
		},
		{
			name: "tagged greeting", security: upgrade, script: scripted.Script{"greeting": reply("A1 OK hello")},
			fails: check.IMAPConnect, cause: "protocol-error",
		},
		{
			name: "BYE", security: upgrade, script: scripted.Script{"greeting": reply("* BYE go away \x1b]0;owned\a")},
			fails: check.IMAPConnect, cause: "greeting-refused",
		},
		{
			name: "PREAUTH before TLS", security: upgrade,
			script: scripted.Script{"greeting": reply("* PREAUTH welcome back")}, fails: check.IMAPConnect,
			cause: "tls-stripped",
		},
		{
			name: "endless line", security: upgrade, script: scripted.Script{"greeting": {Endless: "x"}},
			fails: check.IMAPConnect, cause: "limit-exceeded",
		},
		{
			name: "STARTTLS not offered", security: upgrade,
			options: func(o *scripted.Options) { o.Capabilities = []string{"IMAP4rev1", "AUTH=PLAIN"} },
			fails:   check.IMAPTLS, cause: "tls-stripped",
		},
		{
			name: "STARTTLS refused", security: upgrade, script: scripted.Script{"STARTTLS": reply("{tag} NO not today")},
			fails: check.IMAPTLS, cause: "starttls-failed",
		},
		{
			name: "STARTTLS not known", security: upgrade, script: scripted.Script{"STARTTLS": reply("{tag} BAD what?")},
			fails: check.IMAPTLS, cause: "starttls-failed",
		},
		{
			name: "STARTTLS asks back", security: upgrade, script: scripted.Script{"STARTTLS": reply("+ go on")},
			fails: check.IMAPTLS, cause: "protocol-error",
		},
		{
			name: "injected behind STARTTLS", security: upgrade,
			script: scripted.Script{"STARTTLS": {Reply: "{tag} OK go", Inject: "* CAPABILITY IMAP4rev1 AUTH=PLAIN EVIL\r\n"}},
			fails:  check.IMAPTLS, cause: "tls-injected",
		},
		{
			name: "injected a little later", security: upgrade,
			script: scripted.Script{"STARTTLS": {
				Reply:       "{tag} OK go",
				InjectLater: "* CAPABILITY IMAP4rev1 AUTH=PLAIN EVIL\r\n", InjectDelay: step / 10,
			}}, fails: check.IMAPTLS,
			cause: "tls-injected",
		},
		{
			name: "plain text on the TLS port", security: implicit, script: scripted.Script{"connect": reply("* OK plain")},
			fails: check.IMAPTLS, cause: "tls-wrong-mode",
		},
		{
			name: "TLS alert", security: implicit, script: scripted.Script{"tls": {TLSAlert: 40}}, fails: check.IMAPTLS,
			cause: "tls-version-unsupported",
		},
		{
			name: "old TLS only", security: implicit, script: scripted.Script{"tls": {TLSAlert: 70}},
			fails: check.IMAPTLS, cause: "tls-version-unsupported",
		},
		{
			name: "handshake hangs", security: implicit, script: scripted.Script{"tls": {Hang: true}},
			fails: check.IMAPTLS, cause: "server-timeout",
		},
		{
			name: "closed in the handshake", security: implicit, script: scripted.Script{"tls": {Close: true}},
			fails: check.IMAPTLS, cause: "connection-dropped",
		},

		// the certificate
		{
			name: "expired", security: implicit, kind: certificates.Expired, fails: check.IMAPCertificate,
			cause: "cert-expired",
		},
		{
			name: "wrong name", security: upgrade, kind: certificates.WrongName, fails: check.IMAPCertificate,
			cause: "cert-name-mismatch",
		},
		{
			name: "self-signed", security: implicit, kind: certificates.SelfSigned, fails: check.IMAPCertificate,
			cause: "cert-self-signed",
		},
		{
			name: "unknown issuer", security: implicit, kind: certificates.Untrusted, fails: check.IMAPCertificate,
			cause: "cert-untrusted",
		},
		{
			name: "soon over", security: implicit, kind: certificates.SoonExpiring, fails: check.IMAPCertificate,
			cause: "cert-soon-expiring", status: check.Warn,
		},

		// greeting and sign-in inside TLS
		{
			name: "no greeting", security: implicit, script: scripted.Script{"greeting": {Hang: true}},
			fails: check.IMAPAuth, cause: "server-timeout",
		},
		{
			name: "PREAUTH inside TLS", security: implicit,
			script: scripted.Script{"greeting": reply("* PREAUTH you are root")}, fails: check.IMAPAuth,
			cause: "preauth-refused",
		},
		{
			name: "referral is not followed", security: implicit,
			script: scripted.Script{"auth": reply("{tag} NO [REFERRAL imap://evil.example/] elsewhere")},
			fails:  check.IMAPAuth, cause: "wrong-password", refused: 1,
		},
		{
			name: "wrong password", security: implicit,
			script: scripted.Script{"auth": reply("{tag} NO [AUTHENTICATIONFAILED] Authentication failed.")},
			fails:  check.IMAPAuth, cause: "wrong-password", refused: 1,
		},
		{
			name: "app password wanted", security: implicit,
			script: scripted.Script{"auth": reply(
				"{tag} NO [ALERT] Application-specific password required: https://support.example (Failure)")},
			fails: check.IMAPAuth, cause: "app-password-required", refused: 1,
		},
		{
			name: "blocked account", security: implicit,
			script: scripted.Script{"auth": reply("{tag} NO [CONTACTADMIN] suspended")}, fails: check.IMAPAuth,
			cause: "account-suspended", refused: 1,
		},
		{
			name: "secret echoed", security: implicit,
			script: scripted.Script{"auth": reply("{tag} NO [ALERT] no such password " + password)},
			fails:  check.IMAPAuth, cause: "wrong-password", refused: 1,
		},
		{
			name: "LOGINDISABLED and nothing else", security: implicit,
			options: func(o *scripted.Options) { o.CapabilitiesTLS = []string{"IMAP4rev1", "LOGINDISABLED"} },
			fails:   check.IMAPAuth, cause: "auth-not-offered",
		},
		{name: "unknown mechanisms only", security: implicit, options: func(o *scripted.Options) {
			o.CapabilitiesTLS = []string{"IMAP4rev1", "LOGINDISABLED", "AUTH=ANONYMOUS", "AUTH=NTLM"}
		}, fails: check.IMAPAuth, cause: "auth-mechanism-unsupported"},
		{
			name: "PLAIN asks twice", security: implicit,
			script: scripted.Script{"AUTHENTICATE": {Reply: "+ again", Next: []scripted.Action{reply("{tag} OK in")}}},
			fails:  check.IMAPAuth, cause: "protocol-error",
		},
		{
			name: "SCRAM without a proof", security: implicit, options: scramOnly,
			script: scripted.Script{"AUTHENTICATE": reply("{tag} OK welcome")}, fails: check.IMAPAuth,
			cause: "protocol-error",
		},
		{
			name: "SCRAM with a million rounds", security: implicit, options: scramOnly,
			script: scripted.Script{"AUTHENTICATE": reply("+ cj14LHM9eCxpPTEwMDAwMDAwMDA=")}, fails: check.IMAPAuth,
			cause: "protocol-error",
		},
		{
			name: "SCRAM with a foreign nonce", security: implicit, options: scramOnly,
			script: scripted.Script{"AUTHENTICATE": reply("+ cj1mb3JlaWduLHM9YWFhYSxpPTQwOTY=")}, fails: check.IMAPAuth,
			cause: "protocol-error",
		},
		{
			name: "OAuth token refused", security: implicit,
			options: func(o *scripted.Options) { o.CapabilitiesTLS = []string{"IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2"} },
			target:  func(tg *account.Target) { tg.SecretType = config.SecretOAuth },
			script: scripted.Script{"AUTHENTICATE": {
				Reply: "+ eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=",
				Next:  []scripted.Action{reply("{tag} NO [AUTHENTICATIONFAILED] Invalid credentials")},
			}},
			fails: check.IMAPAuth, cause: "oauth-token-expired",
		},
		{
			name: "wrong tag", security: implicit, script: scripted.Script{"auth": reply("p1 OK in")},
			fails: check.IMAPAuth, cause: "protocol-error",
		},
		{
			name: "BYE in the sign-in", security: implicit,
			script: scripted.Script{"auth": {Reply: "* BYE Auth process broken", Close: true}}, fails: check.IMAPAuth,
			cause: "auth-temporary-failure",
		},
		{
			name: "sign-in hangs", security: implicit, script: scripted.Script{"auth": {Hang: true}},
			fails: check.IMAPAuth, cause: "server-timeout",
		},
		{
			name: "alert after sign-in", security: implicit,
			script: scripted.Script{"auth": reply("* OK [ALERT] \x1b[31mstorage moves\n{tag} OK in")},
			fails:  check.IMAPAuth, cause: "server-alert", status: check.Warn,
		},

		// the listing
		{
			name: "oversize literal", security: implicit,
			script: scripted.Script{"LIST": reply("* LIST () \"/\" {99999999999999}")}, fails: check.IMAPFolder,
			cause: "limit-exceeded",
		},
		{
			name: "literal beyond 64 bits", security: implicit,
			script: scripted.Script{"LIST": reply("* LIST () \"/\" {99999999999999999999999}")}, fails: check.IMAPFolder,
			cause: "limit-exceeded",
		},
		{
			name: "negative literal", security: implicit, script: scripted.Script{"LIST": reply("* LIST () \"/\" {-1}")},
			fails: check.IMAPFolder, cause: "protocol-error",
		},
		{
			name: "nesting", security: implicit,
			script: scripted.Script{"LIST": reply("* LIST " + strings.Repeat("(", 60000))}, fails: check.IMAPFolder,
			cause: "limit-exceeded",
		},
		{
			name: "endless listing", security: implicit,
			script: scripted.Script{"LIST": {Endless: "* LIST () \"/\" " + long + "\r\n"}}, fails: check.IMAPFolder,
			cause: "limit-exceeded",
		},
		{
			name: "endless chatter", security: implicit, script: scripted.Script{"LIST": {Endless: "* 1 EXISTS\r\n"}},
			fails: check.IMAPFolder, cause: "limit-exceeded",
		},
		{
			name: "escapes in names", security: implicit,
			script: scripted.Script{"LIST": reply(
				"* LIST () \"/\" \"\x1b]52;c;ZXZpbA==\a\"\n* LIST () \"/\" \"\u202egnirts\"\n{tag} OK done")},
			fails: check.IMAPFolder, cause: "folder-missing",
		},
		{
			name: "listing refused", security: implicit,
			script: scripted.Script{"LIST": reply("{tag} NO [SERVERBUG] internal error")}, fails: check.IMAPFolder,
			cause: "server-busy",
		},

		// filing
		{
			name: "APPEND refused for quota", security: implicit,
			script: scripted.Script{"APPEND": reply("{tag} NO [OVERQUOTA] Quota exceeded")}, fails: check.IMAPAppend,
			cause: "mailbox-full",
		},
		{
			name: "APPEND refused without a word", security: implicit, script: scripted.Script{"APPEND": reply("{tag} NO")},
			fails: check.IMAPAppend, cause: "append-refused",
		},
		{
			name: "folder may not be written", security: implicit,
			script: scripted.Script{"APPEND": reply("{tag} NO [NOPERM] Permission denied")}, fails: check.IMAPAppend,
			cause: "folder-read-only",
		},
		{
			name: "APPEND hangs", security: implicit, script: scripted.Script{"APPEND": {Hang: true}},
			fails: check.IMAPAppend, cause: "delivery-unknown",
		},
		{
			name: "APPEND asks for more", security: implicit, script: scripted.Script{"APPEND": reply("+ more")},
			fails: check.IMAPAppend, cause: "protocol-error",
		},
		{name: "message is not found again", security: implicit, fails: check.IMAPReadback, cause: "readback-mismatch"},
		{
			name: "SELECT refused", security: implicit,
			script: scripted.Script{"SELECT": reply("{tag} NO [NONEXISTENT] Unknown Mailbox")},
			fails:  check.IMAPReadback, cause: "folder-missing",
		},
	}
}

func scramOnly(o *scripted.Options) {
	o.CapabilitiesTLS = []string{"IMAP4rev1", "SASL-IR", "AUTH=SCRAM-SHA-256", "LOGINDISABLED"}
}

func TestHostileServers(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	for _, c := range hostileCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kind := c.kind
			if kind == "" {
				kind = certificates.Good
			}
			options := scripted.Options{
				Script: c.script, Certificate: scripted.Leaf(t, ca, kind, host),
				ImplicitTLS: c.security == implicit,
			}
			if c.options != nil {
				c.options(&options)
			}
			server := scripted.StartIMAP(t, options)
			n := network(t, ca, server.Addr())
			n.Timeout = patience
			if hangs := c.cause == "server-timeout" || c.cause == "tls-wrong-mode" || c.cause == "delivery-unknown"; hangs {
				n.Timeout = step
			}
			tg := target(c.security)
			if c.target != nil {
				c.target(&tg)
			}
			if c.name == "silent greeting" {
				tg.IMAP.Port = config.PortIMAPS
			}
			start := time.Now()
			results := runPlan(t, n, tg, Options{LookOnly: c.status == check.Warn})
			if took := time.Since(start); took > patience {
				t.Errorf("the run took %s", took)
			}
			got := find(t, results, c.fails)
			status := c.status
			if status == "" {
				status = check.Fail
			}
			if got.Status != status || got.Cause != c.cause {
				t.Errorf("%s is %s/%s, want %s/%s; evidence %v", c.fails, got.Status, got.Cause, status, c.cause, got.Evidence)
				for _, line := range got.Transcript[:min(len(got.Transcript), 20)] {
					t.Log(line.String()[:min(len(line.String()), 200)])
				}
			}
			for _, r := range results {
				if r.Status == check.Fail && r.ID != c.fails {
					t.Errorf("%s fails too, with %s", r.ID, r.Cause)
				}
			}
			assertNoSecret(t, results, tg)
			server.NoSecretInClear(t, tg.Secret, user)
			if c.fails == check.IMAPCertificate && c.status == "" {
				server.NoSecret(t, tg.Secret, user)
			}
			if c.refused > 0 {
				tries := 0
				for _, r := range server.Records() {
					if r.Phase == "AUTHENTICATE" || r.Phase == "LOGIN" {
						tries++
					}
				}
				if tries != c.refused {
					t.Errorf("%d sign-ins were tried, want %d", tries, c.refused)
				}
			}
		})
	}
}

func TestConnectFailures(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	refused, blackhole := scripted.StartRefused(t), scripted.StartBlackhole(t)
	for name, c := range map[string]struct {
		address, host string
		cause         check.Cause
	}{
		"refused":    {refused.Addr(), host, "connection-refused"},
		"blocked":    {blackhole.Addr(), host, "port-blocked"},
		"no name":    {"", "nowhere.durand.example", "dns-nxdomain"},
		"no address": {"", "text.durand.example", "dns-no-address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := network(t, ca, c.address)
			n.Timeout = step
			tg := target(implicit)
			tg.IMAP.Host = c.host
			got := find(t, runPlan(t, n, tg, Options{}), check.IMAPConnect)
			if got.Status != check.Fail || got.Cause != c.cause {
				t.Errorf("%s/%s, want %s", got.Status, got.Cause, c.cause)
			}
			if got.Params.Host.Raw() != c.host {
				t.Errorf("the sentence names the host %q, want %q", got.Params.Host.Raw(), c.host)
			}
		})
	}
}

func TestCleartextNeedsLeave(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := scripted.StartIMAP(t, scripted.Options{})
	tg := target(config.SecurityNone)
	got := find(t, runPlan(t, network(t, ca, server.Addr()), tg, Options{}), check.IMAPTLS)
	if got.Status != check.Fail || got.Cause != "insecure-cleartext" {
		t.Errorf("%s/%s", got.Status, got.Cause)
	}
	server.NoSecret(t, tg.Secret, user)
	tg.AllowCleartext = true
	if got := find(t, runPlan(t, network(t, ca, server.Addr()), tg, Options{LookOnly: true}),
		check.IMAPFolder); got.Status != check.Pass {
		t.Errorf("allowed cleartext: %s/%s", got.Status, got.Cause)
	}
}

func TestCancelAtEveryStep(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	for _, phase := range []string{"tls", "greeting", "auth", "LIST", "APPEND", "SELECT"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			server := scripted.StartIMAP(t, scripted.Options{
				Script: scripted.Script{phase: {Hang: true}}, Certificate: scripted.Leaf(t, ca, certificates.Good, host),
				ImplicitTLS: true,
			})
			n := network(t, ca, server.Addr())
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			time.AfterFunc(step, func() { cancelled = time.Now(); cancel() })
			results := diagnostics.Run(ctx, nil, Plan(n, target(implicit), Options{}))
			const prompt = 200 * time.Millisecond
			if late := time.Since(cancelled); late > 5*prompt { // slack for a loaded machine; a hanging step has 30 s
				t.Errorf("ended %s after the cancellation", late)
			}
			for _, r := range results {
				if r.Status == check.Fail {
					t.Errorf("%s fails with %s", r.ID, r.Cause)
				}
			}
		})
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	ca := scripted.StartCA(t)
	f := newFake()
	address := f.start(t, ca)
	n := network(t, ca, address)
	before := runtime.NumGoroutine()
	for range 5 {
		runPlan(t, n, target(implicit), Options{})
	}
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
