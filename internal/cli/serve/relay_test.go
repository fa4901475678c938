package serve

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile/safefiletest"
	"postier/share"
	"postier/share/relay"
	"postier/tui/served"
	"postier/wizard"
)

func newKey(t *testing.T) (gossh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(gossh.MarshalAuthorizedKey(key.PublicKey()))
}

// vendorServer is a running `serve` with one key of each role.
type vendorServer struct {
	relay.Relay
	user, support gossh.Signer
	errs          log
	stop          context.CancelFunc
	ended         chan error
}

func startVendor(t *testing.T) *vendorServer {
	t.Helper()
	dir := safefiletest.Home(t)
	v := &vendorServer{ended: make(chan error, 1)}
	var text [3]string
	v.user, text[0] = newKey(t)
	v.support, text[1] = newKey(t)
	v.Key, text[2] = newKey(t)
	keys := write(t, filepath.Join(dir, "keys"), text[0]+`postier-role="support",postier-user="help desk" `+text[1]+
		`postier-role="share" `+text[2], 0o600)
	var out log
	f := command.NewFactory(command.Streams{Out: &out, Err: &v.errs, Getenv: func(string) string { return "" }}, "test")
	root := filepath.Join(dir, "served")
	o := options(t, f, Program{Home: func(context.Context, *command.Factory) error { return nil }, End: ending},
		"--listen", "127.0.0.1:0", "--root", root, "--authorized-keys", keys)
	ctx, stop := context.WithCancel(t.Context())
	v.stop = stop
	go func() { v.ended <- serve(ctx, o) }()
	t.Cleanup(func() {
		stop()
		<-v.ended
	})
	until(t, func() bool { return strings.Contains(v.errs.String(), "event=listening") })
	_, after, _ := strings.Cut(v.errs.String(), "event=listening from=")
	v.Address, v.Host = strings.Fields(after)[0], "share.vendor.example"
	host, _, err := served.HostKey(filepath.Join(root, hostKeyName))
	if err != nil {
		t.Fatal(err)
	}
	v.HostKey, v.Dial = served.Fingerprint(host), new(net.Dialer).DialContext
	return v
}

// ask has a key ask for a command, without a terminal.
func (v *vendorServer) ask(t *testing.T, key gossh.Signer, asked string, out *log) int {
	t.Helper()
	conn, err := gossh.Dial("tcp", v.Address, &gossh.ClientConfig{
		User: "x", Auth: []gossh.AuthMethod{gossh.PublicKeys(key)}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	session.Stdout, session.Stderr = out, out
	if _, err := session.StdinPipe(); err != nil { // stays open, as a terminal does
		t.Fatal(err)
	}
	err = session.Run(asked)
	var status *gossh.ExitError
	if errors.As(err, &status) {
		return status.ExitStatus()
	}
	if err != nil {
		t.Fatalf("%s: %v, %s", asked, err, out)
	}
	return 0
}

// TestRelay: a person on another machine offers at the vendor's server; support joins there with the code; nothing
// secret crosses, and the person sees who looks and through whom.
func TestRelay(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	const canary = "Gr#canary-secret"
	p := share.NewPresenter(v.Open)
	t.Cleanup(p.Close)
	p.Show(share.View{Screen: wizard.Screen{
		Step: wizard.StepCredential, Number: 5, Title: wizard.Literal("The password of marie"),
		Fields: []wizard.Field{{
			ID: wizard.FieldSecret, Kind: wizard.KindSecret, Label: wizard.Literal("Password"), Value: canary,
		}},
	}})
	p.Start()
	until(t, func() bool { return p.Status().Phase == share.Waiting })
	var list, helper log
	if code := v.ask(t, v.support, "list", &list); code != 0 || strings.Contains(list.String(), string(p.Status().Code)) {
		t.Errorf("%d %s", code, &list)
	}
	looked := make(chan int, 1)
	go func() { looked <- v.ask(t, v.support, "join "+p.Status().Code.String(), &helper) }()
	until(t, func() bool { return p.Status().Phase == share.Watched })
	if guest := fmt.Sprint(p.Status().Guest); guest != "help desk · share.vendor.example" {
		t.Errorf("the person is told that %q looks", guest)
	}
	until(t, func() bool { return strings.Contains(helper.String(), "The password of marie") })
	p.Stop()
	if code := <-looked; code != 0 || strings.Contains(helper.String(), canary) {
		t.Errorf("%d, the helper saw %s", code, &helper)
	}
	if log := v.errs.String(); !strings.Contains(log, "event=join") || !strings.Contains(log, `helper="help desk"`) {
		t.Errorf("%s", log)
	}
}

// TestRelayEnds: a relay that goes away ends the view, in words.
func TestRelayEnds(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	p := share.NewPresenter(v.Open)
	t.Cleanup(p.Close)
	p.Start()
	until(t, func() bool { return p.Status().Phase == share.Waiting })
	v.stop()
	until(t, func() bool { return p.Status().Phase == share.Off })
	if ended := p.Status().Ended; ended.Msg.Key != "share.relay.lost" {
		t.Errorf("%+v", ended)
	}
}

// TestFalseRelay: nothing is offered to a server with another key, nor with a key that may not.
func TestFalseRelay(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	stranger, _ := newKey(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	for want, change := range map[string]func(*relay.Relay){
		"share.relay.host-key":    func(r *relay.Relay) { r.HostKey = served.Fingerprint(stranger) },
		"share.relay.refused":     func(r *relay.Relay) { r.Key = stranger },
		"share.relay.unreachable": func(r *relay.Relay) { r.Address = dead.Addr().String() },
	} {
		r := v.Relay
		change(&r)
		_, err := r.Open(t.Context())
		var worded share.Worded
		if !errors.As(err, &worded) || worded.Words().Msg.Key != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for name, key := range map[string]gossh.Signer{"of a person": v.user, "of support": v.support} {
		r := v.Relay
		r.Key = key
		if o, err := r.Open(t.Context()); err == nil {
			o.Close()
			t.Errorf("a key %s offers at a relay", name)
		}
	}
}

// TestShareKey: a key of the role share can offer and nothing else.
func TestShareKey(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	for _, asked := range []string{"list", "join 4821 0937", "id", "offer more", "setup"} {
		var said log
		if code := v.ask(t, v.Key, asked, &said); code != exitcode.Usage || !strings.Contains(said.String(), "only offer") {
			t.Errorf("%s: %d, %s", asked, code, &said)
		}
	}
}
