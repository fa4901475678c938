package smtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	host  = "smtp.durand.example"
	user  = "marie@durand.example"
	other = "paul@durand.example"
)

var password = secret.New("C4nary#password-7")

const zone = `
smtp.durand.example. 300 IN A 192.0.2.10
`

// bench is a network in which host leads to one scripted server.
type bench struct {
	ca      *certificates.CA
	server  *scripted.Server
	network *wire.Network
	target  account.Target
	port    int
}

// start makes a server for a mode. Its options are completed: certificate of the CA, implicit TLS where the mode is so.
func start(t *testing.T, security config.Security, o scripted.Options) *bench {
	t.Helper()
	ca := scripted.StartCA(t)
	if o.Certificate == nil && o.TLS == nil && security != config.SecurityNone {
		cert := certificate(t, ca, certificates.Good)
		o.Certificate = &cert
	}
	o.ImplicitTLS = security == config.SecurityTLS
	return connectTo(t, security, ca, scripted.StartSMTP(t, o))
}

func connectTo(t *testing.T, security config.Security, ca *certificates.CA, server *scripted.Server) *bench {
	t.Helper()
	port := 587
	if security == config.SecurityTLS {
		port = 465
	}
	names := scripted.StartDNS(t, zone)
	resolver, err := wire.ResolverAt(names.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{
		ca: ca, server: server, port: port,
		network: &wire.Network{
			Resolver: resolver, Roots: ca.Roots(), Timeout: 5 * time.Second,
			Route: func(string, string, int) (string, bool) { return server.Addr(), true },
		},
		target: account.Target{
			Address:    user,
			Submission: config.Server{Host: host, Port: port, Security: security, Auth: config.MechanismAuto, Username: user},
			Secret:     password, SecretType: config.SecretPassword,
		},
	}
}

func certificate(t *testing.T, ca *certificates.CA, kind certificates.Kind) tls.Certificate {
	t.Helper()
	cert, err := ca.Certificate(kind, host)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// run climbs the ladder and waits until the server has read what was said last.
func (b *bench) run(t *testing.T, o Options) []diagnostics.Result {
	t.Helper()
	results := diagnostics.Run(t.Context(), nil, Plan(b.network, b.target, o))
	for end := time.Now().Add(2 * time.Second); b.server.Open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a connection was left open")
		}
	}
	return results
}

func find(t *testing.T, results []diagnostics.Result, id check.ID) diagnostics.Result {
	t.Helper()
	r, ok := diagnostics.Find(results, id)
	if !ok {
		t.Fatalf("no result of %s", id)
	}
	return r
}

// wantRoot asserts that exactly one check failed, which, and for what cause.
func wantRoot(t *testing.T, results []diagnostics.Result, id check.ID, cause string) {
	t.Helper()
	var failed []string
	for _, r := range results {
		if r.Status == check.Fail {
			if area := r.ID.Area(); (area == "net" || r.Cause == check.CauseWrongService) && r.Params.Host.Raw() == "" {
				t.Errorf("the sentence of %s names no host", r.Cause)
			}
			failed = append(failed, string(r.ID)+" "+string(r.Cause))
		}
	}
	if want := string(id) + " " + cause; len(failed) != 1 || failed[0] != want {
		t.Errorf("failed: %q, want only %q\n%s", failed, want, dump(results))
	}
}

func wantPass(t *testing.T, results []diagnostics.Result) {
	t.Helper()
	if v := diagnostics.Verdict(results); v != check.Pass {
		t.Errorf("verdict %s\n%s", v, dump(results))
	}
}

func dump(results []diagnostics.Result) string {
	var b strings.Builder
	for _, r := range results {
		b.WriteString(string(r.ID) + " " + string(r.Status) + " " + string(r.Cause) + "\n")
		for _, e := range r.Evidence {
			data, _ := diagnostics.Encode(e)
			b.WriteString("    " + string(data) + "\n")
		}
		for _, line := range r.Transcript {
			b.WriteString("    | " + line.String() + "\n")
		}
	}
	return b.String()
}

// noLeak asserts that nothing secret stands in what the checks say, in any encoding.
func noLeak(t *testing.T, results []diagnostics.Result) {
	t.Helper()
	text := dump(results)
	for i, form := range password.Forms(user) {
		if strings.Contains(text, form) {
			t.Errorf("the secret stands in the results, in form %d", i)
		}
	}
}

// baseline waits until no goroutine of this run is left.
func baseline(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// selfSignedBy makes a certificate for host whose issuer and subject bear this name.
func selfSignedBy(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var longSecret = secret.New(strings.Repeat("t0ken-", 4000))
