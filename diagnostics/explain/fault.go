package explain

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"postier/internal/check"
	"postier/internal/wire"
)

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
