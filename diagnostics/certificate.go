package diagnostics

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/wire"
)

const (

	// soonExpiring is how close to its end a certificate gets a warning. ACME clients renew 30 days ahead, so with two
	// weeks left the renewal has failed.
	soonExpiring = 14 * 24 * time.Hour

	maxNames = 5 // names shown of a certificate; some carry thousands
)

// JudgeCertificate judges a chain for a host, for SMTP and IMAP alike. The evidence shows names, dates and issuer on
// success too. When the issuer is trusted and only the name is wrong, Fix holds host names that would match.
func JudgeCertificate(ctx context.Context, network *wire.Network, host string, report wire.TLSReport) Result {
	result := Result{Status: check.Pass}
	if len(report.Chain) == 0 {
		result.Status, result.Cause = check.Fail, check.CauseTLSHandshake
		return result
	}
	leaf, now := report.Chain[0], network.Clock()
	result.Evidence = Evidence{certificateSeen(report)}
	result.Params = certificateParams(host, leaf, now)
	switch {
	case report.Err != nil:
		result.Status, result.Cause = check.Fail, explain.Certificate(report, now)
		result.Evidence = append(result.Evidence, Failure{
			Text: safetext.FromRemote(report.Err.Error()), Faults: report.Faults,
		})
		if report.Faults[0] == wire.CertNameMismatch {
			result.Fix = fittingHosts(ctx, network, host, leaf)
		}
	case !report.Pinned && leaf.NotAfter.Sub(now) < soonExpiring:
		result.Status, result.Cause = check.Warn, check.CauseCertSoonExpiring
	}
	return result
}

func certificateParams(host string, leaf *x509.Certificate, now time.Time) check.Params {
	const hour = "2006-01-02 15:04"
	names, more := certificateNames(leaf)
	shown := strings.Join(names, ", ")
	if more > 0 {
		shown += fmt.Sprintf(" +%d", more)
	}
	return check.Params{
		Host: safetext.FromRemote(host), Names: safetext.FromRemote(shown), Issuer: safetext.FromRemote(leaf.Issuer.String()),
		From:  safetext.FromRemote(leaf.NotBefore.Local().Format(hour)),
		Until: safetext.FromRemote(leaf.NotAfter.Local().Format(hour)),
		Now:   safetext.FromRemote(now.Local().Format(hour)),
		Days:  check.Number(int(leaf.NotAfter.Sub(now).Hours() / 24)),
	}
}

// certificateNames are the first names and addresses that the certificate is for, and how many more there are.
func certificateNames(leaf *x509.Certificate) (names []string, more int) {
	total := len(leaf.DNSNames) + len(leaf.IPAddresses)
	names = append(names, leaf.DNSNames[:min(len(leaf.DNSNames), maxNames)]...)
	for _, ip := range leaf.IPAddresses {
		if len(names) == maxNames {
			break
		}
		names = append(names, ip.String())
	}
	return names, total - len(names)
}

func certificateSeen(report wire.TLSReport) Certificate {
	leaf := report.Chain[0]
	names, more := certificateNames(leaf)
	chain := make([]safetext.Remote, 0, len(report.Chain))
	for _, c := range report.Chain[:min(len(report.Chain), maxNames)] {
		chain = append(chain, safetext.FromRemote(c.Subject.String()))
	}
	return Certificate{
		Subject: safetext.FromRemote(leaf.Subject.String()), Issuer: safetext.FromRemote(leaf.Issuer.String()),
		Names: safetext.FromRemotes(names), MoreNames: more, Chain: chain,
		NotBefore: leaf.NotBefore.UTC().Format(time.RFC3339), NotAfter: leaf.NotAfter.UTC().Format(time.RFC3339),
		Key: keyKind(leaf), Signature: leaf.SignatureAlgorithm.String(), SHA256SPKI: wire.SPKI(leaf),
		Verified: report.Verified(), Pinned: report.Pinned,
	}
}

func keyKind(leaf *x509.Certificate) string {
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ecdsa-%d", key.Curve.Params().BitSize)
	case ed25519.PublicKey:
		return "ed25519"
	}
	return leaf.PublicKeyAlgorithm.String()
}

// fittingHosts are names that this certificate is good for and that are likely to lead to the same server: what the
// host is an alias of, then the certificate's own names. Wildcards are no host names.
func fittingHosts(ctx context.Context, network *wire.Network, host string, leaf *x509.Certificate) []check.Fix {
	var fixes []check.Fix
	seen := map[string]bool{}
	add := func(name string) {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if len(fixes) < maxNames && name != "" && !strings.Contains(name, "*") && !seen[name] &&
			leaf.VerifyHostname(name) == nil {
			seen[name] = true
			fixes = append(fixes, check.Fix{Kind: "host", Value: safetext.Escape(name), Old: host})
		}
	}
	if _, err := netip.ParseAddr(host); err != nil && network.Resolver != nil {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			answer, err := network.Resolver.Query(ctx, host, qtype)
			for _, name := range answer.Chain {
				if err == nil {
					add(name)
				}
			}
		}
	}
	for _, name := range leaf.DNSNames[:min(len(leaf.DNSNames), maxNames)] {
		add(name)
	}
	return fixes
}
