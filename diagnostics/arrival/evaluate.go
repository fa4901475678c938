package arrival

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"postier/internal/mailauth/dmarc"
	"postier/internal/mailauth/lookup"
	"postier/internal/mailauth/spf"
	"postier/internal/organisation"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Evaluation is our own judgement of a received message, with what its receiver recorded.
type Evaluation struct {
	DKIM  []Signature `json:"dkim"`
	SPF   SPFResult   `json:"spf"`
	DMARC DMARCResult `json:"dmarc"`
	// AuthenticationResults are the fields that the receiver itself added.
	AuthenticationResults []AuthResults `json:"authentication_results"`
}

// SPFResult is the result of RFC 7208 for the client that sent the message to the receiver.
type SPFResult struct {
	spf.Result
	Client
}

// DMARCResult is the result of RFC 9989.
type DMARCResult struct {
	Result dmarc.Result `json:"result"`
	// Domain is the author's domain, PolicyDomain where its policy was found.
	Domain       safetext.Remote `json:"domain"`
	PolicyDomain safetext.Remote `json:"policy_domain,omitzero"`
	Policy       dmarc.Policy    `json:"policy"`
	Aligned      dmarc.Alignment `json:"aligned"`
}

// Client is the host that sent the message to the receiver, as the receiver's first server recorded it. Unknown values
// are empty.
type Client struct {
	IP     netip.Addr      `json:"ip,omitzero"`
	Sender safetext.Remote `json:"sender"`
	HELO   safetext.Remote `json:"helo"`
}

// ReasonNoClient says that the message does not contain the client's address, so that SPF cannot be evaluated.
const ReasonNoClient spf.Reason = "no-client-address"

// ErrNoMessage says that the input has no header section (RFC 5322 §2.2).
var ErrNoMessage = errors.New("no header fields: this is no message")

// Evaluate judges a message: its signatures, SPF for the client that the receiver's own Received field names, and DMARC
// from both. Each value in given replaces what the message says.
func Evaluate(ctx context.Context, network *wire.Network, raw []byte, given Client) (Evaluation, error) {
	raw = withoutEnvelopeLine(raw)
	fields := splitHeader(raw)
	if !slices.ContainsFunc(fields, func(f field) bool { return f.name != "" }) || fields[0].name == "" {
		return Evaluation{}, ErrNoMessage
	}
	resolver := lookup.Share(resolverOf(network))
	e := Evaluation{AuthenticationResults: trustedResults(fields), DKIM: verify(ctx, network, resolver, raw)}
	e.SPF.Client = clientOf(fields, e.AuthenticationResults).or(given)
	e.SPF.Result = evaluateSPF(ctx, resolver, e.SPF.Client)
	author, single := oneAuthor(fields)
	e.DMARC = DMARCResult{Result: dmarc.ResultPermError, Domain: safetext.FromRemote(author)}
	if single {
		e.DMARC = e.evaluateDMARC(ctx, resolver, author)
	}
	return e, nil
}

// withoutEnvelopeLine drops the "From " line that mbox files put above a message (RFC 4155).
func withoutEnvelopeLine(raw []byte) []byte {
	if !strings.HasPrefix(string(raw[:min(len(raw), 5)]), "From ") {
		return raw
	}
	_, rest, _ := strings.Cut(string(raw), "\n")
	return []byte(rest)
}

func evaluateSPF(ctx context.Context, resolver lookup.Resolver, c Client) spf.Result {
	if !c.IP.IsValid() {
		return spf.Result{Result: spf.None, Reason: ReasonNoClient}
	}
	return spf.Check(ctx, lookup.NewBudget(resolver), c.IP, c.HELO.Raw(), c.Sender.Raw())
}

func (e Evaluation) evaluateDMARC(ctx context.Context, resolver lookup.Resolver, author string) DMARCResult {
	m := dmarc.Message{Author: author, SPFPass: e.SPF.Result.Result == spf.Pass, SPFDomain: domainOf(e.SPF.Sender.Raw())}
	if e.SPF.Sender.Empty() {
		m.SPFDomain = e.SPF.HELO.Raw() // RFC 7208 §2.4: a null sender is judged by its HELO name
	}
	for _, s := range e.DKIM {
		m.Signatures = append(m.Signatures, dmarc.Signature{Domain: s.Domain.Raw(), Pass: s.Result == "pass"})
	}
	out := dmarc.Evaluate(ctx, lookup.NewBudget(resolver), m)
	return DMARCResult{
		Result: out.Result, Domain: safetext.FromRemote(author), PolicyDomain: safetext.FromRemote(out.Domain),
		Policy: out.Policy, Aligned: out.Aligned,
	}
}

