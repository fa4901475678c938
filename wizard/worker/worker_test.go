package worker

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/rehearsal"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/wizard"
)

func TestDiscover(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "dns-down")
	out, _ := h.do(context.Background(), h.request(wizard.DoDiscover))
	if len(out.Candidates) != 0 && out.Candidates[0].Origin == "mx" {
		t.Errorf("%v", out.Candidates)
	}
	h = newFixture(t, "spf-missing")
	out, _ = h.do(context.Background(), h.request(wizard.DoDiscover))
	if len(out.Candidates) == 0 || out.Candidates[0].Provider != "poste-demo" || out.Candidates[0].Submission.Host == "" {
		t.Errorf("%+v", out.Candidates)
	}
	r := h.request(wizard.DoDiscover)
	r.Draft.Address = "a@no-such-domain.example"
	if out, _ := h.do(context.Background(), r); len(out.Candidates) != 0 || out.Err.Empty() {
		t.Errorf("%+v", out)
	}
}

// TestLadders runs the real checks; each of them reports evidence.
func TestLadders(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	ctx := context.Background()
	out, told := h.do(ctx, h.request(wizard.DoSubmission))
	for id, want := range map[string]string{
		"net.resolve": "127.0.0.1", "net.connect": ":465", "smtp.greeting": "220 smtp.poste-demo.example",
		"smtp.tls":         "TLS 1.3 · TLS_",
		"smtp.certificate": "smtp.poste-demo.example, imap.poste-demo.example", "smtp.auth-offered": "PLAIN",
		"smtp.auth": "PLAIN, marie@", "smtp.sender": "marie@", "smtp.recipient": "marie@",
	} {
		if r := find(t, out.Reports, check.ID(id)); r.Status != check.Pass || !strings.Contains(r.Brief.Raw(), want) {
			t.Errorf("%s: %s, seen %q", id, r.Status, r.Brief.Raw())
		}
	}
	if out.Submission == nil || out.Submission.Port != 465 || out.Submission.Security != config.SecurityTLS {
		t.Errorf("%+v", out.Submission)
	}
	began, ended := map[string]bool{}, map[string]bool{}
	for _, o := range told {
		if o.Report.Running {
			began[string(o.Report.ID)] = true
		} else {
			ended[string(o.Report.ID)] = true
		}
	}
	if len(ended) != len(out.Reports) || len(began) == 0 {
		t.Errorf("%d began and %d ended of %d", len(began), len(ended), len(out.Reports))
	}

	out, _ = h.do(ctx, h.request(wizard.DoSent))
	for id, want := range map[string]string{
		"imap.connect": "127.0.0.1", "imap.tls": "TLS 1.", "imap.certificate": "poste-demo.example", "imap.auth": "marie@",
		"imap.folder": "Envoyés",
		"imap.append": "Envoyés · ", "imap.readback": " B", "imap.cleanup": "expunge",
	} {
		if r := find(t, out.Reports, check.ID(id)); r.Status != check.Pass || !strings.Contains(r.Brief.Raw(), want) {
			t.Errorf("%s: %s, seen %q", id, r.Status, r.Brief.Raw())
		}
	}
	if out.Folder != "Envoyés" || out.IMAP == nil || out.IMAP.Security != config.SecurityTLS {
		t.Errorf("%+v", out)
	}

	out, _ = h.do(ctx, h.request(wizard.DoDNS))
	if len(out.Reports) != 4 {
		t.Errorf("%d reports", len(out.Reports))
	}
	for id, want := range map[string]string{
		"dns.mx": "mx.poste-demo.example", "dns.spf": "v=spf1 include:",
		"dns.dkim": "poste1 · rsa-", "dns.dmarc": "v=DMARC1",
	} {
		if r := find(t, out.Reports, check.ID(id)); !strings.Contains(r.Brief.Raw(), want) {
			t.Errorf("%s: %s, seen %q", id, r.Status, r.Brief.Raw())
		}
	}
}

