package report

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/account"
	"postier/internal/pattern"
	"postier/presets"
)

// Mask replaces mail addresses, the user's own domains and names, and IP addresses by numbered placeholders. The same
// text always gets the same placeholder, so that support can still compare values.
type Mask struct {
	domains []*regexp.Regexp
	words   []*regexp.Regexp
	// public reports whether a domain, such as a provider's, reveals nothing about the user.
	public func(domain string) bool
	seen   map[string]string
	counts map[string]int
}

// minWord is the length of the shortest name that is replaced; shorter ones occur inside ordinary words.
const minWord = 3

// NewMask prepares a mask. domains are the user's own, words their other names: profile, label, user names.
func NewMask(domains, words []string, public func(domain string) bool) *Mask {
	m := &Mask{public: public, seen: map[string]string{}, counts: map[string]int{}}
	for _, d := range domains {
		if d = strings.ToLower(d); d != "" && !public(d) {
			m.domains = append(m.domains, regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(d)+`\b`))
		}
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	for _, w := range words {
		if len(w) >= minWord {
			m.words = append(m.words, regexp.MustCompile(`(?i)(^|[^\pL\pN])(`+regexp.QuoteMeta(w)+`)($|[^\pL\pN])`))
		}
	}
	return m
}

var (
	addressIn = pattern.Of(`[\pL\pN!#$%&'*+/=?^_{|}~.-]+@((?:[\pL\pN_-]+\.)+[\pL\pN-]+)`)
	ipv4In    = pattern.Of(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b`)
	// An address may follow ip6: (RFC 7208 §5.6) or IPv6: (RFC 5321 §4.1.3), which look like a part of it.
	ipv6In = pattern.Of(`(?i)(?:ipv?6:)?[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,}(?:\.[0-9]{1,3}){0,3}`)
)

// Text masks one text.
func (m *Mask) Text(s string) string {
	s = addressIn().ReplaceAllStringFunc(s, func(address string) string {
		at := strings.LastIndexByte(address, '@')
		domain := strings.ToLower(address[at+1:])
		if !m.public(domain) {
			domain = m.stand("domain", domain)
		}
		return m.stand("address", strings.ToLower(address)) + "@" + domain
	})
	for _, d := range m.domains {
		s = d.ReplaceAllStringFunc(s, func(domain string) string { return m.stand("domain", strings.ToLower(domain)) })
	}
	for _, w := range m.words {
		for range 2 { // matches share the character between them
			s = w.ReplaceAllStringFunc(s, func(match string) string {
				parts := w.FindStringSubmatch(match)
				return parts[1] + m.stand("name", strings.ToLower(parts[2])) + parts[3]
			})
		}
	}
	s = ipv6In().ReplaceAllStringFunc(s, m.ip)
	return ipv4In().ReplaceAllStringFunc(s, m.ip)
}

func (m *Mask) ip(text string) string {
	prefix := ""
	if at := strings.Index(strings.ToLower(text), "6:"); at >= 0 && strings.HasPrefix(strings.ToLower(text), "ip") {
		prefix, text = text[:at+2], text[at+2:]
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.IsLoopback() || ip.IsUnspecified() {
		return prefix + text // a loopback address reveals nothing
	}
	return prefix + m.stand("ip", ip.Unmap().String())
}

func (m *Mask) stand(kind, text string) string {
	key := kind + " " + text
	if m.seen[key] == "" {
		m.counts[kind]++
		m.seen[key] = fmt.Sprintf("%s-%d", kind, m.counts[kind])
	}
	return m.seen[key]
}

// MaskOf hides whose account it is. A provider's domain does not identify the user and stays.
func MaskOf(target account.Target) *Mask {
	var domains, words []string
	if _, isProvider := presets.Default().Get(target.Profile); !isProvider { // profiles are often named after the provider
		words = append(words, target.Profile)
	}
	addresses := []string{target.Address, target.From, target.Recipient, target.Submission.Username}
	if target.IMAP != nil && !strings.Contains(target.IMAP.Username, "@") {
		addresses = append(addresses, target.IMAP.Username)
	}
	for _, address := range addresses {
		if domain := config.AddressDomain(address); domain != "" {
			domains = append(domains, domain)
		} else if address != "" {
			words = append(words, address)
		}
	}
	return NewMask(domains, words, func(domain string) bool {
		_, known := presets.Lookup(domain)
		return known
	})
}
