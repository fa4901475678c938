package arrival

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/mailauth/dkim"
	"postier/internal/mailauth/lookup"
	"postier/internal/safetext"
	"postier/internal/smtp"
	"postier/internal/wire"
)

// Judgement is what is known about a received message: the signatures as verified here, the rest as the receiver
// recorded it.
type Judgement struct {
	DKIM []Signature `json:"dkim"`
	// SPF and DMARC are the receiver's verdicts; nil when it wrote none.
	SPF   *Verdict `json:"spf,omitempty"`
	DMARC *Verdict `json:"dmarc,omitempty"`
	// AuthenticationResults are the fields that the receiver itself added.
	AuthenticationResults []AuthResults `json:"authentication_results"`
	// Author is the domain of the From field, in lower case.
	Author string `json:"-"`
	// Hops is the number of Received fields.
	Hops int `json:"-"`
}

// Signature is the verdict on one DKIM-Signature field (RFC 6376), in header order.
type Signature struct {
	Domain    safetext.Remote `json:"domain"`
	Selector  safetext.Remote `json:"selector"`
	Algorithm safetext.Remote `json:"algorithm"`
	// Result is a word of RFC 8601 §2.7.1: pass, fail, neutral, policy, temperror or permerror.
	Result string          `json:"result"`
	Reason safetext.Remote `json:"reason"`
	// Partial is true when a signature covers only the beginning of the text (l=).
	Partial bool `json:"partial,omitempty"`
}

// Verdict is the receiver's verdict of one method.
type Verdict struct {
	Result safetext.Remote `json:"result"`
	Domain safetext.Remote `json:"domain"`
	Reason safetext.Remote `json:"reason"`
}

// Judge verifies the signatures of a message and reads what its receiver recorded.
func Judge(ctx context.Context, network *wire.Network, raw []byte) Judgement {
	fields := splitHeader(raw)
	j := Judgement{
		AuthenticationResults: trustedResults(fields), DKIM: verify(ctx, network, resolverOf(network), raw),
		Author: authorDomain(fields),
	}
	for _, f := range fields {
		if f.name == "received" {
			j.Hops++
		}
	}
	j.SPF = j.method("spf", "smtp.mailfrom", "smtp.helo", "smtp.mail")
	j.DMARC = j.method("dmarc", "header.from")
	if j.SPF == nil && len(j.AuthenticationResults) == 0 {
		j.SPF = receivedSPF(fields)
	}
	return j
}

// method finds the first verdict of one method in the trusted fields.
func (j Judgement) method(name string, properties ...string) *Verdict {
	for _, field := range j.AuthenticationResults {
		for _, m := range field.Results {
			if m.Method != name {
				continue
			}
			v := &Verdict{Result: safetext.FromRemote(m.Result), Reason: safetext.FromRemote(m.Reason)}
			if m.Reason == "" {
				v.Reason = safetext.FromRemote(m.Comment)
			}
			for _, property := range properties {
				if value := m.Property(property); value != "" {
					v.Domain = safetext.FromRemote(domainOf(value))
					break
				}
			}
			return v
		}
	}
	return nil
}

// receivedSPF reads the topmost Received-SPF field (RFC 7208 §9.1), if it is in the receiver's part of the header.
func receivedSPF(fields []field) *Verdict {
	_, boundary, _ := receiverPart(fields)
	value, found := first(fields[:boundary], "received-spf")
	if !found {
		return nil
	}
	result, _, _ := strings.Cut(strings.TrimSpace(value), " ")
	result = strings.ToLower(result)
	switch result {
	case "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror":
		return &Verdict{Result: safetext.FromRemote(result)}
	}
	return nil
}

// domainOf is the domain of an address. In a header field the value may be a domain alone (RFC 8601 §2.7).
func domainOf(address string) string {
	domain := cmp.Or(config.AddressDomain(address), address)
	if ascii, ok := config.DomainASCII(domain); ok {
		return ascii
	}
	return strings.ToLower(domain)
}

// authorDomain is the domain of the first author.
func authorDomain(fields []field) string {
	if domains := authorDomains(fields); len(domains) > 0 {
		return domains[0]
	}
	return ""
}

// authorDomains are the domains of the topmost From field, each once. It is read as programs write it: comments before
// an address, old routes and names in any charset cost nothing (RFC 5322 §3.4, §4.4).
func authorDomains(fields []field) []string {
	from, _ := first(fields, "from")
	const longest = 2000
	if len(from) > longest {
		return nil
	}
	var domains []string
	list, _ := addressfield.List(from)
	for _, a := range list {
		if domain := config.AddressDomain(a.Address); domain != "" && !slices.Contains(domains, domainOf(a.Address)) {
			domains = append(domains, domainOf(a.Address))
		}
	}
	return domains
}

// verify checks every signature with keys from the network's resolver. A key is judged as dns.dkim judges it.
func verify(ctx context.Context, network *wire.Network, resolver lookup.Resolver, raw []byte) []Signature {
	signatures := []Signature{}
	now := time.Now()
	if network != nil {
		now = network.Clock()
	}
	for _, v := range dkim.Verify(ctx, resolver, smtp.CRLF(raw), now) {
		signatures = append(signatures, Signature{
			Domain: safetext.FromRemote(v.Domain), Selector: safetext.FromRemote(v.Selector),
			Algorithm: safetext.FromRemote(v.Algorithm), Result: string(v.Result), Reason: safetext.FromRemote(v.Reason),
			Partial: v.Partial,
		})
	}
	return signatures
}

// resolverOf is the network's resolver. Without one, every look-up fails for a while.
func resolverOf(network *wire.Network) lookup.Resolver {
	if network == nil || network.Resolver == nil {
		return noResolver{}
	}
	return network.Resolver
}

type noResolver struct{}

func (noResolver) Query(_ context.Context, name string, qtype uint16) (wire.Answer, error) {
	return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NoAnswer}
}
