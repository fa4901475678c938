package check

//go:generate go run ./internal/idlist -ids ids.go -out ids_list.go -reference ../../docs/reference.md

// ID names a check. The names are part of the contract.
type ID string

// The checks of the contract, in the order in which a report lists them. All and the list in docs/reference.md are
// made from this list.
const (
	// NetLocal and NetResolver are judged only when something else failed.
	NetLocal    ID = "net.local"
	NetResolver ID = "net.resolver"

	NetResolve  ID = "net.resolve"
	NetConnect  ID = "net.connect"
	NetConnect6 ID = "net.connect6"

	SMTPGreeting    ID = "smtp.greeting"
	SMTPTLS         ID = "smtp.tls"
	SMTPCertificate ID = "smtp.certificate"
	SMTPInjection   ID = "smtp.injection"
	SMTPEhlo        ID = "smtp.ehlo"
	SMTPAuthOffered ID = "smtp.auth-offered"
	SMTPAuth        ID = "smtp.auth"
	SMTPSender      ID = "smtp.sender"
	SMTPRecipient   ID = "smtp.recipient"
	SMTPData        ID = "smtp.data"

	IMAPConnect     ID = "imap.connect"
	IMAPTLS         ID = "imap.tls"
	IMAPCertificate ID = "imap.certificate"
	IMAPAuth        ID = "imap.auth"
	IMAPFolder      ID = "imap.folder"
	IMAPAppend      ID = "imap.append"
	IMAPReadback    ID = "imap.readback"
	IMAPCleanup     ID = "imap.cleanup"
	IMAPQuota       ID = "imap.quota"

	DNSMX        ID = "dns.mx"
	DNSSPF       ID = "dns.spf"
	DNSDKIM      ID = "dns.dkim"
	DNSDMARC     ID = "dns.dmarc"
	DNSMTASTS    ID = "dns.mta-sts"
	DNSTLSRPT    ID = "dns.tls-rpt"
	DNSDANE      ID = "dns.dane"
	DNSBIMI      ID = "dns.bimi"
	DNSPTR       ID = "dns.ptr"
	DNSDiscovery ID = "dns.discovery"

	// DNSBlocklists is judged only when asked for.
	DNSBlocklists ID = "dns.blocklists"

	ArrivalDelivered ID = "arrival.delivered"
	ArrivalPlacement ID = "arrival.placement"
	ArrivalSPF       ID = "arrival.spf"
	ArrivalDKIM      ID = "arrival.dkim"
	ArrivalDMARC     ID = "arrival.dmarc"
)
