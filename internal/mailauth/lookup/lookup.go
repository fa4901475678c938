// Package lookup asks DNS on behalf of the checks: with a budget, with a cache, and with names that are escaped
// correctly. Its Resolver is all that the packages spf, dkim and dmarc need from the network.
package lookup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	mdns "github.com/miekg/dns"

	"postier/internal/wire"
)

// Resolver asks one question. *wire.Resolver is one; tests use tables. A name that does not exist is a
// *wire.ResolveError of kind wire.NotFound; a name without records of the type is an answer without records.
type Resolver interface {
	Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error)
}

// Caps of one check (docs/security.md T10), besides wire.MaxQueries; a person is waiting.
const (
	Deadline = 10 * time.Second
	MaxTXT   = 8 << 10 // octets of all TXT records of one name
)

// ErrTooLarge says that the TXT records of a name exceed 8 KiB.
var ErrTooLarge = errors.New("the TXT records of this name exceed 8 KiB")

// NotFound reports whether err says that the name does not exist (RCODE 3).
func NotFound(err error) bool {
	var failed *wire.ResolveError
	return errors.As(err, &failed) && failed.Kind == wire.NotFound
}

// Temporary reports whether err says nothing about the name: a timeout, a server failure, an exhausted budget.
func Temporary(err error) bool { return err != nil && !NotFound(err) }

// Void reports whether a look-up was a void one (RFC 7208 §4.6.4): no such name, or no record of the type.
func Void(answer wire.Answer, err error) bool {
	return NotFound(err) || err == nil && len(answer.Records) == 0
}

// Budget is a Resolver that stops after wire.MaxQueries queries.
type Budget struct {
	resolver Resolver
	budget   wire.Budget
}

// NewBudget returns a budget for one check.
func NewBudget(resolver Resolver) *Budget { return &Budget{resolver: resolver} }

// Query implements Resolver.
func (b *Budget) Query(ctx context.Context, name string, qtype uint16) (wire.Answer, error) {
	if err := b.budget.Spend(name, qtype); err != nil {
		return wire.Answer{}, err
	}
	return b.resolver.Query(ctx, name, qtype)
}

// Text is one TXT record.
type Text struct {
	// Value is the character strings joined without anything between them (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
	Value string
	// Breaks are the places in Value where one character string ended and the next began.
	Breaks []int
	TTL    time.Duration
}

// TXT holds the TXT records of a name.
type TXT struct {
	Texts []Text
	// Chain is the owner name and every name that CNAMEs led through, also where the last one does not exist.
	Chain []string
	AD    bool
}

// Alias is where CNAMEs led, empty without one.
func (t TXT) Alias() string {
	if len(t.Chain) < 2 {
		return ""
	}
	return Lower(t.Chain[len(t.Chain)-1])
}

// QueryTXT asks for the TXT records of a name.
func QueryTXT(ctx context.Context, r Resolver, name string) (TXT, error) {
	answer, err := r.Query(ctx, name, mdns.TypeTXT)
	if err != nil {
		return TXT{Chain: answer.Chain}, err
	}
	out := TXT{Chain: answer.Chain, AD: answer.AD}
	total := 0
	for _, txt := range wire.Records[*mdns.TXT](answer) {
		text := Text{TTL: time.Duration(txt.Hdr.Ttl) * time.Second}
		var value strings.Builder
		for i, part := range txt.Txt {
			if i > 0 {
				text.Breaks = append(text.Breaks, value.Len())
			}
			value.WriteString(unescape(part))
		}
		text.Value = value.String()
		if total += len(text.Value); total > MaxTXT {
			return TXT{}, &wire.ResolveError{Name: name, Type: mdns.TypeTXT, Kind: wire.Malformed, Err: ErrTooLarge}
		}
		out.Texts = append(out.Texts, text)
	}
	return out, nil
}

// unescape undoes the master-file escapes in which miekg/dns hands out character strings: \DDD and \X (RFC 1035 §5.1).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]) {
			b.WriteByte((s[i+1]-'0')*100 + (s[i+2]-'0')*10 + s[i+3] - '0')
			i += 3
			continue
		}
		i++
		b.WriteByte(s[i])
	}
	return b.String()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// special are the octets that miekg/dns writes with a backslash in names. Name must write the same, or the owner of an
// answer would not compare equal to the name that was asked for.
const special = `" '@;()\`

// Name writes a domain name, in which only dots are special, so that miekg/dns takes every other octet literally. It
// reports false when no such name can exist: an empty label, one of more than 63 octets, or more than 253 in all (RFC
// 1035 §2.3.4).
func Name(domain string) (string, bool) {
	domain = strings.TrimSuffix(domain, ".")
	if !WellFormed(domain) {
		return "", false
	}
	if strings.IndexFunc(domain,
		func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(special, r) }) < 0 {
		return domain, true
	}
	var b strings.Builder
	for i := range len(domain) {
		switch c := domain[i]; {
		case strings.IndexByte(special, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// WellFormed reports whether a domain name without final dot has labels of 1 to 63 octets and at most 253 in all.
func WellFormed(domain string) bool {
	if domain == "" || len(domain) > 253 {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}

// Lower lower-cases a name and drops one final dot.
func Lower(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// Within reports whether name is domain or below it; both without final dot, case ignored.
func Within(name, domain string) bool {
	name, domain = Lower(name), Lower(domain)
	return name == domain || strings.HasSuffix(name, "."+domain)
}
