package arrival

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/mail"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"

	"postier/config"
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
}

// Verdict is the receiver's verdict of one method.
type Verdict struct {
	Result safetext.Remote `json:"result"`
	Domain safetext.Remote `json:"domain"`
	Reason safetext.Remote `json:"reason"`
}

// maxSignatures bounds the signatures that are verified; each costs a look-up and a hash over the body.
const maxSignatures = 10

// Judge verifies the signatures of a message and reads what its receiver recorded.
func Judge(ctx context.Context, network *wire.Network, raw []byte) Judgement {
	fields := splitHeader(raw)
	j := Judgement{
		AuthenticationResults: trustedResults(fields), DKIM: verify(ctx, network, raw, fields),
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

func authorDomain(fields []field) string {
	from, _ := first(fields, "from")
	const longest = 2000 // net/mail's parser is slow on huge ones
	if len(from) > longest {
		return ""
	}
	list, err := mail.ParseAddressList(from)
	if err != nil || len(list) == 0 {
		return ""
	}
	return domainOf(list[0].Address)
}

// verify checks every signature with keys from the network's resolver.
func verify(ctx context.Context, network *wire.Network, raw []byte, fields []field) []Signature {
	signatures := []Signature{}
	for _, f := range fields {
		if f.name == "dkim-signature" && len(signatures) < maxSignatures {
			tags := tagList(f.value)
			signatures = append(signatures, Signature{
				Domain: safetext.FromRemote(tags["d"]), Selector: safetext.FromRemote(tags["s"]),
				Algorithm: safetext.FromRemote(tags["a"]),
				Result:    "neutral",
			})
		}
	}
	if len(signatures) == 0 {
		return signatures
	}
	checked, err := dkim.VerifyWithOptions(bytes.NewReader(smtp.CRLF(raw)), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return lookupTXT(ctx, network, name) },
		MaxVerifications: maxSignatures,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		for i := range signatures {
			signatures[i].Result, signatures[i].Reason = "permerror", safetext.FromRemote(err.Error())
		}
		return signatures
	}
	for i := range min(len(signatures), len(checked)) {
		signatures[i].Result = "pass"
		if err := checked[i].Err; err != nil {
			signatures[i].Result, signatures[i].Reason = "fail", safetext.FromRemote(strings.TrimPrefix(err.Error(), "dkim: "))
			switch {
			case dkim.IsTempFail(err):
				signatures[i].Result = "temperror"
			case dkim.IsPermFail(err):
				signatures[i].Result = "permerror"
			}
		}
	}
	return signatures
}

// tagList reads tag=value pairs (RFC 6376 §3.2), spaces removed.
func tagList(value string) map[string]string {
	tags := map[string]string{}
	for pair := range strings.SplitSeq(value, ";") {
		name, content, found := strings.Cut(pair, "=")
		if found {
			tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(content), "")
		}
	}
	return tags
}

// lookupError tells go-msgauth by the methods of net.Error that a look-up may work later.
type lookupError struct{ error }

func (lookupError) Timeout() bool   { return true }
func (lookupError) Temporary() bool { return true }

func lookupTXT(ctx context.Context, network *wire.Network, name string) ([]string, error) {
	if network == nil || network.Resolver == nil {
		return nil, lookupError{errors.New("no resolver")}
	}
	answer, err := network.Resolver.Query(ctx, name, dns.TypeTXT)
	var failed *wire.ResolveError
	switch {
	case errors.As(err, &failed) && failed.Kind == wire.NotFound:
		return nil, err
	case err != nil:
		return nil, lookupError{err}
	}
	var out []string
	for _, txt := range wire.Records[*dns.TXT](answer) {
		out = append(out, strings.Join(txt.Txt, ""))
	}
	return out, nil
}
