package wire

import (
	"crypto/tls"
	"errors"
)

// Policy is what whoever installed the program forbids beyond the built-in rules. It only ever narrows them.
type Policy struct {
	// MinVersion is the lowest TLS version to agree on; 0, and what is below TLS 1.2, means TLS 1.2.
	MinVersion uint16
	// ImplicitOnly refuses TLS inside a session that began in the open (RFC 3207, RFC 9051 §6.2.1).
	ImplicitOnly bool
	// NoCleartext refuses what a technician may otherwise allow.
	NoCleartext bool
	// NoPins judges every chain as if no pin were set.
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

// Cleartext is whether a connection without encryption may carry a secret, where a technician allowed it.
func (p Policy) Cleartext(allowed bool) bool { return allowed && !p.NoCleartext }
