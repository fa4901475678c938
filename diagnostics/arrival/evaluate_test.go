package arrival

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"postier/internal/mailauth/dmarc"
	"postier/internal/mailauth/spf"
	"postier/internal/safetext"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// TestHandedOver reads the client from the forms in which servers write it down.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"from mail.a.example (mail.a.example [192.0.2.7]) by mx.b.example":                              "192.0.2.7 mail.a.example",
		"from mail.a.example ([192.0.2.7] helo=hello.example) by mx.b.example with esmtps":              "192.0.2.7 hello.example",
		"from unknown (HELO hello.example) (192.0.2.7) by mx.b.example with SMTP":                       "192.0.2.7 hello.example",
		"from EUR01.prod.outlook.com (2a01:111:f403::1) by mx.b.example (2603::2) with Microsoft SMTP":  "2a01:111:f403::1 EUR01.prod.outlook.com",
		"from a.example (a.example [IPv6:2001:db8::1]) by mx.b.example":                                 "2001:db8::1 a.example",
		"from [192.0.2.7] (helo=a.example) by mx.b.example":                                             "192.0.2.7 a.example",
		"from ::ffff:192.0.2.7 (a.example [::ffff:192.0.2.7]) by mx.b.example":                          "192.0.2.7 ::ffff:192.0.2.7",
		"by mx.b.example (Postfix, from userid 1000)":                                                   "invalid IP ",
		"from a.example (a.example [999.0.2.7]) by mx.b.example":                                        "invalid IP a.example",
		"from a.example by mx.b.example ([192.0.2.99])":                                                 "invalid IP a.example",
		"from a.example (using TLSv1.3 with cipher X (256/256 bits)) (no client certificate) by b.test": "invalid IP a.example",
	} {
		ip, helo := handedOver(value)
		if got := ip.String() + " " + helo; got != want {
			t.Errorf("%s\n got %q\nwant %q", value, got, want)
		}
	}
}

func edSigned(t *testing.T, domain string, message string) (raw []byte, record string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	options := &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: private, HeaderKeys: []string{"From", "Subject"}}
	if err := dkim.Sign(&out, strings.NewReader(strings.ReplaceAll(message, "\n", "\r\n")), options); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), "s1._domainkey." + domain + `. 300 IN TXT "v=DKIM1; k=ed25519; p=` +
		base64.StdEncoding.EncodeToString(public) + `"` + "\n"
}

func evaluate(t *testing.T, zone string, raw []byte, given Client) Evaluation {
	t.Helper()
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, zone).Addr())
	if err != nil {
		t.Fatal(err)
	}
	e, err := Evaluate(t.Context(), &wire.Network{Resolver: resolver}, raw, given)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const boundary = "Received: from out.provider.example (out.provider.example [192.0.2.7]) by mx.receiver.example; " +
	"Sat, 21 Nov 2026 20:00:00 +0000\r\n"

func TestEvaluateJoinsTheThree(t *testing.T) {
	t.Parallel()
	raw, record := edSigned(t, "good.example", "From: marie@good.example\nSubject: hello\n\nHello.\n")
	zone := record + `good.example. 300 IN TXT "v=spf1 -all"
_dmarc.good.example. 300 IN TXT "v=DMARC1; p=quarantine"
bounce.provider.example. 300 IN TXT "v=spf1 ip4:192.0.2.7 -all"
`
	received := []byte("Return-Path: <x@bounce.provider.example>\r\n" + boundary)
	e := evaluate(t, zone, append(received, raw...), Client{})
	if e.SPF.Result.Result != spf.Pass || e.SPF.Sender.Raw() != "x@bounce.provider.example" {
		t.Errorf("SPF %+v", e.SPF)
	}
	if len(e.DKIM) != 1 || e.DKIM[0].Result != "pass" {
		t.Fatalf("DKIM %+v", e.DKIM)
	}
	// SPF passes for another domain, so only the signature is aligned.
	if e.DMARC.Result != dmarc.ResultPass || e.DMARC.Aligned.SPF || !e.DMARC.Aligned.DKIM ||
		e.DMARC.Policy != "quarantine" {
		t.Errorf("DMARC %+v", e.DMARC)
	}
	e = evaluate(t, zone, bytes.Replace(append(received, raw...), []byte("Hello."), []byte("Hullo."), 1), Client{})
	if e.DKIM[0].Result != "fail" || e.DMARC.Result != dmarc.ResultFail {
		t.Errorf("changed body: DKIM %s, DMARC %s", e.DKIM[0].Result, e.DMARC.Result)
	}
}

