package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/delivery/smtpserver"
	"postier/internal/safetext"
)

// Caps of one dialog.
const (
	// Largest message in octets: hardly any provider takes as much, and each dialog may have one in a temporary file.
	Largest = 110 << 20
	// idle is how long a caller may be silent; whole is how long a dialog may last.
	idle  = time.Minute
	whole = 15 * time.Minute
	// pause after a connection could not be accepted, as when there are too many open files.
	pause = 100 * time.Millisecond
)

// Server takes the messages of the local users.
type Server struct {
	// Load reads the configuration; each dialog uses it as it is when the dialog begins.
	Load func() (*config.Document, error)
	// Dialog makes the SMTP server of a dialog. Its caps and what asks about the user are set here.
	Dialog func(*config.File) *smtpserver.Server
	// Refusal is the sentence for a user whose messages are not taken, Unusable that about the configuration.
	Refusal  func(user string) string
	Unusable func(error) string
	// Observe is called for each event; it may be nil.
	Observe func(Event)

	shares shares
}

// Event is a message that was accepted, or a connection that was refused.
type Event struct {
	User    User
	Item    *delivery.Item // of a message that was accepted
	Refused string         // the reply to a connection that was refused
}

// Serve takes messages until ctx ends. A message that has arrived by then is still taken.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var dialogs sync.WaitGroup
	defer dialogs.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			time.Sleep(pause)
			continue
		}
		dialogs.Go(func() { s.serve(ctx, conn) })
	}
}

// serve holds the dialog on one connection, unless its user may not.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	user, err := peer(conn)
	if err != nil {
		s.refuse(conn, user, "421 4.3.0 "+safetext.Escape(err.Error()))
		return
	}
	share, leave, ok := s.shares.enter(ctx, user.UID)
	if !ok {
		s.refuse(conn, user, "421 4.7.0 too many sessions of one user, try again later")
		return
	}
	defer leave()
	doc, err := s.Load()
	switch {
	case err != nil:
		s.refuse(conn, user, "421 4.3.5 "+safetext.Escape(s.Unusable(err)))
		return
	case !Allowed(doc.File.Submit.Allow, user):
		s.refuse(conn, user, "554 5.7.1 "+safetext.Escape(s.Refusal(user.Name)))
		return
	}
	dialog := s.Dialog(&doc.File)
	dialog.Largest, dialog.Admit = Largest, share.admit
	dialog.Accepted = func(item *delivery.Item) { s.observe(Event{User: user, Item: item}) }
	paced := &pacedConn{Conn: conn, ended: ctx.Done(), end: time.Now().Add(whole)}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	_ = dialog.Serve(context.WithoutCancel(ctx), paced, paced) // fails only when the caller is gone
}

func (s *Server) refuse(conn net.Conn, user User, reply string) {
	_ = conn.SetWriteDeadline(time.Now().Add(idle))
	_, _ = fmt.Fprintf(conn, "%s\r\n", reply)
	s.observe(Event{User: user, Refused: reply})
}

func (s *Server) observe(e Event) {
	if s.Observe != nil {
		s.Observe(e)
	}
}

// pacedConn is a connection with an end, whose reads and writes wait a limited time, and no longer once the service
// ends.
type pacedConn struct {
	net.Conn
	ended <-chan struct{}
	end   time.Time
}

// Read reads what comes in time. The deadline is set first: the end of the service sets another one.
func (c *pacedConn) Read(p []byte) (int, error) {
	_ = c.SetReadDeadline(c.deadline())
	select {
	case <-c.ended:
		return 0, net.ErrClosed
	default:
	}
	return c.Conn.Read(p)
}

// Write writes in time.
func (c *pacedConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(c.deadline())
	return c.Conn.Write(p)
}

func (c *pacedConn) deadline() time.Time {
	soon := time.Now().Add(idle)
	if soon.After(c.end) {
		return c.end
	}
	return soon
}
