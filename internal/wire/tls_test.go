package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

const host = "smtp.durand.example"

// serveTLS answers one handshake on the other end of c.
func serveTLS(server net.Conn, config *tls.Config) {
	conn := tls.Server(server, config)
	_ = conn.Handshake()
	_, _ = conn.Write([]byte("inside\r\n"))
}

func leafOf(t *testing.T, ca *certificates.CA, kind certificates.Kind, names ...string) tls.Certificate {
	t.Helper()
	cert, err := ca.Certificate(kind, names...)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func handshake(t *testing.T, n *Network, cert tls.Certificate, name string, pins ...string) (TLSReport, error) {
	t.Helper()
	c, server := pair(t, n)
	go serveTLS(server, &tls.Config{Certificates: []tls.Certificate{cert}})
	report, err := c.Handshake(t.Context(), name, pins)
	if err == nil {
		if line, err := c.ReadLine(MaxLine); err != nil || line != "inside" {
			t.Errorf("inside TLS: %q %v", line, err)
		}
		if state, ok := c.State(); !ok || !state.HandshakeComplete {
			t.Error("no TLS state")
		}
	}
	return report, err
}

func TestHandshakeNamesEveryFault(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	for _, test := range []struct {
		kind   certificates.Kind
		cert   []string
		name   string
		faults []CertFault
	}{
		{certificates.Good, []string{host}, host, nil},
		{certificates.Good, []string{host}, "SMTP.Durand.Example", nil},
		{certificates.Good, []string{"127.0.0.1"}, "127.0.0.1", nil},
		{certificates.Good, []string{"::1"}, "[::1]", nil},
		{certificates.Good, []string{"*.durand.example"}, host, nil},
		{certificates.Good, []string{"*.durand.example"}, "a.b.durand.example", []CertFault{CertNameMismatch}},
		{certificates.Good, []string{host}, "127.0.0.1", []CertFault{CertNameMismatch}},
		{certificates.SoonExpiring, []string{host}, host, nil},
		{certificates.WrongName, []string{host}, host, []CertFault{CertNameMismatch}},
		{certificates.Expired, []string{host}, host, []CertFault{CertExpired}},
		{certificates.Expired, []string{"other.example"}, host, []CertFault{CertExpired, CertNameMismatch}},
		{certificates.NotYetValid, []string{host}, host, []CertFault{CertNotYetValid}},
		{certificates.SelfSigned, []string{host}, host, []CertFault{CertSelfSigned}},
		{certificates.SelfSigned, []string{"other.example"}, host, []CertFault{CertSelfSigned, CertNameMismatch}},
		{certificates.Untrusted, []string{host}, host, []CertFault{CertUntrusted}},
		{certificates.NoSAN, []string{host}, host, []CertFault{CertLegacy}},
		{certificates.NoSAN, []string{"other.example"}, host, []CertFault{CertNameMismatch}},
		{certificates.WeakKey, []string{host}, host, []CertFault{CertWeak}},
	} {
		t.Run(string(test.kind)+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			report, err := handshake(t, &Network{Roots: ca.Roots()}, leafOf(t, ca, test.kind, test.cert...), test.name)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(report.Faults, test.faults) {
				t.Errorf("faults %v (%v), want %v", report.Faults, report.Err, test.faults)
			}
			if report.Verified() != (len(test.faults) == 0) || (report.Err == nil) != (len(test.faults) == 0) {
				t.Errorf("verified %t, error %v", report.Verified(), report.Err)
			}
			if len(report.Chain) == 0 || report.Version == "" || report.Cipher == "" || report.Took <= 0 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

func TestPins(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	self := leafOf(t, ca, certificates.SelfSigned, "other.example")
	good := leafOf(t, ca, certificates.Good, host)
	report, err := handshake(t, &Network{}, self, host, "00", SPKI(self.Leaf))
	if err != nil || !report.Verified() || !report.Pinned || len(report.Faults) > 0 {
		t.Errorf("pinned: %+v %v", report, err)
	}
	report, err = handshake(t, &Network{Roots: ca.Roots()}, good, host, SPKI(self.Leaf))
	if err != nil || report.Verified() || !errors.Is(report.Err, ErrPinChanged) ||
		!slices.Equal(report.Faults, []CertFault{CertPinChanged}) {
		t.Errorf("a chain that holds must not stand in for a changed pin: %+v %v", report, err)
	}
}

func TestCertificatesAreJudgedByTheGivenClock(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	good := leafOf(t, ca, certificates.Good, host)
	for offset, want := range map[time.Duration][]CertFault{
		0:                      nil,
		-200 * 24 * time.Hour:  {CertNotYetValid},
		2000 * 24 * time.Hour:  {CertExpired},
		20000 * 24 * time.Hour: {CertExpired},
	} {
		n := &Network{Roots: ca.Roots(), Now: func() time.Time { return time.Now().Add(offset) }}
		if report, err := handshake(t, n, good, host); err != nil || !slices.Equal(report.Faults, want) {
			t.Errorf("%s: %v %v, want %v", offset, report.Faults, err, want)
		}
	}
}

func TestMissingIntermediate(t *testing.T) {
	t.Parallel()
	root, rootKey := authority(t, "root", nil, nil)
	middle, middleKey := authority(t, "middle", root, rootKey)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IssuingCertificateURL: []string{"http://ca.example/middle"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, middle, key.Public(), middleKey)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	for _, test := range []struct {
		chain  [][]byte
		faults []CertFault
	}{
		{[][]byte{der, middle.Raw}, nil},
		{[][]byte{der}, []CertFault{CertIncomplete}},
	} {
		report, err := handshake(t, &Network{Roots: roots}, tls.Certificate{Certificate: test.chain, PrivateKey: key}, host)
		if err != nil || !slices.Equal(report.Faults, test.faults) {
			t.Errorf("%d certificates: %v %v", len(test.chain), report.Faults, err)
		}
	}
}

func authority(t *testing.T, name string, parent *x509.Certificate, parentKey *rsa.PrivateKey) (*x509.Certificate,
	*rsa.PrivateKey,
) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestBytesBehindSTARTTLS(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		trailing string // in the segment of the consent
		later    string // 20 ms afterwards
		kind     Kind
		atOnce   bool // before a ClientHello went out
		another  string
	}{
		{name: "a whole reply", trailing: "250-evil\r\n250 AUTH PLAIN\r\n", kind: KindInjected, atOnce: true},
		{name: "one octet", trailing: "2", kind: KindInjected, atOnce: true},
		{name: "an empty line", trailing: "\r\n", kind: KindInjected, atOnce: true},
		{name: "a forged handshake record", trailing: "\x16\x03\x03\x00\x05hello", kind: KindInjected, atOnce: true},
		{name: "an alert at once", trailing: "\x15\x03\x03\x00\x02\x02\x50", kind: KindAlert, atOnce: true},
		{
			name: "an alert with more behind", trailing: "\x15\x03\x03\x00\x02\x02\x50250 ok\r\n", kind: KindInjected,
			atOnce: true,
		},
		{name: "later", later: "250-evil\r\n", kind: KindInjected},
		{name: "split", trailing: "", later: "2", another: "50-evil\r\n", kind: KindInjected},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, server := pair(t, &Network{Timeout: 2 * time.Second})
			heard := make(chan int, 1)
			go func() {
				_, _ = server.Write([]byte("220 go\r\n" + test.trailing))
				for _, text := range []string{test.later, test.another} {
					if text != "" {
						time.Sleep(20 * time.Millisecond)
						_, _ = server.Write([]byte(text))
					}
				}
				_ = server.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
				n, _ := server.Read(make([]byte, 1000))
				heard <- n
			}()
			c.Step(5 * time.Second)
			if line, err := c.ReadLine(MaxLine); err != nil || line != "220 go" {
				t.Fatalf("%q %v", line, err)
			}
			_, err := c.Handshake(t.Context(), host, nil)
			if got := Classify(err).Kind; got != test.kind {
				t.Errorf("%v is %s, want %s", err, got, test.kind)
			}
			if n := <-heard; test.atOnce && n > 0 {
				t.Errorf("%d octets went out before the refusal", n)
			}
		})
	}
}

func TestHandshakeFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	good := leafOf(t, ca, certificates.Good, host)
	for name, test := range map[string]struct {
		serve func(net.Conn)
		kind  Kind
	}{
		"plain text": {func(c net.Conn) { _, _ = c.Write([]byte("220 mail.example ESMTP\r\n")) }, KindNotTLS},
		"silence":    {func(net.Conn) {}, KindTimeout},
		"drip": {
			func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 3, 64, 0}); drip(c, 5*time.Millisecond) },
			KindTimeout,
		},
		"closed": {func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); _ = c.Close() }, KindClosed},
		"old version": {func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11}).Handshake()
		}, KindVersion},
		"version alert":   {func(c net.Conn) { _, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 70}) }, KindVersion},
		"handshake alert": {func(c net.Conn) { _, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 40}) }, KindAlert},
		"garbage inside":  {func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 3, 0, 4, 9, 9, 9, 9}) }, KindTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, server := pair(t, &Network{Timeout: 300 * time.Millisecond})
			go test.serve(server)
			_, err := c.Handshake(t.Context(), host, nil)
			if got := Classify(err).Kind; got != test.kind {
				t.Errorf("%v is %s, want %s", err, got, test.kind)
			}
		})
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c, _ := pair(t, &Network{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	began := time.Now()
	_, err := c.Handshake(ctx, host, nil)
	if Classify(err).Kind != KindCancelled || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
