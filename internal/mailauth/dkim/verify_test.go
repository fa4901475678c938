package dkim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	library "github.com/emersion/go-msgauth/dkim"

	"postier/internal/mailauth/dkim"
	"postier/internal/mailauth/lookup/lookuptest"
)

var signer = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func verifyAt(t *testing.T, zone, message string) []dkim.Verification {
	t.Helper()
	return dkim.Verify(context.Background(), lookuptest.Zone(t, zone), []byte(message), time.Unix(1_800_000_000, 0))
}

func key(tags string) string {
	return `s1._domainkey.example.org. IN TXT "v=DKIM1; k=ed25519; ` + tags + `p=` + edKey + `"` + "\n"
}

// TestExampleOfTheStandard is the message of RFC 8463 appendix A, which others signed.
func TestExampleOfTheStandard(t *testing.T) {
	t.Parallel()
	message := strings.ReplaceAll(`DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`, "\n", "\r\n")
	zone := "brisbane._domainkey.football.example.com. IN TXT " +
		`"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="` + "\n"
	got := verifyAt(t, zone, message)
	if len(got) != 1 || got[0].Result != dkim.Pass || got[0].Reason != "" || got[0].Selector != "brisbane" {
		t.Errorf("%+v", got)
	}
}

// TestVerifyWhatTheLibrarySigns covers both forms of header and body with odd white space.
func TestVerifyWhatTheLibrarySigns(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{
		"rsa":     `s1._domainkey.example.org. IN TXT "v=DKIM1; p=` + base64.StdEncoding.EncodeToString(der) + `"`,
		"ed25519": key(""),
	}
	header := "From:  Anna\t <anna@example.org>\r\nSUBJECT : two\r\n\t lines \r\n" +
		"To: b@example.net\r\nTo: c@example.net\r\n"
	for _, body := range []string{
		"Hello.\r\n", "", "\r\n\r\n", "a  b\t \r\n \t\r\n\r\n", "no end", " \r\n", "\r\nfirst\r\n\r\n\r\n", "x\ty\r\n",
	} {
		for name, record := range records {
			var signs crypto.Signer = private
			if name == "ed25519" {
				signs = signer
			}
			for _, form := range []library.Canonicalization{"simple", "relaxed"} {
				for _, bodyForm := range []library.Canonicalization{"simple", "relaxed"} {
					var out bytes.Buffer
					err := library.Sign(&out, strings.NewReader(header+"\r\n"+body), &library.SignOptions{
						Domain: "example.org", Selector: "s1", Signer: signs, HeaderCanonicalization: form,
						BodyCanonicalization: bodyForm, HeaderKeys: []string{"From", "Subject", "To", "To", "Cc"},
					})
					if err != nil {
						t.Fatal(err)
					}
					what := fmt.Sprintf("%s %s/%s %q", name, form, bodyForm, body)
					if got := verifyAt(t, record, out.String()); len(got) != 1 || got[0].Result != dkim.Pass {
						t.Errorf("%s: %+v", what, got)
					}
					changed := strings.Replace(out.String(), "two", "too", 1)
					if got := verifyAt(t, record, changed); got[0].Result != dkim.Fail {
						t.Errorf("%s, changed: %+v", what, got)
					}
				}
			}
		}
	}
}