func TestEvaluateNullSender(t *testing.T) {
	t.Parallel()
	zone := "out.provider.example. 300 IN TXT \"v=spf1 a -all\"\nout.provider.example. 300 IN A " +
		"192.0.2.7\n_dmarc.provider.example. 300 IN TXT \"v=DMARC1; p=none\"\n"
	raw := []byte("Return-Path: <>\r\n" + boundary + "From: mailer-daemon@provider.example\r\n\r\n")
	e := evaluate(t, zone, raw, Client{})
	if e.SPF.Result.Result != spf.Pass || e.DMARC.Result != dmarc.ResultPass || !e.DMARC.Aligned.SPF {
		t.Errorf("SPF %s, DMARC %+v", e.SPF.Result.Result, e.DMARC)
	}
}

func TestEvaluateWithoutBoundary(t *testing.T) {
	t.Parallel()
	raw := []byte("From marie@good.example Sat Nov 21 20:00:00 2026\nFrom: marie@good.example\n\nHello.\n")
	e := evaluate(t, "good.example. 300 IN TXT \"v=spf1 -all\"\n", raw, Client{})
	if e.SPF.Result.Result != spf.None || e.SPF.Reason != ReasonNoClient || e.DMARC.Domain.Raw() != "good.example" {
		t.Errorf("%+v", e)
	}
	// Received-SPF and Authentication-Results help where Received and Return-Path do not.
	raw = []byte("Received-SPF: fail (x) client-ip=192.0.2.9; envelope-from=\"a@good.example\"; helo=h.example;\r\n" +
		"Received: by mx.receiver.example with local\r\nFrom: marie@good.example\r\n\r\n")
	e = evaluate(t, "good.example. 300 IN TXT \"v=spf1 -all\"\n", raw, Client{})
	if e.SPF.Result.Result != spf.Fail || e.SPF.Sender.Raw() != "a@good.example" || e.SPF.HELO.Raw() != "h.example" {
		t.Errorf("%+v", e.SPF)
	}
	// A field below the boundary is the sender's own word.
	raw = []byte(boundary + "Received: from x by mail.sender.example\r\nReturn-Path: <forged@good.example>\r\nFrom: " +
		"marie@good.example\r\n\r\n")
	if e = evaluate(t, "", raw, Client{}); !e.SPF.Sender.Empty() {
		t.Errorf("believed %s", e.SPF.Sender.Raw())
	}
	if e = evaluate(t, "", raw,
		Client{Sender: safetext.FromRemote("me@x.example")}); e.SPF.Sender.Raw() != "me@x.example" {
		t.Error("what was given does not win")
	}
}

func TestEvaluateRefusesRubbish(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "\n\n", "no field here\n", "\x00\x01\x02", " folded: first\n\n", "From alone\n"} {
		if _, err := Evaluate(t.Context(), &wire.Network{}, []byte(raw), Client{}); !errors.Is(err, ErrNoMessage) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// TestAuthor: the author is read as programs write it, and two authors of different domains are none.
func TestAuthor(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"anna@example.org":                                  "example.org",
		"(comment) anna@example.org":                        "example.org",
		"(a (nested) b) Anna <anna@example.org>":            "example.org",
		"(a)(b) <anna@example.org> (c)":                     "example.org",
		`"(no comment)" <anna@example.org>`:                 "example.org",
		`"a@evil.example" <anna@example.org>`:               "example.org",
		`"Durand, Anna" (home) <anna@Example.ORG>`:          "example.org",
		`"a b"@example.org`:                                 "example.org",
		"=?windows-1252?Q?M=FCller?= <anna@example.org>":    "example.org",
		"=?iso-2022-jp?B?GyRCSVRMQA==?= <anna@example.org>": "example.org",
		"anna@example.org (Anna (at home))":                 "example.org",
		"<@relay.example:anna@example.org>":                 "example.org",
		"Group: anna@example.org;":                          "example.org",
		"anna@example.org, <bob@example.org>":               "example.org",
		"anna@bücher.example":                               "xn--bcher-kva.example",
		"anna@example.org, bob@example.net":                 "two",
		"":                                                  "",
		"Anna":                                              "",
		"(anna@example.org)":                                "",
	} {
		domain, single := oneAuthor(splitHeader([]byte("From: " + from + "\r\n\r\n")))
		got := domain
		if domain != "" && !single {
			got = "two"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", from, got, want)
		}
	}
}
