package config

import (
	"net/netip"
	"strings"
)

// Local reports whether the server is this machine, so that nothing crosses a network.
func (s *Server) Local() bool {
	if addr, err := netip.ParseAddr(strings.Trim(s.Host, "[]")); err == nil {
		return addr.IsLoopback()
	}
	return strings.EqualFold(s.Host, "localhost")
}

// Cleartext reports whether a secret would cross a network in cleartext. A nil server is none.
func (s *Server) Cleartext() bool { return s != nil && s.Security == SecurityNone && !s.Local() }
