package explain

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"postier/internal/check"
	"postier/internal/wire"
)

// Fault is what a fault of a connection means. A kind that tells it all is looked up by kind; what TLS and the system
// say in words goes through the catalogue, as the same words from a log do in `postier explain`.
func Fault(f wire.Fault) Answer { return fault(f, f.Cause()) }

// DialFault is Fault before the connection stood, where the same silence means a blocked port.
func DialFault(f wire.Fault) Answer { return fault(f, f.DialCause()) }

func fault(f wire.Fault, cause check.Cause) Answer {
	protocols := map[wire.Kind][]string{
		wire.KindAlert: {TLS}, wire.KindTLS: {TLS}, wire.KindOther: {TLS, TCP, DNS},
	}
	if strings.HasPrefix(f.Text.Raw(), "lookup ") { // a net.DNSError; the words after it may be those of the network
		protocols[wire.KindOther] = []string{DNS}
	}
	var loose *Answer
	for _, protocol := range protocols[f.Kind] {
		a := Match(Query{Protocol: protocol, Text: f.Text.Raw()})
		switch {
		case a.Reply != "" && !a.words:
			return a
		case a.Reply != "" && loose == nil:
			loose = &a
		}
	}
	if loose != nil {
		return *loose
	}
	return For(cause)
}

// certificateCauses maps what wire saw to the catalogue.
var certificateCauses = map[wire.CertFault]check.Cause{
	wire.CertNone:         check.CauseTLSHandshake,
	wire.CertPinChanged:   check.CauseCertPinMismatch,
	wire.CertSelfSigned:   check.CauseCertSelfSigned,
	wire.CertIncomplete:   check.CauseCertChainIncomplete,
	wire.CertUntrusted:    check.CauseCertUntrusted,
	wire.CertNotYetValid:  check.CauseCertNotYetValid,
	wire.CertExpired:      check.CauseCertExpired,
	wire.CertNameMismatch: check.CauseCertNameMismatch,
	wire.CertWeak:         check.CauseCertWeak,
	wire.CertLegacy:       check.CauseCertLegacy,
}

// release is a day before which no clock is right: this program did not exist.
var release = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Certificate is the cause of a chain that does not hold at this time.
func Certificate(report wire.TLSReport, now time.Time) check.Cause {
	fault := report.Faults[0]
	switch fault {
	case wire.CertNotYetValid:
		// A chain whose issuers are of the future too, or a clock before this program's time, is no renewal gone wrong.
		if now.Before(release) || (len(report.Chain) > 1 && now.Before(report.Chain[1].NotBefore)) {
			return check.CauseClockWrong
		}
	case wire.CertUntrusted, wire.CertIncomplete, wire.CertSelfSigned:
		if interceptor(report.Chain) {
			return check.CauseSecuritySoftwareIntercept
		}
	}
	return certificateCauses[fault]
}

// interceptors are makers of virus scanners and appliances that sign certificates of their own for the traffic they
// read.
var interceptors = []string{
	"avast", "avg technologies", "avg web", "kaspersky", "eset ssl", "eset, spol", "bitdefender", "fortinet", "fortigate",
	"zscaler",
	"sophos", "norton", "mcafee", "cisco umbrella", "opendns", "netskope", "blue coat", "watchguard", "sonicwall",
	"untangle",
	"check point", "palo alto", "barracuda", "trend micro", "dr.web", "g data", "f-secure", "adguard", "mail shield",
	"web/mail shield",
	"iboss", "smoothwall", "clearswift", "forcepoint", "mitmproxy", "superfish",
}

func interceptor(chain []*x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(cert *x509.Certificate) bool {
		issuer := strings.ToLower(cert.Issuer.String())
		return slices.ContainsFunc(interceptors, func(name string) bool { return strings.Contains(issuer, name) })
	})
}
