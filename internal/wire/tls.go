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

// TLSReport is what a handshake showed: the chain is kept even when it is bad, so that the fault can be named.
type TLSReport struct {
	Version string
	Cipher  string
	Chain   []*x509.Certificate
	// Err is why the chain does not hold for the host; nil means verified. Nothing secret may follow while it is not nil.
	Err error
	// Faults are the classes of all that is wrong with the chain, the root cause first; empty when Err is nil.
	Faults []CertFault
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
//
// Bytes that already came are ErrInjected before anything is sent: behind a STARTTLS consent nothing may follow
// (RFC 3207 §4, CVE-2011-0411). Plain text that arrives a moment later is ErrInjected too, joined with TLS's own error.
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
		// The library's verdict would hide the chain. VerifyConnection below is the judge; see TLSReport.Err.
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

// earlyBytes names what came before the handshake. A server without a usable key may send its alert at once; whatever
// it is, nothing of it is taken in.
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

// judge fills in what holds and what does not.
func (n *Network) judge(report *TLSReport, host string, pins []string) {
	if len(report.Chain) == 0 {
		report.Err, report.Faults = ErrNoCertificate, []CertFault{CertNone}
		return
	}
	if len(pins) > 0 {
		if slices.Contains(pins, SPKI(report.Chain[0])) {
			report.Pinned = true
		} else {
			// A pin was set because the chain does not hold, so no other verdict may stand in its place.
			report.Err, report.Faults = ErrPinChanged, []CertFault{CertPinChanged}
		}
		return
	}
	report.Faults, report.Err = n.certFaults(report.Chain, host)
}

// x509Name is the form by which x509 takes a host: IP addresses in brackets.
func x509Name(host string) string {
	name := trimBrackets(host)
	if net.ParseIP(name) != nil {
		return "[" + name + "]"
	}
	return name
}
