package dns_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/check"
	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// TestDANEComparesTheCertificate: the record is held against what the outgoing server shows.
func TestDANEComparesTheCertificate(t *testing.T) {
	t.Parallel()
	const host = "smtp.provider.test"
	ca := scripted.StartCA(t)
	leaf := scripted.Leaf(t, ca, certificates.Good, host)
	server := scripted.StartSMTP(t, scripted.Options{Certificate: leaf, ImplicitTLS: true})
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, host+". 300 IN A 127.0.0.1\n").Addr())
	if err != nil {
		t.Fatal(err)
	}
	network := &wire.Network{
		Resolver: resolver, Roots: ca.Roots(), Route: func(string, string, int) (string, bool) { return server.Addr(), true },
	}
	parsed, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	digest := func(data []byte) string { sum := sha256.Sum256(data); return hex.EncodeToString(sum[:]) }
	other := strings.Repeat("ab", sha256.Size)
	for _, c := range []struct {
		records string
		secure  bool
		status  check.Status
		cause   check.Cause
	}{
		{"3 1 1 " + wire.SPKI(parsed), true, check.Pass, ""},
		{"3 0 1 " + digest(parsed.Raw), true, check.Pass, ""},
		{"3 1 1 " + other, true, check.Fail, check.CauseDANEMismatch},
		{"3 1 1 " + other + "\n3 1 1 " + wire.SPKI(parsed), true, check.Pass, ""}, // a change of keys
		{"3 1 1 " + other, false, check.Warn, check.CauseDANEInsecure},
	} {
		zone := provider
		if c.secure {
			zone = "!secure\n" + zone
		}
		for _, record := range strings.Split(c.records, "\n") {
			zone += "_465._tcp." + host + ". IN TLSA " + record + "\n"
		}
		tg := target()
		tg.Submission = config.Server{Host: host, Port: 465, Security: config.SecurityTLS, Username: "marie@example.com"}
		plan := dns.Plan(network, tg, dns.Options{Resolver: lookuptest.Zone(t, zone)})
		r, _ := diagnostics.Find(diagnostics.Run(t.Context(), nil, plan), check.DNSDANE)
		if r.Status != c.status || r.Cause != c.cause {
			t.Errorf("%s, secure %v: %s %s, want %s %s; %s", c.records, c.secure, r.Status, r.Cause, c.status, c.cause,
				evidenceText(t, r))
		}
	}
	if strings.Contains(strings.Join(server.Commands(), " "), "AUTH") {
		t.Errorf("said %v", server.Commands())
	}
}
