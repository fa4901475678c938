package smtp

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/scripted"
)

// TestEachMechanismOnTheWire compares what the server got, decoded, with what the standards say.
func TestEachMechanismOnTheWire(t *testing.T) {
	t.Parallel()
	cram := hmac.New(md5.New, []byte(password.Reveal()))
	cram.Write([]byte("<1896.697170952@postoffice.example>"))
	for _, test := range []struct {
		mechanism config.Mechanism
		want      []string
	}{
		{config.MechanismPlain, []string{"AUTH PLAIN", "\x00" + user + "\x00" + password.Reveal()}},
		{config.MechanismLogin, []string{"AUTH LOGIN", user, password.Reveal()}},
		{config.MechanismCRAMMD5, []string{"AUTH CRAM-MD5", user + " " + hex.EncodeToString(cram.Sum(nil))}},
		{
			config.MechanismXOAuth2,
			[]string{"AUTH XOAUTH2", "user=" + user + "\x01auth=Bearer " + password.Reveal() + "\x01\x01"},
		},
		{
			config.MechanismOAuthBearer,
			[]string{
				"AUTH OAUTHBEARER",
				"n,a=" + user + ",\x01host=" + host + "\x01port=465\x01auth=Bearer " + password.Reveal() + "\x01\x01",
			},
		},
	} {
		t.Run(string(test.mechanism), func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS,
				scripted.Options{CapabilitiesTLS: []string{"AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER"}})
			b.target.Submission.Auth = test.mechanism
			results := b.run(t, Options{})
			if r := find(t, results, check.SMTPAuth); r.Status != check.Pass {
				t.Fatalf("%s %s\n%s", r.Status, r.Cause, dump(results))
			}
			noLeak(t, results)
			var got []string
			for _, record := range b.server.Records() {
				if !strings.HasPrefix(record.Phase, "AUTH") {
					continue
				}
				words := strings.Fields(string(record.Data))
				if record.Phase == "AUTH" {
					got = append(got, strings.Join(words[:2], " "))
					words = words[2:]
				}
				for _, w := range words {
					got = append(got, unbase(w))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("said %q, want %q", got, test.want)
			}
		})
	}
}

func TestOAuthErrorDocumentIsEvidence(t *testing.T) {
	t.Parallel()
	document := base64.StdEncoding.EncodeToString(
		[]byte(`{"status":"400","schemes":"bearer","scope":"https://mail.google.com/\u001b[2J"}`))
	for mechanism, answer := range map[config.Mechanism]string{
		config.MechanismXOAuth2:     "",
		config.MechanismOAuthBearer: "\x01",
	} {
		b := start(t, config.SecurityTLS, scripted.Options{
			CapabilitiesTLS: []string{"AUTH XOAUTH2 OAUTHBEARER"},
			Script: script{"AUTH": {
				Reply: "334 " + document,
				Next:  []scripted.Action{scripted.Reply("535 5.7.8 nope")},
			}},
		})
		b.target.Submission.Auth, b.target.SecretType = mechanism, config.SecretOAuth
		results := b.run(t, Options{})
		wantRoot(t, results, check.SMTPAuth, "oauth-token-expired")
		e, ok := diagnostics.Observed[OAuthDocument](find(t, results, check.SMTPAuth).Evidence)
		if !ok || e.Status == nil || e.Status.Raw() != "400" {
			t.Errorf("%s: evidence %+v", mechanism, e)
		}
		records := b.server.Records()
		index := slices.IndexFunc(records, func(r scripted.Record) bool { return r.Phase == "AUTH.1" })
		if index < 0 || unbase(strings.TrimSpace(string(records[index].Data))) != answer {
			t.Errorf("%s: the error was not answered as its standard says", mechanism)
		}
		noLeak(t, results)
	}
}

// TestStrangeChallengesEndTheExchange: the session is cancelled and nothing more is told.
func TestStrangeChallengesEndTheExchange(t *testing.T) {
	t.Parallel()
	more := scripted.Action{Reply: "334 "}
	for name, test := range map[string]struct {
		mechanism config.Mechanism
		action    scripted.Action
	}{
		"more after PLAIN": {
			config.MechanismPlain,
			scripted.Action{Reply: "334 ", Next: []scripted.Action{scripted.Reply("501 ok")}},
		},
		"third prompt of LOGIN": {
			config.MechanismLogin,
			scripted.Action{Reply: "334 VXNlcm5hbWU6", Next: []scripted.Action{more, more, scripted.Reply("501 ok")}},
		},
		"not base64": {
			config.MechanismCRAMMD5,
			scripted.Action{Reply: "334 !!", Next: []scripted.Action{scripted.Reply("501 ok")}},
		},
		"NTLM nonsense": {
			config.MechanismNTLM,
			scripted.Action{Reply: "334 TlRMTVNTUAACAAAA////////", Next: []scripted.Action{scripted.Reply("501 ok")}},
		},
		"NTLM nothing": {
			config.MechanismNTLM,
			scripted.Action{Reply: "334 ", Next: []scripted.Action{scripted.Reply("501 ok")}},
		},
		"endless XOAUTH2": {
			config.MechanismXOAuth2,
			scripted.Action{
				Reply: "334 e30=",
				Next:  []scripted.Action{more, more, more, more, more, more, scripted.Reply("501 ok")},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{
				CapabilitiesTLS: []string{"AUTH PLAIN LOGIN CRAM-MD5 NTLM XOAUTH2"}, Script: script{"AUTH": test.action},
			})
			b.target.Submission.Auth = test.mechanism
			results := b.run(t, Options{})
			wantRoot(t, results, check.SMTPAuth, "protocol-error")
			noLeak(t, results)
			if data := string(b.server.Received()); !strings.Contains(data, "\r\n*\r\n") {
				t.Errorf("the exchange was not cancelled: %q", data)
			}
		})
	}
}

func TestLongTokenGoesBehindItsCommand(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{CapabilitiesTLS: []string{"AUTH XOAUTH2"}})
	b.target.Secret = longSecret
	b.target.Submission.Auth = config.MechanismXOAuth2
	wantPass(t, b.run(t, Options{}))
	const maxAuthLine = 12288 // RFC 4954 §4
	for _, record := range b.server.Records() {
		if record.Phase == "AUTH" && len(record.Data) > maxAuthLine {
			t.Errorf("an AUTH line of %d octets", len(record.Data))
		}
	}
	if !strings.Contains(string(b.server.Received()), "AUTH XOAUTH2\r\n") {
		t.Error("the token went with the command")
	}
}

// TestSlowVerdictIsWaitedFor: servers delay refusals, and a right password must not be called wrong for that.
func TestSlowVerdictIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{Script: script{"auth": {Delay: 300 * time.Millisecond}}})
	wantPass(t, b.run(t, Options{}))
}
