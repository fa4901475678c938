package presets

import "strings"

// mailFilters are services that receive mail on behalf of a mailbox provider: an MX under one of these does not show
// where the mailbox is. Suffixes on label boundaries.
var mailFilters = []struct{ suffix, name string }{
	{"pphosted.com", "Proofpoint"},
	{"ppe-hosted.com", "Proofpoint Essentials"},
	{"mimecast.com", "Mimecast"},
	{"mimecast.co.za", "Mimecast"},
	{"vadesecure.com", "Vade"},
	{"vade-secure.com", "Vade"},
	{"barracudanetworks.com", "Barracuda"},
	{"mailinblack.com", "Mailinblack"},
	{"iphmx.com", "Cisco Secure Email"},
	{"messagelabs.com", "Symantec Email Security"},
	{"hornetsecurity.com", "Hornetsecurity"},
	{"antispameurope.com", "Hornetsecurity"},
	{"trendmicro.com", "Trend Micro"},
	{"trendmicro.eu", "Trend Micro"},
	{"mailcontrol.com", "Forcepoint"},
	{"sophos.com", "Sophos"},
	{"spamexperts.com", "SpamExperts"},
	{"antispamcloud.com", "SpamExperts"},
	{"nospamproxy.com", "NoSpamProxy"},
	{"retarus.com", "Retarus"},
	{"mxlogic.net", "McAfee"},
	{"seppmail.cloud", "SEPPmail"},
	{"altospam.com", "Altospam"},
	{"securence.com", "Securence"},
}

// MailFilter names the filter service that an MX host belongs to. The mailbox server must then be found another way: by
// the SPF record, by SRV, or by asking.
func MailFilter(host string) (service string, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, f := range mailFilters {
		if below(host, f.suffix) {
			return f.name, true
		}
	}
	return "", false
}

// below reports whether a host is a name or a subdomain of it; both in lower case.
func below(host, name string) bool { return host == name || strings.HasSuffix(host, "."+name) }
