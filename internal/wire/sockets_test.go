package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// answering starts a name server that answers each question in the handler's way, and counts the ports that ask.
func answering(t *testing.T, handle dns.HandlerFunc) (address string, ports *sync.Map) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ports = &sync.Map{}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		ports.Store(w.RemoteAddr().String(), true)
		handle(w, m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return conn.LocalAddr().String(), ports
}

func text(m *dns.Msg) *dns.Msg {
	name := m.Question[0].Name
	reply := new(dns.Msg).SetReply(m)
	reply.Answer = []dns.RR{&dns.TXT{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}, Txt: []string{name},
	}}
	return reply
}

// Many questions over shared sockets: each gets its own answer, whatever else arrives, from a port that is used for a
// limited number of them.
func TestShareSockets(t *testing.T) {
	t.Parallel()
	address, ports := answering(t, func(w dns.ResponseWriter, m *dns.Msg) {
		other := m.Copy()
		other.Question[0].Name = "other.example."
		_ = w.WriteMsg(text(other)) // a guess at the answer
		_, _ = w.Write([]byte{byte(m.Id >> 8), byte(m.Id), 0x80})
		_ = w.WriteMsg(text(m))
	})
	r, err := ResolverAt(address)
	if err != nil {
		t.Fatal(err)
	}
	done := r.ShareSockets()
	const questions = 2000
	var wg sync.WaitGroup
	room := make(chan struct{}, 32)
	for n := range questions {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			name := fmt.Sprintf("n%d.example.", n)
			answer, err := r.Query(t.Context(), name, dns.TypeTXT)
			if got := Records[*dns.TXT](answer); err != nil || len(got) != 1 || got[0].Txt[0] != name {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		})
	}
	wg.Wait()
	done()
	used := 0
	ports.Range(func(any, any) bool { used++; return true })
	if used < questions/socketQuestions || used > questions/socketQuestions+2*socketsAtOnce {
		t.Errorf("%d questions came from %d ports", questions, used)
	}
	if _, err := r.Query(t.Context(), "after.example", dns.TypeTXT); err != nil {
		t.Errorf("with a socket of its own: %v", err)
	}
}

// Failures are what they are without sharing.
func TestShareSocketsFailures(t *testing.T) {
	t.Parallel()
	closed, err := net.Dial("udp4", "127.0.0.1:9") // its port takes datagrams from that one alone, and is not given away
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closed.Close() })
	address := closed.LocalAddr().String()
	silent, _ := answering(t, func(dns.ResponseWriter, *dns.Msg) {})
	stubborn, _ := answering(t, func(w dns.ResponseWriter, m *dns.Msg) {
		m.Question[0].Name = "other.example."
		_ = w.WriteMsg(text(m))
	})
	for name, row := range map[string]struct {
		server string
		want   Failure
	}{"closed": {address, Unreachable}, "silent": {silent, NoAnswer}, "stubborn": {stubborn, Malformed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ResolverAt(row.server)
			if err != nil {
				t.Fatal(err)
			}
			defer r.ShareSockets()()
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					_, err := r.Query(context.Background(), "a.example", dns.TypeTXT)
					var failed *ResolveError
					if !errors.As(err, &failed) || failed.Kind != row.want {
						t.Errorf("%v", err)
					}
				})
			}
			wg.Wait()
		})
	}
}
