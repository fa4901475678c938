package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	sockets  = 4
	inFlight = 64 // over all sockets
	rounds   = 3  // of each, in turn; the median counts
)

// list looks at many domains, asks the questions that this led to once more, and looks at them again while some are
// silent.
func (b *bench) list() error {
	var names strings.Builder
	for n := range b.domains {
		fmt.Fprintf(&names, "d%d.example\n", n)
	}
	list := filepath.Join(b.folder, "list")
	if err := os.WriteFile(list, []byte(names.String()), 0o600); err != nil {
		return err
	}
	server, err := newServer()
	if err != nil {
		return err
	}
	var whole, alone, silent []time.Duration
	questions := 0
	for range rounds {
		server.begin(false)
		took, err := b.look(server.address, list)
		if err != nil {
			return err
		}
		asked := server.begin(false)
		again, err := ask(server.address, asked)
		if err != nil {
			return err
		}
		server.begin(true)
		dead, err := b.look(server.address, list)
		if err != nil {
			return err
		}
		whole, alone, silent = append(whole, took), append(alone, again), append(silent, dead)
		questions = len(asked)
	}
	const inside = "one process, `diagnose dns --list --json`, from start to exit, with a name server in this process " +
		"that answers at once; compared with the questions that it had asked, by four goroutines with a socket and 16 " +
		"questions under way each: no judging, no report. Then the list again, while no question about each " +
		"hundredth domain is answered. Medians in turn."
	b.table.add(row{
		fmt.Sprintf("`dns --list` of %d", b.domains), seconds(median(whole)),
		fmt.Sprintf("its %d questions alone %s", questions, seconds(median(alone))),
		fmt.Sprintf("%.1f", ratio(median(whole), median(alone))), "≤ 1.3", inside,
	})
	b.table.add(row{
		"the same with 1 % silent", seconds(median(silent)), "without " + seconds(median(whole)),
		fmt.Sprintf("%.1f", ratio(median(silent), median(whole))), "≤ 1.2", inside,
	})
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// look runs the program over the list.
func (b *bench) look(server, list string) (time.Duration, error) {
	cmd := exec.Command(b.program, "--resolver", server, "--json", "diagnose", "dns", "--list", list)
	cmd.Env = b.environment()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	start := time.Now()
	err := cmd.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) { // domains that fail give an exit code
		return 0, err
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != strings.Count(readAll(list), "\n") {
		return 0, fmt.Errorf("%d lines: %s", n, said.String())
	}
	return time.Since(start), nil
}

func readAll(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// ask sends the questions over a few sockets, each of which has some under way.
func ask(server string, questions []dns.Question) (time.Duration, error) {
	start := time.Now()
	errs := make(chan error, sockets)
	var wg sync.WaitGroup
	for part := range slices.Chunk(questions, (len(questions)+sockets-1)/sockets) {
		wg.Go(func() {
			if err := askOver(server, part); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return time.Since(start), <-errs
}

func askOver(server string, questions []dns.Question) error {
	conn, err := dns.Dial("udp", server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	room := make(chan struct{}, inFlight/sockets)
	go func() {
		for _, q := range questions {
			room <- struct{}{}
			m := new(dns.Msg).SetQuestion(q.Name, q.Qtype)
			m.SetEdns0(1232, false)
			_ = conn.WriteMsg(m)
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	for range questions {
		if _, err := conn.ReadMsg(); err != nil {
			return err
		}
		<-room
	}
	return nil
}

// server answers for domains with a mail exchanger, SPF through an include, DMARC, and the two keys of a large
// provider.
type server struct {
	address string
	mu      sync.Mutex
	asked   []dns.Question
	silent  bool // for each hundredth domain
}

func newServer() (*server, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{address: conn.LocalAddr().String()}
	go func() { _ = (&dns.Server{PacketConn: conn, Handler: s}).ActivateAndServe() }()
	return s, nil
}

// begin forgets the questions, and returns them.
func (s *server) begin(silent bool) []dns.Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked, s.silent = nil, silent
	return asked
}

// ServeDNS implements dns.Handler.
func (s *server) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	q := m.Question[0]
	s.mu.Lock()
	s.asked = append(s.asked, q)
	silent := s.silent
	s.mu.Unlock()
	labels := dns.SplitDomainName(q.Name)
	if domain := labels[max(0, len(labels)-2)]; silent && strings.HasSuffix(domain, "00") {
		return
	}
	_ = w.WriteMsg(answer(m, q))
}

const key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

func answer(m *dns.Msg, q dns.Question) *dns.Msg {
	reply := new(dns.Msg).SetReply(m)
	text := func(value string) *dns.Msg {
		reply.Answer = []dns.RR{&dns.TXT{Hdr: header(q), Txt: []string{value}}}
		return reply
	}
	switch name := q.Name; {
	case q.Qtype == dns.TypeMX && strings.HasPrefix(name, "d"):
		reply.Answer = []dns.RR{&dns.MX{Hdr: header(q), Preference: 10, Mx: "mx.host.example."}}
	case q.Qtype == dns.TypeA:
		reply.Answer = []dns.RR{&dns.A{Hdr: header(q), A: net.IPv4(192, 0, 2, 1)}}
	case q.Qtype != dns.TypeTXT:
	case strings.HasPrefix(name, "_dmarc."):
		return text("v=DMARC1; p=none")
	case strings.HasPrefix(name, "selector1._domainkey."), strings.HasPrefix(name, "selector2._domainkey."):
		return text(key)
	case strings.HasPrefix(name, "_domainkey."):
	case strings.HasPrefix(name, "spf."):
		return text("v=spf1 ip4:192.0.2.0/24 -all")
	case strings.HasPrefix(name, "d"):
		return text("v=spf1 include:spf.host.example -all")
	default:
		reply.Rcode = dns.RcodeNameError
	}
	return reply
}

func header(q dns.Question) dns.RR_Header {
	return dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 300}
}
