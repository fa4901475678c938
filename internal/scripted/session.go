package scripted

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// maxLine bounds what the server reads, so that a client under test cannot break it.
const maxLine = 1 << 20

// session is one connection of a scripted server.
type session struct {
	server *Server
	id     int
	tcp    net.Conn
	conn   net.Conn // tcp, or TLS over it
	reader *bufio.Reader
	inTLS  bool
	times  map[string]int
	over   bool
	tag    string // of the IMAP command at hand
}

func newSession(server *Server, conn net.Conn, id int) *session {
	return &session{
		server: server, id: id, tcp: conn, conn: conn, reader: bufio.NewReaderSize(conn, maxLine),
		times: map[string]int{},
	}
}

func (s *session) run() {
	if action, ok := s.scripted("connect"); ok {
		s.perform(action, "connect")
	}
	if s.server.options.ImplicitTLS {
		s.handshake()
	}
	s.act("greeting", s.server.dialect.greeting())
	if !s.over {
		s.server.dialect.serve(s)
	}
}

// scripted returns the action of the first of these phases that the script has; the phases are ordered from specific to
// general.
func (s *session) scripted(phases ...string) (Action, bool) {
	for _, phase := range phases {
		s.times[phase]++
		times := "#" + strconv.Itoa(s.times[phase])
		names := []string{phase + times, phase}
		if s.inTLS {
			names = []string{"tls:" + phase + times, "tls:" + phase, phase + times, phase}
		}
		for _, name := range names {
			if action, ok := s.server.options.Script[name]; ok {
				return action, true
			}
		}
	}
	return Action{}, false
}

// act performs the scripted action of a phase, or the standard one. It reports whether the session goes on.
func (s *session) act(phase string, standard Action, narrower ...string) bool {
	action, ok := s.scripted(append(narrower, phase)...)
	if ok {
		action = action.withDefault(standard)
	} else {
		action = standard
	}
	s.perform(action, phase)
	return !s.over
}

func (s *session) perform(a Action, phase string) {
	if s.over || !s.sleep(a.Delay) {
		return
	}
	s.send(a)
	for i, next := range a.Next {
		if s.over {
			return
		}
		s.readLine(phase + "." + strconv.Itoa(i+1))
		s.perform(next, phase)
	}
	if a.InjectLater != "" && s.sleep(a.InjectDelay) {
		s.write([]byte(a.InjectLater))
	}
	if a.TLSAlert != 0 {
		const fatal = 2
		s.write([]byte{21, 3, 3, 0, 2, fatal, a.TLSAlert})
		s.lingerClose()
	}
	for a.Endless != "" && !s.over {
		s.write([]byte(strings.Repeat(a.Endless, 1+4096/len(a.Endless))))
	}
	switch {
	case a.Hang:
		s.hang(phase)
	case a.Reset:
		if tcp, ok := s.tcp.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = s.tcp.Close()
		s.over = true
	case a.Close:
		s.lingerClose()
	}
}

// lingerClose ends the connection in order. It reads what is still on its way first: closing a socket with unread
// octets sends RST, which may overtake the reply.
func (s *session) lingerClose() {
	if s.over {
		return
	}
	s.over = true
	if tlsConn, ok := s.conn.(*tls.Conn); ok {
		_ = tlsConn.CloseWrite()
	}
	if tcp, ok := s.tcp.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	const patience = 200 * time.Millisecond // a client that does not close the connection must not hold up the test
	_ = s.tcp.SetReadDeadline(time.Now().Add(patience))
	s.drain("close")
	_ = s.tcp.Close()
}

func (s *session) hang(phase string) {
	s.drain(phase + ".hang")
	s.over = true
}

// drain records whatever still comes.
func (s *session) drain(phase string) {
	buffer := make([]byte, 4096)
	for {
		n, err := s.reader.Read(buffer)
		if n > 0 {
			s.server.record(Record{Conn: s.id, TLS: s.inTLS, Phase: phase, Data: append([]byte(nil), buffer[:n]...)})
		}
		if err != nil {
			return
		}
	}
}

func (s *session) send(a Action) {
	data := a.Raw
	if data == nil && a.Reply != "" {
		text := strings.NewReplacer("{tag}", s.tag, "{domain}", s.server.options.Domain).Replace(a.Reply)
		data = []byte(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
	}
	data = append(append([]byte(nil), data...), a.Inject...)
	if a.Drip == 0 {
		s.write(data)
		return
	}
	for i := range data {
		if s.over || !s.sleep(a.Drip) {
			return
		}
		s.write(data[i : i+1])
	}
}

func (s *session) write(data []byte) {
	if s.over || len(data) == 0 {
		return
	}
	if _, err := s.conn.Write(data); err != nil {
		s.over = true
	}
}

// sleep waits, and reports false if the server ends during the wait.
func (s *session) sleep(d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.server.stop:
		s.over = true
		return false
	}
}

// readLine reads and records a line; it returns it without its end.
func (s *session) readLine(phase string) string {
	line, err := s.reader.ReadSlice('\n')
	if len(line) > 0 {
		s.server.record(Record{Conn: s.id, TLS: s.inTLS, Phase: phase, Data: append([]byte(nil), line...)})
	}
	if err != nil {
		s.over = true
	}
	return strings.TrimRight(string(line), "\r\n")
}

// readCommand is readLine for a line whose phase is only known once it was read.
func (s *session) readCommand(phaseOf func(line string) string) string {
	line, err := s.reader.ReadSlice('\n')
	text := strings.TrimRight(string(line), "\r\n")
	if len(line) > 0 {
		s.server.record(Record{Conn: s.id, TLS: s.inTLS, Phase: phaseOf(text), Data: append([]byte(nil), line...)})
	}
	if err != nil {
		s.over = true
	}
	return text
}

// readOctets reads and records n octets.
func (s *session) readOctets(n int64, phase string) {
	data, err := io.ReadAll(io.LimitReader(s.reader, n))
	s.server.record(Record{Conn: s.id, TLS: s.inTLS, Phase: phase, Data: data})
	if err != nil || int64(len(data)) < n {
		s.over = true
	}
}

// handshake turns the connection into a TLS one, unless the script has something else for the phase "tls".
func (s *session) handshake() {
	if s.over {
		return
	}
	if action, ok := s.scripted("tls"); ok {
		if action.decides() {
			s.perform(action, "tls")
			if !s.over {
				s.lingerClose()
			}
			return
		}
		s.sleep(action.Delay)
	}
	if s.over {
		return
	}
	if s.server.config == nil {
		s.over = true
		return
	}
	ahead := &buffered{Conn: s.tcp, reader: s.reader, record: []byte{}}
	conn := tls.Server(ahead, s.server.config)
	if err := conn.Handshake(); err != nil {
		var header tls.RecordHeaderError
		if errors.As(err, &header) { // what came instead of a ClientHello is evidence
			s.server.record(Record{Conn: s.id, Phase: "tls", Data: ahead.record})
		}
		s.over = true
		return
	}
	ahead.record = nil
	s.conn = conn
	s.inTLS = true
	s.reader = bufio.NewReaderSize(conn, maxLine)
}

// buffered passes octets that were read ahead to the TLS layer, and keeps a copy while record is not nil.
type buffered struct {
	net.Conn
	reader *bufio.Reader
	record []byte
}

func (b *buffered) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	if b.record != nil {
		b.record = append(b.record, p[:n]...)
	}
	return n, err
}
