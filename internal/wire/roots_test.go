package wire

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

func TestExtraRoots(t *testing.T) {
	t.Parallel()
	own, usual, stranger := scripted.StartCA(t), scripted.StartCA(t), scripted.StartCA(t)
	base := &Network{Roots: usual.Roots()}
	n, ok := base.Trusting(own.PEM())
	if !ok || len(base.extra) != 0 {
		t.Fatalf("ok %t, %d certificates in the network itself", ok, len(base.extra))
	}
	if _, ok := n.Trusting([]byte("nothing")); ok {
		t.Error("text without a certificate was taken")
	}
	for _, test := range []struct {
		name string
		ca   *certificates.CA
		want []CertFault
	}{{"an extra root", own, nil}, {"a usual root", usual, nil}, {"neither", stranger, []CertFault{CertUntrusted}}} {
		report, err := handshake(t, n, leafOf(t, test.ca, certificates.Good, host), host)
		if err != nil || !slices.Equal(report.Faults, test.want) {
			t.Errorf("%s: %v, %v, want %v", test.name, report.Faults, err, test.want)
		}
	}
	if n.TrustedRoots().Equal(base.Roots) {
		t.Error("the pool for other packages lacks the extra root")
	}
	if base.TrustedRoots() != base.Roots {
		t.Error("a network without extra roots has a pool of its own")
	}
}

// The objection of extra roots that know the issuer must not be lost to "unknown" from those that do not.
func TestExtraRootsThatExpired(t *testing.T) {
	t.Parallel()
	const years = 20 * 365 * 24 * time.Hour
	old, err := certificates.New(time.Now().Add(-years))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := (&Network{Roots: scripted.StartCA(t).Roots()}).Trusting(old.PEM())
	report, err := handshake(t, n, leafOf(t, old, certificates.Good, host), host)
	if err != nil || len(report.Faults) == 0 || report.Faults[0] != CertExpired {
		t.Errorf("%v, %v", report.Faults, err)
	}
}

// The system's roots are read once a process, so that this test needs one of its own: they change after a chain to an
// extra root was verified, and what is trusted then is what they hold by then.
func TestSystemRootsAreReadWhenNeeded(t *testing.T) {
	const inner = "POSTIER_TEST_ROOTS"
	folder := os.Getenv(inner)
	if folder == "" {
		folder = t.TempDir()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), inner+"="+folder, "SSL_CERT_FILE="+filepath.Join(folder, "system.pem"),
			"SSL_CERT_DIR="+folder)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	own, later := scripted.StartCA(t), scripted.StartCA(t)
	verified := func(n *Network, leaf tls.Certificate) bool {
		report, err := handshake(t, n, leaf, host)
		return err == nil && report.Verified()
	}
	n, _ := (&Network{}).Trusting(own.PEM())
	if !verified(n, leafOf(t, own, certificates.Good, host)) {
		t.Error("the extra root is not trusted")
	}
	if err := os.WriteFile(filepath.Join(folder, "system.pem"), later.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if !verified(n, leafOf(t, later, certificates.Good, host)) {
		t.Error("the system's roots were read before they were needed")
	}
}
