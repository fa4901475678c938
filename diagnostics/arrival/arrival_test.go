package arrival

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/safetext"
	"postier/internal/scripted"
	submission "postier/internal/smtp"
	"postier/internal/wire"
	"postier/presets"
)

// rehearse runs the arrival checks at the demonstration's provider.
func rehearse(t *testing.T, ctx context.Context, fault string,
	change func(*Options, *account.Target),
) ([]diagnostics.Result, *wire.Network, account.Target) {
	t.Helper()
	return rehearseWith(t, ctx, fault, func(o *Options, target *account.Target, _ *wire.Network) {
		if change != nil {
			change(o, target)
		}
	})
}

// rehearseWith is rehearse for a change that needs the network.
func rehearseWith(t *testing.T, ctx context.Context, fault string,
	change func(*Options, *account.Target, *wire.Network),
) ([]diagnostics.Result, *wire.Network, account.Target) {
	t.Helper()
	provider, err := rehearsal.Start(t.Context(),
		rehearsal.Options{Fault: fault, Lang: locale.French, Slow: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		t.Fatal(err)
	}
	network := &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route}
	target := account.Target{
		Address: provider.Address, Submission: provider.Submission, IMAP: &provider.IMAP, Secret: provider.Typed,
		SecretType: config.SecretAppPassword, SentMode: config.SentServer,
	}
	options := Options{Deadline: 20 * time.Second, Lang: locale.French}
	change(&options, &target, network)
	return diagnostics.Run(ctx, nil, Plan(network, target, options)), network, target
}

func status(t *testing.T, results []diagnostics.Result, id check.ID) string {
	t.Helper()
	r, ok := diagnostics.Find(results, id)
	if !ok {
		t.Fatalf("no result for %s", id)
	}
	if r.Cause == "" {
		return string(r.Status)
	}
	return string(r.Status) + "/" + string(r.Cause)
}

