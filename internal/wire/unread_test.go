package wire

import (
	"bufio"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestUnread: what has arrived is seen without waiting for more, in the clear and inside TLS, and nothing of it is lost
// for the next read.
func TestUnread(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert := leafOf(t, ca, certificates.Good, host)
	for name, inTLS := range map[string]bool{"clear": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, raw := pair(t, &Network{Roots: ca.Roots()})
			server := net.Conn(raw)
			if inTLS {
				secured := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
				server = secured
				done := make(chan error, 1)
				go func() { done <- secured.Handshake() }()
				if report, err := c.Handshake(t.Context(), host, nil); err != nil || !report.Verified() {
					t.Fatal(err, report.Err)
				}
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			c.Step(5 * time.Second)
			began := time.Now()
			for range 3 { // a session ticket is no data
				if got := c.Unread(); len(got) != 0 {
					t.Errorf("%q has arrived before anything was sent", got)
				}
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("waited %s", took)
			}
			if _, err := server.Write([]byte("250 one\r\n250 two\r\n")); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(5 * time.Second); len(c.Unread()) == 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			for _, want := range []string{"250 one", "250 two"} {
				if line, err := c.ReadLine(MaxLine); err != nil || line != want {
					t.Errorf("read %q, %v", line, err)
				}
			}
			// The step's deadline holds on, and both directions still work.
			if _, err := c.Write([]byte("NOOP\r\n")); err != nil {
				t.Error(err)
			}
			if line, err := bufio.NewReader(server).ReadString('\n'); err != nil || line != "NOOP\r\n" {
				t.Errorf("the server read %q, %v", line, err)
			}
			_ = server.Close()
			time.Sleep(20 * time.Millisecond)
			if got := c.Unread(); len(got) != 0 {
				t.Errorf("an ended connection has %q", got)
			}
			if _, err := c.ReadLine(MaxLine); err == nil || IsTimeout(err) {
				t.Errorf("the end is told as %v", err)
			}
		})
	}
}
