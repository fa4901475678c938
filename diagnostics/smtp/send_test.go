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
	"postier/internal/scripted"
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
			outcome, err := Send(t.Context(), b.network, b.target, []byte("Subject: x\n\nx\n"), test.to)
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
			outcome, err := Send(t.Context(), b.network, b.target, []byte("Subject: x\n\nx\n"), nil)
			data, _ := diagnostics.Find(outcome.Results, check.SMTPData)
			if err != nil || outcome.State != smtp.StateAccepted || data.Cause != row.cause {
				t.Errorf("%s, %v\n%s", outcome.State, err, dump(outcome.Results))
			}
		})
	}
}

func TestSendStopped(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{Script: script{"EHLO": {Hang: true}}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	outcome, err := Send(ctx, b.network, b.target, []byte("x"), nil)
	if outcome.State != smtp.StateNotSent || err == nil {
		t.Errorf("%s, %v", outcome.State, err)
	}
}

func TestLargeMessageArrivesWhole(t *testing.T) {
	t.Parallel()
	b := start(t, config.SecurityTLS, scripted.Options{CapabilitiesTLS: []string{"AUTH PLAIN"}})
	line := strings.Repeat("x", 70)
	message := strings.Repeat(line+"\n", 5000)
	outcome, err := Send(t.Context(), b.network, b.target, []byte(message), nil)
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
	outcome, err := Send(t.Context(), b.network, b.target, []byte(strings.Repeat(strings.Repeat("x", 1000)+"\n", 20_000)),
		nil)
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
