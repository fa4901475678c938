package relay

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/share"
)

// patience is how long a test waits before it fails.
const patience = 20 * time.Second

// serverFor is a relay that grants an offer and then does what the test says with the channel.
func serverFor(t *testing.T, act func(conn *gossh.ServerConn, offer gossh.Channel)) Relay {
	t.Helper()
	key := newKey(t)
	config := &gossh.ServerConfig{NoClientAuth: true}
	config.PublicKeyCallback = func(gossh.ConnMetadata, gossh.PublicKey) (*gossh.Permissions, error) { return nil, nil }
	config.AddHostKey(key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go relaying(raw, config, act)
		}
	}()
	return Relay{
		Address: l.Addr().String(), Host: "relay.example", HostKey: gossh.FingerprintSHA256(key.PublicKey()), Key: newKey(t),
		Dial: new(net.Dialer).DialContext,
	}
}

func relaying(raw net.Conn, config *gossh.ServerConfig, act func(*gossh.ServerConn, gossh.Channel)) {
	conn, channels, requests, err := gossh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	go gossh.DiscardRequests(requests)
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				var exec struct{ Command string }
				_ = gossh.Unmarshal(r.Payload, &exec)
				ok := r.Type == "exec" && exec.Command == Command
				_ = r.Reply(ok, nil)
				if ok {
					go act(conn, channel)
				}
			}
		}()
	}
}

func newKey(t *testing.T) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// saying is a relay that writes lines, and then keeps the channel open.
func saying(lines ...string) func(*gossh.ServerConn, gossh.Channel) {
	return func(_ *gossh.ServerConn, c gossh.Channel) {
		for _, l := range lines {
			_, _ = io.WriteString(c, l)
		}
	}
}

// ends is a relay that says lines and goes away.
func ends(lines ...string) func(*gossh.ServerConn, gossh.Channel) {
	return func(conn *gossh.ServerConn, c gossh.Channel) {
		saying(lines...)(conn, c)
		_ = c.Close()
	}
}

const goodLine = `{"code":"48210937"}` + "\n"

// TestOfferIsRefused: whatever a relay says instead of a code, there is no offer, in words.
func TestOfferIsRefused(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*gossh.ServerConn, gossh.Channel){
		"nothing":           ends(),
		"no JSON":           ends("hello\n"),
		"no code":           ends("{}\n"),
		"seven digits":      ends(`{"code":"4821093"}` + "\n"),
		"escapes as a code": ends(`{"code":"\u001b[2J0937"}` + "\n"),
		"a line without end": func(_ *gossh.ServerConn, c gossh.Channel) {
			_, _ = io.WriteString(c, strings.Repeat("x", 10*maxLine))
		},
		"half a line": ends(`{"code":"48210937"`),
		"another's":   func(conn *gossh.ServerConn, _ gossh.Channel) { _ = conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := serverFor(t, act).Open(t.Context())
			var worded share.Worded
			if !errors.As(err, &worded) || worded.Words().Msg.Key != "share.relay.refused" {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestOfferOfALiar: a relay cannot make the code live longer, and the name of who looks is shown as its word.
func TestOfferOfALiar(t *testing.T) {
	t.Parallel()
	r := serverFor(t, saying(`{"code":"48210937","expires":"2999-01-01T00:00:00Z"}`+"\n",
		`{"guest":"`+strings.Repeat("your bank ", 20)+`"}`+"\n", "view"))
	o, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.Code() != "48210937" || time.Until(o.Expires()) > share.Life {
		t.Errorf("%s until %v", o.Code(), o.Expires())
	}
	guest, stream, err := o.Accept(t.Context())
	if err != nil || !strings.HasSuffix(guest.Name, " · relay.example") || len([]rune(guest.Name)) > 60 {
		t.Fatalf("%q, %v", guest.Name, err)
	}
	defer func() { _ = stream.Close() }()
	text := make([]byte, 4)
	if _, err := io.ReadFull(stream, text); err != nil || string(text) != "view" {
		t.Errorf("what came with the line is lost: %q, %v", text, err)
	}
}

// TestOfferEnds: why no one comes is what the relay says where it may know, and otherwise that it is lost.
func TestOfferEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		act  func(*gossh.ServerConn, gossh.Channel)
		want error
		key  string
	}{
		"in time":     {ends(goodLine, `{"ended":"expired"}`+"\n"), share.ErrExpired, ""},
		"guessed":     {ends(goodLine, `{"ended":"guessed"}`+"\n"), share.ErrGuessed, ""},
		"unknown":     {ends(goodLine, `{"ended":"because"}`+"\n"), share.ErrDialog, "share.relay.lost"},
		"no one":      {ends(goodLine, `{"guest":""}`+"\n"), share.ErrDialog, "share.relay.lost"},
		"no JSON":     {ends(goodLine, "\x1b[2J\n"), nil, "share.relay.lost"},
		"hung up":     {ends(goodLine), io.EOF, "share.relay.lost"},
		"a long line": {saying(goodLine, strings.Repeat("x", 10*maxLine)), bufio.ErrBufferFull, "share.relay.lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := serverFor(t, row.act).Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			_, _, err = o.Accept(t.Context())
			var worded share.Worded
			switch {
			case row.want != nil && !errors.Is(err, row.want):
				t.Errorf("%v", err)
			case row.key != "" && (!errors.As(err, &worded) || worded.Words().Msg.Key != row.key):
				t.Errorf("%v", err)
			}
		})
	}
}