// signed builds a message of anna@example.org whose signature has the given tags; the form is relaxed/simple.
func signed(tags, body string) string {
	covered := body
	if at := strings.Index(tags, "l="); at >= 0 {
		var length int
		if _, err := fmt.Sscanf(tags[at:], "l=%d", &length); err == nil && length >= 0 && length < len(body) {
			covered = body[:length]
		}
	}
	hash := sha256.Sum256([]byte(covered))
	if !strings.Contains(tags, "a=") {
		tags += "; a=ed25519-sha256"
	}
	field := "v=1; c=relaxed; d=example.org; s=s1; h=from; " + tags + "; bh=" +
		base64.StdEncoding.EncodeToString(hash[:]) + "; b="
	digest := sha256.Sum256([]byte("from:anna@example.org\r\ndkim-signature:" + field))
	return "DKIM-Signature: " + field + base64.StdEncoding.EncodeToString(ed25519.Sign(signer, digest[:])) +
		"\r\nFrom: anna@example.org\r\n\r\n" + body
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const body = "Hello.\r\n"
	good := signed("q=dns/txt", body)
	for _, c := range []struct {
		name, zone, message string
		result              dkim.Result
		reason              string
	}{
		{"good", key(""), good, dkim.Pass, ""},
		{"testing", key("t=y; "), good, dkim.Pass, "test"},
		{"a second record", key("") + `s1._domainkey.example.org. IN TXT "left over"`, good, dkim.PermError, "several"},
		{"two keys", key("") + key("n=x; "), good, dkim.PermError, "several"},
		{"revoked", `s1._domainkey.example.org. IN TXT "v=DKIM1; p="`, good, dkim.PermError, "revoked"},
		{"no key", "", good, dkim.PermError, "no key"},
		{"not a key", `s1._domainkey.example.org. IN TXT "v=spf1 -all"`, good, dkim.PermError, "no key"},
		{"malformed", `s1._domainkey.example.org. IN TXT "v=DKIM1\\; k=ed25519; p=x"`, good, dkim.PermError, "malformed"},
		{"short", `s1._domainkey.example.org. IN TXT "v=DKIM1; p=` + rsaKey(512, false) + `"`, good, dkim.PermError, "short"},
		{
			"large", `s1._domainkey.example.org. IN TXT "v=DKIM1; n=` + strings.Repeat(strings.Repeat("x", 200)+`" "`, 45) +
				`; p="`, good, dkim.PermError, "too large",
		},
		{"no answer", "!timeout s1._domainkey.example.org TXT", good, dkim.TempError, "unavailable"},
		{"for other hashes", key("h=sha1; "), good, dkim.PermError, "malformed"},
		{"for other services", key("s=tlsrpt; "), good, dkim.PermError, "malformed"},
		{"of the old standard", key("g=; "), good, dkim.Pass, ""},
		{
			"of another type", `s1._domainkey.example.org. IN TXT "p=` + rsaKey(2048, false) + `"`, good, dkim.PermError,
			"type",
		},
		{"i= below", key(""), signed("i=a@mail.example.org", body), dkim.Pass, ""},
		{"i= below, t=s", key("t=s; "), signed("i=a@mail.example.org", body), dkim.PermError, "t=s"},
		{"i= exact, t=s", key("t=s; "), signed("i=a@Example.org", body), dkim.Pass, ""},
		{"no i=, t=s", key("t=y:s; "), good, dkim.Pass, "test"},
		{"i= elsewhere", key(""), signed("i=a@notexample.org", body), dkim.PermError, "i="},
		{"i= without @", key(""), signed("i=example.org", body), dkim.PermError, "i="},
		{"l= of a part", key(""), signed("l=5", body), dkim.Pass, "first 5 of 8"},
		{"l= of all", key(""), signed("l=8", body), dkim.Pass, "first 8 of 8"},
		{"l=, and something added", key(""), signed("l=8", body) + "added\r\n", dkim.Pass, "first 8 of 15"},
		{"l= of nothing", key(""), signed("l=0", body), dkim.Pass, "first 0 of 8"},
		{"l= too long", key(""), signed("l=9", body), dkim.Fail, "longer"},
		{"l= no number", key(""), signed("l=-1", body), dkim.PermError, "l="},
		{"l=, but changed", key(""), strings.Replace(signed("l=5", body), "Hello", "Hallo", 1), dkim.Fail, "body hash"},
		{"expired", key(""), signed("t=1; x=1700000000", body), dkim.PermError, "expired"},
		{"not yet expired", key(""), signed("x=1900000000", body), dkim.Pass, ""},
		{"sha1", key(""), signed("a=rsa-sha1", body), dkim.PermError, "weak"},
		{"a tag twice", key(""), signed("q=dns/txt; d=example.org", body), dkim.PermError, "malformed"},
		{"other query", key(""), signed("q=dns/other", body), dkim.PermError, "method"},
		{"From not signed", key(""), strings.Replace(good, "h=from", "h=date", 1), dkim.PermError, "From"},
		{"no b=", key(""), strings.Replace(good, " b=", " z=", 1), dkim.PermError, "b="},
		{"other version", key(""), strings.Replace(good, "v=1", "v=2", 1), dkim.PermError, "version"},
		{"other form", key(""), strings.Replace(good, "c=relaxed", "c=nofws", 1), dkim.PermError, "canonical"},
		{"signature changed", key(""), strings.Replace(good, "b=", "b=AAAA", 2), dkim.Fail, ""},
	} {
		got := verifyAt(t, c.zone, c.message)
		if len(got) != 1 || got[0].Result != c.result || !strings.Contains(got[0].Reason, c.reason) ||
			c.result == dkim.Pass && c.reason == "" && got[0].Reason != "" ||
			got[0].Partial != (strings.Contains(c.name, "l=") && c.result == dkim.Pass) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if len(got) == 1 && (got[0].Domain != "example.org" || got[0].Selector != "s1") {
			t.Errorf("%s: named %+v", c.name, got[0])
		}
	}
}

// TestManyFields: a header of many lines costs no more than its size.
func TestManyFields(t *testing.T) {
	t.Parallel()
	folded := "From: anna@example.org\r\nX: " + strings.Repeat("y\r\n ", 200_000) + "\r\n\r\nHello.\r\n"
	many := strings.Repeat("DKIM-Signature: v=1; d=example.org\r\n", 1000) + "From: anna@example.org\r\n\r\n"
	start := time.Now()
	if got := verifyAt(t, "", folded); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := verifyAt(t, "", many); len(got) != dkim.MaxSignatures {
		t.Errorf("%d verified", len(got))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(signed("l=5", "Hello.\r\n"))
	f.Add("DKIM-Signature:\r\n\r\n")
	f.Add("DKIM-Signature: b=;\r\n b=\r\n")
	f.Add(":\r\n")
	zone := lookuptest.Zone(f, key(""))
	f.Fuzz(func(_ *testing.T, message string) {
		dkim.Verify(context.Background(), zone, []byte(message), time.Unix(0, 0))
	})
}
