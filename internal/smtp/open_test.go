package smtp

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/sasl"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const author = "marie@durand.example"

// dialled makes a client's account and a network on which every name leads to a scripted server.
func dialled(t *testing.T, kind certificates.Kind, script scripted.Script) (*wire.Network, sasl.Account,
	*scripted.Server,
) {
	t.Helper()
	ca := scripted.StartCA(t)
	server := scripted.StartSMTP(t, scripted.Options{
		Certificate: scripted.Leaf(t, ca, kind, "127.0.0.1"), ImplicitTLS: true, Script: script,
	})
	network := &wire.Network{
		Roots: ca.Roots(), Timeout: 5 * time.Second,
		Route: func(string, string, int) (string, bool) { return server.Addr(), true },
	}
	return network, sasl.Account{
		Server: config.Server{Host: "127.0.0.1", Port: 465, Security: config.SecurityTLS, Username: author},
		Secret: secret.New("C4nary#password-7"), SecretType: config.SecretPassword,
	}, server
}

func letter(to ...string) Mail {
	return Mail{From: author, To: to, Message: []byte("Subject: x\r\n\r\n.\r\n")}
}

func TestOneConnectionTakesSeveralMessages(t *testing.T) {
	t.Parallel()
	network, account, server := dialled(t, certificates.Good, nil)
	c, err := Open(t.Context(), network, account)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		marked := false
		m := letter("paul@durand.example", "lea@durand.example")
		m.BeforeDot = func() error {
			marked = !bytes.HasSuffix(server.Received(), []byte("\r\n.\r\n"))
			return nil
		}
		receipt, err := c.Send(t.Context(), m)
		if err != nil || receipt.QueueID == "" || len(receipt.Recipients) != 2 || !marked {
			t.Errorf("%v, %+v, marked before the dot: %t", err, receipt, marked)
		}
	}
	if n := server.Connections(); n != 1 || !c.Usable() {
		t.Errorf("%d connections", n)
	}
	if commands := strings.Join(server.Commands(), " "); strings.Count(commands, "AUTH") != 1 {
		t.Errorf("said %s", commands)
	}
	if _, err := c.SignIn(t.Context()); err != nil || strings.Count(strings.Join(server.Commands(), " "), "AUTH") != 1 {
		t.Errorf("signed in twice: %v", err)
	}
}

func TestOpenNamesTheStep(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		kind   certificates.Kind
		script scripted.Script
		step   Step
		code   int
	}{
		{"busy", certificates.Good, scripted.Script{"greeting": scripted.Reply("421 busy")}, StepGreeting, 421},
		{"no TLS", certificates.Good, scripted.Script{"tls": scripted.Reply("220 hello")}, StepTLS, 0},
		{"expired", certificates.Expired, nil, StepCertificate, 0},
		{"no EHLO", certificates.Good, scripted.Script{"EHLO": scripted.Reply("502 what")}, StepHello, 502},
		{"refused", certificates.Good, scripted.Script{"auth": scripted.Reply("535 5.7.8 no")}, StepAuth, 535},
	} {
		network, account, server := dialled(t, row.kind, row.script)
		_, err := Open(t.Context(), network, account)
		var e *Error
		if !errors.As(err, &e) || e.Step != row.step || e.Reply.Code != row.code {
			t.Errorf("%s: %v", row.name, err)
		}
		if row.step != StepAuth {
			server.NoSecret(t, account.Secret, author)
		}
	}
}

