package wire

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
)

// Trusting is a copy of the network that trusts the certificates in data (PEM) in addition; ok is false when there are
// none.
func (n *Network) Trusting(data []byte) (*Network, bool) {
	out := *n
	out.extra = slices.Clone(n.extra)
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			out.extra = append(out.extra, cert)
		}
	}
	return &out, len(out.extra) > len(n.extra)
}

// TrustedRoots are all roots in one pool, for the TLS of other packages; nil means the system's.
func (n *Network) TrustedRoots() *x509.CertPool {
	if len(n.extra) == 0 {
		return n.Roots
	}
	pool, err := n.Roots, error(nil)
	if pool != nil {
		pool = pool.Clone()
	} else if pool, err = x509.SystemCertPool(); err != nil {
		pool = x509.NewCertPool()
	}
	n.addExtra(pool)
	return pool
}

func (n *Network) addExtra(pool *x509.CertPool) {
	for _, cert := range n.extra {
		pool.AddCert(cert)
	}
}

// verify looks for a chain to the extra roots first. The system's roots are some hundred files, and are read only if
// that fails.
func (n *Network) verify(leaf *x509.Certificate, options x509.VerifyOptions) error {
	options.Roots = n.Roots
	if len(n.extra) == 0 {
		_, err := leaf.Verify(options)
		return err
	}
	own := options
	own.Roots = x509.NewCertPool()
	n.addExtra(own.Roots)
	_, ownErr := leaf.Verify(own)
	if ownErr == nil {
		return nil
	}
	_, err := leaf.Verify(options)
	if errors.As(err, new(x509.UnknownAuthorityError)) {
		return ownErr // the extra roots may know the issuer and report another fault
	}
	return err
}
