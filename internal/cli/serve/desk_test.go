package serve

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile/safefiletest"
	"postier/share"
	"postier/tui/served"
	"postier/wizard"
)

// stream is a client without a terminal: what it types, and what it sees.
type stream struct {
	io.Reader
	log
}

func (*stream) Close() error { return nil }

// as runs a session of an account over a stream.
func as(t *testing.T, o *Options, account served.Account, asked string) (string, int) {
	t.Helper()
	s := &stream{Reader: strings.NewReader("")}
	code := s.run(t, o, account, asked)
	return s.String(), code
}

func (s *stream) run(t *testing.T, o *Options, account served.Account, asked string) int {
	t.Helper()
	return command.Code(o.session(t.Context(), nil, nil, &served.Session{
		Account: account, Command: asked, Stream: s, Getenv: func(string) string { return "" },
		Audit: func(string, ...slog.Attr) {},
	}))
}

func nobody(string) {}

func ending(f *command.Factory, err error) int {
	if err != nil && err.Error() != "" {
		f.Complain(err.Error())
	}
	return 0
}

// TestSupportJoins: support sees who shares, joins with the code that the person says, and can ask for nothing else.
func TestSupportJoins(t *testing.T) {
	t.Parallel()
	const canary = "Gr#canary-secret"
	code := make(chan share.Code, 1)
	leave := make(chan struct{})
	program := Program{
		End: ending,
		Home: func(_ context.Context, f *command.Factory) error {
			p := f.Sharing()
			p.Show(share.View{Screen: wizard.Screen{
				Step: wizard.StepCredential, Number: 5, Title: wizard.Literal("The password of marie"),
				Fields: []wizard.Field{{
					ID: wizard.FieldSecret, Kind: wizard.KindSecret, Label: wizard.Literal("Password"), Value: canary,
				}},
			}})
			p.Start()
			for p.Status().Phase != share.Waiting {
				<-time.After(time.Millisecond)
			}
			code <- p.Status().Code
			<-leave
			return nil
		},
	}
	var out, errs bytes.Buffer
	o := options(t, english(&out, &errs), program, "--root", safefiletest.Home(t))
	support := served.NewAccount("help desk", served.RoleSupport)
	support.Fingerprint = "SHA256:support"
	guesser := served.NewAccount("guesser", served.RoleSupport)
	guesser.Fingerprint = "SHA256:guesser"

	said, exit := as(t, o, support, "list")
	if exit != 0 || !strings.Contains(said, "No one shares") {
		t.Errorf("%d, %q", exit, said)
	}
	var audit log
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = session(t, o, "anna", nil, func(event string) { _, _ = io.WriteString(&audit, event+"\n") })
	}()
	right := <-code
	said, _ = as(t, o, support, "")
	if !strings.Contains(said, "anna: waits for somebody to join") || strings.Contains(said, string(right)) ||
		strings.Contains(said, right.String()) {
		t.Errorf("%q", said)
	}
	for asked, want := range map[string]int{
		"id": exitcode.Usage, "join": exitcode.Usage, "scp -t x": exitcode.Usage, "join abc": exitcode.Usage,
		"list all": exitcode.Usage, "offer": exitcode.Usage,
	} {
		if said, exit := as(t, o, support, asked); exit != want || said == "" {
			t.Errorf("%s: %d, %q", asked, exit, said)
		}
	}
	said, exit = as(t, o, served.NewAccount("vendor", served.RoleShare), "list")
	if exit != exitcode.Usage || !strings.Contains(said, "only offer") {
		t.Errorf("a key of the role share: %d, %q", exit, said)
	}
	// Four wrong codes leave the offer alone, and no connection of the guesser gets more.
	wrong := share.Code("00000000")
	if wrong == right {
		wrong = "00000001"
	}
	for range 4 {
		if _, exit := as(t, o, guesser, "join "+string(wrong)); exit != exitcode.NoPerm {
			t.Errorf("a wrong code: %d", exit)
		}
	}
	typed, typing := io.Pipe()
	helper := &stream{Reader: typed}
	looked := make(chan int, 1)
	go func() { looked <- helper.run(t, o, support, "join "+right.String()) }()
	until(t, func() bool { return strings.Contains(audit.String(), "join") })
	until(t, func() bool {
		said, _ := as(t, o, support, "list")
		return strings.Contains(said, "anna: help desk looks")
	})
	if _, exit := as(t, o, guesser, "join "+right.String()); exit == 0 {
		t.Error("two helpers at one step")
	}
	until(t, func() bool { return strings.Contains(helper.String(), "The password of marie") })
	close(leave)
	if exit := <-looked; exit != 0 || strings.Contains(helper.String(), canary) {
		t.Errorf("%d, the helper saw %q", exit, helper.String())
	}
	_ = typing.Close()
	<-over
	if len(o.desk.list()) != 0 {
		t.Error("an offer outlives its session")
	}
}

func until(t *testing.T, true_ func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !true_(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in vain")
		}
	}
}
