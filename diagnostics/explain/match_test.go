package explain

import (
	"slices"
	"strings"
	"testing"

	"postier/internal/check"
	"postier/internal/locale"
)

func TestMatchWeighsCodesAndProvider(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		query Query
		cause string
	}{
		{"an unclear text", Query{
			Protocol: SMTP, Code: "535", Enhanced: "5.7.8",
			Text: "535 5.7.8 Error: authentication failed:",
		}, "wrong-password"},
		{
			"the same text at Apple",
			Query{
				Protocol: SMTP, Code: "535", Enhanced: "5.7.8", Text: "535 5.7.8 Error: authentication failed:",
				Provider: "icloud",
			},
			"app-password-required",
		},
		{
			"a preset's own name",
			Query{Protocol: IMAP, Code: "NO", Text: "NO AUTHENTICATE failed.", Provider: "microsoft365"},
			"basic-auth-disabled",
		},
		{"upper case", Query{Protocol: "SMTP", Code: "550", Text: "550 RELAYING DENIED"}, "relay-denied"},
		{"protocol not given", Query{Text: "dial tcp 192.0.2.1:465: connect: connection refused"}, "connection-refused"},
		{"protocol nobody knows", Query{Protocol: "uucp", Text: "connection refused"}, string(check.CauseUnknown)},
		{"self-signed", Query{Protocol: TLS, Text: "verify error:num=18:self-signed certificate"}, "cert-self-signed"},
		{
			"signed by nobody known",
			Query{Protocol: TLS, Text: "x509: certificate signed by unknown authority"},
			"cert-untrusted",
		},
	} {
		if got := Match(c.query); string(got.Cause) != c.cause {
			t.Errorf("%s: %s (%s), want %s", c.name, got.Cause, got.Reply, c.cause)
		}
	}
}

func TestAdviceOfOneServiceIsKeptFromAnother(t *testing.T) {
	t.Parallel()
	q := Query{Protocol: SMTP, Code: "535", Enhanced: "5.7.0", Text: "535 5.7.0 Invalid login or password"}
	generic, _ := Cause("wrong-password")
	own := Match(q)
	if own.Reply != "brevo-login" || slices.Equal(own.Remedy(locale.English), generic.Remedy(locale.English)) {
		t.Fatalf("without a provider: %s, %v", own.Reply, own.Remedy(locale.English))
	}
	q.Provider = "mailjet"
	if other := Match(q); other.Cause != "wrong-password" ||
		!slices.Equal(other.Remedy(locale.English), generic.Remedy(locale.English)) {
		t.Errorf("at another provider: %s, %v", other.Reply, other.Remedy(locale.English))
	}
	q.Provider = "custom"
	if neutral := Match(q); neutral.Reply != own.Reply {
		t.Errorf("at a server of one's own: %s", neutral.Reply)
	}
}

func TestGeneralAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		protocol   string
		cause      string
		retry      Retry
		exit       int
	}{
		{"class 5", "599 frobnicated", SMTP, string(check.CauseUnknown), RetryNo, 1},
		{"class 4", "499 frobnicated", SMTP, string(check.CauseUnknown), RetryLater, 75},
		{"a code that proves nothing", "550 frobnicated", SMTP, string(check.CauseUnknown), RetryNo, 1},
		{"a subject", "550 5.2.99 frobnicated", SMTP, string(check.CauseUnknown), RetryNo, 1},
		{"a detail", "550 5.1.1 frobnicated", SMTP, "recipient-unknown", RetryNo, 1},
		{"a passing detail", "450 4.1.1 frobnicated", SMTP, "recipient-unknown", RetryNo, 75},
		{"a reply code of RFC 4954", "535 frobnicated", SMTP, "wrong-password", RetryAfterChange, 77},
		{"no code at all", "frobnicated", SMTP, string(check.CauseUnknown), RetryNo, 1},
		{"an IMAP response code", "A1 NO [AUTHENTICATIONFAILED] frobnicated", IMAP, "wrong-password", RetryAfterChange, 77},
		{"an IMAP status", "A1 NO frobnicated", IMAP, string(check.CauseUnknown), RetryNo, 1},
		{"an ALERT says nothing by itself", "A1 NO [ALERT] frobnicated", IMAP, string(check.CauseUnknown), RetryNo, 1},
		{"tls", "tls: frobnicated", TLS, string(check.CauseUnknown), RetryNo, 1},
	} {
		got := Match(ParseReplyAs(c.protocol, c.text))
		if string(got.Cause) != c.cause || got.Retry != c.retry || got.Exit != c.exit || got.Reply != "" {
			t.Errorf("%s: %s, retry %s, exit %d, reply %q", c.name, got.Cause, got.Retry, got.Exit, got.Reply)
		}
		for _, lang := range locale.All() {
			if got.Title(lang) == "" || got.Meaning(lang) == "" || len(got.Remedy(lang)) == 0 {
				t.Errorf("%s %s: %q, %q, %v", c.name, lang, got.Title(lang), got.Meaning(lang), got.Remedy(lang))
			}
		}
	}
	unknown, _ := Cause(check.CauseUnknown)
	if five := Match(Query{Protocol: SMTP, Code: "599"}); five.Meaning(locale.French) == unknown.Meaning(locale.French) {
		t.Error("an unknown reply of class 5 does not get the meaning of its class")
	}
}

// TestBareCodes: a code is a reply without words.
func TestBareCodes(t *testing.T) {
	t.Parallel()
	for code, cause := range map[string]string{
		"535": "wrong-password", " 5.7.8 ": "wrong-password", "#5.2.2": "mailbox-full", "4.7.99": string(check.CauseUnknown),
		"599":            string(check.CauseUnknown),
		"NO [OVERQUOTA]": "mailbox-full", "NO [TRYCREATE]": "folder-missing",
	} {
		if a := Match(ParseReplyAs("", code)); string(a.Cause) != cause || a.Meaning(locale.German) == "" {
			t.Errorf("%q: %s", code, a.Cause)
		}
	}
	if a := Match(ParseReplyAs("", "4.7.99")); a.Retry != RetryLater || a.Exit != 75 {
		t.Errorf("4.7.99: retry %s, exit %d", a.Retry, a.Exit)
	}
}

func TestNeedlesNeverHideAMatch(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		for _, r := range replies(protocol) {
			text := asQuery(protocol, r).Text
			for _, variant := range []string{text, strings.ToUpper(text), strings.ToLower(text)} {
				filtered := r.matches(variant, strings.ToLower(variant))
				plain := reply{Pattern: r.Pattern}
				if all := plain.matches(variant, ""); filtered != all {
					t.Errorf("%s: %v with its needles %q, %v without: %q", r.ID, filtered, r.needles, all, variant)
				}
			}
		}
	}
}

func TestAnswersCanBeChangedWithoutHarm(t *testing.T) {
	t.Parallel()
	q := Query{Protocol: SMTP, Code: "550", Text: "550 relaying denied"}
	Match(q).Remedy(locale.English)[0] = "changed"
	if Match(q).Remedy(locale.English)[0] == "changed" {
		t.Error("a caller can change the catalogue")
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct {
		name  string
		query Query
	}{
		{"known", Query{
			Protocol: SMTP, Code: "534", Enhanced: "5.7.9",
			Text: "534-5.7.9 Application-specific password required.",
		}},
		{"unknown", Query{
			Protocol: SMTP, Code: "550",
			Text: "550 5.0.0 no words that anybody knows, in a line of a usual length",
		}},
		{"long", Query{Protocol: SMTP, Code: "550", Text: "550 " + strings.Repeat("spam and other words ", 400)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Match(c.query)
			}
		})
	}
}
