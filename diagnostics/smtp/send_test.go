package smtp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/smtp"
)

func TestSend(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		script script
		to     []string
		state  smtp.State
		failed check.ID
	}{
		{"accepted", nil, []string{user, other}, smtp.StateAccepted, ""},
		{
			"one recipient refused",
			script{"RCPT TO:<PAUL@DURAND.EXAMPLE>": scripted.Reply("550 5.1.1 User unknown")},
			[]string{user, other},
			smtp.StateAccepted, "",
		},
		{
			"every recipient refused",
			script{"RCPT": scripted.Reply("550 5.1.1 User unknown")},
			[]string{user, other},
			smtp.StateRefused, check.SMTPRecipient,
		},
		{"content refused", script{".": scripted.Reply("554 5.7.1 spam")}, nil, smtp.StateRefused, check.SMTPData},
		{"lost after the dot", script{".": {Close: true}}, nil, smtp.StateUnknown, check.SMTPData},
		{"lost before", script{"MAIL": {Close: true}}, nil, smtp.StateNotSent, check.SMTPSender},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{Script: test.script})
			message := []byte("Subject: x\n\nx\n")
			outcome, err := Send(t.Context(), b.network, b.target, Options{Message: message, Recipients: test.to})
			if outcome.State != test.state {
				t.Errorf("state %s, want %s\n%s", outcome.State, test.state, dump(outcome.Results))
			}
			var failure *SendError
			switch {
			case test.state == smtp.StateAccepted:
				if err != nil || outcome.Receipt.QueueID != "0FB409BA029" || len(outcome.Receipt.Recipients) != 2 {
					t.Errorf("%v, queue id %q, %d recipients", err, outcome.Receipt.QueueID, len(outcome.Receipt.Recipients))
				}
			case !errors.As(err, &failure) || failure.Result.ID != test.failed || failure.State != test.state:
				t.Errorf("error %v", err)
			}
			if n := strings.Count(string(b.server.Received()), "Subject: x"); n > 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestKeptConnection: a message goes over the connection that the checks have left open. Where the server has ended it
// since, the message goes over a new one; where only the server knows what became of it, it goes nowhere again.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		script      script
		caps        []string
		connections int
		state       smtp.State
	}{
		"still open": {nil, []string{"PIPELINING", "AUTH PLAIN"}, 1, smtp.StateAccepted},
		"one by one": {nil, []string{"AUTH PLAIN"}, 1, smtp.StateAccepted},
		"ended":      {script{"RSET": {Reply: "250 ok", Close: true}}, nil, 2, smtp.StateAccepted},
		"421 while unused": {
			script{"RSET": {Reply: "250 ok", Inject: "421 4.4.2 idle\r\n", Close: true}}, nil, 2, smtp.StateAccepted,
		},
		"out of step": {script{"RSET": {Reply: "250 ok", Inject: "250 ok\r\n"}}, nil, 2, smtp.StateAccepted},
		"refused":     {script{".": scripted.Reply("554 5.7.1 spam")}, nil, 1, smtp.StateRefused},
		"lost":        {script{".": {Close: true}}, nil, 1, smtp.StateUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{Script: row.script, CapabilitiesTLS: row.caps})
			var kept *smtp.Client
			keep := func(c *smtp.Client) { kept = c }
			diagnostics.Run(t.Context(), nil, Plan(b.network, b.target, Options{Keep: keep}))
			if kept == nil && name != "out of step" {
				t.Fatal("no connection was kept")
			}
			outcome, _ := Send(t.Context(), b.network, b.target,
				Options{Message: []byte("Subject: x\n\nx\n"), Over: kept, Keep: keep})
			if outcome.State != row.state || b.server.Connections() != row.connections {
				t.Errorf("%s over %d connections\n%s", outcome.State, b.server.Connections(), dump(outcome.Results))
			}
			if n := strings.Count(string(b.server.Received()), "Subject: x"); n != 1 {
				t.Errorf("sent %d times", n)
			}
			if row.state == smtp.StateAccepted {
				kept.Close()
			}
		})
	}
}

// TestReplyThatNoCommandAskedFor: the message was taken, and the server is reported all the same. A server that answers
// QUIT in a way of its own is not.
func TestReplyThatNoCommandAskedFor(t *testing.T) {
	t.Parallel()
	const queued, more = "250 2.0.0 Ok: queued as 0FB409BA029", "250 2.0.0 Ok\r\n"
	for name, row := range map[string]struct {
		script script
		cause  check.Cause
	}{
		"in one piece": {script{".": {Reply: queued, Inject: more}}, check.CauseProtocolError},
		"later": {
			script{
				".":    {Reply: queued, InjectLater: more, InjectDelay: 5 * time.Millisecond},
				"QUIT": {Delay: 20 * time.Millisecond},
			},
			check.CauseProtocolError,
		},
		"a farewell of its own": {script{"QUIT": {Reply: "250 bye", Close: true}}, ""},
		"no farewell":           {script{"QUIT": {Hang: true}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{Script: row.script})
			outcome, err := Send(t.Context(), b.network, b.target, Options{Message: []byte("Subject: x\n\nx\n")})
			data, _ := diagnostics.Find(outcome.Results, check.SMTPData)
			if err != nil || outcome.State != smtp.StateAccepted || data.Cause != row.cause {
				t.Errorf("%s, %v\n%s", outcome.State, err, dump(outcome.Results))
			}
		})
	}
}

