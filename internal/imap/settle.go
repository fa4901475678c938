package imap

import (
	"context"
	"crypto/tls"
	"errors"

	"postier/config"
	"postier/internal/wire"
)

// Settle fills in port and security. Where auto leaves two ways open it looks which one the server speaks: implicit TLS
// first, then STARTTLS, never cleartext (docs/security.md T1). Nothing is sent but a handshake.
func Settle(ctx context.Context, network *wire.Network, server config.Server) config.Server {
	ways := server.IMAPWays()
	if len(ways) == 1 {
		return ways[0]
	}
	implicit, upgraded := ways[0], ways[1]
	conn := connect(ctx, network, implicit)
	if conn != nil {
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
		if other := connect(ctx, network, upgraded); other != nil {
			_ = other.Close()
			return upgraded
		}
	}
	return implicit
}

// connect opens a connection of its own for a question; nil when there is none.
func connect(ctx context.Context, network *wire.Network, server config.Server) *wire.Conn {
	addresses, err := network.Addresses(ctx, server.Host)
	if err != nil {
		return nil
	}
	conn, _ := network.ConnectAny(ctx, server.Host, server.Port, addresses, nil)
	return conn
}
