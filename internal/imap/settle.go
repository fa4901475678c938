package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"postier/config"
	"postier/internal/wire"
)

// Settle fills in port and security. Where auto leaves two possibilities, it tries which one the server speaks:
// implicit TLS first, then STARTTLS, never cleartext (docs/security.md T1). It sends nothing but a handshake.
func Settle(ctx context.Context, network *wire.Network, server config.Server) config.Server {
	server.Host = hostASCII(server.Host)
	ways := server.IMAPWays()
	if len(ways) == 1 {
		return ways[0]
	}
	implicit, upgraded := ways[0], ways[1]
	if conn, _ := Connect(ctx, network, implicit, nil); conn != nil {
		defer func() { _ = conn.Close() }()
		_, err := conn.Handshake(ctx, server.Host, nil)
		greeted := errors.Is(err, wire.ErrInjected) || errors.As(err, new(tls.RecordHeaderError))
		switch {
		case !greeted:
			return implicit // if TLS failed, that failure is the one to report
		case implicit.Port == upgraded.Port:
			return upgraded
		}
	}
	if implicit.Port != upgraded.Port {
		if other, _ := Connect(ctx, network, upgraded, nil); other != nil {
			_ = other.Close()
			return upgraded
		}
	}
	return implicit
}

// hostASCII returns a host's name as DNS and TLS take it, in A-labels; U-labels are for display (RFC 5890 §2.3.2.1).
func hostASCII(host string) string {
	if ascii, ok := config.HostASCII(strings.Trim(host, "[]")); ok {
		return ascii
	}
	return host
}

// SpeaksTLS tries a handshake on a new connection. A server that sends no greeting may be waiting for one. Nothing else
// is sent.
func SpeaksTLS(ctx context.Context, network *wire.Network, server config.Server) bool {
	conn, err := Connect(ctx, network, server, nil)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	report, _ := conn.Handshake(ctx, server.Host, nil)
	return len(report.Chain) > 0
}
