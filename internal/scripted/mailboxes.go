package scripted

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Message is a message in a folder of an account.
type Message struct {
	UID   uint32
	Flags []string
	Raw   []byte
}

// Mailboxes reads folders of an account in memory, without its server's faults and sign-in.
func Mailboxes(user *imapmemserver.User, folders []string) (map[string][]Message, error) {
	server := imapserver.New(&imapserver.Options{
		Logger: log.New(io.Discard, "", 0),
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return imapmemserver.NewUserSession(user), &imapserver.GreetingData{PreAuth: true}, nil
		},
	})
	ours, theirs := net.Pipe()
	listener := &pipeListener{conn: make(chan net.Conn, 1), addr: theirs.LocalAddr()}
	listener.conn <- theirs
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	client := imapclient.New(ours, nil)
	defer func() {
		_ = client.Close()
		_ = server.Close()
		<-served
	}()
	if err := client.WaitGreeting(); err != nil {
		return nil, err
	}
	out := map[string][]Message{}
	for _, name := range folders {
		messages, err := fetchAll(client, name)
		if err != nil {
			return nil, fmt.Errorf("read the folder %s: %w", name, err)
		}
		out[name] = messages
	}
	return out, nil
}

func fetchAll(client *imapclient.Client, name string) ([]Message, error) {
	selected, err := client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return nil, err
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{whole},
	}).Collect()
	if err != nil {
		return nil, err
	}
	var out []Message
	for _, m := range fetched {
		message := Message{UID: uint32(m.UID), Raw: m.FindBodySection(whole)}
		for _, flag := range m.Flags {
			message.Flags = append(message.Flags, string(flag))
		}
		out = append(out, message)
	}
	return out, nil
}

// pipeListener hands out a connection that was made in this process, then none until it is closed.
type pipeListener struct {
	conn chan net.Conn
	addr net.Addr
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	if conn, open := <-l.conn; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener. The server calls it once.
func (l *pipeListener) Close() error { close(l.conn); return nil }

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return l.addr }