// TestAutoIsSettled: the outcome holds the port and security that were found for "auto".
func TestAutoIsSettled(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	r := h.request(wizard.DoSubmission)
	r.Draft.Submission.Security = config.SecurityAuto
	if out, _ := h.do(context.Background(), r); out.Submission == nil || out.Submission.Security != config.SecurityTLS ||
		out.Submission.Port != 465 {
		t.Errorf("%+v", out.Submission)
	}
	r.Draft.Submission.Port = 587
	if out, _ := h.do(context.Background(), r); out.Submission == nil ||
		out.Submission.Security != config.SecurityStartTLS || out.Submission.Port != 587 {
		t.Errorf("%+v", out.Submission)
	}
	r = h.request(wizard.DoSent)
	r.Draft.IMAP.Security, r.Draft.IMAP.Port = config.SecurityAuto, 143
	if out, _ := h.do(context.Background(), r); out.IMAP == nil || out.IMAP.Security != config.SecurityStartTLS ||
		out.IMAP.Port != 143 {
		t.Errorf("%+v", out.IMAP)
	}
}

func TestCreateFolder(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "no-sent-folder")
	out, _ := h.do(context.Background(), h.request(wizard.DoSent))
	r := find(t, out.Reports, "imap.folder")
	if r.Cause != "folder-missing" || r.Step != wizard.StepSent || r.Field != wizard.FieldSentFolder ||
		len(out.Folders) == 0 {
		t.Errorf("%+v, folders %v", r, out.Folders)
	}
	request := h.request(wizard.DoSent)
	request.Create = true
	if out, _ = h.do(context.Background(), request); find(t, out.Reports, "imap.append").Status != check.Pass ||
		out.Folder == "" {
		t.Errorf("folder %q", out.Folder)
	}
}

func TestTestMessage(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	out, told := h.do(context.Background(), h.request(wizard.DoTest))
	for _, id := range []string{
		"smtp.data", "arrival.delivered", "arrival.placement", "arrival.spf", "arrival.dkim",
		"arrival.dmarc",
	} {
		if r := find(t, out.Reports, check.ID(id)); r.Status != check.Pass || r.Brief.Empty() {
			t.Errorf("%s: %s %s, seen %q", id, r.Status, r.Cause, r.Brief.Raw())
		}
	}
	if out.FiledByProvider || out.Reports[0].ID != "smtp.data" || len(told) == 0 {
		t.Errorf("%+v", out)
	}
	boxes, err := scripted.Mailboxes(h.provider.Mailbox())
	if err != nil || len(boxes["INBOX"]) != 0 {
		t.Errorf("the message is left: %d, %v", len(boxes["INBOX"]), err)
	}
}

// TestTestMessageFailures: each failure to submit the test message is one finding, with the server's reply.
func TestTestMessageFailures(t *testing.T) {
	t.Parallel()
	for fault, id := range map[string]check.ID{
		"message-too-large": "smtp.data", "content-rejected": "smtp.data", "delivery-unknown": "smtp.data",
		"lost": "arrival.delivered", "junk": "arrival.placement", "sent-by-server": "arrival.delivered",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, fault)
			h.Arrival = time.Second
			out, _ := h.do(context.Background(), h.request(wizard.DoTest))
			cause := h.provider.Fault().Cause
			shown := 0
			for _, r := range out.Reports {
				if r.Cause == cause {
					shown++
					if len(r.Details) == 0 {
						t.Errorf("%s has no raw lines", r.ID)
					}
				}
			}
			if r := find(t, out.Reports, id); r.Cause != cause || shown != 1 {
				t.Errorf("%s: %s %s, shown %d times: %+v", id, r.Status, r.Cause, shown, out.Reports)
			}
			if out.FiledByProvider != (fault == "sent-by-server") {
				t.Errorf("filed by provider: %v", out.FiledByProvider)
			}
		})
	}
}

