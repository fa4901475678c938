package wire

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CertFault is one thing wrong with a certificate chain.
type CertFault string

// The faults, root causes first: when the issuer is unknown, dates and names of the leaf say little.
const (
	CertNone         CertFault = "none"          // the server showed no certificate
	CertPinChanged   CertFault = "pin-changed"   // not the key that was pinned
	CertSelfSigned   CertFault = "self-signed"   // the leaf is its own issuer
	CertIncomplete   CertFault = "incomplete"    // the server left out the certificate between its own and the root
	CertUntrusted    CertFault = "untrusted"     // no issuer that this machine trusts
	CertNotYetValid  CertFault = "not-yet-valid" // its first day is in the future, or this clock is wrong
	CertExpired      CertFault = "expired"       // its last day has passed, or this clock is wrong
	CertNameMismatch CertFault = "name-mismatch" // for other names
	CertWeak         CertFault = "weak"          // SHA-1 or a short key
	CertLegacy       CertFault = "legacy"        // its name stands in CN alone
)

// minRSA is what CA/Browser Forum Baseline Requirements §6.1.5 has asked for since 2014.
const minRSA = 2048

// errShortKey says that a leaf's key is too short to be safe.
var errShortKey = errors.New("the certificate's RSA key is too short")

// certFaults judges each property separately, so that one fault does not hide another. err is the fault of the first
// one.
func (n *Network) certFaults(chain []*x509.Certificate, host string) (faults []CertFault, err error) {
	leaf, now := chain[0], n.Clock()
	add := func(f CertFault, cause error) {
		faults = append(faults, f)
		if err == nil {
			err = cause
		}
	}
	weak := weakness(leaf)
	if trustErr := n.verifyChain(chain, within(now, leaf)); trustErr != nil {
		var invalid x509.CertificateInvalidError
		switch {
		case selfSigned(leaf):
			add(CertSelfSigned, trustErr)
		// an intermediate; the leaf's own dates are judged below
		case errors.As(trustErr, &invalid) && invalid.Reason == x509.Expired:
			add(CertExpired, trustErr)
		case errors.As(trustErr, new(x509.InsecureAlgorithmError)) ||
			strings.Contains(trustErr.Error(), "insecure algorithm"):
			weak = trustErr
		case len(chain) == 1 && len(leaf.IssuingCertificateURL) > 0: // the issuer has an issuer, and it was not sent
			add(CertIncomplete, trustErr)
		default:
			add(CertUntrusted, trustErr)
		}
	}
	switch {
	case now.Before(leaf.NotBefore):
		add(CertNotYetValid, x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired, Detail: "not yet valid"})
	case now.After(leaf.NotAfter) && !slices.Contains(faults, CertExpired):
		add(CertExpired, x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired, Detail: "expired"})
	}
	if weak != nil {
		add(CertWeak, weak)
	}
	if nameErr := leaf.VerifyHostname(x509Name(host)); nameErr != nil {
		if nameInCN(leaf, host) {
			add(CertLegacy, nameErr)
		} else {
			add(CertNameMismatch, nameErr)
		}
	}
	return faults, err
}

// verifyChain judges the issuers alone, at a time when the leaf is valid.
func (n *Network) verifyChain(chain []*x509.Certificate, at time.Time) error {
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	return n.verify(chain[0], x509.VerifyOptions{Intermediates: intermediates, CurrentTime: at})
}

// within is now, or the nearest moment at which cert is valid.
func within(now time.Time, cert *x509.Certificate) time.Time {
	switch {
	case now.Before(cert.NotBefore):
		return cert.NotBefore
	case now.After(cert.NotAfter):
		return cert.NotAfter
	}
	return now
}

func selfSigned(cert *x509.Certificate) bool {
	if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		return false
	}
	err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	// its signature is too old to be checked, but it is self-signed all the same
	return err == nil || errors.As(err, new(x509.InsecureAlgorithmError))
}

// weakness returns an error for a key or a signature that can be forged.
func weakness(leaf *x509.Certificate) error {
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		return fmt.Errorf("%w: %d bits", errShortKey, key.N.BitLen())
	}
	switch leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		return x509.InsecureAlgorithmError(leaf.SignatureAlgorithm)
	}
	return nil
}

// nameInCN reports whether the certificate names the host only in CN, where only old programs look: RFC 9525 §2
// requires subjectAltName.
func nameInCN(leaf *x509.Certificate, host string) bool {
	return len(leaf.DNSNames) == 0 && len(leaf.IPAddresses) == 0 &&
		strings.EqualFold(leaf.Subject.CommonName, trimBrackets(host))
}
