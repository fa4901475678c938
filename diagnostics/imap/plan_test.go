package imap

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/scripted"
)

// assertNoSecret fails when any form of the password is in what a report would carry.
func assertNoSecret(t *testing.T, results []diagnostics.Result, tg account.Target) {
	t.Helper()
	for _, r := range results {
		data, err := json.Marshal(struct {
			E, T any
		}{r.Evidence, r.Transcript})
		if err != nil {
			t.Fatal(err)
		}
		for i, form := range tg.Secret.Forms(user) {
			if bytes.Contains(data, []byte(form)) {
				t.Errorf("%s: form %d of the secret is in the result", r.ID, i)
			}
		}
		if bytes.ContainsFunc(data, func(c rune) bool { return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0) }) {
			t.Errorf("%s: a raw control character is in the result", r.ID)
		}
	}
}

func TestRehearsal(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cases := []struct {
		name    string
		prepare func(*fake)
		target  func(*account.Target)
		options Options
		want    map[check.ID]string // status, or status/cause; all others pass
		check   func(*testing.T, *fake, []diagnostics.Result)
	}{
		{name: "all is well", check: func(t *testing.T, f *fake, results []diagnostics.Result) {
			if n := f.count("Sent"); n != 0 {
				t.Errorf("%d messages left in Sent", n)
			}
			if !f.said("UID EXPUNGE 7") {
				t.Error("the message was not removed by UID EXPUNGE")
			}
			for _, line := range find(t, results, check.IMAPAppend).Transcript {
				if strings.Contains(line.String(), "X-Postier") {
					t.Error("the body is in the transcript")
				}
			}
		}},
		{name: "no UIDPLUS, no LITERAL+", prepare: func(f *fake) { f.caps = "IMAP4rev1" }, want: map[check.ID]string{
			check.IMAPQuota: "skip/not-applicable",
		}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
			if f.count("Sent") != 0 || !f.said("EXPUNGE") || f.said("UID EXPUNGE") {
				t.Error("the message was not removed by EXPUNGE alone")
			}
		}},
		{name: "others are marked deleted", prepare: func(f *fake) {
			f.caps = "IMAP4rev1"
			f.boxes["Sent"] = []stored{{uid: 3, raw: []byte("precious"), deleted: true}}
		}, want: map[check.ID]string{
			check.IMAPQuota: "skip/not-applicable", check.IMAPCleanup: "warn/cleanup-failed",
		}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
			if f.count("Sent") != 2 || f.said("EXPUNGE") {
				t.Error("a message of somebody else was put at risk")
			}
		}},
		{
			name: "server changes the message", prepare: func(f *fake) {
				f.alter = func(b []byte) []byte { return append([]byte("X-Stamp: 1\r\n"), b...) }
			}, want: map[check.ID]string{check.IMAPReadback: "warn/readback-mismatch"},
			check: func(t *testing.T, f *fake, results []diagnostics.Result) {
				seen, _ := diagnostics.Observed[Readback](find(t, results, check.IMAPReadback).Evidence)
				if seen.Difference == nil || *seen.Difference != 0 {
					t.Errorf("first difference at %v", seen.Difference)
				}
				if f.count("Sent") != 0 {
					t.Error("the message was left")
				}
			},
		},
		{name: "server keeps somebody else's message under the UID", prepare: func(f *fake) {
			f.alter = func([]byte) []byte { return []byte("Subject: holiday\r\n\r\nprecious\r\n") }
		}, want: map[check.ID]string{
			check.IMAPReadback: "fail/readback-mismatch", check.IMAPCleanup: "warn/cleanup-failed",
		}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
			if f.count("Sent") != 1 || f.said("UID STORE") {
				t.Error("a message that is not ours was touched")
			}
		}},
		{name: "no folder", prepare: func(f *fake) { f.folders = f.folders[:1] }, want: map[check.ID]string{
			check.IMAPFolder: "fail/folder-missing", check.IMAPAppend: "skip/needs-failed",
			check.IMAPReadback: "skip/needs-failed", check.IMAPCleanup: "skip/needs-failed",
		}, check: func(t *testing.T, _ *fake, results []diagnostics.Result) {
			if fix := find(t, results, check.IMAPFolder).Fix; len(fix) != 1 || fix[0].Kind != "folder" ||
				fix[0].Value != "Sent" {
				t.Errorf("fix is %v", fix)
			}
		}},
		{
			name: "folder is made", prepare: func(f *fake) { f.folders = f.folders[:1] }, options: Options{Create: true},
			check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
				if !f.said(`CREATE "Sent"`) || !f.said(`SUBSCRIBE "Sent"`) {
					t.Error("no folder was made")
				}
			},
		},
		{
			name: "wanted folder is not there", target: func(tg *account.Target) { tg.SentFolder = "Ablage" },
			want: map[check.ID]string{
				check.IMAPFolder: "fail/folder-missing", check.IMAPAppend: "skip/needs-failed",
				check.IMAPReadback: "skip/needs-failed", check.IMAPCleanup: "skip/needs-failed",
			},
		},
		{
			name: "folder vanishes before APPEND", prepare: func(f *fake) { delete(f.boxes, "Sent") },
			want: map[check.ID]string{
				check.IMAPAppend: "fail/folder-missing", check.IMAPReadback: "skip/needs-failed",
				check.IMAPCleanup: "skip/needs-failed",
			},
		},
		{name: "extended LIST refused", prepare: func(f *fake) { f.flatList = true }},
		{
			name: "XLIST only", prepare: func(f *fake) { f.caps = "IMAP4rev1 XLIST UIDPLUS LITERAL-" },
			want: map[check.ID]string{
				check.IMAPQuota: "skip/not-applicable",
			}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
				if !f.said("XLIST") {
					t.Error("XLIST was not asked")
				}
			},
		},
		{
			name: "connection lost in APPEND, copy is there", prepare: func(f *fake) { f.cut, f.keep = true, true },
			want: map[check.ID]string{
				check.IMAPAppend: "warn/delivery-unknown",
			}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
				if f.conns != 2 || f.count("Sent") != 0 {
					t.Errorf("%d connections, %d copies left", f.conns, f.count("Sent"))
				}
			},
		},
		{name: "connection lost in APPEND, no copy", prepare: func(f *fake) { f.cut = true }, want: map[check.ID]string{
			check.IMAPAppend: "fail/delivery-unknown", check.IMAPReadback: "skip/needs-failed",
			check.IMAPCleanup: "skip/needs-failed",
		}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
			if f.said("APPEND") {
				t.Error("the message was filed again")
			}
		}},
		{
			name: "nearly full", prepare: func(f *fake) { f.quota = "(STORAGE 950 1000)" },
			want: map[check.ID]string{check.IMAPQuota: "warn/quota-nearly-full"},
		},
		{
			name: "full", prepare: func(f *fake) { f.quota = "(STORAGE 1000 1000 MESSAGE 2 10)" },
			want: map[check.ID]string{check.IMAPQuota: "fail/mailbox-full"},
		},
		{
			name: "provider files the copy", target: func(tg *account.Target) { tg.SentMode = config.SentServer },
			want: map[check.ID]string{
				check.IMAPAppend: "skip/sent-copy-by-provider", check.IMAPReadback: "skip/sent-copy-by-provider",
				check.IMAPCleanup: "skip/sent-copy-by-provider",
			}, check: func(t *testing.T, f *fake, _ []diagnostics.Result) {
				if f.said("APPEND") {
					t.Error("a copy was filed all the same")
				}
			},
		},
		{name: "look only", options: Options{LookOnly: true}, want: map[check.ID]string{
			check.IMAPAppend: "skip/not-applicable", check.IMAPReadback: "skip/not-applicable",
			check.IMAPCleanup: "skip/not-applicable",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			if c.prepare != nil {
				c.prepare(f)
			}
			tg := target(config.SecurityTLS)
			if c.target != nil {
				c.target(&tg)
			}
			results := runPlan(t, network(t, ca, f.start(t, ca)), tg, c.options)
			for _, r := range results {
				want := c.want[r.ID]
				if want == "" {
					want = "pass"
				}
				got := string(r.Status)
				if r.Cause != "" {
					got += "/" + string(r.Cause)
				}
				if got != want {
					t.Errorf("%s is %s, want %s; evidence %v", r.ID, got, want, r.Evidence)
					for _, line := range r.Transcript {
						t.Log(line)
					}
				}
				if r.Status == check.Pass && len(r.Evidence) == 0 {
					t.Errorf("%s passes without evidence", r.ID)
				}
			}
			assertNoSecret(t, results, tg)
			if c.check != nil {
				c.check(t, f, results)
			}
		})
	}
}

func TestFindIn(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	f := newFake()
	f.boxes["INBOX"] = []stored{{uid: 4, raw: []byte("Message-ID: <a@durand.example>\r\n\r\nx")}}
	session, err := client.Open(t.Context(), network(t, ca, f.start(t, ca)), target(config.SecurityTLS).Mailbox(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for id, want := range map[string]int{"<a@durand.example>": 1, "<b@durand.example>": 0} {
		if got, err := session.FindIn(t.Context(), client.Inbox(), id); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
	if _, err := session.FindIn(t.Context(), client.Inbox(), "<a\r\nX: y>"); err == nil {
		t.Error("a line break in a Message-ID is taken")
	}
}
