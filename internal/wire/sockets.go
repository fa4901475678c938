package wire

import (
	"cmp"
	"context"
	"net"
	"sync"

	"github.com/miekg/dns"
)

// Sockets for many questions: a new one for each costs more than the question.
const (
	// socketsAtOnce share the questions to one server.
	socketsAtOnce = 4
	// socketQuestions are asked from one port before another one is used: whoever guesses at an answer has to know it (RFC
	// 5452 §9.2).
	socketQuestions = 256
)

// sockets are shared by the questions of a run over many names.
type sockets struct {
	mu     sync.Mutex
	open   map[string][]*socket // by server
	next   int
	closed bool
}

// socket asks one server. Its questions wait by the identifier that they were asked with.
type socket struct {
	conn    *dns.Conn
	mu      sync.Mutex
	waiting map[uint16]*pending
	asked   int
	err     error // why it ended
}

// pending is a question that waits for its answer.
type pending struct {
	question *dns.Msg
	reply    chan *dns.Msg
	strange  error // the fault of the last datagram that was no answer
}

// ShareSockets lets the questions from now on share a few sockets, until done is called.
func (r *Resolver) ShareSockets() (done func()) {
	shared := &sockets{open: map[string][]*socket{}}
	r.shared.Store(shared)
	return func() {
		r.shared.Store(nil)
		shared.close()
	}
}

// exchange is datagram over a shared socket. It changes the question's identifier when the socket waits for the same.
func (s *sockets) exchange(ctx context.Context, server string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, queryDeadline)
	defer cancel()
	socket, waiter, err := s.ask(ctx, server, question)
	if err != nil {
		return nil, err
	}
	defer socket.leave(question.Id)
	if err := socket.conn.WriteMsg(question); err != nil {
		if isSystem(err) {
			socket.fail(err) // a refusal is told once, to the writer or to the reader
		}
		return nil, err
	}
	select {
	case reply, ok := <-waiter.reply:
		if !ok {
			return nil, socket.end()
		}
		return reply, nil
	case <-ctx.Done():
		socket.mu.Lock()
		defer socket.mu.Unlock()
		return nil, cmp.Or(waiter.strange, ctx.Err())
	}
}

// ask chooses a socket and lets the question wait at it.
func (s *sockets) ask(ctx context.Context, server string, question *dns.Msg) (*socket, *pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, net.ErrClosed
	}
	list := s.open[server]
	s.next++
	at := s.next % socketsAtOnce
	if at < len(list) {
		if waiter, ok := list[at].enter(question); ok {
			return list[at], waiter, nil
		}
	}
	conn, err := socketTo(ctx, server, largestUDP)
	if err != nil {
		return nil, nil, err
	}
	fresh := &socket{conn: conn, waiting: map[uint16]*pending{}}
	waiter, _ := fresh.enter(question)
	go fresh.read()
	if at < len(list) {
		list[at] = fresh
	} else {
		list = append(list, fresh)
	}
	s.open[server] = list
	return fresh, waiter, nil
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, list := range s.open {
		for _, socket := range list {
			_ = socket.conn.Close()
		}
	}
}

// enter lets a question wait, unless the socket has asked enough or has ended.
func (s *socket) enter(question *dns.Msg) (*pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked >= socketQuestions || s.err != nil {
		return nil, false
	}
	for s.waiting[question.Id] != nil {
		question.Id = dns.Id()
	}
	s.asked++
	waiter := &pending{question: question, reply: make(chan *dns.Msg, 1)}
	s.waiting[question.Id] = waiter
	return waiter, true
}

// leave ends the waiting. The last question of a socket that has asked enough closes it.
func (s *socket) leave(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
	if s.asked >= socketQuestions && len(s.waiting) == 0 {
		_ = s.conn.Close()
	}
}

// end is why the socket ended.
func (s *socket) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// read hands out the answers until the socket ends, as when the server's port is closed. What is no answer is passed
// over, as in datagram.
func (s *socket) read() {
	for {
		reply, err := s.conn.ReadMsg()
		switch {
		case isSystem(err):
			s.fail(err)
			return
		case reply != nil:
			s.take(reply, err)
		}
	}
}

func (s *socket) take(reply *dns.Msg, malformed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiter := s.waiting[reply.Id]
	switch {
	case waiter == nil:
	case malformed != nil:
		waiter.strange = malformed
	case !reply.Response:
		waiter.strange = errOtherID
	case !sameQuestion(reply, waiter.question):
		waiter.strange = errOtherQuestion
	default:
		delete(s.waiting, reply.Id)
		waiter.reply <- reply
	}
}

func (s *socket) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = cmp.Or(s.err, err)
	_ = s.conn.Close()
	for _, waiter := range s.waiting {
		close(waiter.reply)
	}
	clear(s.waiting)
}