func TestSendTellsWhatBecameOfTheMessage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, command string
		action        scripted.Action
		step          Step
		state         State
	}{
		{"sender refused", "MAIL", scripted.Reply("550 5.7.1 no"), StepSender, StateRefused},
		{"recipients refused", "RCPT", scripted.Reply("550 5.1.1 no"), StepRecipient, StateRefused},
		{"content refused", ".", scripted.Reply("554 5.7.1 spam"), StepData, StateRefused},
		{"lost before the dot", "DATA", scripted.Action{Close: true}, StepData, StateNotSent},
		{"lost after the dot", ".", scripted.Action{Close: true}, StepData, StateUnknown},
	} {
		network, account, server := dialled(t, certificates.Good, scripted.Script{row.command: row.action})
		c, err := Open(t.Context(), network, account)
		if err != nil {
			t.Fatal(row.name, err)
		}
		_, err = c.Send(t.Context(), letter("paul@durand.example"))
		var e *Error
		if !errors.As(err, &e) || e.Step != row.step || StateOf(err) != row.state {
			t.Errorf("%s: %v, %s", row.name, err, StateOf(err))
		}
		if _, err := c.Send(t.Context(), letter("paul@durand.example")); !errors.Is(err, ErrOver) {
			t.Errorf("%s: the connection goes on: %v", row.name, err)
		}
		if n := server.Connections(); n != 1 {
			t.Errorf("%s: %d connections", row.name, n)
		}
	}
}

func TestAnErrorBeforeTheDotTakesTheMessageBack(t *testing.T) {
	t.Parallel()
	network, account, server := dialled(t, certificates.Good, nil)
	c, err := Open(t.Context(), network, account)
	if err != nil {
		t.Fatal(err)
	}
	m, stop := letter("paul@durand.example"), errors.New("the disk is full")
	m.BeforeDot = func() error { return stop }
	if _, err := c.Send(t.Context(), m); !errors.Is(err, stop) || StateOf(err) != StateNotSent {
		t.Errorf("%v", err)
	}
	if bytes.Contains(server.Received(), []byte("\r\n.\r\n")) {
		t.Error("the dot was sent")
	}
}

