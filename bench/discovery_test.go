package bench

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"postier/internal/discovery"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
)

// zoneOf is a domain that publishes everything it can, so that every source has an answer.
const zoneOf = `durand.example. 300 IN SOA ns.durand.example. hostmaster.durand.example. 1 3600 600 86400 60
durand.example. 300 IN A 192.0.2.1
autoconfig.durand.example. 300 IN A 192.0.2.2
smtp.durand.example. 300 IN A 192.0.2.3
`

// BenchmarkDiscovery counts the round trips of a search in which every name-service answer and every connection takes
// one round trip of 50 ms. The sources run side by side: the slowest source that is trusted more than the best answer
// decides, and not the sum.
func BenchmarkDiscovery(b *testing.B) {
	const rtt = 50 * time.Millisecond
	ca, err := certificates.New(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	const file = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="durand.example"><domain>durand.example</domain>` +
		`<outgoingServer type="smtp"><hostname>smtp.durand.example</hostname><port>465</port><socketType>SSL</socketType>` +
		`<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></outgoingServer></emailProvider></clientConfig>`
	web := httptest.NewUnstartedServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, file) }))
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{*scripted.Leaf(b, ca, certificates.Good,
		"autoconfig.durand.example",
		"durand.example")}}
	web.StartTLS()
	b.Cleanup(web.Close)
	proxy, err := scripted.NewProxy(web.Listener.Addr().String(), rtt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(proxy.Close)
	for _, c := range []struct{ name, zone, origin string }{
		{"mx", "durand.example. 300 IN MX 10 smtp.google.com.\n", "mx"},
		{"srv", "_submissions._tcp.durand.example. 300 IN SRV 0 1 465 smtp.durand.example.\n", "srv"},
		{"autoconfig", "", "autoconfig"},
	} {
		b.Run(c.name, func(b *testing.B) {
			names, err := scripted.ServeDNS(zoneOf + c.zone)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(names.Close)
			names.SetSlow(rtt)
			names.BehaveAll(scripted.SlowReply)
			resolver, err := wire.ResolverAt(names.Addr())
			if err != nil {
				b.Fatal(err)
			}
			network := &wire.Network{Resolver: resolver, Roots: ca.Roots(), Route: func(kind, _ string, _ int) (string, bool) {
				if kind == "tcp6" {
					return "[::1]:1", true
				}
				return proxy.Addr(), true
			}}
			var trips float64
			runs := 0
			for b.Loop() {
				begun := time.Now()
				list, err := discovery.Find(context.Background(), network, presets.Default(), "contact@durand.example",
					discovery.Options{})
				if err != nil || len(list) == 0 || string(list[0].Origin) != c.origin {
					b.Fatalf("%v %+v", err, list)
				}
				trips += float64(time.Since(begun)) / float64(rtt)
				runs++
			}
			b.ReportMetric(trips/float64(runs), "round-trips")
		})
	}
}

// BenchmarkPresetLookupAll is the look-up of every domain of both sources, one after the other.
func BenchmarkPresetLookupAll(b *testing.B) {
	var domains []string
	for _, e := range presets.Default().All() {
		if p, ok := presets.Default().Get(e.ID); ok {
			domains = append(domains, p.Domains...)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, ok := presets.Lookup(domains[n%len(domains)]); !ok {
			b.Fatalf("%s is not known", domains[n%len(domains)])
		}
		n++
	}
	b.ReportMetric(float64(len(domains)), "domains")
}
