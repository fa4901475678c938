package explain

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseReply(t *testing.T) {
	t.Parallel()
	challenge := base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer"}`))
	for _, c := range []struct {
		name, text string
		want       Query
	}{
		{
			"one line", "535 5.7.8 Error: authentication failed",
			Query{Protocol: SMTP, Code: "535", Enhanced: "5.7.8", Text: "535 5.7.8 Error: authentication failed"},
		},
		{
			"several lines, the codes not in the middle of the sentence",
			"534-5.7.9 Application-specific\r\n534-5.7.9 password required. Learn more at\r\n534 5.7.9  " +
				"https://support.google.com/",
			Query{
				Protocol: SMTP, Code: "534", Enhanced: "5.7.9",
				Text: "534-5.7.9 Application-specific password required. Learn more at https://support.google.com/",
			},
		},
		{
			"enhanced code on the last line only", "550-Requested action not taken\n550 5.1.1 unknown",
			Query{Protocol: SMTP, Code: "550", Enhanced: "5.1.1", Text: "550-Requested action not taken unknown"},
		},
		{"code alone", "421", Query{Protocol: SMTP, Code: "421", Text: "421"}},
		{
			"hash before the enhanced code", "550 #5.1.0 Address rejected.",
			Query{Protocol: SMTP, Code: "550", Enhanced: "5.1.0", Text: "550 #5.1.0 Address rejected."},
		},
		{
			"a transcript: the refusal counts",
			"S: 220 mx ESMTP\nC: EHLO me\nS: 250-mx\nS: 250 SIZE 1\nS: 550 5.7.1 no\nS: 221 bye",
			Query{Protocol: SMTP, Code: "550", Enhanced: "5.7.1", Text: "550 5.7.1 no"},
		},
		{"swaks marks", "<** 535 5.7.8 no", Query{Protocol: SMTP, Code: "535", Enhanced: "5.7.8", Text: "535 5.7.8 no"}},
		{
			"a sentence around it", "host mx.example said: 550 5.7.26 Unauthenticated email",
			Query{
				Protocol: SMTP, Code: "550", Enhanced: "5.7.26",
				Text: "host mx.example said: 550 5.7.26 Unauthenticated email",
			},
		},
		{
			"a sentence around a code alone", "host mx.example said: 550 no such user (#5.1.1)",
			Query{
				Protocol: SMTP, Code: "550", Enhanced: "5.1.1", Text: "host mx.example said: 550 no such user (#5.1.1)",
			},
		},
		{"a delivery report", "smtp; 550 no", Query{Protocol: SMTP, Code: "550", Text: "smtp; 550 no"}},
		{
			"an enhanced code alone", "delivery failed (5.2.2)",
			Query{Protocol: SMTP, Enhanced: "5.2.2", Text: "delivery failed (5.2.2)"},
		},
		{"not an address", "host 192.5.7.8 said no", Query{Protocol: SMTP, Text: "host 192.5.7.8 said no"}},
		{
			"XOAUTH2 by SMTP", "334 " + challenge,
			Query{Protocol: SMTP, Code: "334", Text: `{"status":"401","schemes":"bearer"}`},
		},
		{
			"IMAP with tag", "A1 NO [AUTHENTICATIONFAILED] Authentication failed.",
			Query{
				Protocol: IMAP, Code: "NO", Enhanced: "AUTHENTICATIONFAILED",
				Text: "NO [AUTHENTICATIONFAILED] Authentication failed.",
			},
		},
		{"IMAP without tag", "NO LOGIN failed.", Query{Protocol: IMAP, Code: "NO", Text: "NO LOGIN failed."}},
		{
			"IMAP, an alert before it", "* NO [ALERT] Read this\r\nA1 NO [UNAVAILABLE] Later",
			Query{Protocol: IMAP, Code: "NO", Enhanced: "UNAVAILABLE", Text: "NO [UNAVAILABLE] Later NO [ALERT] Read this"},
		},
		{"IMAP closes", "* BYE Auth process broken", Query{Protocol: IMAP, Code: "BYE", Text: "BYE Auth process broken"}},
		{
			"response code with arguments", "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready",
			Query{Protocol: IMAP, Code: "OK", Enhanced: "CAPABILITY", Text: "OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready"},
		},
		{"XOAUTH2 by IMAP", "+ " + challenge, Query{Protocol: IMAP, Code: "+", Text: `{"status":"401","schemes":"bearer"}`}},
		{"TLS", "remote error: tls: handshake failure", Query{Protocol: TLS, Text: "remote error: tls: handshake failure"}},
		{"TCP", "dial tcp 192.0.2.1:25: i/o timeout", Query{Protocol: TCP, Text: "dial tcp 192.0.2.1:25: i/o timeout"}},
		{
			"DNS before TCP", "dial tcp: lookup a.example: no such host",
			Query{Protocol: DNS, Text: "dial tcp: lookup a.example: no such host"},
		},
		{
			"errno", "connect ECONNREFUSED 127.0.0.1:25: connection refused",
			Query{Protocol: TCP, Code: "ECONNREFUSED", Text: "connect ECONNREFUSED 127.0.0.1:25: connection refused"},
		},
		{"nothing", " \r\n ", Query{Protocol: SMTP}},
	} {
		if got := ParseReplyAs("", c.text); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestParseReplyForAGivenProtocol(t *testing.T) {
	t.Parallel()
	if got := Match(ParseReplyAs(SMTP, "* OK Dovecot ready.")); got.Cause != "wrong-service" {
		t.Errorf("IMAP where SMTP was to be: %s", got.Cause)
	}
	if got := Match(ParseReplyAs(IMAP, "220 mail.example ESMTP")); got.Cause != "wrong-service" {
		t.Errorf("SMTP where IMAP was to be: %s", got.Cause)
	}
}

func FuzzParseReplyMatch(f *testing.F) {
	for _, protocol := range protocols {
		for _, r := range replies(protocol) {
			f.Add("", r.Example, "")
		}
	}
	f.Add(SMTP, "535-\r\n535-5.7.8\n \n535", "gmail")
	f.Add(IMAP, "+ e30=\r\n* NO [ALERT\nA1 BAD", "icloud")
	f.Add("", "550 \x00\xff\x1b]0;x\x07"+strings.Repeat("5", 300), "\xff")
	f.Fuzz(func(t *testing.T, protocol, text, provider string) {
		q := ParseReplyAs(protocol, text)
		if protocol == "" && q.Protocol == "" {
			t.Fatalf("no protocol for %q", text)
		}
		if len(q.Text) > 2*maxReply {
			t.Fatalf("%d bytes of text out of %d", len(q.Text), len(text))
		}
		if utf8.ValidString(text) && len(text) < maxReply && !utf8.ValidString(q.Text) {
			t.Fatalf("text %q out of %q", q.Text, text)
		}
		q.Provider = provider
		a := Match(q)
		if info, ok := Cause(a.Cause); !ok || info.Slug != a.Cause || a.Who == "" || a.Retry == "" {
			t.Fatalf("answer %+v for %q", a, text)
		}
		if again := Match(q); again.Cause != a.Cause || again.Reply != a.Reply {
			t.Fatalf("%q leads to %s (%s) and then to %s (%s)", text, a.Cause, a.Reply, again.Cause, again.Reply)
		}
	})
}
