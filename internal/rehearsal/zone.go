package rehearsal

import (
	"fmt"
	"strings"

	"postier/config"
)

// zone is the zone text of the provider's name server: the provider's own domain and the customer's.
func (p *Provider) zone() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, domain := range []string{ProviderDomain, Domain} {
		line("%s. 3600 IN SOA ns.%s. hostmaster.%s. 1 7200 900 1209600 300", domain, ProviderDomain, ProviderDomain)
		line("%s. 3600 IN NS ns.%s.", domain, ProviderDomain)
		line("%s. 300 IN MX 10 %s.", domain, MXHost)
	}
	for _, host := range append(p.hosts(), "ns."+ProviderDomain) {
		line("%s. 300 IN A 127.0.0.1", host)
		if !p.options.Serve {
			line("%s. 300 IN AAAA ::1", host)
		}
	}
	line("%s. 300 IN A %s", outgoingHost, outgoingIP)
	line("25.2.0.192.in-addr.arpa. 300 IN PTR %s.", outgoingHost)
	line("1.0.0.127.in-addr.arpa. 300 IN PTR %s.", MXHost)
	line(`%s. 300 IN TXT "v=spf1 ip4:%s -all"`, SPFInclude, outgoingIP)
	line(`%s. 300 IN TXT "v=spf1 a -all"`, outgoingHost)
	line(`%s. 300 IN TXT "v=spf1 include:%s -all"`, ProviderDomain, SPFInclude)
	b.WriteString(p.services6186())
	b.WriteString(p.spfRecords())
	b.WriteString(p.signer.record(p.behaviour.dkim))
	if !p.behaviour.noDMARC {
		line(`_dmarc.%s. 300 IN TXT "v=DMARC1; p=none; rua=mailto:%s"`, Domain, Alias)
	}
	return b.String()
}

// hosts are the names of the provider's machine. For other processes, which have no preset of it, the customer's domain
// has names of its own: servers that a domain announces in itself need no one's consent.
func (p *Provider) hosts() []string {
	hosts := []string{SMTPHost, IMAPHost, MXHost, LoginHost}
	if p.options.Serve {
		hosts = append(hosts, servedSMTPHost, servedIMAPHost)
	}
	return hosts
}

// services6186 announces the servers (RFC 6186, RFC 8314 §5.1).
func (p *Provider) services6186() string {
	name, smtpHost, imapHost := "_submissions", SMTPHost, IMAPHost
	if p.options.Serve {
		smtpHost, imapHost = servedSMTPHost, servedIMAPHost
	}
	if p.behaviour.submissionSecurity == config.SecurityStartTLS {
		name = "_submission"
	}
	return fmt.Sprintf("%s._tcp.%s. 300 IN SRV 0 1 %d %s.\n_imaps._tcp.%s. 300 IN SRV 0 1 %d %s.\n",
		name, Domain, p.announced(p.behaviour.submissionPort), smtpHost, Domain, p.announced(config.PortIMAPS), imapHost)
}

func (p *Provider) spfRecords() string {
	record := func(text string) string { return fmt.Sprintf("%s. 300 IN TXT %q\n", Domain, text) }
	switch p.behaviour.spf {
	case spfMissing:
		return ""
	case spfWrong: // another provider may send, this one may not
		return record("v=spf1 include:spf.elsewhere-demo.example -all") +
			"spf.elsewhere-demo.example. 300 IN TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
	case spfTooManyLookups: // RFC 7208 §4.6.4: at most ten
		var includes, records strings.Builder
		for i := range 11 {
			name := fmt.Sprintf("spf%d.elsewhere-demo.example", i+1)
			fmt.Fprintf(&includes, "include:%s ", name)
			fmt.Fprintf(&records, "%s. 300 IN TXT \"v=spf1 ip4:198.51.100.%d -all\"\n", name, i+1)
		}
		return record("v=spf1 "+includes.String()+"include:"+SPFInclude+" -all") + records.String()
	default:
		return record("v=spf1 include:" + SPFInclude + " -all")
	}
}
