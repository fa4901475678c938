package wire

import (
	"crypto/tls"
	"errors"
	"testing"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestPolicyNarrows: what the policy forbids does not happen, and nothing is sent.
func TestPolicyNarrows(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	good := leafOf(t, ca, certificates.Good, host)

	n := &Network{Roots: ca.Roots(), Policy: Policy{MinVersion: tls.VersionTLS13}}
	c, server := pair(t, n)
	go serveTLS(server, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12})
	if _, err := c.Handshake(t.Context(), host, nil); Classify(err).Kind != KindVersion {
		t.Errorf("TLS 1.2 below the minimum: %v", err)
	}
	if report, err := handshake(t, n, good, host); err != nil || report.Version != "TLS 1.3" {
		t.Errorf("%v %s", err, report.Version)
	}
	if got := (Policy{MinVersion: tls.VersionTLS10}).minVersion(); got != tls.VersionTLS12 {
		t.Errorf("the policy widens: %x", got)
	}

	stranger := leafOf(t, scripted.StartCA(t), certificates.Good, host)
	pin := SPKI(stranger.Leaf)
	if report, err := handshake(t, &Network{Roots: ca.Roots()}, stranger, host, pin); err != nil || !report.Verified() {
		t.Errorf("the pin does not hold: %v %v", err, report.Err)
	}
	if report, _ := handshake(t, &Network{Roots: ca.Roots(), Policy: Policy{NoPins: true}}, stranger, host,
		pin); report.Verified() || report.Pinned {
		t.Error("a pin counts although pins are forbidden")
	}

	implicit := &Network{Roots: ca.Roots(), Policy: Policy{ImplicitOnly: true}}
	if _, err := handshake(t, implicit, good, host); err != nil {
		t.Errorf("implicit TLS: %v", err)
	}
	c, server = pair(t, implicit)
	wrote := make(chan error, 1)
	go func() { _, err := server.Write([]byte("220 ready\r\n")); wrote <- err }()
	if _, err := c.ReadLine(MaxLine); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if _, err := c.Handshake(t.Context(), host, nil); !errors.Is(err, ErrForbidden) ||
		Classify(err).Kind != KindForbidden {
		t.Errorf("STARTTLS: %v", err)
	}

	if (Policy{NoCleartext: true}).Cleartext(true) || !(Policy{}).Cleartext(true) || (Policy{}).Cleartext(false) {
		t.Error("cleartext")
	}
}
