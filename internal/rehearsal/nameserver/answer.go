package nameserver

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxAliases bounds a chain of CNAMEs, so that a loop in a zone ends.
const maxAliases = 16

func (s *Server) handle(w dns.ResponseWriter, request *dns.Msg) {
	if len(request.Question) != 1 {
		reply := new(dns.Msg).SetRcode(request, dns.RcodeFormatError)
		_ = w.WriteMsg(reply)
		return
	}
	question := request.Question[0]
	network := w.LocalAddr().Network()
	behaviour := s.note(question, network)
	s.answer(w, request, behaviour, network == "tcp")
}

// note logs a query and returns the behaviour that applies to it.
func (s *Server) note(question dns.Question, network string) Behaviour {
	name := dns.CanonicalName(question.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, Query{Name: name, Type: dns.TypeToString[question.Qtype], Net: network})
	if s.everyone != "" {
		return s.everyone
	}
	exact := key{name, question.Qtype}
	b, ok := s.behaviour[exact]
	if !ok {
		b = s.behaviour[key{name, dns.TypeANY}]
	}
	if b == FailOnce {
		if s.failed[exact] {
			return ""
		}
		s.failed[exact] = true
		return ServFail
	}
	return b
}

func (s *Server) answer(w dns.ResponseWriter, request *dns.Msg, behaviour Behaviour, tcp bool) {
	switch behaviour {
	case Silent:
		if tcp {
			_ = w.Close()
		}
		return
	case Garbage:
		_, _ = w.Write([]byte("\x00\x01this is not DNS"))
		return
	case ServFail:
		s.rcode(w, request, dns.RcodeServerFailure)
		return
	case Refused:
		s.rcode(w, request, dns.RcodeRefused)
		return
	case SlowReply:
		if !s.pause() {
			return
		}
	}
	reply := s.truth(request, behaviour)
	switch {
	case behaviour == TruncAll || behaviour == Truncate && !tcp:
		reply.Truncated = true
		reply.Answer, reply.Ns = nil, nil
	case behaviour == AD:
		reply.AuthenticatedData = true
	case behaviour == WrongID:
		reply.Id++
	}
	if !tcp {
		reply.Truncate(udpSize(request))
	}
	_ = w.WriteMsg(reply)
	if behaviour == Twice {
		_ = w.WriteMsg(reply)
	}
}

func (s *Server) pause() bool {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	select {
	case <-time.After(slow):
		return true
	case <-s.stop:
		return false
	}
}

func (s *Server) rcode(w dns.ResponseWriter, request *dns.Msg, rcode int) {
	reply := new(dns.Msg).SetRcode(request, rcode)
	reply.RecursionAvailable = true
	_ = w.WriteMsg(reply)
}

// udpSize is what the client can receive: 512 octets, or the size in its OPT record (RFC 6891 §6.2.3).
func udpSize(request *dns.Msg) int {
	if opt := request.IsEdns0(); opt != nil && opt.UDPSize() > dns.MinMsgSize {
		return int(opt.UDPSize())
	}
	return dns.MinMsgSize
}

