package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/internal/scripted"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address       string
		local, served bool
	}{
		{"93.184.216.34:465", true, true},
		{"93.184.216.34:25", true, true},
		{"93.184.216.34:22", true, false},
		{"93.184.216.34:80", true, false},
		{"[2606:2800:220:1::1]:587", true, true},
		{"127.0.0.1:465", true, false},
		{"127.9.9.9:465", true, false},
		{"[::1]:465", true, false},
		{"[::ffff:127.0.0.1]:465", true, false},
		{"10.0.0.1:465", true, false},
		{"172.16.0.1:465", true, false},
		{"192.168.1.1:465", true, false},
		{"[::ffff:10.0.0.1]:465", true, false},
		{"100.64.0.1:465", true, false},
		{"0.0.0.0:465", true, false},
		{"[::]:465", true, false},
		{"169.254.1.1:465", true, false},
		{"169.254.169.254:80", false, false},
		{"169.254.169.254:465", false, false},
		{"[::ffff:169.254.169.254]:465", false, false},
		{"[fd00:ec2::254]:465", false, false},
		{"[fe80::1%eth0]:465", true, false},
		{"[fc00::1]:465", true, false},
		{"224.0.0.1:465", true, false},
		{"255.255.255.255:465", true, false},
		{"240.0.0.1:465", true, false},
		{"192.0.2.1:465", true, false},
		{"198.51.100.1:465", true, false},
		{"203.0.113.1:465", true, false},
		{"198.18.0.1:465", true, false},
		{"[2001:db8::1]:465", true, false},
		{"[64:ff9b::a00:1]:465", true, false},
		{"[2002:a00:1::1]:465", true, false},
		{"[2001::1]:465", true, false},
		{"[3fff::1]:465", true, false},
		{"[5f00::1]:465", true, false},
		{"[fec0::1]:465", true, false},
		{"[ff02::1]:465", true, false},
	} {
		target := netip.MustParseAddrPort(test.address)
		if got := (&Network{}).Permit(target) == nil; got != test.local {
			t.Errorf("local mode, %s: permitted %t", test.address, got)
		}
		if got := (&Network{Served: true}).Permit(target) == nil; got != test.served {
			t.Errorf("served mode, %s: permitted %t", test.address, got)
		}
	}
	if err := (&Network{}).control("tcp", "not an address", nil); !errors.Is(err, ErrAddressRefused) {
		t.Errorf("%v", err)
	}
}

// TestPolicyHoldsForTheAddressReallyDialled: a route, an alias or a name that changes its mind does not get round it.
func TestPolicyHoldsForTheAddressReallyDialled(t *testing.T) {
	t.Parallel()
	server := scripted.StartSMTP(t, scripted.Options{})
	n := &Network{Served: true, Route: func(string, string, int) (string, bool) { return server.Addr(), true }}
	conn, attempts := n.Connect(t.Context(), host, 465, []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil)
	if conn != nil || len(attempts) != 1 || Classify(attempts[0].Err).Kind != KindPolicy {
		t.Errorf("%v %+v", conn, attempts)
	}
	if server.Connections() != 0 {
		t.Error("the server was reached")
	}
}

func TestConnectTriesAFewAddressesInTurn(t *testing.T) {
	t.Parallel()
	refused := scripted.StartRefused(t).Addr()
	server := scripted.StartSMTP(t, scripted.Options{})
	calls := 0
	n := &Network{Route: func(string, string, int) (string, bool) {
		calls++
		if calls == 3 {
			return server.Addr(), true
		}
		return refused, true
	}}
	var addresses []netip.Addr
	for i := range 10 {
		addresses = append(addresses, netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}))
	}
	conn, attempts := n.Connect(t.Context(), host, 465, addresses, nil)
	if conn == nil || len(attempts) != 3 || Classify(attempts[0].Err).Kind != KindRefused || attempts[2].Err != nil {
		t.Fatalf("%+v", attempts)
	}
	_ = conn.Close()
	calls = -100
	if conn, attempts := n.Connect(t.Context(), host, 465, addresses, nil); conn != nil || len(attempts) != maxAddresses {
		t.Errorf("%d attempts", len(attempts))
	}
}

