package spf_test

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup/lookuptest"
	"postier/internal/mailauth/spf"
)

// world is the zone around the records under test. Clients come from 192.0.2.10 and 2001:db8::10.
const world = `
host.example. IN A 192.0.2.10
host.example. IN AAAA 2001:db8::10
four.example. IN A 192.0.2.10
six.example. IN AAAA 2001:db8::10
other.example. IN A 198.51.100.7
other.example. IN AAAA 2001:db8:ffff::7
alias.example. IN CNAME host.example.
loop.example. IN CNAME loop.example.
near.example. IN A 192.0.2.99
near.example. IN AAAA 2001:db8::99
mx.example. IN MX 20 host.example.
mx.example. IN MX 10 other.example.
mxfar.example. IN MX 10 other.example.
mxgone.example. IN MX 10 gone.test.
mxnull.example. IN MX 0 .
mxslow.example. IN MX 10 slow.example.
mxlate.example. IN MX 10 host.example.
mxlate.example. IN MX 20 slow.example.
txtonly.example. IN TXT "hello"
pass.example. IN TXT "v=spf1 +all"
fail.example. IN TXT "v=spf1 -all exp=why.example"
soft.example. IN TXT "v=spf1 ~all"
neutral.example. IN TXT "v=spf1 ?all"
empty.example. IN TXT "v=spf1"
faulty.example. IN TXT "v=spf1 foo"
twice.example. IN TXT "v=spf1 -all"
twice.example. IN TXT "v=spf1 +all"
norecord.example. IN TXT "v=spf10 +all"
why.example. IN TXT "see http://example/?s=%{S}&i=%{I}&h=%{h}&c=%{c}&r=%{r}&t=%{t}"
10.2.0.192.in-addr.arpa. IN PTR host.example.
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR six.example.
!timeout slow.example
!servfail broken.example
`

var (
	client4 = netip.MustParseAddr("192.0.2.10")
	client6 = netip.MustParseAddr("2001:db8::10")
)

func checker(z *lookuptest.Resolver) spf.Checker {
	return spf.Checker{
		Resolver: z, Receiver: "mx.receiver.example",
		Now: func() time.Time { return time.Unix(1700000000, 0) },
	}
}

