package wire

import "crypto/x509"

// Trusting is a copy of the network that trusts the certificates in data (PEM) in addition; ok is false when there are
// none.
func (n *Network) Trusting(data []byte) (*Network, bool) {
	out := *n
	out.Roots = n.pool()
	ok := out.Roots.AppendCertsFromPEM(data)
	return &out, ok
}

// pool is a copy of the roots that are trusted.
func (n *Network) pool() *x509.CertPool {
	if n.Roots != nil {
		return n.Roots.Clone()
	}
	if system, err := x509.SystemCertPool(); err == nil {
		return system
	}
	return x509.NewCertPool()
}