// TestOfferIsGivenUp: the person ends the wait for a relay that says nothing, before the code and after it.
func TestOfferIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan struct{})
	silent := serverFor(t, func(*gossh.ServerConn, gossh.Channel) { close(asked) })
	go func() { <-asked; stop() }()
	if _, err := silent.Open(ctx); err == nil {
		t.Error("an offer without a code")
	}
	ctx, stop = context.WithCancel(t.Context())
	o, err := serverFor(t, saying(goodLine)).Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Millisecond, stop)
	if _, _, err := o.Accept(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	o.Close()
}

// TestRelayOpensNothing: a relay that wants a channel of its own, as for a shell or a port, gets none.
func TestRelayOpensNothing(t *testing.T) {
	t.Parallel()
	refused := make(chan error, 3)
	r := serverFor(t, func(conn *gossh.ServerConn, c gossh.Channel) {
		for _, kind := range []string{"session", "forwarded-tcpip", "auth-agent@openssh.com"} {
			_, _, err := conn.OpenChannel(kind, nil)
			refused <- err
		}
		_, _ = io.WriteString(c, goodLine)
	})
	o, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range 3 {
		var why *gossh.OpenChannelError
		if err := <-refused; !errors.As(err, &why) || why.Reason != gossh.Prohibited {
			t.Errorf("%v", err)
		}
	}
}

// TestServe: the relay's side says the code, then who looks, then passes on what both say, until one of them ends.
func TestServe(t *testing.T) {
	t.Parallel()
	hub := new(share.Hub)
	offer, err := hub.Open()
	if err != nil {
		t.Fatal(err)
	}
	person, far := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- Serve(t.Context(), far, offer); _ = far.Close() }()
	in := bufio.NewReader(person)
	var said line
	if err := next(in, &said); err != nil || said.Code != offer.Code() {
		t.Fatalf("%+v, %v", said, err)
	}
	helper, theirs := net.Pipe()
	if err := hub.Join(share.Guest{Name: "Claire"}, offer.Code(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := next(in, &said); err != nil || said.Guest != "Claire" {
		t.Fatalf("%+v, %v", said, err)
	}
	for _, way := range []struct {
		from io.Writer
		to   io.Reader
		text string
	}{{person, helper, "view\n"}, {helper, in, "point\n"}} {
		go func() { _, _ = io.WriteString(way.from, way.text) }()
		got := make([]byte, len(way.text))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != way.text {
			t.Errorf("%q, %v", got, err)
		}
	}
	_ = person.Close() // the person's line drops
	_ = helper.SetReadDeadline(time.Now().Add(patience))
	if _, err := helper.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the helper is kept: %v", err)
	}
	<-served
}

// TestServeSaysWhyNoOneCame: the person's program is told what it can say to the person.
func TestServeSaysWhyNoOneCame(t *testing.T) {
	t.Parallel()
	for why, want := range map[error]string{share.ErrExpired: "expired", share.ErrGuessed: "guessed"} {
		person, far := net.Pipe()
		go func() { _ = Serve(t.Context(), far, never{why}); _ = far.Close() }()
		in := bufio.NewReader(person)
		var said line
		if err := errors.Join(next(in, &said), next(in, &said)); err != nil || said.Ended != want {
			t.Errorf("%v: %+v, %v", why, said, err)
		}
	}
}

// next reads one line of the relay.
func next(in *bufio.Reader, to *line) error {
	text, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	*to = line{}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	return nil
}

// never is an offer that no one comes to.
type never struct{ why error }

func (never) Code() share.Code   { return "48210937" }
func (never) Expires() time.Time { return time.Now().Add(share.Life) }
func (never) Close()             {}
func (n never) Accept(context.Context) (share.Guest, io.ReadWriteCloser, error) {
	return share.Guest{}, nil, n.why
}