// truth answers from the records.
func (s *Server) truth(request *dns.Msg, behaviour Behaviour) *dns.Msg {
	question := request.Question[0]
	reply := new(dns.Msg).SetReply(request)
	reply.RecursionAvailable = true
	if opt := request.IsEdns0(); opt != nil {
		reply.SetEdns0(opt.UDPSize(), opt.Do())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := dns.CanonicalName(question.Name)
	exists := behaviour != NXDomain
	if exists && behaviour != NoData {
		reply.Answer, name, exists = s.chain(name, question.Qtype)
	}
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
	if last := len(reply.Answer); last == 0 || reply.Answer[last-1].Header().Rrtype == dns.TypeCNAME &&
		question.Qtype != dns.TypeCNAME {
		reply.Ns = []dns.RR{s.soa(name)}
	}
	return reply
}

// chain collects the records of a name and, through aliases, of its target; it returns the last name and whether it
// exists.
func (s *Server) chain(name string, qtype uint16) (answer []dns.RR, last string, exists bool) {
	for range maxAliases {
		found, owner := s.lookup(name, qtype)
		if len(found) > 0 {
			return append(answer, renamed(found, name, owner)...), name, true
		}
		alias, owner := s.lookup(name, dns.TypeCNAME)
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
func (s *Server) lookup(name string, qtype uint16) (found []dns.RR, owner string) {
	if s.exists(name) {
		return s.records[key{name, qtype}], name
	}
	for rest := name; rest != "."; {
		_, after, _ := strings.Cut(rest, ".")
		if after == "" {
			after = "."
		}
		wild := "*." + strings.TrimPrefix(after, ".")
		if s.names[wild] {
			return s.records[key{wild, qtype}], wild
		}
		if s.exists(after) {
			break // the closest encloser has no wildcard below it
		}
		rest = after
	}
	return nil, ""
}

// exists also finds the empty names between a zone and its leaves (RFC 8020).
func (s *Server) exists(name string) bool {
	return s.names[name] || s.inner[name] > 0
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
func (s *Server) soa(name string) dns.RR {
	for rest := name; rest != "" && rest != "."; _, rest, _ = strings.Cut(rest, ".") {
		if found := s.records[key{rest, dns.TypeSOA}]; len(found) > 0 {
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

// Resolver is a net.Resolver that asks this server and no other.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		},
	}
}

// LookupTXT reads the zone without a query, for callers that only need the records. The behaviours apply.
func (s *Server) LookupTXT(name string) ([]string, error) {
	reply := s.Lookup(name, dns.TypeTXT)
	var out []string
	for _, rr := range reply.Answer {
		if txt, ok := rr.(*dns.TXT); ok {
			out = append(out, strings.Join(txt.Txt, ""))
		}
	}
	return out, lookupError(reply, name, len(out))
}

// Lookup is the reply that a client would get, without a query; SERVFAIL if there would be none.
func (s *Server) Lookup(name string, qtype uint16) *dns.Msg {
	request := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	k := key{dns.CanonicalName(name), qtype}
	s.mu.Lock()
	behaviour := s.everyone
	for _, candidate := range []key{k, {k.name, dns.TypeANY}} {
		if behaviour == "" {
			behaviour = s.behaviour[candidate]
		}
	}
	s.mu.Unlock()
	switch behaviour {
	case ServFail, Refused, Silent, Garbage, WrongID, TruncAll:
		return new(dns.Msg).SetRcode(request, dns.RcodeServerFailure)
	}
	return s.truth(request, behaviour)
}

// LookupMX is LookupTXT for MX records, in order of preference.
func (s *Server) LookupMX(name string) ([]*net.MX, error) {
	reply := s.Lookup(name, dns.TypeMX)
	var out []*net.MX
	for _, rr := range reply.Answer {
		if mx, ok := rr.(*dns.MX); ok {
			out = append(out, &net.MX{Host: mx.Mx, Pref: mx.Preference})
		}
	}
	slices.SortStableFunc(out, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	return out, lookupError(reply, name, len(out))
}

// LookupIP is LookupTXT for the addresses of a host, of both families.
func (s *Server) LookupIP(name string) ([]net.IP, error) {
	var out []net.IP
	reply4, reply6 := s.Lookup(name, dns.TypeA), s.Lookup(name, dns.TypeAAAA)
	for _, rr := range append(slices.Clone(reply4.Answer), reply6.Answer...) {
		switch a := rr.(type) {
		case *dns.A:
			out = append(out, a.A)
		case *dns.AAAA:
			out = append(out, a.AAAA)
		}
	}
	return out, lookupError(reply4, name, len(out))
}

// LookupPTR is LookupTXT for the names of an address.
func (s *Server) LookupPTR(ip net.IP) ([]string, error) {
	name, err := dns.ReverseAddr(ip.String())
	if err != nil {
		return nil, err
	}
	reply := s.Lookup(name, dns.TypePTR)
	var out []string
	for _, rr := range reply.Answer {
		if ptr, ok := rr.(*dns.PTR); ok {
			out = append(out, ptr.Ptr)
		}
	}
	return out, lookupError(reply, name, len(out))
}

// lookupError is nil if something was found, otherwise the error that net.Resolver would return.
func lookupError(reply *dns.Msg, name string, found int) error {
	switch {
	case reply.Rcode == dns.RcodeServerFailure || reply.Rcode == dns.RcodeRefused:
		return &net.DNSError{Err: dns.RcodeToString[reply.Rcode], Name: name, IsTemporary: true}
	case found == 0:
		return &net.DNSError{UnwrapErr: errNoRecords, Err: errNoRecords.Error(), Name: name, IsNotFound: true}
	}
	return nil
}
