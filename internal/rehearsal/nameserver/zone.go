package nameserver

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// maxAliases bounds a chain of CNAMEs, so that a loop in a zone ends.
const maxAliases = 16

type key struct {
	name  string
	qtype uint16
}

// Zone is what the server knows. It may be changed while the server runs.
type Zone struct {
	mu      sync.Mutex
	records map[key][]dns.RR
}

// Parse reads a zone in the master-file format (RFC 1035 §5).
func Parse(text string) (*Zone, error) {
	z := &Zone{records: map[key][]dns.RR{}}
	return z, z.Add(text)
}

// Add reads more zone text.
func (z *Zone) Add(text string) error {
	const defaultTTL = 300
	parser := dns.NewZoneParser(strings.NewReader(text), ".", "zone")
	parser.SetDefaultTTL(defaultTTL)
	z.mu.Lock()
	defer z.mu.Unlock()
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		k := key{dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype}
		z.records[k] = append(z.records[k], rr)
	}
	return parser.Err()
}

// Remove deletes the records of a name, of one type or, with an empty type, of all.
func (z *Zone) Remove(name, qtype string) error {
	t, known := dns.StringToType[strings.ToUpper(qtype)]
	if qtype != "" && !known {
		return fmt.Errorf("unknown record type %q", qtype)
	}
	name = dns.CanonicalName(name)
	z.mu.Lock()
	defer z.mu.Unlock()
	maps.DeleteFunc(z.records, func(k key, _ []dns.RR) bool { return k.name == name && (!known || k.qtype == t) })
	return nil
}

// ServeDNS implements dns.Handler.
func (z *Zone) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	_ = w.WriteMsg(z.Reply(request, w.LocalAddr().Network() == "tcp"))
}

// Reply answers from the records. Over UDP it is cut to what the client can receive: 512 octets, or the size in its
// OPT record (RFC 6891 §6.2.3).
func (z *Zone) Reply(request *dns.Msg, tcp bool) *dns.Msg {
	if len(request.Question) != 1 {
		return new(dns.Msg).SetRcode(request, dns.RcodeFormatError)
	}
	question := request.Question[0]
	reply := new(dns.Msg).SetReply(request)
	reply.RecursionAvailable = true
	size := dns.MinMsgSize
	if opt := request.IsEdns0(); opt != nil {
		reply.SetEdns0(opt.UDPSize(), opt.Do())
		size = max(size, int(opt.UDPSize()))
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	answer, name, exists := z.chain(dns.CanonicalName(question.Name), question.Qtype)
	reply.Answer = answer
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
	if last := len(answer); last == 0 || answer[last-1].Header().Rrtype == dns.TypeCNAME &&
		question.Qtype != dns.TypeCNAME {
		reply.Ns = []dns.RR{z.soa(name)}
	}
	if !tcp {
		reply.Truncate(size)
	}
	return reply
}

// chain collects the records of a name and, through aliases, of its target; it returns the last name and whether it
// exists.
func (z *Zone) chain(name string, qtype uint16) (answer []dns.RR, last string, exists bool) {
	for range maxAliases {
		found, owner := z.lookup(name, qtype)
		if len(found) > 0 {
			return append(answer, renamed(found, name, owner)...), name, true
		}
		alias, owner := z.lookup(name, dns.TypeCNAME)
		if len(alias) == 0 {
			return answer, name, owner != ""
		}
		answer = append(answer, renamed(alias, name, owner)...)
		name = dns.CanonicalName(alias[0].(*dns.CNAME).Target)
	}
	return answer, name, true
}

// lookup finds the records of one type, at the name itself or at the wildcard above it (RFC 4592 §3.3.1). owner is the
// name that has them, empty if the name does not exist at all.
func (z *Zone) lookup(name string, qtype uint16) (found []dns.RR, owner string) {
	if z.exists(name) {
		return z.records[key{name, qtype}], name
	}
	for rest := name; rest != "."; {
		_, after, _ := strings.Cut(rest, ".")
		if after == "" {
			after = "."
		}
		wild := "*." + strings.TrimPrefix(after, ".")
		if z.exists(wild) {
			return z.records[key{wild, qtype}], wild
		}
		if z.exists(after) {
			break // the closest encloser has no wildcard below it
		}
		rest = after
	}
	return nil, ""
}

// exists also finds the empty names between a zone and its leaves (RFC 8020).
func (z *Zone) exists(name string) bool {
	for k := range z.records {
		if k.name == name || strings.HasSuffix(k.name, "."+name) {
			return true
		}
	}
	return false
}

func renamed(records []dns.RR, name, owner string) []dns.RR {
	if name == owner {
		return records
	}
	out := make([]dns.RR, len(records))
	for i, rr := range records {
		out[i] = dns.Copy(rr)
		out[i].Header().Name = name
	}
	return out
}

// soa is the SOA of the closest zone above a name, as negative answers carry it (RFC 2308 §3); if the zone text has
// none, one is made up for the topmost label.
func (z *Zone) soa(name string) dns.RR {
	for rest := name; rest != "" && rest != "."; _, rest, _ = strings.Cut(rest, ".") {
		if found := z.records[key{rest, dns.TypeSOA}]; len(found) > 0 {
			return found[0]
		}
	}
	labels := dns.SplitDomainName(name)
	top := "."
	if len(labels) > 0 {
		top = dns.Fqdn(labels[len(labels)-1])
	}
	const negativeTTL = 60
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: top, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
		Ns:  "ns." + strings.TrimPrefix(top, "."), Mbox: "hostmaster." + strings.TrimPrefix(top, "."),
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negativeTTL,
	}
}
