package explain

import (
	"regexp"
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
			variants := []string{text, strings.ToUpper(text), strings.ToLower(text)}
			if r.wide() {
				variants = []string{wordsOf(protocol, text)}
			}
			for _, variant := range variants {
				filtered := r.matches(&searched{text: variant, lower: strings.ToLower(variant)})
				if all := regexp.MustCompile(r.expression()).MatchString(variant); filtered != all {
					t.Errorf("%s: %v by its branches, %v by the whole pattern: %q", r.ID, filtered, all, variant)
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

// TestWideEntriesReadTheWordsAlone holds that addresses, host names, URLs and the words of the program that reports a
// reply do not count.
func TestWideEntriesReadTheWordsAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"550 <Spam.Policy@Virus.example>: unknown":                               "550 @: unknown",
		"550 see https://example.com/policy/spam?virus=1 for help":               "550 see  for help",
		"host mx.blocked.example[192.0.2.1] said: 451 later":                     "host ~[192.0.2.1] said: 451 later",
		"550 no (in reply to end of DATA command)":                               "550 no",
		"SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 no": "550 no",
		"550 5.1.10 RESOLVER.ADR.RecipientNotFound":                              "550 5.1.10 resolver.adr.recipientnotfound",
		"554 rejected.See e.g. example.org or mx1.corp.lan":                      "554 rejected.see e.g. ~ or ~",
	} {
		if got := wordsOf(SMTP, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestWhatDecides holds the rule by which an entry, a kind, single words and the codes are weighed.
func TestWhatDecides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, cause string }{
		{"an entry about one reply before any kind", "535 5.7.0 Too many bad words #MBR1212", "wrong-password"},
		{"a kind before a code", "550 5.1.1 Mailbox is full", "mailbox-full"},
		{"a kind of one class of replies only", "550 5.2.99 please try again in 300 seconds", "server-busy"},
		{"a code that proves a cause before single words", "550 5.2.2 the recipient was refused", "mailbox-full"},
		{"single words before a vague code", "550 5.7.1 the recipient was refused", "recipient-rejected"},
		{"a vague code before words that say next to nothing", "550 5.1.0 refused", "recipient-unknown"},
		{"a code of a transient reply before those", "451 4.4.6 temporary failure", "mail-loop"},
		{"a reply code that proves a cause before those", "502 VRFY refused", "protocol-error"},
		{"a vague code where no words are known", "550 5.7.1 frobnicated", "message-refused"},
		{"a reply code where there is nothing else", "552 frobnicated", "mailbox-full"},
		{"nothing", "550 frobnicated", string(check.CauseUnknown)},
	} {
		if got := Match(ParseReplyAs(SMTP, c.text)); string(got.Cause) != c.cause {
			t.Errorf("%s: %s (%s), want %s", c.name, got.Cause, got.Reply, c.cause)
		}
	}
}

// TestEveryRegisteredCodeHasACause: what the registry of RFC 3463 lists as a failure leads somewhere.
func TestEveryRegisteredCodeHasACause(t *testing.T) {
	t.Parallel()
	without := []string{"1.9"} // relayed to a server that reports nothing: no failure
	for code, e := range generals().Details {
		if e.Cause == "" && !slices.Contains(without, code) {
			t.Errorf("%s: no cause", code)
		}
	}
	for _, code := range []string{
		"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "1.10", "2.0", "2.1", "2.2", "2.3", "2.4", "3.0", "3.1",
		"3.2", "3.3", "3.4", "3.5", "3.6", "4.0", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "5.0", "5.1", "5.2",
		"5.3", "5.4", "5.5", "5.6", "6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9", "6.10", "7.0",
		"7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.9", "7.10", "7.11", "7.12", "7.13", "7.14", "7.15",
		"7.16", "7.17", "7.18", "7.19", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.28", "7.29",
		"7.30",
	} {
		if _, ok := generals().Details[code]; !ok {
			t.Errorf("%s: missing", code)
		}
	}
}