// oneAuthor is the author's domain; single is false when there is no From field, more than one, or one with addresses
// of different domains: DMARC judges one domain (RFC 9989 §5.3.1, RFC 5322 §3.6).
func oneAuthor(fields []field) (domain string, single bool) {
	count := 0
	for _, f := range fields {
		if f.name == "from" {
			count++
		}
	}
	return authorDomain(fields), count == 1 && len(authorDomains(fields)) == 1
}

// or replaces values of c by those that were given.
func (c Client) or(given Client) Client {
	if given.IP.IsValid() {
		c.IP = given.IP
	}
	if !given.Sender.Empty() {
		c.Sender = given.Sender
	}
	if !given.HELO.Empty() {
		c.HELO = given.HELO
	}
	return c
}

// clientOf reads the client from the receiver's lowest Received field that names an address, and the envelope sender
// from Return-Path (RFC 5321 §4.4), which the receiver adds on delivery, or from its other fields.
func clientOf(fields []field, results []AuthResults) Client {
	receiver, boundary, _ := receiverPart(fields)
	var c Client
	for _, f := range fields[:boundary] {
		if f.name != "received" || organisation.Of(parseReceived(f.value).By) != receiver {
			continue
		}
		if ip, helo := handedOver(f.value); ip.IsValid() {
			c.IP, c.HELO = ip, safetext.FromRemote(helo)
			if receiver == "" {
				break // it is unknown who added the fields below
			}
		}
	}
	noted := notedSPF(fields[:boundary])
	if ip, err := netip.ParseAddr(noted["client-ip"]); err == nil && !c.IP.IsValid() {
		c.IP, c.HELO = ip.Unmap(), safetext.FromRemote(noted["helo"])
	}
	sender, found := first(fields[:boundary], "return-path")
	switch {
	case found:
		sender = strings.Trim(strings.TrimSpace(sender), "<>")
	case noted["envelope-from"] != "":
		sender = strings.Trim(noted["envelope-from"], `<>"`)
	default:
		sender = notedSender(results)
	}
	c.Sender = safetext.FromRemote(sender)
	return c
}

// notedSender is the envelope sender for which the receiver evaluated SPF.
func notedSender(results []AuthResults) string {
	for _, field := range results {
		for _, m := range field.Results {
			if value := m.Property("smtp.mailfrom"); m.Method == "spf" && value != "" {
				return value
			}
		}
	}
	return ""
}

var (
	bracketed     = pattern.Of(`\[(?i:IPv6:)?([0-9A-Fa-f:.]+)\]`)
	parenthesised = pattern.Of(`\(([0-9A-Fa-f:.]+)\)`)
	heloIn        = pattern.Of(`(?i)\bhelo[= ]\s*([^\s()\[\]]+)`)
	byClause      = pattern.Of(`(?i)(^|\s)by\s`)
	pairIn        = pattern.Of(`(?i)\b(client-ip|envelope-from|helo)=("[^"]*"|[^\s;]+)`)
)

// handedOver reads the address and the HELO name from the from clause of a Received field (RFC 5321 §4.4), in the forms
// of Postfix "HELO (name [address])", Exim "name ([address] helo=HELO)", qmail "name (HELO name) (address)" and
// Microsoft "name (address)".
func handedOver(value string) (ip netip.Addr, helo string) {
	clause := value
	if at := byClause().FindStringIndex(value); at != nil {
		clause = value[:at[0]]
	}
	rest, found := strings.CutPrefix(strings.TrimSpace(clause), "from ")
	if !found {
		return ip, ""
	}
	helo, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
	if m := heloIn().FindStringSubmatch(rest); m != nil {
		helo = m[1]
	}
	for _, form := range []*regexp.Regexp{bracketed(), parenthesised()} {
		for _, m := range form.FindAllStringSubmatch(rest, -1) {
			if parsed, err := netip.ParseAddr(m[1]); err == nil {
				return parsed.Unmap(), helo
			}
		}
	}
	return ip, helo
}

// notedSPF are the key-value pairs of the topmost Received-SPF field (RFC 7208 §9.1).
func notedSPF(fields []field) map[string]string {
	pairs := map[string]string{}
	value, _ := first(fields, "received-spf")
	for _, m := range pairIn().FindAllStringSubmatch(value, -1) {
		pairs[strings.ToLower(m[1])] = strings.Trim(m[2], `"`)
	}
	return pairs
}
