package wire

import (
	"crypto/tls"
	"errors"
)

// Policy holds the restrictions that whoever installed the program adds to the built-in rules. It never permits more
// than they do.
type Policy struct {
	// MinVersion is the lowest TLS version to accept; 0, and any version below TLS 1.2, means TLS 1.2.
	MinVersion uint16
	// ImplicitOnly refuses TLS in a session that began in cleartext (RFC 3207, RFC 9051 §6.2.1).
	ImplicitOnly bool
	// NoCleartext refuses cleartext, which a technician may otherwise allow.
	NoCleartext bool
	// NoPins ignores pins and judges every chain.
	NoPins bool
}

// ErrForbidden says that the policy does not allow what was asked for. Nothing secret was sent.
var ErrForbidden = errors.New("STARTTLS is not allowed here: TLS has to begin with the first byte")

func (p Policy) minVersion() uint16 { return max(p.MinVersion, tls.VersionTLS12) }

func (p Policy) pins(pins []string) []string {
	if p.NoPins {
		return nil
	}
	return pins
}

// Cleartext reports whether a connection without encryption may carry a secret, given that a technician allowed it.
func (p Policy) Cleartext(allowed bool) bool { return allowed && !p.NoCleartext }
