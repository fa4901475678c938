package wire

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// TLSReport describes a handshake. It keeps the chain even if it is not valid, so that the fault can be named.
type TLSReport struct {
	Version string
	Cipher  string
	Chain   []*x509.Certificate
	// Err says why the chain is not valid for the host; nil means verified. Nothing secret may be sent unless it is nil.
	Err error
	// Faults are all faults of the chain, the root cause first; empty if Err is nil.
	Faults []CertFault
	// Pinned is true when the leaf is accepted because of a pin and not because of its chain.
	Pinned bool
	Took   time.Duration
}

// Verified reports whether secrets may be sent.
func (r TLSReport) Verified() bool { return len(r.Chain) > 0 && r.Err == nil }

// SPKI is the SHA-256 of the leaf's SubjectPublicKeyInfo in lower-case hex, the value of a pin.
func SPKI(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Handshake starts TLS on c for the host that the person confirmed, and verifies the chain itself. The error is that of
// the handshake; an invalid chain is reported in TLSReport.Err. After an error, c cannot be used any more.
//
// If bytes have already arrived, it returns ErrInjected before it sends anything, because nothing may follow the
// server's consent to STARTTLS (RFC 3207 §4, CVE-2011-0411). Plain text that arrives a moment later is ErrInjected too,
// joined with TLS's own error.
func (c *Conn) Handshake(ctx context.Context, host string, pins []string) (TLSReport, error) {
	if c.Buffered() > 0 {
		return TLSReport{}, earlyBytes(c.pending)
	}
	c.Step(HandshakeDeadline)
	start := time.Now()
	spoken := c.Received() > 0
	if spoken && c.network.Policy.ImplicitOnly {
		return TLSReport{}, ErrForbidden
	}
	pins = c.network.Policy.pins(pins)
	var report TLSReport
	client := tls.Client(c.raw, &tls.Config{
		ServerName: serverName(host),
		MinVersion: c.network.Policy.minVersion(),
		// The library's own verification would hide the chain. VerifyConnection below verifies it instead; see TLSReport.Err.
		InsecureSkipVerify: true, //nolint:gosec // the only use in the tree, guarded by a test
		VerifyConnection: func(state tls.ConnectionState) error {
			report.Chain = state.PeerCertificates
			c.network.judge(&report, host, pins)
			return nil
		},
	})
	err := client.HandshakeContext(ctx)
	report.Took = time.Since(start)
	if err != nil {
		return report, c.handshakeError(ctx, err, spoken)
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

// earlyBytes returns the error for bytes that arrived before the handshake. A server without a usable key may send its
// alert at once. In either case the bytes are never used.
func earlyBytes(pending []byte) error {
	const alertType, alertLength = 21, 7 // RFC 8446 §5.1, §6: type, version, length 2, level, description
	if len(pending) == alertLength && pending[0] == alertType && pending[1] == 3 && pending[3] == 0 && pending[4] == 2 {
		return fmt.Errorf("remote error: %w", tls.AlertError(pending[alertLength-1]))
	}
	return ErrInjected
}

func (c *Conn) handshakeError(ctx context.Context, err error, spoken bool) error {
	if c.isAborted() || errors.Is(ctx.Err(), context.Canceled) {
		return ErrCancelled
	}
	var header tls.RecordHeaderError
	if spoken && errors.As(err, &header) {
		return fmt.Errorf("%w: %w", ErrInjected, err)
	}
	return err
}

// State is the TLS state of a connection after Handshake, for channel binding; ok is false before that.
func (c *Conn) State() (state tls.ConnectionState, ok bool) {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return state, false
	}
	return t.ConnectionState(), true
}

// serverName is the SNI: an IP literal has none (RFC 6066 §3), and crypto/tls leaves it out.
func serverName(host string) string { return trimBrackets(host) }

// judge verifies the chain and fills in the verdict and the faults.
func (n *Network) judge(report *TLSReport, host string, pins []string) {
	if len(report.Chain) == 0 {
		report.Err, report.Faults = ErrNoCertificate, []CertFault{CertNone}
		return
	}
	if len(pins) > 0 {
		if slices.Contains(pins, SPKI(report.Chain[0])) {
			report.Pinned = true
		} else {
			// A pin is set because the chain is not valid, so a changed pin is the only verdict that counts.
			report.Err, report.Faults = ErrPinChanged, []CertFault{CertPinChanged}
		}
		return
	}
	report.Faults, report.Err = n.certFaults(report.Chain, host)
}

// x509Name is a host as crypto/x509 expects it: IP addresses in brackets.
func x509Name(host string) string {
	name := trimBrackets(host)
	if net.ParseIP(name) != nil {
		return "[" + name + "]"
	}
	return name
}