// TestTerms evaluates one record for the IPv4 and the IPv6 client.
func TestTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		section, record string
		v4, v6          spf.Verdict
	}{
		// §4.5: the version is followed by a space or the end, and knows no case.
		{"4.5", "v=spf1", spf.Neutral, spf.Neutral},
		{"4.5", "V=SPF1 -ALL", spf.Fail, spf.Fail},
		{"4.5", "v=spf1-all", spf.None, spf.None},
		{"4.5", "v=spf1.0 -all", spf.None, spf.None},
		{"4.5", " v=spf1 -all", spf.None, spf.None},
		{"4.5", "spf1 -all", spf.None, spf.None},
		{"4.5", "v=spf2 -all", spf.None, spf.None},
		{"4.5", `v=spf1\009-all`, spf.None, spf.None},

		// §4.6.1, §12: separators and characters.
		{"12", "v=spf1   -all   ", spf.Fail, spf.Fail},
		{"12", `v=spf1 a:host.example\009-all`, spf.PermError, spf.PermError},
		{"12", `v=spf1 -all\010`, spf.PermError, spf.PermError},
		{"12", `v=spf1 +all x=\195\169`, spf.PermError, spf.PermError},
		{"12", `v=spf1 +all a:h\195\182st.example`, spf.PermError, spf.PermError},
		{"12", `v=spf1 +all\000`, spf.PermError, spf.PermError},
		{"12", "v=spf1 +all -", spf.PermError, spf.PermError},
		{"12", "v=spf1 +all +", spf.PermError, spf.PermError},
		{"12", "v=spf1 +all :", spf.PermError, spf.PermError},
		{"12", "v=spf1 +all =x", spf.PermError, spf.PermError},
		{"12", "v=spf1 ++all", spf.PermError, spf.PermError},
		{"12", "v=spf1, -all", spf.None, spf.None},
		{"12", "v=spf1 a:host.example, -all", spf.PermError, spf.PermError},

		// §4.6: errors anywhere, even after a match.
		{"4.6", "v=spf1 +all foo", spf.PermError, spf.PermError},
		{"4.6", "v=spf1 ip4:192.0.2.10 ipv4:192.0.2.1", spf.PermError, spf.PermError},
		{"4.6", "v=spf1 +all ip4:1.2.3", spf.PermError, spf.PermError},

		// §4.6.2 qualifiers, §4.7 default, §5.1 all.
		{"4.6.2", "v=spf1 +all", spf.Pass, spf.Pass},
		{"4.6.2", "v=spf1 all", spf.Pass, spf.Pass},
		{"4.6.2", "v=spf1 ~all", spf.SoftFail, spf.SoftFail},
		{"4.6.2", "v=spf1 ?all", spf.Neutral, spf.Neutral},
		{"4.7", "v=spf1 a:other.example", spf.Neutral, spf.Neutral},
		{"5.1", "v=spf1 -all +all", spf.Fail, spf.Fail},
		{"5.1", "v=spf1 -all redirect=pass.example", spf.Fail, spf.Fail},
		{"5.1", "v=spf1 redirect=pass.example -all", spf.Fail, spf.Fail},
		{"5.1", "v=spf1 -all:x.example", spf.PermError, spf.PermError},
		{"5.1", "v=spf1 -all/8", spf.PermError, spf.PermError},
		{"5.1", "v=spf1 -all.", spf.PermError, spf.PermError},
		{"5.1", "v=spf1 -all=", spf.PermError, spf.PermError},

		// §5.2 include.
		{"5.2", "v=spf1 include:pass.example -all", spf.Pass, spf.Pass},
		{"5.2", "v=spf1 ~include:pass.example -all", spf.SoftFail, spf.SoftFail},
		{"5.2", "v=spf1 include:fail.example +all", spf.Pass, spf.Pass},
		{"5.2", "v=spf1 include:soft.example -all", spf.Fail, spf.Fail},
		{"5.2", "v=spf1 include:neutral.example -all", spf.Fail, spf.Fail},
		{"5.2", "v=spf1 include:empty.example -all", spf.Fail, spf.Fail},
		{"5.2", "v=spf1 include:slow.example -all", spf.TempError, spf.TempError},
		{"5.2", "v=spf1 include:broken.example -all", spf.TempError, spf.TempError},
		{"5.2", "v=spf1 include:faulty.example +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:twice.example +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:gone.test +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:txtonly.example +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:norecord.example +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include: +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:pass.example/24 +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include/24 +all", spf.PermError, spf.PermError},
		{"5.2", "v=spf1 include:a..example +all", spf.PermError, spf.PermError},

		// §5.3 a, with §5.6's prefix lengths.
		{"5.3", "v=spf1 a:host.example -all", spf.Pass, spf.Pass},
		{"5.3", "v=spf1 A:HOST.EXAMPLE -all", spf.Pass, spf.Pass},
		{"5.3", "v=spf1 a:host.example. -all", spf.Pass, spf.Pass},
		{"5.3", "v=spf1 a:alias.example -all", spf.Pass, spf.Pass},
		{"5.3", "v=spf1 a:four.example -all", spf.Pass, spf.Fail},
		{"5.3", "v=spf1 a:six.example -all", spf.Fail, spf.Pass},
		{"5.3", "v=spf1 a:near.example/24 -all", spf.Pass, spf.Fail},
		{"5.3", "v=spf1 a:near.example//64 -all", spf.Fail, spf.Pass},
		{"5.3", "v=spf1 a:near.example/24//64 -all", spf.Pass, spf.Pass},
		{"5.3", "v=spf1 a:other.example/0 -all", spf.Pass, spf.Fail},
		{"5.3", "v=spf1 a:other.example//0 -all", spf.Fail, spf.Pass},
		{"5.3", "v=spf1 a:gone.test/0//0 -all", spf.Fail, spf.Fail},
		{"5.3", "v=spf1 a:slow.example -all", spf.TempError, spf.TempError},
		{"5.3", "v=spf1 a:loop.example -all", spf.TempError, spf.TempError},
		{"5.3", "v=spf1 a: +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a:/24 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/ +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a// +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/33 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/024 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/00 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a//129 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a//064 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/24/64 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/24// +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/24//64//64 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a/+24 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a//64/24 +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a:host.example/24/ +all", spf.PermError, spf.PermError},
		{"5.3", "v=spf1 a:host.example/x +all", spf.PermError, spf.PermError},

		// §7.1: the end of a domain-spec.
		{"7.1", "v=spf1 a:museum +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:museum. +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:.museum +all", spf.Pass, spf.Pass},
		{"7.1", "v=spf1 a:192.0.2.10 +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:abc.123 +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:abc.1x3 +all", spf.Pass, spf.Pass},
		{"7.1", "v=spf1 a:abc.-com +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:abc.com- +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:abc.1-1 +all", spf.Pass, spf.Pass},
		{"7.1", "v=spf1 a:abc.xn--zckzah -all", spf.Fail, spf.Fail},
		{"7.1", "v=spf1 a:abc.c_m +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:abc.com.. +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:foo:bar/baz.example -all", spf.Fail, spf.Fail},
		{"7.1", "v=spf1 a:%{d}com +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:%{d}. +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 a:x.%{d} +all", spf.Pass, spf.Pass},
		{"7.1", "v=spf1 a:x.%% +all", spf.Pass, spf.Pass},

		// §5.4 mx: no implicit MX, at most ten names.
		{"5.4", "v=spf1 mx:mx.example -all", spf.Pass, spf.Pass},
		{"5.4", "v=spf1 mx:mxfar.example -all", spf.Fail, spf.Fail},
		{"5.4", "v=spf1 mx:mxfar.example/0//0 -all", spf.Pass, spf.Pass},
		{"5.4", "v=spf1 mx:host.example -all", spf.Fail, spf.Fail},
		{"5.4", "v=spf1 mx:mxgone.example -all", spf.Fail, spf.Fail},
		{"5.4", "v=spf1 mx:mxnull.example -all", spf.Fail, spf.Fail},
		{"5.4", "v=spf1 mx:mxslow.example -all", spf.TempError, spf.TempError},
		{"5.4", "v=spf1 mx:mxlate.example -all", spf.Pass, spf.Pass},
		{"5.4", "v=spf1 mx:slow.example -all", spf.TempError, spf.TempError},
		{"5.4", "v=spf1 mx: +all", spf.PermError, spf.PermError},
		{"5.4", "v=spf1 mx/33 +all", spf.PermError, spf.PermError},
		{"5.4", "v=spf1 mx:abc.123 +all", spf.PermError, spf.PermError},

		// §5.5 ptr: errors mean no match.
		{"5.5", "v=spf1 ptr:host.example -all", spf.Pass, spf.Fail},
		{"5.5", "v=spf1 ptr:example -all", spf.PermError, spf.PermError},
		{"5.5", "v=spf1 ptr:six.example -all", spf.Fail, spf.Pass},
		{"5.5", "v=spf1 ptr:SIX.Example -all", spf.Fail, spf.Pass},
		{"5.5", "v=spf1 ptr:st.example -all", spf.Fail, spf.Fail},
		{"5.5", "v=spf1 ptr/24 +all", spf.PermError, spf.PermError},
		{"5.5", "v=spf1 ptr: +all", spf.PermError, spf.PermError},

		// §5.6 ip4 and ip6.
		{"5.6", "v=spf1 ip4:192.0.2.10 -all", spf.Pass, spf.Fail},
		{"5.6", "v=spf1 ip4:192.0.2.0/24 -all", spf.Pass, spf.Fail},
		{"5.6", "v=spf1 ip4:192.0.2.255/24 -all", spf.Pass, spf.Fail},
		{"5.6", "v=spf1 ip4:0.0.0.0/0 -all", spf.Pass, spf.Fail},
		{"5.6", "v=spf1 ip4:192.0.2.0/29 -all", spf.Fail, spf.Fail},
		{"5.6", "v=spf1 ip6:2001:db8::10 -all", spf.Fail, spf.Pass},
		{"5.6", "v=spf1 ip6:2001:DB8::/32 -all", spf.Fail, spf.Pass},
		{"5.6", "v=spf1 ip6:::/0 -all", spf.Fail, spf.Pass},
		{"5.6", "v=spf1 ip6:::ffff:192.0.2.10/96 -all", spf.Fail, spf.Fail},
		{"5.6", "v=spf1 ip4 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4: +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4/24 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4.5 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.256 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.04 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4/33 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4/032 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4/ +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4//32 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:1.2.3.4:25 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:host.example +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip4:2001:db8::1 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:192.0.2.10 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:2001:db8:::1 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:2001:db8::/129 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:2001:db8::/064 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:2001:db8:://64 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:fe80::1%eth0 +all", spf.PermError, spf.PermError},
		{"5.6", "v=spf1 ip6:[2001:db8::1] +all", spf.PermError, spf.PermError},

		// §5.7 exists asks for A, whatever the client's family.
		{"5.7", "v=spf1 exists:four.example -all", spf.Pass, spf.Pass},
		{"5.7", "v=spf1 exists:six.example -all", spf.Fail, spf.Fail},
		{"5.7", "v=spf1 exists:gone.test -all", spf.Fail, spf.Fail},
		{"5.7", "v=spf1 exists:slow.example -all", spf.TempError, spf.TempError},
		{"5.7", "v=spf1 exists +all", spf.PermError, spf.PermError},
		{"5.7", "v=spf1 exists: +all", spf.PermError, spf.PermError},
		{"5.7", "v=spf1 exists:four.example/24 +all", spf.PermError, spf.PermError},

		// §6: modifiers.
		{"6", "v=spf1 redirect=pass.example redirect=pass.example", spf.PermError, spf.PermError},
		{"6", "v=spf1 exp=why.example exp=why.example -all", spf.PermError, spf.PermError},
		{"6", "v=spf1 exp=why.example EXP=why.example -all", spf.PermError, spf.PermError},
		{"6", "v=spf1 moo=1 moo=2 -all", spf.Fail, spf.Fail},
		{"6", "v=spf1 a.b-c_d=%{d} -all", spf.Fail, spf.Fail},
		{"6", "v=spf1 moo= -all", spf.Fail, spf.Fail},
		{"6", "v=spf1 moo=a:b/c=d -all", spf.Fail, spf.Fail},
		{"6", "v=spf1 8moo=1 +all", spf.PermError, spf.PermError},
		{"6", "v=spf1 _moo=1 +all", spf.PermError, spf.PermError},
		{"6", "v=spf1 +moo=1 +all", spf.PermError, spf.PermError},
		{"6", "v=spf1 -redirect=pass.example", spf.PermError, spf.PermError},
		{"6", "v=spf1 moo=%x +all", spf.PermError, spf.PermError},
		{"6", "v=spf1 moo=%{x} +all", spf.PermError, spf.PermError},
		{"6", "v=spf1 moo=%{c} -all", spf.Fail, spf.Fail},
		{"6", "v=spf1 default=pass", spf.Neutral, spf.Neutral},
		{"6.1", "v=spf1 redirect=pass.example", spf.Pass, spf.Pass},
		{"6.1", "v=spf1 redirect=pass.example ip4:192.0.2.10", spf.Pass, spf.Pass},
		{"6.1", "v=spf1 a:other.example redirect=fail.example", spf.Fail, spf.Fail},
		{"6.1", "v=spf1 redirect=empty.example", spf.Neutral, spf.Neutral},
		{"6.1", "v=spf1 redirect=gone.test", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect=txtonly.example", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect=faulty.example", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect=slow.example", spf.TempError, spf.TempError},
		{"6.1", "v=spf1 redirect=a..example", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect:pass.example", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect= +all", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect", spf.PermError, spf.PermError},
		{"6.1", "v=spf1 redirect=pass.example/24", spf.PermError, spf.PermError},
		{"6.2", "v=spf1 exp= -all", spf.PermError, spf.PermError},
		{"6.2", "v=spf1 exp=-all -all", spf.PermError, spf.PermError},
		{"6.2", "v=spf1 exp=%{c}.example -all", spf.PermError, spf.PermError},

		// §7: macros.
		{"7.2", "v=spf1 exists:%{c}.example +all", spf.PermError, spf.PermError},
		{"7.2", "v=spf1 exists:%{r}.example +all", spf.PermError, spf.PermError},
		{"7.2", "v=spf1 exists:%{t}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{a}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%(d).example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{d.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{dd}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{d1r2}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{dr1}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:%{d;}.example +all", spf.PermError, spf.PermError},
		{"7.1", "v=spf1 exists:foo.example% +all", spf.PermError, spf.PermError},
		{"7.3", "v=spf1 exists:%{d0}.example +all", spf.PermError, spf.PermError},
		{"7.3", "v=spf1 exists:%{d000} +all", spf.PermError, spf.PermError},
		{"7.3", "v=spf1 exists:%{d99999999999999999999} +all", spf.Pass, spf.Pass},
	} {
		z := lookuptest.Zone(t, world+"d.example. IN TXT \""+c.record+"\"\n")
		for _, want := range []struct {
			ip      netip.Addr
			verdict spf.Verdict
		}{{client4, c.v4}, {client6, c.v6}} {
			got := checker(z).Check(context.Background(), want.ip, "helo.example", "user@d.example")
			if got.Result != want.verdict {
				t.Errorf("§%s %q from %s: %s (%s), want %s", c.section, c.record, want.ip, got.Result, got.Reason, want.verdict)
			}
		}
	}
}

// TestInitial is RFC 7208 §4.3 to §4.5 and §2.4.
func TestInitial(t *testing.T) {
	t.Parallel()
	label63, label64 := strings.Repeat("a", 63), strings.Repeat("a", 64)
	z := lookuptest.Zone(t, world+`
		helo.example. IN TXT "v=spf1 ip4:192.0.2.10 -all"
		local.example. IN TXT "v=spf1 exists:%{l}.who.example -all"
		postmaster.who.example. IN A 127.0.0.2
		`+label63+`.example. IN TXT "v=spf1 -all"
		xn--bcher-kva.example. IN TXT "v=spf1 -all"
		split.example. IN TXT "v=spf1 ip4:192.0.2" ".10 -all"
		glued.example. IN TXT "v=spf1" "-all"
		apart.example. IN TXT "v=spf1 " "-all"
		mixed.example. IN TXT "some text"
		mixed.example. IN TXT "v=spf1 -all"
		mixed.example. IN TXT "V=SPF1-ish"
		under_score.example. IN TXT "v=spf1 -all"
		aliased.example. IN CNAME fail.example.
		spftype.example. IN SPF "v=spf1 -all"
		one. IN TXT "v=spf1 -all"
		*.quoted.example. IN TXT "v=spf1 -all"
	`)
	for _, c := range []struct {
		name, helo, sender string
		want               spf.Verdict
	}{
		{"null sender is postmaster at the HELO name", "helo.example", "", spf.Pass},
		{"brackets", "helo.example", "<>", spf.Pass},
		{"brackets round an address", "x.example", "<u@fail.example>", spf.Fail},
		{"no local part is postmaster", "x.example", "@local.example", spf.Pass},
		{"a bare domain is postmaster", "x.example", "local.example", spf.Pass},
		{"another local part", "x.example", "somebody@local.example", spf.Fail},
		{"HELO is no name", "helo", "", spf.None},
		{"HELO is an address literal", "[192.0.2.10]", "", spf.None},
		{"domain literal", "x.example", "u@[192.0.2.10]", spf.None},
		{"single label", "x.example", "u@one", spf.None},
		{"empty label", "x.example", "u@a..example", spf.None},
		{"leading dot", "x.example", "u@.example", spf.None},
		{"label of 64", "x.example", "u@" + label64 + ".example", spf.None},
		{"label of 63", "x.example", "u@" + label63 + ".example", spf.Fail},
		{"too long a name", "x.example", "u@" + strings.Repeat("abcdefg.", 32) + "example", spf.None},
		{"final dot", "x.example", "u@fail.example.", spf.Fail},
		{"U-label", "x.example", "u@bücher.example", spf.Fail},
		{"two at signs: the last counts", "x.example", `"a@b"@fail.example`, spf.Fail},
		{"no such domain", "x.example", "u@gone.test", spf.None},
		{"no TXT", "x.example", "u@host.example", spf.None},
		{"no record among TXT", "x.example", "u@txtonly.example", spf.None},
		{"type SPF is not asked for", "x.example", "u@spftype.example", spf.None},
		{"timeout", "x.example", "u@slow.example", spf.TempError},
		{"server failure", "x.example", "u@broken.example", spf.TempError},
		{"two records", "x.example", "u@twice.example", spf.PermError},
		{"other TXT beside", "x.example", "u@mixed.example", spf.Fail},
		{"strings are joined without a space", "x.example", "u@split.example", spf.Pass},
		{"joined into no version", "x.example", "u@glued.example", spf.None},
		{"joined with the space", "x.example", "u@apart.example", spf.Fail},
		{"alias", "x.example", "u@aliased.example", spf.Fail},
		{"underscore", "x.example", "u@under_score.example", spf.Fail},
	} {
		got := checker(z).Check(context.Background(), client4, c.helo, c.sender)
		if got.Result != c.want {
			t.Errorf("%s (%q, %q): %s (%s), want %s", c.name, c.helo, c.sender, got.Result, got.Reason, c.want)
		}
	}
	if got := spf.Check(context.Background(), z, client4, "helo.example", ""); got.Result != spf.Pass {
		t.Errorf("HELO identity: %+v", got)
	}
}

// TestMappedAddress: a mapped IPv4 client is an IPv4 client (RFC 7208 §5).
func TestMappedAddress(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, world+`d.example. IN TXT "v=spf1 ip4:192.0.2.10 -all"`)
	got := spf.Check(context.Background(), z, netip.MustParseAddr("::ffff:192.0.2.10"), "h.example", "u@d.example")
	if got.Result != spf.Pass {
		t.Errorf("got %+v", got)
	}
}

