package wire

import (
	"crypto/tls"
	"io"
	"net/http"
)

// MaxHeader in octets of an answer's header; real ones stay below a tenth of it.
const MaxHeader = 64 << 10

// HTTPS is the transport of every request over HTTPS: it resolves and connects like the rest of the program, and keeps
// the minimum TLS version of the policy. It uses no proxy, because one from the environment must not see tokens. Each
// request has a connection of its own, because one that went stale between two requests would cost a failed request.
// How long a whole request may take, and which redirects it follows, is up to the caller's client.
func (n *Network) HTTPS() *http.Transport {
	return &http.Transport{
		DialContext: n.DialContext,
		TLSClientConfig: &tls.Config{
			RootCAs: n.TrustedRoots(), Time: n.Clock, MinVersion: n.Policy.minVersion(),
		},
		TLSHandshakeTimeout:    n.deadline(HandshakeDeadline),
		MaxResponseHeaderBytes: MaxHeader,
		DisableKeepAlives:      true,
	}
}

// ReadBody reads the body of an answer; one of more than limit octets is a LimitError.
func ReadBody(body io.Reader, limit int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil && len(data) > limit {
		return nil, &LimitError{"answer", limit}
	}
	return data, err
}