// TestLostAnswer: a message that was found was accepted, although the connection broke before the server said so.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	lost := diagnostics.Failed(check.CauseDeliveryUnknown)
	lost.ID = check.SMTPData
	found := diagnostics.Passed()
	found.ID = check.ArrivalDelivered
	s := sender{submitted: lost}
	if r := s.withSubmission([]diagnostics.Result{found})[0]; r.Status != check.Pass || r.Cause != "" {
		t.Errorf("%s %s", r.Status, r.Cause)
	}
	s = sender{submitted: lost}
	found.Status, found.Cause = check.Fail, check.CauseDeliveryUnknown
	if r := s.withSubmission([]diagnostics.Result{found}); r[0].Cause != check.CauseDeliveryUnknown ||
		r[1].Status != check.Skip {
		t.Errorf("%+v", r)
	}
}

// TestLookAgain: after a wait, a message that was submitted is looked for and not sent again.
func TestLookAgain(t *testing.T) {
	t.Parallel()
	h := newFixtureWith(t, rehearsal.Options{Fault: "slow-delivery", Slow: time.Second})
	h.Arrival = time.Nanosecond // one look
	out, _ := h.do(context.Background(), h.request(wizard.DoTest))
	if out.Sent == "" || find(t, out.Reports, "arrival.delivered").Cause != "not-arrived" {
		t.Fatalf("%q, %+v", out.Sent, out.Reports)
	}
	again := h.request(wizard.DoTest)
	again.Sent = out.Sent
	h.Arrival = time.Minute
	out, _ = h.do(context.Background(), again)
	if r := find(t, out.Reports, "arrival.delivered"); r.Status != check.Pass || out.Sent != "" {
		t.Errorf("%s %s, still looked for: %q", r.Status, r.Cause, out.Sent)
	}
	for _, r := range out.Reports {
		if r.ID == "smtp.data" {
			t.Error("a second message was sent")
		}
	}
}

// TestWait: a wait ends when its time is over, and at once when it is cancelled.
func TestWait(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	alarm := make(chan time.Time, 1)
	asked := time.Duration(0)
	h.After = func(d time.Duration) <-chan time.Time { asked = d; return alarm }
	alarm <- time.Time{}
	r := wizard.Request{ID: 7, Kind: wizard.DoWait, Pause: 5 * time.Minute}
	if out, _ := h.do(t.Context(), r); !out.Done || out.ID != 7 || asked != 5*time.Minute {
		t.Errorf("%+v after %s", out, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out, _ := h.do(ctx, r); !out.Done {
		t.Errorf("%+v", out)
	}
}

// TestTestMessageWithoutMailbox: without a mailbox only sending is proven, and there is no other sign-in: none at all
// for a second message, which goes over the connection of the first.
func TestTestMessageWithoutMailbox(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	for i, change := range []func(*wizard.Draft){
		func(d *wizard.Draft) { d.IMAP = nil },
		func(d *wizard.Draft) { d.Skipped = []wizard.Step{wizard.StepSent} },
	} {
		r := h.request(wizard.DoTest)
		change(&r.Draft)
		before := h.provider.SignIns()
		out, _ := h.do(context.Background(), r)
		if len(out.Reports) != 1 || out.Reports[0].ID != "smtp.data" || out.Reports[0].Status != check.Pass {
			t.Errorf("%+v", out.Reports)
		}
		if n := h.provider.SignIns() - before; n != 1-i {
			t.Errorf("message %d: %d sign-ins", i, n)
		}
	}
	boxes, err := scripted.Mailboxes(h.provider.Mailbox())
	if err != nil || len(boxes["INBOX"]) != 2 {
		t.Errorf("%d messages, %v", len(boxes["INBOX"]), err)
	}
	h = newFixture(t, "content-rejected")
	r := h.request(wizard.DoTest)
	r.Draft.IMAP = nil
	out, _ := h.do(context.Background(), r)
	if len(out.Reports) != 1 || out.Reports[0].Cause != "content-rejected" || out.Reports[0].Reply.Empty() {
		t.Errorf("%+v", out.Reports)
	}
}

// TestCancel: cancelling ends a check at once, even when the server sends nothing.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "silent-server")
	for _, kind := range []wizard.RequestKind{wizard.DoSubmission, wizard.DoSent, wizard.DoTest} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		started := time.Now()
		out, _ := h.do(ctx, h.request(kind))
		const patience = 3 * time.Second // well below the deadlines of the steps, far above the 200 ms that are promised
		if took := time.Since(started); took > patience {
			t.Errorf("%s went on for %s", kind, took)
		}
		for _, r := range out.Reports {
			if r.Status == check.Fail && string(r.ID) != string(check.NetResolve) && string(r.Cause) != "server-timeout" {
				t.Errorf("%s: %s is judged: %s", kind, r.ID, r.Cause)
			}
		}
		cancel()
	}
}