func TestConnectIsTimedAndCancelled(t *testing.T) {
	t.Parallel()
	dead := scripted.StartBlackhole(t).Addr()
	n := &Network{Timeout: 200 * time.Millisecond, Route: func(string, string, int) (string, bool) { return dead, true }}
	local := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	began := time.Now()
	_, attempts := n.Connect(t.Context(), host, 25, local, nil)
	if len(attempts) != 1 || Classify(attempts[0].Err).Kind != KindTimeout || time.Since(began) > 8*time.Second {
		t.Errorf("%+v after %s", attempts, time.Since(began))
	}
	n.Timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	began = time.Now()
	_, attempts = n.Connect(ctx, host, 25, local, nil)
	if took := time.Since(began); took > promptly || Classify(attempts[0].Err).Kind != KindCancelled {
		t.Errorf("%+v after %s", attempts, took)
	}
}

func TestBothFamiliesAtOnceLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	addresses := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
	func() {
		server, err := scripted.ServeSMTP(scripted.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		refused := scripted.StartRefused(t).Addr()
		for four, six := range map[string]string{
			server.Addr(): server.Addr(), server.Addr() + " ": refused,
			refused: server.Addr(), refused + " ": refused,
		} {
			n := &Network{Route: func(network, _ string, _ int) (string, bool) {
				return strings.TrimSpace(map[string]string{"tcp4": four, "tcp6": six}[network]), true
			}}
			conn, attempts := n.ConnectAny(t.Context(), host, 465, addresses, nil)
			good := strings.TrimSpace(four) == server.Addr() || six == server.Addr()
			if (conn != nil) != good || len(attempts) == 0 {
				t.Errorf("%q %q: %v %+v", four, six, conn, attempts)
			}
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	settled(t, before)
}

func TestDialContextServesHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) }))
	t.Cleanup(server.Close)
	names := scripted.StartDNS(t, "web.durand.example. IN A 192.0.2.1\n!nxdomain gone.durand.example.\n")
	resolver, err := ResolverAt(names.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{
		Resolver: resolver,
		Route:    func(string, string, int) (string, bool) { return server.Listener.Addr().String(), true },
	}
	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://web.durand.example:8080/")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if names.Count("web.durand.example", "A") != 1 {
		t.Error("another resolver was asked")
	}
	if _, err := client.Get("http://gone.durand.example/"); Classify(err).Kind != KindResolve {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"no-port", "a:99999999", "a:x"} {
		if _, err := n.DialContext(t.Context(), "tcp", bad); err == nil {
			t.Errorf("%s was dialled", bad)
		}
	}
}

func TestAddressLiteralsNeedNoResolver(t *testing.T) {
	t.Parallel()
	for _, literal := range []string{"127.0.0.1", "::1", "[::1]"} {
		if list, err := (&Network{}).Addresses(t.Context(), literal); err != nil || len(list) != 1 {
			t.Errorf("%s: %v %v", literal, list, err)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		kind Kind
	}{
		{nil, KindNone},
		{context.Canceled, KindCancelled},
		{fmt.Errorf("step: %w", ErrCancelled), KindCancelled},
		{context.DeadlineExceeded, KindTimeout},
		{&net.OpError{Op: "dial", Err: ErrAddressRefused}, KindPolicy},
		{&ResolveError{Kind: NotFound}, KindResolve},
		{&LimitError{"line", 5}, KindLimit},
		{ErrPinChanged, KindCertificate},
		{ErrNoCertificate, KindCertificate},
		{errors.New("remote error: tls: unrecognized name"), KindAlert},
		{errors.New("tls: server selected unsupported protocol version 301"), KindVersion},
		{errors.New("tls: something new"), KindTLS},
		{errors.New("else"), KindOther},
	} {
		if got := Classify(test.err).Kind; got != test.kind {
			t.Errorf("%v is %s, want %s", test.err, got, test.kind)
		}
	}
	for _, s := range systemErrors {
		if got := Classify(fmt.Errorf("read: %w", s.err)).Kind; got != s.kind {
			t.Errorf("%v is %s, want %s", s.err, got, s.kind)
		}
	}
	if f := Classify(errors.New("tls: \x1b[2J")); f.Text.Escaped() != `tls: \x1b[2J` {
		t.Errorf("text %s", f.Text.Escaped())
	}
}
