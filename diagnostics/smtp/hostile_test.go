package smtp

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// A hostile server in each phase of the dialog does each of these things. Every run must end within its steps, with one
// root cause that fits, with nothing secret outside verified TLS, and without a raw control byte in what it says.
type hostility struct {
	name   string
	action scripted.Action
	causes string // that fit, in any phase
}

// slowOnes is how many of the hostilities, the first ones, last until the deadline.
const slowOnes = 2

var hostilities = []hostility{
	{"hang", scripted.Action{Hang: true}, "server-timeout delivery-unknown tls-wrong-mode"},
	{
		"drip",
		scripted.Action{Raw: []byte(strings.Repeat("2", 500)), Drip: 20 * time.Millisecond},
		"server-timeout delivery-unknown tls-wrong-mode tls-injected protocol-error",
	},
	{
		"garbage",
		scripted.Action{Raw: []byte("\x00\xff\xfe\x1b]52;c;ZXZpbA==\x07\r\n\u202e\r\n"), Close: true},
		"protocol-error tls-wrong-mode tls-injected delivery-unknown",
	},
	{
		"truncation",
		scripted.Action{Raw: []byte("25"), Close: true},
		"connection-dropped delivery-unknown tls-wrong-mode tls-injected",
	},
	{
		"truncated multi-line",
		scripted.Action{Raw: []byte("250-one\r\n250-two\r\n"), Close: true},
		"connection-dropped delivery-unknown tls-wrong-mode tls-injected",
	},
	{"wrong code", scripted.Action{Reply: "999 what"}, "protocol-error tls-wrong-mode tls-injected delivery-unknown"},
	{
		"mixed codes",
		scripted.Action{Reply: "250-a\n550 no\n250 end"},
		"protocol-error tls-wrong-mode tls-injected delivery-unknown",
	},
	{"close", scripted.Action{Close: true}, "connection-dropped delivery-unknown"},
	{"reset", scripted.Action{Reset: true}, "connection-dropped delivery-unknown"},
	{"TLS alert", scripted.Action{TLSAlert: 40}, "tls-wrong-mode tls-version-unsupported delivery-unknown"},
	{"endless line", scripted.Action{Endless: "x"}, "limit-exceeded tls-wrong-mode tls-injected delivery-unknown"},
	{
		"endless reply",
		scripted.Action{Endless: "250-x\r\n"},
		"limit-exceeded tls-wrong-mode tls-injected delivery-unknown",
	},
	{
		"421",
		scripted.Action{Reply: "421 4.3.2 \x1b[2J\u009b closing"},
		"server-busy starttls-failed tls-wrong-mode tls-injected auth-temporary-failure",
	},
	{
		"escapes",
		scripted.Action{Reply: "554 5.0.0 \x1b[2J\u202e\u009d \x07 \x7f\u200b"},
		"greeting-refused tls-stripped tls-wrong-mode protocol-error wrong-password sender-rejected recipient-rejected " +
			"message-refused tls-injected unknown reputation-low ip-blocklisted",
	},
}

type phase struct {
	name string
	in   config.Security
	id   string // checks that may bear the cause
}

var phases = []phase{
	{"greeting", config.SecurityStartTLS, "smtp.greeting net.connect"}, // a reset may come before connect(2) returns
	{"EHLO", config.SecurityStartTLS, "smtp.tls"},
	{"STARTTLS", config.SecurityStartTLS, "smtp.tls smtp.injection"},
	{"tls", config.SecurityTLS, "smtp.tls net.connect"}, // likewise
	{"tls", config.SecurityStartTLS, "smtp.tls smtp.injection"},
	{"tls:EHLO", config.SecurityStartTLS, "smtp.ehlo"},
	{"AUTH", config.SecurityTLS, "smtp.auth"},
	{"MAIL", config.SecurityTLS, "smtp.sender"},
	{"RCPT", config.SecurityTLS, "smtp.recipient smtp.sender"},
	{"DATA", config.SecurityTLS, "smtp.data"},
	{".", config.SecurityTLS, "smtp.data"},
}

func TestHostileServers(t *testing.T) {
	before := runtime.NumGoroutine()
	ca := scripted.StartCA(t)
	cert := certificate(t, ca, certificates.Good)
	t.Run("slow on purpose", func(t *testing.T) { // all at once, so that they cost their deadline once
		hostilePhases(t, ca, cert, 1500*time.Millisecond, hostilities[:slowOnes]...)
	})
	for _, h := range hostilities[slowOnes:] {
		t.Run(h.name, func(t *testing.T) { hostilePhases(t, ca, cert, 20*time.Second, h) })
	}
	baseline(t, before)
}

