// Package relay carries a shared view over SSH to a vendor's `postier serve`, so that support can look although nothing
// reaches the person's machine from outside.
//
// The person's program connects out with a key of the role share, which can offer and nothing else. The server makes
// the code and says it in the first line; the second line says who looks; from then on the stream is the helper's. What
// crosses is what the presenter shows anyone, without a secret, and the server's key is pinned.
package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/share"
	"postier/wizard"
)

// Command is what the person's program asks a relay for.
const Command = "offer"

// greeting is how long a relay may take until the code.
const greeting = 30 * time.Second

// maxLine is more than either line has.
const maxLine = 4 << 10

// line is what a relay says before the stream is the helper's.
type line struct {
	Code    share.Code `json:"code,omitempty"`
	Expires time.Time  `json:"expires,omitzero"`
	Guest   string     `json:"guest,omitempty"`
	Ended   string     `json:"ended,omitempty"` // expired or guessed
}

// ended are the words for why no one came.
var ended = map[string]error{"expired": share.ErrExpired, "guessed": share.ErrGuessed}

// Serve is the relay's side of one offer: it says the code, waits for the helper and passes on what both say.
func Serve(ctx context.Context, person io.ReadWriteCloser, offer share.Opening) error {
	out := json.NewEncoder(person)
	if err := out.Encode(line{Code: offer.Code(), Expires: offer.Expires()}); err != nil {
		return err
	}
	guest, helper, err := offer.Accept(ctx)
	if err != nil {
		for word, known := range ended {
			if errors.Is(err, known) {
				return out.Encode(line{Ended: word})
			}
		}
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = helper.Close() })()
	defer func() { _ = helper.Close() }()
	if err := out.Encode(line{Guest: guest.Name}); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(helper, person)
		_ = helper.Close()
	}()
	_, err = io.Copy(person, helper)
	return err
}

// Relay is a vendor's server.
type Relay struct {
	Address string // host:port
	Host    string // how people know it
	// HostKey is the fingerprint of its key, as ssh prints it: SHA256:…
	HostKey string
	// Key is of the role share.
	Key gossh.Signer
	// Dial opens the connection.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Error says why there is no offer at a relay.
type Error struct {
	problem string // the end of a message's key
	host    string
	Err     error
}

func (e *Error) Error() string { return e.host + ": " + e.problem }

func (e *Error) Unwrap() error { return e.Err }

// Words implements share.Worded.
func (e *Error) Words() wizard.Words { return wizard.Msg("share.relay."+e.problem, "host", e.host) }

func (r Relay) fail(problem string, err error) error { return &Error{problem, r.Host, err} }

// NoKey is the error of a key for this host that cannot be read.
func NoKey(host string, err error) error { return &Error{"key", host, err} }

// errHostKey says that the server has another key than the vendor's file names.
var errHostKey = errors.New("another host key")

// Open implements share.Opener.
func (r Relay) Open(ctx context.Context) (share.Opening, error) {
	raw, err := r.Dial(ctx, "tcp", r.Address)
	if err != nil {
		return nil, r.fail("unreachable", err)
	}
	_ = raw.SetDeadline(time.Now().Add(greeting))
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	o, err := r.begin(raw)
	if err != nil {
		stop()
		_ = raw.Close()
		if errors.Is(err, errHostKey) {
			return nil, r.fail("host-key", err)
		}
		return nil, r.fail("refused", err)
	}
	o.stop = stop
	_ = raw.SetDeadline(time.Time{})
	return o, nil
}

// begin signs in and asks for a code.
func (r Relay) begin(raw net.Conn) (*opening, error) {
	conn, channels, requests, err := gossh.NewClientConn(raw, r.Address, &gossh.ClientConfig{
		User: "share", Auth: []gossh.AuthMethod{gossh.PublicKeys(r.Key)},
		HostKeyCallback: func(_ string, _ net.Addr, key gossh.PublicKey) error {
			if gossh.FingerprintSHA256(key) != r.HostKey {
				return errHostKey
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	go gossh.DiscardRequests(requests)
	go func() {
		for channel := range channels { // the relay has nothing to open here
			_ = channel.Reject(gossh.Prohibited, "")
		}
	}()
	channel, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() { gossh.DiscardRequests(requests); close(over) }()
	granted, err := channel.SendRequest("exec", true, gossh.Marshal(struct{ Command string }{Command}))
	if err != nil || !granted {
		return nil, errors.Join(err, errors.New("no offer granted"))
	}
	o := &opening{host: r.Host, stream: &stream{
		Channel: channel, in: bufio.NewReaderSize(channel, maxLine), raw: raw, over: over,
	}}
	if o.said, err = o.line(); err != nil {
		return nil, err
	}
	code, ok := share.ParseCode(string(o.said.Code))
	if !ok {
		return nil, errors.New("no code")
	}
	o.said.Code = code
	return o, nil
}

// opening is an offer at the relay.
type opening struct {
	host string
	*stream
	said line
	stop func() bool
}

// line reads one line of the relay, which is short.
func (o *opening) line() (line, error) {
	text, err := o.in.ReadSlice('\n')
	if err != nil {
		return line{}, err
	}
	var l line
	err = json.Unmarshal(text, &l)
	return l, err
}

// Code implements share.Opening.
func (o *opening) Code() share.Code { return o.said.Code }

// Expires implements share.Opening. A relay's clock does not count here.
func (o *opening) Expires() time.Time {
	if latest := time.Now().Add(share.Life); o.said.Expires.IsZero() || o.said.Expires.After(latest) {
		return latest
	}
	return o.said.Expires
}

// Accept implements share.Opening. The guest's name is what the relay says, and therefore shown with the relay's.
func (o *opening) Accept(ctx context.Context) (share.Guest, io.ReadWriteCloser, error) {
	defer context.AfterFunc(ctx, func() { _ = o.raw.Close() })()
	said, err := o.line()
	switch {
	case ctx.Err() != nil:
		return share.Guest{}, nil, ctx.Err()
	case err != nil:
		return share.Guest{}, nil, &Error{"lost", o.host, err}
	case said.Guest == "":
		if why := ended[said.Ended]; why != nil {
			return share.Guest{}, nil, why
		}
		return share.Guest{}, nil, &Error{"lost", o.host, share.ErrDialog}
	}
	o.stop() // the presenter ends the view from now on, with a farewell to the helper
	return share.Guest{Name: share.ShortName(said.Guest) + " · " + o.host}, o.stream, nil
}

// Close implements share.Opening.
func (o *opening) Close() {
	o.stop()
	_ = o.raw.Close()
}

// stream is what comes after the lines.
type stream struct {
	gossh.Channel
	in   *bufio.Reader
	raw  net.Conn
	over <-chan struct{} // closed when the relay has ended the session

	once sync.Once
	err  error
}

func (s *stream) Read(p []byte) (int, error) { return s.in.Read(p) }

// farewell is how long the last words may take to reach the helper.
const farewell = time.Second

// Close ends the stream when the relay has passed on what was written. It may be called several times, at once as well.
func (s *stream) Close() error {
	s.once.Do(func() {
		_ = s.CloseWrite()
		select {
		case <-s.over:
		case <-time.After(farewell):
		}
		s.err = s.raw.Close()
	})
	return s.err
}
