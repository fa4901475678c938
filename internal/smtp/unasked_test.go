package smtp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestRepliesThatNoCommandAskedFor: one reply too many would make every later one the answer to another command, so the
// next command is not sent.
func TestRepliesThatNoCommandAskedFor(t *testing.T) {
	t.Parallel()
	at := func(reply string) scripted.Action { return scripted.Action{Reply: reply, Inject: "250 once more\r\n"} }
	later := func(text string) scripted.Action {
		return scripted.Action{Reply: "235 welcome", InjectLater: text, InjectDelay: 10 * time.Millisecond}
	}
	for _, row := range []struct {
		name, command string
		action        scripted.Action
		auth          config.Mechanism
		step          Step // where the error is
		said          string
		unasked       bool
	}{
		{"after EHLO", "EHLO", at("250-mail.example\n250 AUTH PLAIN LOGIN"), "", StepAuth, "250 once more", true},
		{"after the sign-in", "auth", at("235 welcome"), "", StepSender, "250 once more", true},
		{"a moment after the sign-in", "auth", later("250 once more\r\n"), "", StepSender, "250 once more", true},
		{"within a group", "MAIL", at("250 ok"), "", StepData, "250 2", false},
		{"a farewell at any time", "auth", later("421 4.4.2 timeout\r\n"), "", StepSender, "421 4.4.2 timeout", false},
		{
			"a verdict together with its challenge", "AUTH", scripted.Reply("334 VXNlcm5hbWU6\n535 5.7.8 no"),
			config.MechanismLogin, StepAuth, "535 5.7.8 no", false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			network, account, _ := dialled(t, certificates.Good, scripted.Script{row.command: row.action})
			account.Server.Auth = row.auth
			c, err := Open(t.Context(), network, account)
			if err == nil {
				time.Sleep(50 * time.Millisecond) // for what comes later
				_, err = c.Send(t.Context(), letter("paul@durand.example"))
			}
			var e *Error
			var protocol *ProtocolError
			unasked := errors.As(err, &protocol) && protocol.What == "unasked"
			if !errors.As(err, &e) || e.Step != row.step || !strings.HasPrefix(e.Said.Raw(), row.said) ||
				unasked != row.unasked {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// TestReplyAfterTheMessage: a second verdict on the same message changes nothing about the first, and the connection is
// not used again.
func TestReplyAfterTheMessage(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]scripted.Action{
		"in one piece": {Reply: "250 2.0.0 Ok: queued as 0FB409BA029", Inject: "250 2.0.0 Ok\r\n"},
		"later": {
			Reply: "250 2.0.0 Ok: queued as 0FB409BA029", InjectLater: "250 2.0.0 Ok\r\n", InjectDelay: 10 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network, account, server := dialled(t, certificates.Good, scripted.Script{".#1": action})
			c, err := Open(t.Context(), network, account)
			if err != nil {
				t.Fatal(err)
			}
			if receipt, err := c.Send(t.Context(), letter("paul@durand.example")); err != nil || receipt.QueueID == "" {
				t.Errorf("%v, queue id %q", err, receipt.QueueID)
			}
			time.Sleep(50 * time.Millisecond) // for what comes later
			if _, err := c.Send(t.Context(), letter("lea@durand.example")); !errors.Is(err, ErrOver) {
				t.Errorf("the connection goes on: %v", err)
			}
			if commands := server.Commands(); strings.Count(strings.Join(commands, " "), "MAIL") != 1 {
				t.Errorf("said %v", commands)
			}
		})
	}
}