// TestReplyTooManyInTheEnvelope: where the replies are out of step, no verdict on the recipient can be trusted.
func TestReplyTooManyInTheEnvelope(t *testing.T) {
	t.Parallel()
	const more = "250 once more\r\n"
	for name, row := range map[string]struct {
		caps   []string
		script script
		id     check.ID
	}{
		"pipelined": {
			[]string{"PIPELINING", "AUTH PLAIN"},
			script{"MAIL": {Reply: "250 ok", Inject: more}},
			check.SMTPRecipient,
		},
		"one by one":    {[]string{"AUTH PLAIN"}, script{"MAIL": {Reply: "250 ok", Inject: more}}, check.SMTPRecipient},
		"after RCPT":    {[]string{"AUTH PLAIN"}, script{"RCPT": {Reply: "250 ok", Inject: more}}, check.SMTPRecipient},
		"after sign-in": {[]string{"AUTH PLAIN"}, script{"auth": {Reply: "235 ok", Inject: more}}, check.SMTPSender},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{Script: row.script, CapabilitiesTLS: row.caps})
			wantRoot(t, b.run(t, Options{}), row.id, "protocol-error")
		})
	}
}

// TestRefusedPasswordOutsideASCII: the same cause as for any other, with the hint that belongs to it and the user name
// that was tried.
func TestRefusedPasswordOutsideASCII(t *testing.T) {
	t.Parallel()
	for typed, word := range map[string]string{
		"Grüße-1": "ü and ß", "cafe\u0301-99": "two characters", "geheim-1234": "",
	} {
		b := start(t, config.SecurityTLS, scripted.Options{Script: script{"auth": scripted.Reply("535 5.7.8 no")}})
		b.target.Secret = secret.New(typed)
		results := b.run(t, Options{})
		wantRoot(t, results, check.SMTPAuth, "wrong-password")
		refused := find(t, results, check.SMTPAuth)
		answer := refused.Explain()
		said := answer.Meaning(locale.English) + " " + answer.Detail(locale.English, refused.Params)
		hinted := strings.Contains(said, "two characters") || strings.Contains(said, "ü and ß")
		if !strings.Contains(said, word) || hinted != (word != "") || !strings.Contains(said, "User name tried: "+user) {
			t.Errorf("%d octets: %s", len(typed), said)
		}
	}
}

func TestSendStopped(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{Script: script{"EHLO": {Hang: true}}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	outcome, err := Send(ctx, b.network, b.target, Options{Message: []byte("x")})
	if outcome.State != smtp.StateNotSent || err == nil {
		t.Errorf("%s, %v", outcome.State, err)
	}
}

func TestLargeMessageArrivesWhole(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{CapabilitiesTLS: []string{"AUTH PLAIN"}})
	line := strings.Repeat("x", 70)
	message := strings.Repeat(line+"\n", 5000)
	outcome, err := Send(t.Context(), b.network, b.target, Options{Message: []byte(message)})
	if err != nil {
		t.Fatalf("%v\n%s", err, dump(outcome.Results))
	}
	if n := strings.Count(string(b.server.Received()), line+"\r\n"); n != 5000 {
		t.Errorf("%d lines arrived", n)
	}
}

// TestServerThatHangsUpInTheMiddleOfAMessage: what it said first is the cause, and nothing was delivered.
func TestServerThatHangsUpInTheMiddleOfAMessage(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{
		CapabilitiesTLS: []string{"AUTH PLAIN"},
		Script:          script{"DATA": {Reply: "354 go\n552 5.3.4 Message size exceeds fixed limit", Close: true}},
	})
	message := strings.Repeat(strings.Repeat("x", 1000)+"\n", 20_000)
	outcome, err := Send(t.Context(), b.network, b.target, Options{Message: []byte(message)})
	if err == nil || outcome.State == smtp.StateAccepted {
		t.Errorf("%s, %v", outcome.State, err)
	}
}

// TestRoundTrips counts what the network costs: TCP, TLS, greeting, EHLO, AUTH are the floor of a sign-in; the envelope
// adds one and a message one more.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		security config.Security
		message  []byte
		floor    int // TCP and TLS, and the greeting that the server sends by itself
		want     int
	}{
		{config.SecurityTLS, nil, 3, 6},
		{config.SecurityTLS, []byte("x"), 3, 7},
		{config.SecurityStartTLS, nil, 3, 8},
		{config.SecurityStartTLS, []byte("x"), 3, 9},
	} {
		b := start(t, test.security, scripted.Options{})
		l := newLadder(b.network, b.target, Options{Message: test.message})
		atSignIn := 0
		observe := func(e diagnostics.Event) {
			if e.ID == check.SMTPAuth && e.Result != nil {
				atSignIn = l.client.Turns()
			}
		}
		wantPass(t, diagnostics.Run(t.Context(), observe, diagnostics.Plan{Checks: l.checks()}))
		total := test.floor + l.client.Turns() - 1 // no one waits for QUIT
		if total != test.want {
			t.Errorf("%s, message %t: %d round trips, want %d", test.security, test.message != nil, total, test.want)
		}
		if want := map[config.Security]int{config.SecurityTLS: 5, config.SecurityStartTLS: 7}[test.security]; test.floor+
			atSignIn != want {
			t.Errorf("%s: signed in after %d round trips, want %d", test.security, test.floor+atSignIn, want)
		}
	}
}