// count looks how many messages with this test's token are in a folder.
func count(t *testing.T, network *wire.Network, target account.Target, id string, junk bool) int {
	t.Helper()
	s, err := client.Open(t.Context(), network, target.Mailbox(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	listing, err := s.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	spam := listing.Junk(presets.JunkNames()).Folder
	sent := listing.Sent("", target.SentFolders, presets.SentNames()).Folder
	for _, f := range []client.Folder{client.Inbox(), spam, sent} {
		if junk != f.Same(spam) || f.Name.Empty() {
			continue
		}
		uids, err := s.FindIn(t.Context(), f, id)
		if err != nil {
			t.Fatal(err)
		}
		total += len(uids)
	}
	return total
}

func messageID(t *testing.T, results []diagnostics.Result) string {
	t.Helper()
	delivered, _ := diagnostics.Find(results, check.ArrivalDelivered)
	sent, ok := diagnostics.Observed[Sent](delivered.Evidence)
	if !ok {
		t.Fatal("nothing was sent")
	}
	return sent.MessageID
}

func TestArrival(t *testing.T) {
	t.Parallel()
	results, network, target := rehearse(t, t.Context(), "", nil)
	for _, r := range results {
		if r.Status != check.Pass || len(r.Evidence) == 0 {
			t.Errorf("%s is %s/%s with %d pieces of evidence", r.ID, r.Status, r.Cause, len(r.Evidence))
		}
	}
	delivered := results[0]
	if seen, known := diagnostics.Observed[Arrived](delivered.Evidence); !known || seen.Seconds < 0 || seen.Seconds > 20 {
		t.Errorf("it took %v s", seen.Seconds)
	}
	if filed, known := FiledByProvider(delivered); filed || !known {
		t.Errorf("filed by the provider: %v, known: %v", filed, known)
	}
	if n := count(t, network, target, messageID(t, results), false); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// TestArrivalTellsOfTheSending: the message has arrived, and what was odd about sending it is not forgotten.
func TestArrivalTellsOfTheSending(t *testing.T) {
	t.Parallel()
	results, _, _ := rehearseWith(t, t.Context(), "", func(o *Options, target *account.Target, network *wire.Network) {
		o.Send = func(ctx context.Context, message []byte) (smtp.Outcome, error) {
			outcome, err := smtp.Send(ctx, network, *target, smtp.Options{Message: message})
			for i := range outcome.Results {
				if r := &outcome.Results[i]; r.ID == check.SMTPData {
					r.Status, r.Cause = check.Warn, check.CauseProtocolError
				}
			}
			return outcome, err
		}
	})
	if got := status(t, results, check.ArrivalDelivered); got != "warn/protocol-error" {
		t.Errorf("delivered is %s", got)
	}
	if got := status(t, results, check.ArrivalPlacement); got != "pass" {
		t.Errorf("placement is %s", got)
	}
}

func TestArrivalFaults(t *testing.T) {
	t.Parallel()
	brief := func(o *Options, _ *account.Target) { o.Deadline = 700 * time.Millisecond }
	appends := func(_ *Options, tg *account.Target) { tg.SentMode = config.SentAppend }
	for _, c := range []struct {
		name, fault string
		change      func(*Options, *account.Target)
		id          check.ID
		want        string
	}{
		{"lands in junk", "junk", nil, check.ArrivalPlacement, "warn/landed-in-junk"},
		{"never comes", "lost", brief, check.ArrivalDelivered, "fail/not-arrived"},
		{"comes late", "slow-delivery", nil, check.ArrivalDelivered, "pass"},
		{"filed by the provider", "sent-by-server", nil, check.ArrivalDelivered, "pass"},
		{"filed twice", "sent-by-server", appends, check.ArrivalDelivered, "warn/sent-copy-duplicate"},
		{"greylisted", "greylisted", nil, check.ArrivalDelivered, "fail/greylisted"},
		{"refused", "content-rejected", nil, check.ArrivalDelivered, "fail/content-rejected"},
		{"IMAP is shut", "imap-disabled", nil, check.ArrivalDelivered, "fail/client-access-disabled"},
		{"unsigned", "dkim-missing", nil, check.ArrivalDKIM, "warn/dkim-unsigned"},
		{"certificate is over", "cert-expired", nil, check.ArrivalDelivered, "fail/cert-expired"},
		{"key is gone", "dkim-revoked", nil, check.ArrivalDKIM, "fail/dkim-fail"},
		{"SPF names somebody else", "spf-wrong", nil, check.ArrivalSPF, "fail/spf-fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			results, network, target := rehearse(t, t.Context(), c.fault, c.change)
			if got := status(t, results, c.id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if c.fault == "junk" || c.fault == "sent-by-server" {
				if n := count(t, network, target, messageID(t, results), c.fault == "junk"); n != 0 {
					t.Errorf("%d messages are left", n)
				}
			}
		})
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	results, network, target := rehearse(t, t.Context(), "", func(o *Options, _ *account.Target) { o.Keep = true })
	if n := count(t, network, target, messageID(t, results), false); n != 1 {
		t.Errorf("%d messages are there, want the one that was to be kept", n)
	}
}

func TestLostReplyIsLookedFor(t *testing.T) {
	t.Parallel()
	unknown := func(ctx context.Context, message []byte) (smtp.Outcome, error) {
		return smtp.Outcome{State: submission.StateUnknown},
			&smtp.SendError{State: submission.StateUnknown, Result: diagnostics.Result{Cause: check.CauseDeliveryUnknown}}
	}
	results, _, _ := rehearse(t, t.Context(), "", func(o *Options, _ *account.Target) {
		o.Send, o.Deadline = unknown, 300*time.Millisecond
	})
	if got := status(t, results, check.ArrivalDelivered); got != "fail/delivery-unknown" {
		t.Errorf("%s", got)
	}
}

func TestNothingIsSentWithoutAMailbox(t *testing.T) {
	t.Parallel()
	sent := false
	rehearse(t, t.Context(), "imap-wrong-password", func(o *Options, _ *account.Target) {
		o.Send = func(context.Context, []byte) (smtp.Outcome, error) {
			sent = true
			return smtp.Outcome{}, errors.New("no")
		}
	})
	if sent {
		t.Error("a message was sent that nobody can look for")
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	results, _, _ := rehearse(t, ctx, "lost", func(o *Options, _ *account.Target) {
		o.Send = func(context.Context, []byte) (smtp.Outcome, error) {
			time.AfterFunc(50*time.Millisecond, func() { cancelled = time.Now(); cancel() })
			return smtp.Outcome{State: submission.StateAccepted}, nil
		}
	})
	if late := time.Since(cancelled); late > time.Second {
		t.Errorf("ended %s after the cancellation", late)
	}
	if got := status(t, results, check.ArrivalDelivered); got != "skip/cancelled" {
		t.Errorf("%s", got)
	}
}

// TestComposeWithIDN: domains are A-labels everywhere, and the Message-ID is no encoded word (RFC 2047 §5 (3)).
func TestComposeWithIDN(t *testing.T) {
	t.Parallel()
	target := account.Target{Address: "anna@bücher.example", Recipient: "karl@straße.example"}
	m, err := Compose(target, locale.German, "Bücherei", time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := bytes.Cut(m.Raw, []byte("\r\n\r\n"))
	for _, line := range []string{
		"From: <anna@xn--bcher-kva.example>\r\n", "To: <karl@xn--strae-oqa.example>\r\n", "Message-ID: " + m.ID + "\r\n",
	} {
		if !bytes.Contains(header, []byte(line)) {
			t.Errorf("no line %q in:\n%s", line, header)
		}
	}
	if !safetext.IsASCII(header) || !strings.HasSuffix(m.ID, "@xn--bcher-kva.example>") {
		t.Errorf("Message-ID %s in:\n%s", m.ID, header)
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	target := account.Target{Address: "marie@durand.example", From: "contact@durand.example"}
	seen := map[string]bool{}
	for _, lang := range locale.All() {
		m, err := Compose(target, lang, "Devis\r\nBcc: x@y.example", time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Header.Get("Bcc") != "" {
			t.Error("the product's name made a header field")
		}
		for name, want := range map[string]string{
			"From": "<contact@durand.example>", "To": "<contact@durand.example>", "Message-Id": m.ID, "X-Postier-Test": m.Token,
		} {
			if got := parsed.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if parsed.Header.Get("Subject") == "" || parsed.Header.Get("Date") == "" ||
			bytes.Contains(m.Raw, []byte("<arrival.")) {
			t.Error("a text is missing")
		}
		if seen[m.Token] {
			t.Error("a token came twice")
		}
		seen[m.Token] = true
	}
	if _, err := Compose(account.Target{Address: "a b> SIZE=1@x.example"}, locale.English, "x",
		time.Now()); err == nil {
		t.Error("an address that is none is taken")
	}
}

// signed returns a message signed with Ed25519 and the record of its key.
func signed(t *testing.T, body string) (message []byte, record string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw := "From: Marie <marie@durand.example>\r\nTo: a@b.example\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 20:00:00 " +
		"+0000\r\n\r\n" + body
	var out bytes.Buffer
	err = dkim.Sign(&out, strings.NewReader(raw), &dkim.SignOptions{
		Domain: "durand.example", Selector: "s1", Signer: private, Hash: crypto.SHA256,
		HeaderKeys: []string{"From", "Subject", "Date"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	message, record := signed(t, "Hello\r\n")
	head := "Received: from mail.durand.example by mx.receiver.example; now\r\n" +
		"Authentication-Results: mx.receiver.example; spf=softfail smtp.mailfrom=marie@durand.example; dmarc=pass " +
		"header.from=durand.example\r\n"
	zone := "s1._domainkey.durand.example. IN TXT \"" + record + "\"\n"
	for _, c := range []struct{ name, zone, message, want string }{
		{"good", zone, string(message), "pass"},
		{"with bare line feeds", zone, strings.ReplaceAll(string(message), "\r\n", "\n"), "pass"},
		{"body changed", zone, strings.Replace(string(message), "Hello", "Hallo", 1), "fail"},
		{"header changed", zone, strings.Replace(string(message), "Subject: x", "Subject: y", 1), "fail"},
		{"no key", "other.example. IN TXT x\n", string(message), "permerror"},
		{"revoked", "s1._domainkey.durand.example. IN TXT \"v=DKIM1; p=\"\n", string(message), "permerror"},
		{"name server ill", "!servfail s1._domainkey.durand.example.\n", string(message), "temperror"},
		{"unsigned", zone, "From: marie@durand.example\r\n\r\nx", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resolver, err := wire.ResolverAt(scripted.StartDNS(t, c.zone).Addr())
			if err != nil {
				t.Fatal(err)
			}
			j := Judge(t.Context(), &wire.Network{Resolver: resolver}, []byte(head+c.message))
			got := ""
			for _, s := range j.DKIM {
				got += s.Result
				if s.Domain.Raw() != "durand.example" || s.Selector.Raw() != "s1" || s.Algorithm.Raw() != "ed25519-sha256" {
					t.Errorf("signature is %+v", s)
				}
			}
			if got != c.want {
				t.Errorf("DKIM is %q, want %q; %v", got, c.want, j.DKIM)
			}
			if j.SPF == nil || j.SPF.Result.Raw() != "softfail" || j.SPF.Domain.Raw() != "durand.example" || j.DMARC == nil ||
				j.DMARC.Result.Raw() != "pass" {
				t.Errorf("SPF %v, DMARC %v", j.SPF, j.DMARC)
			}
			if j.Author != "durand.example" || j.Hops != 1 {
				t.Errorf("author %q, %d hops", j.Author, j.Hops)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, result, want string }{
		{"spf", "pass", "pass"},
		{"spf", "fail", "fail/spf-fail"},
		{"spf", "softfail", "warn/spf-softfail"},
		{"spf", "neutral", "warn/spf-softfail"},
		{"spf", "none", "warn/spf-missing"},
		{"spf", "permerror", "fail/spf-syntax"},
		{"spf", "temperror", "skip/dns-failure"},
		{"spf", "", "skip/arrival-unverified"},
		{"dmarc", "pass", "pass"},
		{"dmarc", "fail", "fail/dmarc-fail"},
		{"dmarc", "none", "warn/dmarc-missing"},
		{"dmarc", "bestguesspass", "warn/dmarc-missing"},
		{"dmarc", "permerror", "fail/dmarc-malformed"},
		{"dmarc", "temperror", "skip/dns-failure"},
		{"dmarc", "", "skip/arrival-unverified"},
		{"dkim", "none", "warn/dkim-unsigned"},
		{"dkim", "", "skip/arrival-unverified"},
	} {
		r := &run{}
		if c.result != "" {
			a, err := ParseAuthResults("mx.example; " + c.method + "=" + c.result)
			if err != nil {
				t.Fatal(err)
			}
			r.judgement.AuthenticationResults = []AuthResults{a}
		}
		r.judgement.SPF, r.judgement.DMARC = r.judgement.method("spf"), r.judgement.method("dmarc")
		check := map[string]func(context.Context) diagnostics.Result{"spf": r.spf, "dkim": r.dkim, "dmarc": r.dmarc}[c.method]
		got := check(t.Context())
		text := string(got.Status)
		if got.Cause != "" {
			text += "/" + string(got.Cause)
		}
		if text != c.want {
			t.Errorf("%s=%s: %s, want %s", c.method, c.result, text, c.want)
		}
	}
}

// TestPartialSignature: a valid signature with l= is a warning, and none beside one that covers everything.
func TestPartialSignature(t *testing.T) {
	t.Parallel()
	part, whole, bad := Signature{Result: "pass", Partial: true}, Signature{Result: "pass"}, Signature{Result: "fail"}
	for want, signatures := range map[string][]Signature{
		"warn/dkim-partial": {bad, part}, "pass/": {part, whole}, "fail/dkim-fail": {bad},
	} {
		r := &run{judgement: Judgement{DKIM: signatures}}
		if got := r.dkim(t.Context()); string(got.Status)+"/"+string(got.Cause) != want {
			t.Errorf("%s/%s, want %s", got.Status, got.Cause, want)
		}
	}
}
