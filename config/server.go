package config

import (
	"cmp"
	"net/netip"
	"strings"
)

// The ports of mail.
const (
	PortSMTP        = 25   // RFC 5321 §4.5.4.2: between mail servers; some providers take submissions there
	PortIMAP        = 143  // RFC 9051 §2.1
	PortSubmissions = 465  // RFC 8314 §7.3: submission over implicit TLS
	PortSubmission  = 587  // RFC 6409 §3.1
	PortIMAPS       = 993  // RFC 8314 §7.2
	PortAlternative = 2525 // not registered: the common way around a blocked port 587
)

// SecurityFor is the security that a server on this port is expected to use; SecurityAuto if the port has no usual one.
func SecurityFor(port int) Security {
	switch port {
	case PortSubmissions, PortIMAPS:
		return SecurityTLS
	case PortSMTP, PortIMAP, PortSubmission, PortAlternative:
		return SecurityStartTLS
	}
	return SecurityAuto
}

// SubmissionWays lists the ports and kinds of security by which a submission server is tried, best first. Auto means
// the way that the port is registered for, and both ways on any other port. Cleartext is never guessed
// (docs/security.md T1).
func (s Server) SubmissionWays() []Server { return s.ways(PortSubmissions, PortSubmission) }

// IMAPWays is SubmissionWays for a mailbox server.
func (s Server) IMAPWays() []Server { return s.ways(PortIMAPS, PortIMAP) }

func (s Server) ways(implicit, upgraded int) []Server {
	by := func(port int, security Security) Server {
		way := s
		way.Port, way.Security = cmp.Or(s.Port, port), security
		return way
	}
	switch security := s.settled(); security {
	case SecurityAuto:
		return []Server{by(implicit, SecurityTLS), by(upgraded, SecurityStartTLS)}
	case SecurityTLS:
		return []Server{by(implicit, security)}
	default:
		return []Server{by(upgraded, security)}
	}
}

// settled is the security, with auto replaced by the one that the port is registered for, if any.
func (s Server) settled() Security {
	if s.Security == "" || s.Security == SecurityAuto {
		return SecurityFor(s.Port)
	}
	return s.Security
}

// Settled is the security for a program that cannot try both ways: STARTTLS if auto leaves both open.
func (s Server) Settled() Security {
	if security := s.settled(); security != SecurityAuto {
		return security
	}
	return SecurityStartTLS
}

// FollowPort gives a server whose port was changed, and nothing said about TLS, the mode of the new port: that of a
// preset belongs to the preset's port.
func (s Server) FollowPort(before Server) Server {
	usual := SecurityFor(s.Port)
	if s.Port != before.Port && s.Security == before.Security && s.Security != SecurityNone && s.settled() != usual {
		s.Security = SecurityAuto
	}
	return s
}

// usualPort is the port where a person gives none: the one that is upgraded, unless TLS begins with the first byte.
func (s Server) usualPort(upgraded, implicit int) int {
	if s.Security == SecurityTLS {
		return implicit
	}
	return upgraded
}

// IMAPPort reads the port of a mailbox server. Where none is given, it is that of implicit TLS unless STARTTLS or no
// TLS was chosen.
func (s Server) IMAPPort(text string) (int, Text) {
	if strings.TrimSpace(text) != "" {
		return ParsePort(text)
	}
	if s.Security == "" || s.Security == SecurityAuto {
		return PortIMAPS, Text{}
	}
	return s.usualPort(PortIMAP, PortIMAPS), Text{}
}

// Local reports whether the server is this machine, so that nothing crosses a network.
func (s Server) Local() bool {
	if addr, err := netip.ParseAddr(strings.Trim(s.Host, "[]")); err == nil {
		return addr.IsLoopback()
	}
	return strings.EqualFold(s.Host, "localhost")
}

// Cleartext reports whether a secret would cross a network in cleartext. A nil server never does.
func (s *Server) Cleartext() bool { return s != nil && s.Security == SecurityNone && !s.Local() }