// TestLimits is RFC 7208 §4.6.4.
func TestLimits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	numbers := func(n int, f func(i int) string) string {
		parts := make([]string, n)
		for i := range n {
			parts[i] = f(i)
		}
		return strings.Join(parts, " ")
	}
	sameA := func(int) string { return "a:other.example" }
	line(`ten.example. IN TXT "v=spf1 ` + numbers(10, sameA) + ` -all"`)
	line(`eleven.example. IN TXT "v=spf1 ` + numbers(11, sameA) + ` -all"`)
	line(`early.example. IN TXT "v=spf1 ip4:192.0.2.10 ` + numbers(11, sameA) + ` -all"`)
	line(`free.example. IN TXT "v=spf1 ` + numbers(10, sameA) + ` ip4:192.0.2.10 -all exp=why.example"`)
	line(`inten.example. IN TXT "v=spf1 include:nine.example -all"`)
	line(`nine.example. IN TXT "v=spf1 ` + numbers(9, sameA) + ` -all"`)
	line(`ineleven.example. IN TXT "v=spf1 include:ten.example -all"`)
	line(`redten.example. IN TXT "v=spf1 redirect=nine.example"`)
	line(`redeleven.example. IN TXT "v=spf1 redirect=ten.example"`)
	line(`mixed.example. IN TXT "v=spf1 a:other.example mx:mxfar.example ptr:x.example exists:gone.test include:empty.example ` + numbers(5, sameA) + ` ip4:192.0.2.10 -all"`)
	line(`circle.example. IN TXT "v=spf1 include:circle.example -all"`)
	line(`redcircle.example. IN TXT "v=spf1 redirect=redcircle.example"`)
	line(`pair1.example. IN TXT "v=spf1 include:pair2.example -all"`)
	line(`pair2.example. IN TXT "v=spf1 include:pair1.example -all"`)
	for i := range 12 {
		line("mx11.example. IN MX " + strconv.Itoa(i) + " m" + strconv.Itoa(i) + ".example.")
		if i < 10 {
			line("mx10.example. IN MX " + strconv.Itoa(i) + " m" + strconv.Itoa(i) + ".example.")
		}
		line("m" + strconv.Itoa(i) + ".example. IN A 192.0.2." + strconv.Itoa(i+1))
		line("many.example. IN A 192.0.2." + strconv.Itoa(i+1))
		line("20.2.0.192.in-addr.arpa. IN PTR p" + strconv.Itoa(i) + ".ptr.example.")
		line("21.2.0.192.in-addr.arpa. IN PTR q" + strconv.Itoa(i) + ".ptr.example.")
	}
	line("p9.ptr.example. IN A 192.0.2.20")
	line("q10.ptr.example. IN A 192.0.2.21")
	line(`mxten.example. IN TXT "v=spf1 mx:mx10.example -all"`)
	line(`mxeleven.example. IN TXT "v=spf1 mx:mx11.example -all"`)
	line(`manya.example. IN TXT "v=spf1 a:many.example -all"`)
	line(`ptr.example. IN TXT "v=spf1 ptr -all"`)
	line(`void2.example. IN TXT "v=spf1 a:v1.test exists:v2.test ip4:192.0.2.10 -all"`)
	line(`void3.example. IN TXT "v=spf1 a:v1.test exists:v2.test mx:v3.test ip4:192.0.2.10 -all"`)
	line(`voidlast.example. IN TXT "v=spf1 a:v1.test a:v2.test a:v3.test"`)
	line(`voidnodata.example. IN TXT "v=spf1 a:txtonly.example mx:host.example a:pass.example ip4:192.0.2.10 -all"`)
	line(`voidin.example. IN TXT "v=spf1 a:v1.test include:voidin2.example ip4:192.0.2.10 -all"`)
	line(`voidin2.example. IN TXT "v=spf1 a:v2.test a:v3.test ?all"`)
	line(`voidptr.example. IN TXT "v=spf1 ptr a:v1.test a:v2.test ip4:192.0.2.77 -all"`)
	z := lookuptest.Zone(t, world+b.String())
	for _, c := range []struct {
		domain, ip string
		want       spf.Verdict
		reason     spf.Reason
	}{
		{"ten.example", "192.0.2.10", spf.Fail, ""},
		{"eleven.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"early.example", "192.0.2.10", spf.Pass, ""},
		{"early.example", "192.0.2.11", spf.PermError, spf.ReasonLookups},
		{"free.example", "192.0.2.11", spf.Fail, ""},
		{"free.example", "192.0.2.10", spf.Pass, ""},
		{"inten.example", "192.0.2.10", spf.Fail, ""},
		{"ineleven.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"redten.example", "192.0.2.10", spf.Fail, ""},
		{"redeleven.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"mixed.example", "192.0.2.10", spf.Pass, ""},
		{"circle.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"redcircle.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"pair1.example", "192.0.2.10", spf.PermError, spf.ReasonLookups},
		{"mxten.example", "192.0.2.10", spf.Pass, ""},
		{"mxten.example", "192.0.2.11", spf.Fail, ""},
		{"mxeleven.example", "192.0.2.1", spf.PermError, spf.ReasonMX},
		{"manya.example", "192.0.2.12", spf.Pass, ""},
		{"ptr.example", "192.0.2.20", spf.Pass, ""},
		{"ptr.example", "192.0.2.21", spf.Fail, ""},
		{"void2.example", "192.0.2.10", spf.Pass, ""},
		{"void3.example", "192.0.2.10", spf.PermError, spf.ReasonVoid},
		{"voidlast.example", "192.0.2.10", spf.PermError, spf.ReasonVoid},
		{"voidnodata.example", "192.0.2.10", spf.PermError, spf.ReasonVoid},
		{"voidin.example", "192.0.2.10", spf.PermError, spf.ReasonVoid},
		{"voidptr.example", "192.0.2.77", spf.PermError, spf.ReasonVoid},
	} {
		got := spf.Check(context.Background(), z, netip.MustParseAddr(c.ip), "h.example", "u@"+c.domain)
		if got.Result != c.want || got.Reason != c.reason {
			t.Errorf("%s from %s: %s (%s), %d look-ups, %d void; want %s (%s)", c.domain, c.ip, got.Result, got.Reason,
				got.Lookups, got.Void, c.want, c.reason)
		}
	}
}

// TestBombStaysSmall: a record that includes ten that include ten costs eleven queries (docs/security.md T10).
func TestBombStaysSmall(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	var includes []string
	for i := range 10 {
		includes = append(includes, "include:b"+strconv.Itoa(i)+".example")
	}
	for i := range 10 {
		b.WriteString("b" + strconv.Itoa(i) + `.example. IN TXT "v=spf1 ` + strings.Join(includes, " ") + "\"\n")
	}
	z := lookuptest.Zone(t, b.String())
	got := spf.Check(context.Background(), z, client4, "h.example", "u@b0.example")
	if got.Result != spf.PermError || len(z.Queries()) > 11 {
		t.Errorf("%s after %d queries", got.Result, len(z.Queries()))
	}
}

// TestPTRErrors: a DNS error of the PTR query means no match, one of a name's address skips that name (RFC 7208 §5.5).
func TestPTRErrors(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, `
		d.example. IN TXT "v=spf1 ptr -all"
		5.2.0.192.in-addr.arpa. IN PTR slow.d.example.
		5.2.0.192.in-addr.arpa. IN PTR good.d.example.
		good.d.example. IN A 192.0.2.5
		!timeout slow.d.example
		!servfail 6.2.0.192.in-addr.arpa
	`)
	for ip, want := range map[string]spf.Verdict{"192.0.2.5": spf.Pass, "192.0.2.6": spf.Fail, "192.0.2.7": spf.Fail} {
		if got := spf.Check(context.Background(), z, netip.MustParseAddr(ip), "h.example",
			"u@d.example"); got.Result != want {
			t.Errorf("%s: %s, want %s", ip, got.Result, want)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := spf.Check(ctx, lookuptest.Zone(t, world), client4, "h.example", "u@fail.example")
	if got.Result != spf.TempError || got.Reason != spf.ReasonCancelled {
		t.Errorf("got %+v", got)
	}
}

// TestResultShape: what a caller sees besides the verdict.
func TestResultShape(t *testing.T) {
	t.Parallel()
	z := lookuptest.Zone(t, world+`d.example. IN TXT "v=spf1 a:other.example ~include:pass.example -all"`)
	got := spf.Check(context.Background(), z, client4, "h.example", "u@d.example")
	if got.Result != spf.SoftFail || got.Mechanism.Raw() != "~include:pass.example" || got.Lookups != 2 ||
		got.Domain != "d.example" || len(got.Trace) == 0 {
		t.Errorf("got %+v", got)
	}
	if got := spf.Check(context.Background(), z, client4, "h.example",
		"u@empty.example"); got.Mechanism.Raw() != "default" {
		t.Errorf("default: %+v", got)
	}
	types := map[string]bool{}
	for _, q := range z.Queries() {
		types[q[strings.LastIndexByte(q, ' ')+1:]] = true
	}
	if types[mdns.TypeToString[mdns.TypeSPF]] {
		t.Error("asked for type SPF")
	}
}
