package scripted

import (
	"crypto/tls"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/rehearsal/deadport"
)

// TB is the part of testing.TB that this package needs; the benchmarks have one of their own.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(f func())
}

// StartCA makes an authority for a test, with the present as its time.
func StartCA(t TB) *certificates.CA {
	t.Helper()
	ca, err := certificates.New(time.Time{})
	if err != nil {
		t.Fatalf("scripted: %v", err)
	}
	return ca
}

// Leaf makes a certificate of a kind for these host names and IP addresses.
func Leaf(t TB, ca *certificates.CA, kind certificates.Kind, hosts ...string) *tls.Certificate {
	t.Helper()
	cert, err := ca.Certificate(kind, hosts...)
	if err != nil {
		t.Fatalf("scripted: %v", err)
	}
	return &cert
}

// StartRefused reserves a port for a test on which connecting is refused at once.
func StartRefused(t TB) *deadport.Port { t.Helper(); return startDead(t, deadport.Refused) }

// StartBlackhole reserves a port for a test on which connecting never ends.
func StartBlackhole(t TB) *deadport.Port { t.Helper(); return startDead(t, deadport.Blackhole) }

func startDead(t TB, open func(host string) (*deadport.Port, error)) *deadport.Port {
	t.Helper()
	d, err := open("127.0.0.1")
	if err != nil {
		t.Fatalf("scripted: %v", err)
		return nil
	}
	t.Cleanup(d.Close)
	return d
}