func TestAMessageThatIsStoppedBeforeItBegins(t *testing.T) {
	t.Parallel()
	network, account, _ := dialled(t, certificates.Good, scripted.Script{"MAIL": {Hang: true}})
	c, err := Open(t.Context(), network, account)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, letter("paul@durand.example")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestRefusedMechanism: a mechanism that is offered and then refused leads to the next one, on the same connection. A
// refused password does not.
func TestRefusedMechanism(t *testing.T) {
	t.Parallel()
	for reply, next := range map[string]bool{
		"500 5.5.1 unrecognized command": true, "501 5.5.4 Syntax error": true, "502 Invalid input": true,
		"503 bad sequence": true, "504 5.7.4 Unrecognized authentication type": true,
		"530 5.7.0 SASL mechanism unavailable": true, "530 5.7.0 Authentication required": true, "530 Invalid input": true,
		"534 5.7.9 Too weak": true, "535 5.5.4 Invalid input": true, "535 PLAIN not supported": true,
		"534 5.7.9 Authentication mechanism too weak":  true,
		"535 5.7.8 Invalid authentication mechanism":   true,
		"535 5.7.8 Username and Password not accepted": false,
		"534 5.7.9 Application-specific password":      false,
	} {
		network, account, server := dialled(t, certificates.Good, scripted.Script{"AUTH#1": scripted.Reply(reply)})
		c, err := Open(t.Context(), network, account)
		signIns := 0
		for _, command := range server.Commands() {
			if command == "AUTH" {
				signIns++
			}
		}
		if (err == nil) != next || signIns != map[bool]int{true: 2, false: 1}[next] ||
			server.Connections() != 1 {
			t.Errorf("%s: %v, %d sign-ins", reply, err, signIns)
		}
		if err == nil {
			if s, _ := c.SignIn(t.Context()); s.Mechanism != sasl.Login || len(s.Passed) != 1 || s.Passed[0].Name != sasl.Plain {
				t.Errorf("%s: %+v", reply, s)
			}
			c.Close()
		}
	}
	// When no mechanism is taken, the cause is the mechanism.
	network, account, _ := dialled(t, certificates.Good, scripted.Script{"AUTH": scripted.Reply("502 what?")})
	if _, err := Open(t.Context(), network, account); !errors.Is(err, ErrMechanism) {
		t.Errorf("%v", err)
	}
}

// TestRefusedHelo: when the name in EHLO is refused, the other kind is sent once, and kept.
func TestRefusedHelo(t *testing.T) {
	t.Parallel()
	refusal := scripted.Reply("501 5.5.2 invalid helo name")
	for _, c := range []struct{ configured, refused, used string }{
		{"", "[127.0.0.1]", ""}, // a name of this machine, or the domain of the user name
		{"wrong.example", "wrong.example", "[127.0.0.1]"},
	} {
		network, account, server := dialled(t, certificates.Good, scripted.Script{"EHLO#1": refusal})
		account.Server.Helo = c.configured
		client, err := Open(t.Context(), network, account)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if client.RefusedHelo() != c.refused || c.used != "" && client.Helo() != c.used ||
			client.Helo() == c.refused || server.Connections() != 1 {
			t.Errorf("%q after %q", client.Helo(), client.RefusedHelo())
		}
		client.Close()
	}
	network, account, _ := dialled(t, certificates.Good, scripted.Script{"EHLO": refusal})
	var e *Error
	if _, err := Open(t.Context(), network, account); !errors.As(err, &e) || e.Step != StepHello || e.Reply.Code != 501 {
		t.Errorf("%v", err)
	}
}

// TestOneMessageTooMany: a server that ends the connection after a message gets a new one.
func TestOneMessageTooMany(t *testing.T) {
	t.Parallel()
	for _, script := range []scripted.Script{
		{"MAIL#2": scripted.Reply("421 4.7.0 too many messages for this session")},
		{"MAIL#2": scripted.Reply("450 4.7.1 only 1 message per connection")},
		{"RCPT#2": scripted.Reply("421 closing")},
	} {
		network, account, _ := dialled(t, certificates.Good, script)
		c, err := Open(t.Context(), network, account)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(t.Context(), letter("paul@durand.example")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(t.Context(), letter("paul@durand.example")); !errors.Is(err, ErrOver) {
			t.Errorf("%v: %v", script, err)
		}
		c.Close()
	}
	network, account, _ := dialled(t, certificates.Good, scripted.Script{"MAIL": scripted.Reply("421 too many")})
	c, err := Open(t.Context(), network, account)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Send(t.Context(), letter("paul@durand.example")); errors.Is(err, ErrOver) || err == nil {
		t.Errorf("on a new connection it is a limit: %v", err)
	}
}

// TestHeaderOutsideASCII: it needs SMTPUTF8 even where the envelope does not (RFC 6531 §3.4), if the server has that.
func TestHeaderOutsideASCII(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ehlo, message string
		want          bool
	}{
		"offered":        {"250-mail.example\n250-SMTPUTF8\n250 AUTH PLAIN", "From: jörg@durand.example\r\n\r\nx", true},
		"not offered":    {"250-mail.example\n250 AUTH PLAIN", "From: jörg@durand.example\r\n\r\nx", false},
		"only the text":  {"250-mail.example\n250-SMTPUTF8\n250 AUTH PLAIN", "From: j@durand.example\r\n\r\nü", false},
		"a whole header": {"250-mail.example\n250-SMTPUTF8\n250 AUTH PLAIN", "Subject: ü\r\n", true},
	} {
		network, account, server := dialled(t, certificates.Good, scripted.Script{"EHLO": scripted.Reply(row.ehlo)})
		c, err := Open(t.Context(), network, account)
		if err != nil {
			t.Fatal(err)
		}
		m := letter("paul@durand.example")
		m.Message = []byte(row.message)
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
		if got := bytes.Contains(server.Received(), []byte("> SMTPUTF8")); got != row.want {
			t.Errorf("%s: SMTPUTF8 %t", name, got)
		}
	}
}
