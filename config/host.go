package config

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"postier/internal/locale"
	"postier/internal/safetext"
)

const (
	maxHost  = 253 // octets of a name in text form, RFC 1035 §2.3.4
	maxLabel = 63  // octets, RFC 1035 §2.3.4
)

// hostProfile maps U-labels to A-labels as UTS #46 says for look-up (RFC 5891 §5), without deciding about ASCII labels.
var hostProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.Transitional(false))

// ValidateHost accepts a host name, with U-labels or A-labels, or an IP address without brackets.
func ValidateHost(host string) Text {
	switch {
	case host == "":
		return locale.Msg("config.host.empty")
	case strings.TrimSpace(host) != host:
		return locale.Msg("config.edge_blank")
	case hasHarmful(host):
		return locale.Msg("config.control")
	case strings.Contains(host, "://"):
		return locale.Msg("config.host.scheme", "value", safetext.FromRemote(host))
	case strings.Contains(host, "@"):
		return locale.Msg("config.host.address")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return locale.Msg("config.host.zone")
		}
		return Text{}
	}
	if name, _, found := strings.Cut(host, ":"); found && !strings.HasPrefix(host, "[") {
		return locale.Msg("config.host.port", "value", safetext.FromRemote(name))
	}
	if strings.ContainsAny(host, "[]") {
		return locale.Msg("config.host.brackets")
	}
	if _, ok := HostASCII(host); !ok {
		return locale.Msg("config.host.malformed", "value", safetext.FromRemote(host))
	}
	return Text{}
}

// HostASCII returns the form of a valid host that goes into DNS queries and TLS: A-labels in lower case, or the IP
// address in its shortest form. ok is false when the host is malformed.
func HostASCII(host string) (ascii string, ok bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String(), addr.Zone() == ""
	}
	return nameASCII(host, true)
}

// nameASCII turns a domain name into lower-case A-labels. Names of hosts may hold an underscore, as some private
// networks have them; mail domains may not (RFC 5321 §2.3.5).
func nameASCII(name string, underscore bool) (string, bool) {
	if len(name) > 4*maxHost || strings.ContainsAny(name, " \t%/:@[]") {
		return "", false
	}
	ascii, err := hostProfile.ToASCII(name)
	if err != nil || ascii == "" || len(ascii) > maxHost {
		return "", false
	}
	labels := strings.Split(ascii, ".")
	for _, label := range labels {
		if !validLabel(label, underscore) {
			return "", false
		}
	}
	// RFC 1123 §2.1: the last label is never all digits, so 192.0.2.300 is a mistyped address and not a name.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", false
	}
	return ascii, true
}

func validLabel(label string, underscore bool) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if !isLowerAlnum(c) && c != '-' && (c != '_' || !underscore) {
			return false
		}
	}
	return true
}

// ValidateDomain accepts a mail domain: at least two labels, or localhost.
func ValidateDomain(domain string) Text {
	switch {
	case domain == "":
		return locale.Msg("config.domain.empty")
	case strings.TrimSpace(domain) != domain:
		return locale.Msg("config.edge_blank")
	case hasHarmful(domain):
		return locale.Msg("config.control")
	}
	ascii, ok := nameASCII(domain, false)
	if !ok {
		return locale.Msg("config.domain.malformed", "value", safetext.FromRemote(domain))
	}
	if !strings.Contains(ascii, ".") && ascii != "localhost" {
		return locale.Msg("config.domain.short", "value", safetext.FromRemote(domain))
	}
	return Text{}
}

// DomainASCII returns a valid mail domain in lower-case A-labels.
func DomainASCII(domain string) (ascii string, ok bool) { return nameASCII(domain, false) }

func isLowerAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// hasHarmful reports a character that could act on a wire or a terminal, or text that is not UTF-8.
func hasHarmful(s string) bool {
	for _, r := range s {
		if r == '\ufffd' || safetext.Harmful(r) {
			return true
		}
	}
	return false
}
