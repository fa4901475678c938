package wire

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"slices"
	"time"
)

// TLSReport is what a handshake showed: the chain is kept even when it is bad, so that the fault can be named.
type TLSReport struct {
	Version string
	Cipher  string
	Chain   []*x509.Certificate
	// Err is why the chain does not hold for the host; nil means verified. Nothing secret may follow while it is not nil.
	Err error
	// Pinned is true when a pin, and not the chain, vouches for the leaf.
	Pinned bool
	Took   time.Duration
}

// Verified reports whether secrets may be sent.
func (r TLSReport) Verified() bool { return len(r.Chain) > 0 && r.Err == nil }

// SPKI is the SHA-256 of the leaf's SubjectPublicKeyInfo in lower-case hex: what a pin holds.
func SPKI(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Handshake starts TLS on c for the host that the person confirmed, and verifies the chain itself. The error is of the
// handshake; a chain that does not hold is in the report. After an error c is of no more use.
func (c *Conn) Handshake(ctx context.Context, host string, pins []string) (TLSReport, error) {
	c.Step(HandshakeDeadline)
	start := time.Now()
	var report TLSReport
	client := tls.Client(c.Conn, &tls.Config{
		ServerName: serverName(host),
		MinVersion: tls.VersionTLS12,
		// The library's verdict would hide the chain. VerifyConnection below is the judge; see TLSReport.Err.
		InsecureSkipVerify: true, //nolint:gosec // the only use in the tree, guarded by a test
		VerifyConnection: func(state tls.ConnectionState) error {
			report.Chain = state.PeerCertificates
			report.Err = c.network.verify(state.PeerCertificates, host)
			if len(pins) > 0 {
				if slices.Contains(pins, SPKI(state.PeerCertificates[0])) {
					report.Err, report.Pinned = nil, true
				} else {
					report.Err = ErrPinChanged
				}
			}
			return nil
		},
	})
	err := client.HandshakeContext(ctx)
	report.Took = time.Since(start)
	if err != nil {
		return report, err
	}
	state := client.ConnectionState()
	report.Version = tls.VersionName(state.Version)
	report.Cipher = tls.CipherSuiteName(state.CipherSuite)
	c.mu.Lock()
	c.secure = true
	c.mu.Unlock()
	c.Conn = client
	c.recorder.Add(Note, report.Version+" "+report.Cipher)
	return report, nil
}

// State is the TLS state of a connection after Handshake, for channel binding; ok is false before.
func (c *Conn) State() (state tls.ConnectionState, ok bool) {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return state, false
	}
	return t.ConnectionState(), true
}

// serverName is the SNI: an IP literal has none (RFC 6066 §3), and crypto/tls leaves it out.
func serverName(host string) string { return trimBrackets(host) }

func (n *Network) verify(chain []*x509.Certificate, host string) error {
	if len(chain) == 0 {
		return ErrNoCertificate
	}
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	name := trimBrackets(host)
	if net.ParseIP(name) != nil {
		name = "[" + name + "]" // the form by which x509 takes an IP address
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		DNSName: name, Roots: n.Roots, Intermediates: intermediates, CurrentTime: n.now(),
	})
	return err
}
