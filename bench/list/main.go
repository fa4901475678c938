// Command list measures `postier diagnose dns --list` next to the questions alone: it answers them, writes them down
// and then asks them again over four shared sockets. bench/README.md says what is inside each figure.
//
//	go run ./bench/list [-domains N] [-rounds N] POSTIER…
package main

import (
	"bytes"
	"errors"
	"flag"
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
)

func main() {
	domains := flag.Int("domains", 1000, "domains in the list")
	rounds := flag.Int("rounds", 3, "runs of each, of which the median counts")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: list [-domains N] [-rounds N] POSTIER…")
		os.Exit(64)
	}
	if err := run(*domains, *rounds, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "list:", err)
		os.Exit(1)
	}
}

func run(domains, rounds int, programs []string) error {
	folder, err := os.MkdirTemp("", "postier-list-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	var names strings.Builder
	for n := range domains {
		fmt.Fprintf(&names, "d%d.example\n", n)
	}
	list := filepath.Join(folder, "list")
	if err := os.WriteFile(list, []byte(names.String()), 0o600); err != nil {
		return err
	}
	server, err := newServer()
	if err != nil {
		return err
	}
	for _, program := range programs {
		var whole, alone, silent []time.Duration
		for range rounds {
			server.begin(false)
			took, err := look(program, server.address, list)
			if err != nil {
				return err
			}
			asked := server.begin(false)
			again, err := ask(server.address, asked)
			if err != nil {
				return err
			}
			server.begin(true)
			dead, err := look(program, server.address, list)
			if err != nil {
				return err
			}
			whole, alone, silent = append(whole, took), append(alone, again), append(silent, dead)
			fmt.Printf("  %d questions\n", len(asked))
		}
		a, b, c := median(whole), median(alone), median(silent)
		fmt.Printf("%s, %d domains: %v; the questions alone %v (%.2f); with 1 %% silent %v (%.2f)\n", program, domains,
			a.Round(time.Millisecond), b.Round(time.Millisecond), ratio(a, b), c.Round(time.Millisecond), ratio(c, a))
	}
	return nil
}

// look runs the program over the list.
func look(program, server, list string) (time.Duration, error) {
	cmd := exec.Command(program, "--resolver", server, "--json", "diagnose", "dns", "--list", list)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + filepath.Dir(list)}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	start := time.Now()
	err := cmd.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) { // domains that fail give an exit code
		return 0, err
	}
	if out.Len() == 0 {
		return 0, fmt.Errorf("no output: %s", said.String())
	}
	return time.Since(start), nil
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

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
