package rehearsal

import (
	"crypto/tls"
	"net"
	"strconv"
	"testing"
)

// Other processes find the servers by the name service alone.
func TestServe(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Serve: true})
	resolver := p.dns.Resolver()
	for _, service := range []string{"submissions", "imaps"} {
		_, records, err := resolver.LookupSRV(t.Context(), service, "tcp", Domain)
		if err != nil || len(records) != 1 {
			t.Fatalf("%s: %v, %v", service, records, err)
		}
		addresses, err := resolver.LookupHost(t.Context(), records[0].Target)
		if err != nil || len(addresses) != 1 {
			t.Fatalf("%s: %v, %v", records[0].Target, addresses, err)
		}
		conn, err := tls.Dial("tcp", net.JoinHostPort(addresses[0], strconv.Itoa(int(records[0].Port))), &tls.Config{
			RootCAs: p.Roots, ServerName: records[0].Target, MinVersion: tls.VersionTLS12,
		})
		if err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		_ = conn.Close()
	}
	for _, e := range append(p.SMTPEndpoints(), p.IMAPEndpoints()...) {
		if conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(e.Port))); err != nil {
			t.Errorf("%v: %v", e, err)
		} else {
			_ = conn.Close()
		}
	}
}
