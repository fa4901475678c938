// Package certificates makes a throw-away certificate authority and leaf certificates with any fault.
package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// CA is a throw-away certificate authority. Its keys are made at start and never leave the process.
type CA struct {
	now  time.Time
	cert *x509.Certificate
	key  crypto.Signer
}

// Kind names a certificate by its fault.
type Kind string

// The kinds of leaf certificate.
const (
	Good         Kind = "good"
	WrongName    Kind = "wrong-name"    // for mail.other.example only
	Expired      Kind = "expired"       // since ten days
	NotYetValid  Kind = "not-yet-valid" // before ten days from now
	SelfSigned   Kind = "self-signed"
	Untrusted    Kind = "untrusted"     // by an authority that no client knows
	NoSAN        Kind = "no-san"        // the name only in CN, which RFC 6125 readers ignore
	SoonExpiring Kind = "soon-expiring" // in four days
	WeakKey      Kind = "weak-key"      // RSA with 1024 bits
)

// WrongNameHost is the name on a WrongName certificate.
const WrongNameHost = "mail.other.example"

const (
	day      = 24 * time.Hour
	longAgo  = 90 * day
	lifetime = 365 * day
)

// New makes an authority whose certificates are dated from now; the zero time means the present.
func New(now time.Time) (*CA, error) {
	if now.IsZero() {
		now = time.Now()
	}
	return newCA(now, "postier throw-away CA")
}

func newCA(now time.Time, name string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"postier"}},
		NotBefore:             now.Add(-longAgo),
		NotAfter:              now.Add(10 * lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &CA{now: now, cert: cert, key: key}, nil
}

// Roots is a pool with this authority alone.
func (ca *CA) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// PEM is the authority's certificate as text.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// WriteFile writes the authority's certificate into dir and returns its path.
func (ca *CA) WriteFile(dir string) (string, error) {
	path := filepath.Join(dir, "ca.pem")
	const mode = 0o600
	if err := os.WriteFile(path, ca.PEM(), mode); err != nil {
		return "", fmt.Errorf("write the CA certificate: %w", err)
	}
	return path, nil
}

// Certificate makes a leaf of a kind for these host names and IP addresses; the first is its common name.
func (ca *CA) Certificate(kind Kind, hosts ...string) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		NotBefore:    ca.now.Add(-longAgo),
		NotAfter:     ca.now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	issuer, err := ca.bend(kind, template, &hosts)
	if err != nil {
		return tls.Certificate{}, err
	}
	if len(hosts) > 0 {
		template.Subject = pkix.Name{CommonName: hosts[0]}
	}
	if kind != NoSAN {
		addNames(template, hosts)
	}
	key, err := leafKey(kind)
	if err != nil {
		return tls.Certificate{}, err
	}
	parent, signer := issuer.cert, issuer.key
	if kind == SelfSigned {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a %s certificate: %w", kind, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// bend applies the fault of a kind to the template, and returns the issuer.
func (ca *CA) bend(kind Kind, template *x509.Certificate, hosts *[]string) (issuer *CA, err error) {
	issuer = ca
	switch kind {
	case Good, SelfSigned, NoSAN, WeakKey:
	case WrongName:
		*hosts = []string{WrongNameHost}
	case Expired:
		template.NotAfter = ca.now.Add(-10 * day)
	case NotYetValid:
		template.NotBefore = ca.now.Add(10 * day)
	case SoonExpiring:
		template.NotAfter = ca.now.Add(4 * day)
	case Untrusted:
		issuer, err = newCA(ca.now, "Somebody Else CA")
	default:
		err = fmt.Errorf("unknown kind of certificate %q", kind)
	}
	return issuer, err
}

func addNames(template *x509.Certificate, hosts []string) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
}

// weakKey is shared, because it is slow to generate.
var weakKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) })

func leafKey(kind Kind) (crypto.Signer, error) {
	if kind == WeakKey {
		return weakKey()
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func serial() *big.Int {
	const bits = 120 // RFC 5280 §4.1.2.2: positive, at most 20 octets
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
	if err != nil {
		return big.NewInt(1)
	}
	return n.Add(n, big.NewInt(1))
}
