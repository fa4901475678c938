package presets_test

import (
	"strings"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/presets"
)

// TestDNSHosts: every service has a name, name servers that no other one has, a date, and a place in every language.
func TestDNSHosts(t *testing.T) {
	t.Parallel()
	if len(presets.DNSHosts()) < 20 {
		t.Errorf("%d services", len(presets.DNSHosts()))
	}
	for _, host := range presets.DNSHosts() {
		if _, err := time.Parse(time.DateOnly, host.Checked); err != nil || host.Name == "" || len(host.Servers) == 0 {
			t.Errorf("%+v: %v", host, err)
		}
		for _, lang := range locale.All() {
			if !strings.Contains(host.Where[lang], "›") {
				t.Errorf("%s: no place in %s", host.Name, lang)
			}
		}
		for _, end := range host.Servers {
			server := "ns1." + strings.ReplaceAll(end, "*", "12.example")
			if found, ok := presets.DNSHostOf(server); !ok || found.Name != host.Name {
				t.Errorf("%s belongs to %q", server, found.Name)
			}
		}
	}
	for server, want := range map[string]string{
		"dns104.ovh.net": "OVHcloud", "NS-17-A.GANDI.NET.": "Gandi", "ns1086.ui-dns.de": "IONOS",
		"ada.ns.cloudflare.com": "Cloudflare", "ns-1503.awsdns-59.org": "Amazon Route 53", "shades12.rzone.de": "STRATO",
		"ns1.notovh.net": "", "ovh.net.example": "", "": "",
	} {
		if found, _ := presets.DNSHostOf(server); found.Name != want {
			t.Errorf("%q belongs to %q, want %q", server, found.Name, want)
		}
	}
}
