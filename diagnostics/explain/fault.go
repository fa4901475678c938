package explain

import (
	"crypto/x509"
	"strings"
	"time"

	"postier/internal/wire"
)

// Fault is the cause of a fault of a connection that stood.
func Fault(f wire.Fault) string {
	switch f.Kind {
	case wire.KindPolicy:
		return "address-not-allowed"
	case wire.KindResolve:
		return resolveCause(f)
	case wire.KindRefused:
		return "connection-refused"
	case wire.KindUnreachable:
		return "network-unreachable"
	case wire.KindLimit:
		return "limit-exceeded"
	case wire.KindInjected:
		return "tls-injected"
	case wire.KindForbidden:
		return "starttls-forbidden"
	case wire.KindNotTLS:
		return "tls-wrong-mode"
	case wire.KindVersion:
		return "tls-version-unsupported"
	case wire.KindAlert, wire.KindTLS:
		return "tls-handshake"
	case wire.KindTimeout:
		return "server-timeout"
	case wire.KindCancelled:
		return "cancelled"
	}
	return "connection-dropped"
}

// DialFault is the cause of a fault before the connection stood, where the same silence means a blocked port.
func DialFault(f wire.Fault) string {
	switch f.Kind {
	case wire.KindTimeout:
		return "port-blocked"
	case wire.KindOther, wire.KindCertificate:
		return "network-unreachable"
	}
	return Fault(f)
}

func resolveCause(f wire.Fault) string {
	switch wire.Failure(f.Detail.Raw()) {
	case wire.NotFound:
		return "dns-nxdomain"
	case wire.NoAddress:
		return "dns-no-address"
	}
	return "dns-failure"
}

// certificateCauses maps what wire saw to the catalogue.
var certificateCauses = map[wire.CertFault]string{
	wire.CertNone:         "tls-handshake",
	wire.CertPinChanged:   "cert-pin-mismatch",
	wire.CertSelfSigned:   "cert-self-signed",
	wire.CertIncomplete:   "cert-chain-incomplete",
	wire.CertUntrusted:    "cert-untrusted",
	wire.CertNotYetValid:  "cert-not-yet-valid",
	wire.CertExpired:      "cert-expired",
	wire.CertNameMismatch: "cert-name-mismatch",
	wire.CertWeak:         "cert-weak",
	wire.CertLegacy:       "cert-legacy",
}

// release is a day before which no clock is right: this program did not exist.
var release = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Certificate is the cause of a chain that does not hold at this time.
func Certificate(report wire.TLSReport, now time.Time) string {
	fault := report.Faults[0]
	switch fault {
	case wire.CertNotYetValid:
		// A chain whose issuers are of the future too, or a clock before this program's time, is no renewal gone wrong.
		if now.Before(release) || (len(report.Chain) > 1 && now.Before(report.Chain[1].NotBefore)) {
			return "clock-wrong"
		}
	case wire.CertUntrusted, wire.CertIncomplete, wire.CertSelfSigned:
		if interceptor(report.Chain) {
			return "security-software-intercept"
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
	for _, cert := range chain {
		issuer := strings.ToLower(cert.Issuer.String())
		for _, name := range interceptors {
			if strings.Contains(issuer, name) {
				return true
			}
		}
	}
	return false
}
