package discovery

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
)

// address has a local part that must never be seen on any wire.
const (
	canary  = "canary-7f3a"
	address = canary + "@durand.example"
)

// bench is a small Internet: a name server, and hosts that lead to servers of the test. What is not routed is refused.
type bench struct {
	t       *testing.T
	dns     *scripted.DNS
	ca      *certificates.CA
	network *wire.Network

	mu       sync.Mutex
	routes   map[string]string // host:port to the real address
	dialled  []string
	requests []string // every HTTP request as it came
	servers  []*scripted.Server
}

func newBench(t *testing.T, zone string) *bench {
	t.Helper()
	b := &bench{t: t, dns: scripted.StartDNS(t, zone), ca: scripted.StartCA(t), routes: map[string]string{}}
	resolver, err := wire.ResolverAt(b.dns.Addr())
	if err != nil {
		t.Fatal(err)
	}
	dead := scripted.StartRefused(t)
	b.network = &wire.Network{
		Resolver: resolver, Roots: b.ca.Roots(),
		Route: func(_, host string, port int) (string, bool) {
			b.mu.Lock()
			defer b.mu.Unlock()
			key := host + ":" + strconv.Itoa(port)
			b.dialled = append(b.dialled, key)
			if to, ok := b.routes[key]; ok {
				return to, true
			}
			return dead.Addr(), true
		},
	}
	return b
}

func (b *bench) route(host string, port int, to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.routes[host+":"+strconv.Itoa(port)] = to
}

// web serves https for a host. certified names the certificate, by default the host itself.
func (b *bench) web(host string, handler http.HandlerFunc) {
	b.t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var text strings.Builder
		_ = r.Header.Write(&text)
		b.mu.Lock()
		b.requests = append(b.requests, r.Method+" https://"+r.Host+r.URL.String()+"\n"+text.String()+"\n"+string(body))
		b.mu.Unlock()
		handler(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*scripted.Leaf(b.t, b.ca, certificates.Good, host)}}
	server.StartTLS()
	b.t.Cleanup(server.Close)
	b.route(host, 443, server.Listener.Addr().String())
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func (b *bench) smtp(host string, port int, o scripted.Options) {
	b.t.Helper()
	if o.Certificate == nil {
		o.Certificate = scripted.Leaf(b.t, b.ca, certificates.Good, host)
	}
	o.ImplicitTLS = port == 465
	s := scripted.StartSMTP(b.t, o)
	b.servers = append(b.servers, s)
	b.route(host, port, s.Addr())
}

func (b *bench) imap(host string, port int, o scripted.Options) {
	b.t.Helper()
	if o.Certificate == nil {
		o.Certificate = scripted.Leaf(b.t, b.ca, certificates.Good, host)
	}
	o.ImplicitTLS = port == 993
	s := scripted.StartIMAP(b.t, o)
	b.servers = append(b.servers, s)
	b.route(host, port, s.Addr())
}

func (b *bench) find() []Candidate {
	b.t.Helper()
	list, err := Find(b.t.Context(), b.network, presets.Default(), address, Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.noLeak()
	return list
}

// best is the first candidate, which must be there.
func (b *bench) best() Candidate {
	b.t.Helper()
	list := b.find()
	if len(list) == 0 {
		b.t.Fatalf("nothing was found; dialled %v", b.dialled)
	}
	return list[0]
}

// noLeak fails if the local part, or any attempt to sign in, was seen by any server.
func (b *bench) noLeak() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.dns.Queries() {
		if strings.Contains(q.Name, canary) {
			b.t.Errorf("the local part was asked for in DNS: %s", q.Name)
		}
	}
	for _, r := range b.requests {
		lower := strings.ToLower(r)
		if strings.Contains(lower, canary) || strings.Contains(lower, "authorization") || strings.Contains(lower, "cookie") ||
			strings.Contains(lower, "referer") {
			b.t.Errorf("a request says more than it must:\n%s", r)
		}
	}
	for _, s := range b.servers {
		got := strings.ToUpper(string(s.Received()))
		if strings.Contains(got, strings.ToUpper(canary)) || strings.Contains(got, "AUTH") ||
			strings.Contains(got, "LOGIN") || strings.Contains(got, "MAIL FROM") {
			b.t.Errorf("a mail server was told: %q", got)
		}
	}
}

func (b *bench) asked(host string, port int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.dialled {
		if d == host+":"+strconv.Itoa(port) {
			return true
		}
	}
	return false
}

func reasons(c Candidate) string {
	var out []string
	for _, r := range c.Confirm {
		out = append(out, string(r))
	}
	return strings.Join(out, " ")
}

func server(list []Server) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Host + ":" + strconv.Itoa(list[0].Port) + " " + string(list[0].Security) + " " + list[0].Username
}

func within(t *testing.T, limit time.Duration, what func(context.Context)) {
	t.Helper()
	start := time.Now()
	what(t.Context())
	if took := time.Since(start); took > limit {
		t.Errorf("took %s, want at most %s", took, limit)
	}
}
