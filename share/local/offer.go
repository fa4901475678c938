package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"postier/internal/peercred"
	"postier/share"
)

// Limits of joining. A helper's program says its code at once.
const (
	handshake    = 10 * time.Second
	longestLine  = 128
	maxAtTheDoor = 4 // connections that have not shown the right code yet
)

// version is the version of the handshake.
const version = 1

// knock is what a helper's program says first, and answer what it is told.
type knock struct {
	Version int        `json:"version"`
	Code    share.Code `json:"code"`
}

type answer struct {
	Refused refusal `json:"refused,omitempty"`
}

// refusal says why a helper does not get in.
type refusal string

const (
	refusedCode    refusal = "code"
	refusedGuesses refusal = "guesses"
	refusedVersion refusal = "version"
)

// offer is an offer with its socket.
type offer struct {
	*share.Offer
	hub      *share.Hub
	listener *net.UnixListener
	door     chan struct{}
}

// Open makes an offer that programs on this machine can join. It is a share.Opener.
func (m Machine) Open(context.Context) (share.Opening, error) {
	hub := new(share.Hub)
	listener, err := m.listen()
	if err != nil {
		return nil, err
	}
	o := &offer{hub: hub, listener: listener, door: make(chan struct{}, maxAtTheDoor)}
	if o.Offer, err = hub.Open(); err != nil {
		_ = listener.Close()
		return nil, err
	}
	go o.serve()
	return o, nil
}

// Close ends the offer and removes the socket.
func (o *offer) Close() {
	o.Offer.Close()
	_ = o.listener.Close()
}

// Accept waits for the helper. From then on, or when no one comes any more, no one needs the socket.
func (o *offer) Accept(ctx context.Context) (share.Guest, io.ReadWriteCloser, error) {
	defer func() { _ = o.listener.Close() }()
	return o.Offer.Accept(ctx)
}

func (o *offer) serve() {
	for {
		conn, err := o.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			const pause = 100 * time.Millisecond
			time.Sleep(pause) // as when there are too many open files
			continue
		}
		select {
		case o.door <- struct{}{}:
			go func() {
				o.admit(conn)
				<-o.door
			}()
		default:
			_ = conn.Close()
		}
	}
}

// admit lets a helper with the right code in. The end of the handshake holds whatever the other side does.
func (o *offer) admit(conn *net.UnixConn) {
	_ = conn.SetDeadline(time.Now().Add(handshake))
	user, err := peercred.Of(conn)
	if err != nil || !trusted(int(user.UID), os.Geteuid()) {
		_ = conn.Close()
		return
	}
	said, why := hear(conn)
	if why == "" {
		guest := share.Guest{Source: "user"} // whoever gets this far is one user of the machine, or root
		if int(user.UID) != os.Geteuid() {
			guest.Name = user.Name()
		}
		stream := &gated{UnixConn: conn, open: make(chan struct{})}
		switch err := o.hub.Join(guest, said.Code, stream); {
		case err == nil:
			defer close(stream.open)
		case errors.Is(err, share.ErrGuessing):
			why = refusedGuesses
		default:
			why = refusedCode
		}
	}
	err = json.NewEncoder(conn).Encode(answer{why})
	if why != "" || err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetDeadline(time.Time{})
}

// trusted reports whether this program may deal with one of another user: it is the same, or root.
func trusted(uid, own int) bool { return uid == own || uid == 0 }

// hear reads what a helper's program says first.
func hear(conn net.Conn) (said knock, why refusal) {
	line, err := readLine(conn)
	if err != nil || json.Unmarshal(line, &said) != nil {
		return said, refusedVersion
	}
	if said.Version != version {
		return said, refusedVersion
	}
	code, ok := share.ParseCode(string(said.Code))
	if !ok {
		return said, refusedCode
	}
	said.Code = code
	return said, ""
}

// readLine reads one line and nothing after it, which is for the dialog that follows.
func readLine(r io.Reader) ([]byte, error) {
	var line []byte
	octet := make([]byte, 1)
	for len(line) < longestLine {
		if _, err := io.ReadFull(r, octet); err != nil {
			return nil, err
		}
		if octet[0] == '\n' {
			return line, nil
		}
		line = append(line, octet[0])
	}
	return nil, share.ErrDialog
}

// gated is a helper's connection on which nothing is said before the answer to the code.
type gated struct {
	*net.UnixConn
	open chan struct{}
}

// Write waits for the answer to be out.
func (g *gated) Write(p []byte) (int, error) {
	<-g.open
	return g.UnixConn.Write(p)
}

// Read waits too, since the deadline of the handshake is taken away with the answer.
func (g *gated) Read(p []byte) (int, error) {
	<-g.open
	return g.UnixConn.Read(p)
}