// hostilePhases meets each hostility in each phase and judges what the ladder said.
func hostilePhases(t *testing.T, ca *certificates.CA, cert tls.Certificate, timeout time.Duration, list ...hostility) {
	type meeting struct {
		phase   phase
		with    hostility
		server  *scripted.Server
		results []diagnostics.Result
	}
	var meetings []*meeting
	var wg sync.WaitGroup
	for _, h := range list {
		for _, p := range phases {
			m := &meeting{phase: p, with: h, server: scripted.StartSMTP(t, scripted.Options{
				Certificate: &cert, ImplicitTLS: p.in == config.SecurityTLS, Script: script{p.name: h.action},
			})}
			meetings = append(meetings, m)
			b := connectTo(t, p.in, ca, m.server)
			b.network.Timeout = timeout
			wg.Go(func() {
				began := time.Now()
				m.results = diagnostics.Run(t.Context(), nil,
					Plan(b.network, b.target, Options{Message: []byte("Subject: x\n\nx\n")}))
				if took := time.Since(began); took > 4*timeout {
					t.Errorf("%s %s: took %s", h.name, p.name, took)
				}
			})
		}
	}
	wg.Wait()
	for _, m := range meetings {
		t.Run(m.with.name+"/"+string(m.phase.in)+"/"+m.phase.name, func(t *testing.T) {
			judgeHostile(t, m.results, m.phase.id, m.with.causes)
			m.server.NoSecretInClear(t, password, user)
			if contains(strings.Fields("greeting EHLO STARTTLS tls tls:EHLO"), m.phase.name) {
				m.server.NoSecret(t, password, user)
			}
		})
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func judgeHostile(t *testing.T, results []diagnostics.Result, wantIDs, wantCauses string) {
	t.Helper()
	noLeak(t, results)
	root, ok := diagnostics.Root(results)
	if !ok {
		t.Fatalf("nothing failed\n%s", dump(results))
	}
	if !contains(strings.Fields(wantIDs), string(root.ID)) || !contains(strings.Fields(wantCauses), string(root.Cause)) {
		t.Errorf("root cause %s %s\n%s", root.ID, root.Cause, dump(results))
	}
	for _, r := range results {
		if r.Status == check.Fail && r.ID != root.ID {
			t.Errorf("a second failure: %s %s", r.ID, r.Cause)
		}
		data, err := json.Marshal(r.Evidence)
		if err != nil {
			t.Error(err)
		}
		noRaw(t, string(data))
		for _, line := range r.Transcript {
			noRaw(t, line.String())
		}
	}
}

func noRaw(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Fatalf("raw %U in %q", r, s)
		}
	}
}

// promptly is the 200 ms of docs/security.md T9, with room for a test machine that has other things to do.
const promptly = 600 * time.Millisecond

func TestCancelEndsEachPhaseAtOnce(t *testing.T) {
	t.Parallel()
	for _, phase := range phases {
		t.Run(string(phase.in)+"/"+phase.name, func(t *testing.T) {
			t.Parallel()
			entered := make(chan struct{})
			b := start(t, phase.in, scripted.Options{Script: script{phase.name: {Hang: true}}})
			b.network.Timeout = time.Minute
			ctx, cancel := context.WithCancel(t.Context())
			var once sync.Once
			observe := func(e diagnostics.Event) {
				if e.Result == nil && contains(strings.Fields(phase.id), string(e.ID)) {
					once.Do(func() { close(entered) })
				}
			}
			var stopped time.Time
			go func() {
				<-entered
				time.Sleep(50 * time.Millisecond)
				stopped = time.Now()
				cancel()
			}()
			results := diagnostics.Run(ctx, observe, Plan(b.network, b.target, Options{Message: []byte("x")}))
			if took := time.Since(stopped); took > promptly {
				t.Errorf("went on for %s after it was stopped", took)
			}
			for _, r := range results {
				if r.Status == check.Fail && r.Cause != "delivery-unknown" {
					t.Errorf("%s failed: %s", r.ID, r.Cause)
				}
			}
		})
	}
}

func TestEchoedSecretIsNotShown(t *testing.T) {
	t.Parallel()
	for _, form := range password.Forms(user) {
		b := start(t, config.SecurityTLS,
			scripted.Options{Script: script{"auth": scripted.Reply("535 5.7.8 no such password: " + form)}})
		results := b.run(t, Options{})
		wantRoot(t, results, check.SMTPAuth, "wrong-password")
		noLeak(t, results)
	}
}

// TestNothingSmugglesACommand: what would end a line is refused before it is written.
func TestNothingSmugglesACommand(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*account.Target){
		"helo":      func(t *account.Target) { t.Submission.Helo = "a\r\nMAIL FROM:<evil@x.example>" },
		"from":      func(t *account.Target) { t.From = "a@x.example>\r\nRCPT TO:<evil@x.example" },
		"parameter": func(t *account.Target) { t.From = `"a b> SIZE=1"@x.example` },
		"recipient": func(t *account.Target) { t.Recipient = "a@x.example\x00" },
		"dash":      func(t *account.Target) { t.Recipient = "a@x.example> NOTIFY=SUCCESS" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{})
			change(&b.target)
			results := b.run(t, Options{})
			if _, ok := diagnostics.Root(results); !ok {
				t.Error("nothing failed")
			}
			received := string(b.server.Received())
			for _, evil := range []string{"evil", "SIZE=1", "NOTIFY", "\x00"} {
				if strings.Contains(strings.ReplaceAll(received, "AUTH", ""), evil) {
					t.Errorf("%q reached the server: %q", evil, received)
				}
			}
		})
	}
}

// TestMemoryStaysSmall: a server that talks for ever costs no more than its caps.
func TestMemoryStaysSmall(t *testing.T) {
	for _, endless := range []string{"x", "220-x\r\n"} {
		b := start(t, config.SecurityTLS, scripted.Options{Script: script{"greeting": {Endless: endless}}})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		wantRoot(t, b.run(t, Options{}), check.SMTPGreeting, "limit-exceeded")
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%d octets allocated", grown)
		}
	}
}

func TestThousandsOfNamesAreCounted(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	hosts := []string{host}
	for i := range 10_000 {
		hosts = append(hosts, fmt.Sprintf("h%d\x1b.example", i))
	}
	cert, err := ca.Certificate(certificates.Good, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	b := connectTo(t, config.SecurityTLS, ca,
		scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true}))
	results := b.run(t, Options{})
	r := find(t, results, check.SMTPCertificate)
	e, _ := diagnostics.Observed[diagnostics.Certificate](r.Evidence)
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	noRaw(t, string(data))
	if e.MoreNames != 10_001-5 || r.Status != check.Pass {
		t.Errorf("%s %s, %v more names", r.Status, r.Cause, e.MoreNames)
	}
}
