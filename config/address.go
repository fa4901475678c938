package config

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"postier/internal/locale"
	"postier/internal/safetext"
)

const (
	maxAddress   = 254 // octets: a path of 256 (RFC 5321 §4.5.3.1.3) without its angle brackets
	maxLocalPart = 64  // octets, RFC 5321 §4.5.3.1.1
)

// ValidateAddress accepts one mailbox without a name: dot-atom@domain with UTF-8 allowed on both sides (RFC 5321
// §4.1.2, RFC 6531 §3.3). A quoted local part is accepted only when nothing in it could end a command or a header field
// early.
func ValidateAddress(address string) Text {
	switch {
	case address == "":
		return locale.Msg("config.address.empty")
	case len(address) > maxAddress:
		return locale.Msg("config.address.long", "max", maxAddress)
	case hasHarmful(address):
		return locale.Msg("config.control")
	case strings.TrimSpace(address) != address:
		return locale.Msg("config.edge_blank")
	case strings.HasSuffix(address, ">") || strings.HasPrefix(address, "<"):
		return locale.Msg("config.address.name")
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return locale.Msg("config.address.at")
	}
	local, domain := address[:at], address[at+1:]
	if text := validateLocalPart(local); !text.Empty() {
		return text
	}
	if domain == "" {
		return locale.Msg("config.address.domain")
	}
	if text := ValidateDomain(domain); !text.Empty() {
		return text
	}
	ascii, _ := DomainASCII(domain)
	if len(local)+1+len(ascii) > maxAddress {
		return locale.Msg("config.address.long", "max", maxAddress)
	}
	return Text{}
}

// ValidateRecipient is ValidateAddress for an envelope, which also takes what no one has as a sender's address here: a
// blank in a quoted local part, and an address literal (RFC 5321 §4.1.2, §4.1.3).
func ValidateRecipient(address string) Text {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ValidateAddress(address)
	}
	local, domain := address[:at], address[at+1:]
	if len(local) > 2 && local[0] == '"' {
		local = strings.ReplaceAll(local, " ", "_")
	}
	if isAddressLiteral(domain) {
		domain = "literal.example"
	}
	return ValidateAddress(local + "@" + domain)
}

// isAddressLiteral reports whether a domain is an internet address in brackets.
func isAddressLiteral(domain string) bool {
	if len(domain) < 2 || domain[0] != '[' || domain[len(domain)-1] != ']' {
		return false
	}
	six, tagged := strings.CutPrefix(strings.ToLower(domain[1:len(domain)-1]), "ipv6:")
	ip, err := netip.ParseAddr(six)
	return err == nil && ip.Zone() == "" && tagged == ip.Is6()
}

func validateLocalPart(local string) Text {
	switch {
	case local == "":
		return locale.Msg("config.address.local")
	case len(local) > maxLocalPart:
		return locale.Msg("config.address.local_long", "max", maxLocalPart)
	case strings.HasPrefix(local, `"`):
		if !validQuoted(local) {
			return locale.Msg("config.address.quoted")
		}
		return Text{}
	case strings.ContainsRune(local, '@'):
		return locale.Msg("config.address.two_at")
	case strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, ".."):
		return locale.Msg("config.address.dots")
	}
	for _, r := range local {
		if r != '.' && !isAtext(r) {
			return locale.Msg("config.address.character", "character", safetext.FromRemote(string(r)))
		}
	}
	return Text{}
}

// isAtext is RFC 5322 §3.2.3 with the UTF-8 of RFC 6532 §3.2.
func isAtext(r rune) bool {
	if r >= utf8.RuneSelf {
		return true // hasHarmful has already refused what is not visible
	}
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// validQuoted accepts a quoted string (RFC 5321 §4.1.2) of visible ASCII without blank, angle bracket, quote or
// backslash: a program that unquotes it by mistake (net/mail does) still writes one mailbox and no parameter.
func validQuoted(local string) bool {
	if len(local) < 3 || !strings.HasSuffix(local, `"`) {
		return false
	}
	for _, r := range local[1 : len(local)-1] {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"\`, r) {
			return false
		}
	}
	return true
}

// AddressDomain returns the domain of an address as it is written, or "".
func AddressDomain(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return address[at+1:]
	}
	return ""
}

// AddressASCIIDomain returns a valid address with its domain in lower-case A-labels; the local part stays as it is.
func AddressASCIIDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	ascii, ok := DomainASCII(address[at+1:])
	if !ok {
		return address
	}
	return address[:at+1] + ascii
}

// AddressUnicode returns an address, or a user name that has the form of one, as people read it: its domain in U-labels
// (RFC 5890 §2.3.2.1). It is for display only. A domain that would not come back to the same A-labels stays as it is.
func AddressUnicode(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	ascii, ok := DomainASCII(address[at+1:])
	if !ok || !strings.Contains(ascii, "xn--") {
		return address
	}
	shown, err := hostProfile.ToUnicode(ascii)
	if err != nil || hasHarmful(shown) {
		return address
	}
	if back, ok := DomainASCII(shown); !ok || back != ascii {
		return address
	}
	return address[:at+1] + shown
}

// ValidateSender accepts what selects a profile: a whole address, or a domain without @ (P-3).
func ValidateSender(sender string) Text {
	if strings.Contains(strings.TrimPrefix(sender, "@"), "@") {
		return ValidateAddress(sender)
	}
	if strings.HasPrefix(sender, "@") {
		return locale.Msg("config.sender.at", "value", safetext.FromRemote(sender[1:]))
	}
	return ValidateDomain(sender)
}
