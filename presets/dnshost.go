package presets

import (
	_ "embed"
	"encoding/json"
	"strings"
	"sync"
)

//go:embed data/dnshosts.json
var dnsHostFile []byte

// DNSHost is a service that keeps the records of domains, with the place where its customers enter them. The places are
// written down from memory on Checked: menus move, so they are shown as the usual ones.
type DNSHost struct {
	Name    string   `json:"name"`
	Servers []string `json:"servers"` // ends of its name servers' names, on label boundaries; a last * stands for any end
	Where   Text     `json:"where"`
	Checked string   `json:"checked"`
}

var dnsHosts = sync.OnceValue(func() []DNSHost {
	var list []DNSHost
	if err := json.Unmarshal(dnsHostFile, &list); err != nil {
		panic("presets: the embedded file is valid: " + err.Error())
	}
	return list
})

// DNSHosts returns all services that are known.
func DNSHosts() []DNSHost { return dnsHosts() }

// DNSHostOf returns the service that a name server belongs to.
func DNSHostOf(server string) (DNSHost, bool) {
	server = strings.ToLower(strings.TrimSuffix(server, "."))
	for _, host := range dnsHosts() {
		for _, end := range host.Servers {
			if begin, open := strings.CutSuffix(end, "*"); open && strings.Contains(server, "."+begin) || below(server, end) {
				return host, true
			}
		}
	}
	return DNSHost{}, false
}