// TestDraftFiles: a draft is readable for this user only and removed at the end; a missing or damaged one is no error.
func TestDraftFiles(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	ctx := context.Background()
	if _, found, err := LoadDraft(h.ConfigPath); found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	out, _ := h.do(ctx, h.request(wizard.DoDraft))
	if !out.Err.Empty() {
		t.Fatal(words(t, out.Err))
	}
	read, found, err := LoadDraft(h.ConfigPath)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	want, _ := json.Marshal(h.draft())
	if got, _ := json.Marshal(read); string(got) != string(want) {
		t.Errorf("\n%s\n%s", got, want)
	}
	mode(t, draftPath(h.ConfigPath), 0o600)
	for _, damaged := range []string{
		"", "{", "null", `{"version":2,"step":"address"}`, `{"version":1,"step":"nowhere"}`,
		`{"version":"x"}`, "\x00\xff", `[]`,
	} {
		h.write("draft.json", damaged)
		if d, found, err := LoadDraft(h.ConfigPath); found || err != nil || d.Address != "" {
			t.Errorf("%q: %v %v", damaged, found, err)
		}
	}
	h.do(ctx, h.request(wizard.DoForget))
	if _, found, _ := LoadDraft(h.ConfigPath); found || h.file("draft.json") != "" {
		t.Error("not forgotten")
	}
	if out, _ := h.do(ctx, h.request(wizard.DoForget)); !out.Err.Empty() {
		t.Error("forgetting twice is an error")
	}
	h.NoDraft = true
	h.do(ctx, h.request(wizard.DoDraft))
	if h.file("draft.json") != "" {
		t.Error("a draft is written although none is wanted")
	}
	h.NoDraft, h.ConfigPath = false, h.folder+"/config.json/inside/config.json"
	h.write("config.json", "{}")
	if out, _ := h.do(ctx, h.request(wizard.DoDraft)); out.Err.Empty() {
		t.Error("a draft that cannot be written is not told")
	} else {
		words(t, out.Err)
	}
}

// TestNameServiceThatDeniesEverything: a domain is said not to exist only where names that surely exist are known.
func TestNameServiceThatDeniesEverything(t *testing.T) {
	t.Parallel()
	known := "com. 300 IN NS a.gtld-servers.net.\ngmail.com. 300 IN MX 5 gmail-smtp-in.l.google.com.\n"
	for zone, want := range map[string][2]string{
		"": {"setup.all-denied", "(Z-88)"}, known: {wizard.Misspelt, "(Z-86)"},
	} {
		h := newFixture(t, "")
		resolver, err := wire.ResolverAt(scripted.StartDNS(t, zone).Addr())
		if err != nil {
			t.Fatal(err)
		}
		h.Network = &wire.Network{Resolver: resolver, Timeout: 5 * time.Second, Route: h.provider.Route}
		r := h.request(wizard.DoDiscover)
		r.Draft.Address = "marie@fleurs-durand.example"
		if out, _ := h.do(t.Context(), r); [2]string{out.Err.Msg.Key, out.Err.Literal} != want {
			t.Errorf("%+v, want %s", out.Err, want)
		}
	}
}
