package spf_test

import (
	"context"
	"fmt"
	"strings"

	mdns "github.com/miekg/dns"

	"postier/internal/wire"
)

// textZone holds TXT records of any octets, which a zone file could not.
type textZone map[string]string

func (z textZone) Query(_ context.Context, name string, qtype uint16) (wire.Answer, error) {
	if _, ok := mdns.IsDomainName(name); !ok {
		return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.Malformed}
	}
	owner := mdns.CanonicalName(name)
	text, ok := z[owner]
	if !ok {
		return wire.Answer{}, &wire.ResolveError{Name: name, Type: qtype, Kind: wire.NotFound}
	}
	if qtype != mdns.TypeTXT {
		return wire.Answer{}, nil
	}
	var escaped strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&escaped, `\%03d`, text[i])
	}
	return wire.Answer{Records: []mdns.RR{&mdns.TXT{
		Hdr: mdns.RR_Header{Name: owner, Rrtype: qtype},
		Txt: []string{escaped.String()},
	}}}, nil
}
