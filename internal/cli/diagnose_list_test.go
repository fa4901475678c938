package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/scripted"
)

// listZone is a domain with everything; each of its names costs the resolver a real answer.
func listZone(domain string) string {
	return strings.ReplaceAll(`D. 300 IN MX 10 mx.D.
mx.D. 300 IN A 192.0.2.1
D. 300 IN TXT "v=spf1 include:spf.shared.example -all"
_dmarc.D. 300 IN TXT "v=DMARC1; p=reject"
google._domainkey.D. 300 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
`, "D", domain)
}

func listServer(tb scripted.TB, domains int) (addr string, list *bytes.Buffer, server *scripted.DNS) {
	var zone strings.Builder
	list = &bytes.Buffer{}
	zone.WriteString("spf.shared.example. 300 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n")
	for i := range domains {
		name := fmt.Sprintf("d%d.example", i)
		zone.WriteString(listZone(name))
		fmt.Fprintln(list, name)
	}
	server = scripted.StartDNS(tb, zone.String())
	return server.Addr(), list, server
}

type listedReport struct {
	Schema int `json:"schema"`
	Target struct {
		Domain string `json:"domain"`
	} `json:"target"`
	Domain string `json:"domain"`
	Error  string `json:"error"`
	Checks []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"checks"`
}

func TestDNSListKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const domains = 60
	addr, list, server := listServer(t, domains)
	list.WriteString("# a remark\n\nnot a domain\n\x1b[2J.example\n")
	var out, errors bytes.Buffer
	code := run([]string{"postier", "--resolver", addr, "diagnose", "dns", "--list", "-"},
		command.Streams{In: list, Out: &out, Err: &errors, Getenv: func(string) string { return "" }})
	if code != exitcode.Data || errors.Len() > 0 {
		t.Errorf("exit code %d, %s", code, errors.String())
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != domains+2 {
		t.Fatalf("%d lines", len(lines))
	}
	areaChecks := 0
	for _, id := range check.All() {
		if strings.HasPrefix(string(id), "dns.") && id != check.DNSBlocklists {
			areaChecks++
		}
	}
	for i, line := range lines {
		var r listedReport
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Schema != 1 {
			t.Fatalf("line %d: %v\n%s", i, err, line)
		}
		if i < domains && (r.Target.Domain != fmt.Sprintf("d%d.example", i) || len(r.Checks) != areaChecks) {
			t.Errorf("line %d is about %q with %d checks", i, r.Target.Domain, len(r.Checks))
		}
		if i >= domains && (r.Error == "" || r.Domain == "") {
			t.Errorf("line %d: %s", i, line)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("raw escape in line %d", i)
		}
	}
	// What all of them include is looked up once; a busy machine may answer so late that it is asked for again.
	const datagrams = 4
	if n := server.Count("spf.shared.example", "TXT"); n < 1 || n > datagrams {
		t.Errorf("the shared include was asked for %d times", n)
	}
}

const benchDomains = 500

// BenchmarkDNSList is a run over many domains against a resolver on this machine: domains a minute, and memory.
func BenchmarkDNSList(b *testing.B) {
	addr, list, _ := listServer(b, benchDomains)
	names := list.Bytes()
	for b.Loop() {
		var out bytes.Buffer
		run([]string{"postier", "--resolver", addr, "diagnose", "dns", "--list", "-"},
			command.Streams{In: bytes.NewReader(names), Out: &out, Err: &out, Getenv: func(string) string { return "" }})
	}
	b.ReportMetric(benchDomains*60/(b.Elapsed().Seconds()/float64(b.N)), "domains/min")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}
