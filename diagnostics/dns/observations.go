package dns

import (
	"net/netip"

	"postier/diagnostics"
	"postier/internal/mailauth/dkim"
	"postier/internal/mailauth/dmarc"
	"postier/internal/mailauth/spf"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Note explains a result without being its cause. Front ends translate its code.
type Note struct {
	Note string `json:"note"`
}

// Lookup is a failed look-up. Name is left out where none was made.
type Lookup struct {
	Name    safetext.Remote `json:"name,omitzero"`
	Failure wire.Failure    `json:"failure"`
}

// MX is where a domain receives mail. Implicit is set when it has no MX records.
type MX struct {
	Hosts      []MXHost `json:"hosts,omitzero"`
	Implicit   *bool    `json:"implicit,omitzero"`
	TTLSeconds *int     `json:"ttl_seconds,omitzero"`
	DNSSEC     *bool    `json:"dnssec,omitzero"`
}

// MXHost is one exchanger.
type MXHost struct {
	Addresses []netip.Addr `json:"addresses"`
	// Alias is true for a host that is an alias, which an MX must not point at (RFC 2181 §10.3).
	Alias      bool            `json:"alias,omitzero"`
	Host       safetext.Remote `json:"host"`
	Preference uint16          `json:"preference"`
}

// Brief implements diagnostics.Briefer.
func (m MX) Brief() string {
	return diagnostics.Some(m.Hosts, func(h MXHost) string { return h.Host.Raw() })
}

// SPF is a domain's SPF record. Authorizes is left out where that is unknown.
type SPF struct {
	Record     safetext.Remote   `json:"record"`
	Records    []safetext.Remote `json:"records,omitzero"` // where there are several
	Lookups    int               `json:"lookups"`
	Void       int               `json:"void"`
	Includes   []safetext.Remote `json:"includes"`
	Authorizes *bool             `json:"authorizes_provider,omitzero"`
	Broken     safetext.Remote   `json:"broken,omitzero"` // the domain of an include that gives permerror
	Weaknesses []spf.Weakness    `json:"weaknesses,omitzero"`
	TTLSeconds *int              `json:"ttl_seconds,omitzero"`
	Length     int               `json:"length,omitzero"`
	Tree       *SPFBranch        `json:"tree,omitzero"`
}

// SPFBranch is what one domain's record adds to an evaluation.
type SPFBranch struct {
	Children []SPFBranch     `json:"children,omitzero"`
	Domain   safetext.Remote `json:"domain"`
	Lookups  int             `json:"lookups"`
	Problem  spf.Reason      `json:"problem,omitzero"`
	Record   safetext.Remote `json:"record,omitzero"`
	Via      safetext.Remote `json:"via,omitzero"`
	Void     int             `json:"void"`
}

// SPFFault is a place in a record that is not valid.
type SPFFault struct {
	Fault  spf.FaultKind   `json:"fault"`
	Offset int             `json:"offset"`
	Token  safetext.Remote `json:"token"`
	Record safetext.Remote `json:"record,omitzero"`
}

// SPFChange is one difference between the record and the proposed one.
type SPFChange struct {
	Change spf.ChangeKind  `json:"change"`
	From   safetext.Remote `json:"from"`
	To     safetext.Remote `json:"to"` // empty for a term that is left out
}

// Label implements diagnostics.Labelled.
func (c SPFChange) Label() string { return "spf-change." + string(c.Change) }

// SPFProposal is what a proposed record would cost.
type SPFProposal struct {
	Record  safetext.Remote `json:"record"`
	Lookups int             `json:"lookups"`
	Void    int             `json:"void"`
	Within  bool            `json:"within_limits"`
}

// SPFCost is what one include costs.
type SPFCost struct {
	Term    safetext.Remote `json:"term"`
	Lookups int             `json:"lookups"`
	Void    int             `json:"void"`
}

// Misplaced is a record at a name where receivers do not look for it, such as the domain itself.
type Misplaced struct {
	Method string          `json:"-"` // spf, dkim or dmarc
	Name   safetext.Remote `json:"name"`
	Record safetext.Remote `json:"record"`
}

// DKIMKey is the key of a selector.
type DKIMKey struct {
	Selector   safetext.Remote   `json:"selector"`
	Name       safetext.Remote   `json:"name"`
	Origin     origin            `json:"origin"`
	CNAME      safetext.Remote   `json:"cname,omitzero"`
	Key        safetext.Remote   `json:"key"`
	Testing    bool              `json:"testing"`
	Revoked    bool              `json:"revoked"`
	Strict     bool              `json:"strict"`
	Usable     bool              `json:"usable"`
	Record     safetext.Remote   `json:"record"`
	Records    []safetext.Remote `json:"records,omitzero"` // where there are several
	TTLSeconds int               `json:"ttl_seconds"`
	Fault      dkim.FaultKind    `json:"fault,omitzero"`
	Offset     *int              `json:"offset,omitzero"`
	Token      *safetext.Remote  `json:"token,omitzero"`
}

// NoDKIMKey is a selector without a key.
type NoDKIMKey struct {
	Selector safetext.Remote `json:"selector"`
	Name     safetext.Remote `json:"name"`
	Origin   origin          `json:"origin"`
	CNAME    safetext.Remote `json:"cname,omitzero"`
	Record   safetext.Remote `json:"record"` // empty
}

// DKIMNames are the names that were asked for keys.
type DKIMNames struct {
	Asked []safetext.Remote `json:"asked"`
	// Below is false when no name at all exists below _domainkey.
	Below bool `json:"names_below_domainkey"`
}

// DMARC is the policy that applies to a domain.
type DMARC struct {
	Record         safetext.Remote   `json:"record"`
	Records        []safetext.Remote `json:"records,omitzero"` // where there are several
	Policy         dmarc.Policy      `json:"policy"`
	Applied        *dmarc.Policy     `json:"applied,omitzero"`
	Testing        *bool             `json:"testing,omitzero"`
	Aligned        dmarc.Alignment   `json:"aligned"`
	Domain         *safetext.Remote  `json:"domain,omitzero"`
	TTLSeconds     *int              `json:"ttl_seconds,omitzero"`
	Organizational safetext.Remote   `json:"organizational_domain"`
	Asked          []safetext.Remote `json:"asked"`
}

// DMARCFault is a tag that is not valid.
type DMARCFault struct {
	Fault  dmarc.FaultKind  `json:"fault"`
	Tag    safetext.Remote  `json:"tag"`
	Value  *safetext.Remote `json:"value,omitzero"`
	Offset int              `json:"offset"`
	Record safetext.Remote  `json:"record,omitzero"`
}

// DMARCReport is a mailbox that receives reports.
type DMARCReport struct {
	Mailbox    safetext.Remote `json:"mailbox"`
	External   bool            `json:"external"`
	Authorised bool            `json:"authorised"`
	Name       safetext.Remote `json:"name,omitzero"` // of the record that allows reports to another domain
}

// Record is a TXT record that is missing, doubled or of another version.
type Record struct {
	Of     string          `json:"-"` // the kind of record that was looked for
	Name   safetext.Remote `json:"name,omitzero"`
	Count  int             `json:"count,omitzero"`
	Record safetext.Remote `json:"record,omitzero"`
}

// MTASTS is a domain's policy for encryption between servers. Mode, MaxAge and MX come from its file.
type MTASTS struct {
	Record     safetext.Remote   `json:"record"`
	ID         safetext.Remote   `json:"id"`
	TTLSeconds int               `json:"ttl_seconds"`
	Mode       string            `json:"mode,omitzero"`
	MaxAge     *int              `json:"max_age,omitzero"`
	MX         []safetext.Remote `json:"mx,omitzero"`
}

// TLSRPT says where a domain wants reports about TLS.
type TLSRPT struct {
	Record     safetext.Remote `json:"record"`
	RUA        safetext.Remote `json:"rua"`
	TTLSeconds int             `json:"ttl_seconds"`
}

// BIMI is a domain's logo.
type BIMI struct {
	Record     safetext.Remote `json:"record"`
	Location   safetext.Remote `json:"location"`
	Authority  safetext.Remote `json:"authority"`
	Declined   bool            `json:"declined"`
	TTLSeconds int             `json:"ttl_seconds"`
}

// TLSA pins the certificate of one port.
type TLSA struct {
	Host     safetext.Remote `json:"host"`
	Port     int             `json:"port"`
	Usage    uint8           `json:"usage"`
	Selector uint8           `json:"selector"`
	Matching uint8           `json:"matching"`
	Data     safetext.Remote `json:"data"`
	DNSSEC   bool            `json:"dnssec"`
	Usable   bool            `json:"usable"`
	// Matches says whether the server shows that certificate; nil when it was not asked.
	Matches *bool `json:"matches"`
}

// NoTLSA says that nothing is pinned.
type NoTLSA struct {
	DNSSEC bool `json:"dnssec"`
}

// PTR is the reverse name of an address.
type PTR struct {
	IP        netip.Addr        `json:"ip"`
	Names     []safetext.Remote `json:"names"`
	Confirmed []safetext.Remote `json:"confirmed"` // names that lead back
	Generic   bool              `json:"generic"`   // a name that spells the address
}

// SRV is a server that mail programs find in DNS.
type SRV struct {
	Service  string          `json:"service"`
	Host     safetext.Remote `json:"host"`
	Port     uint16          `json:"port"`
	Priority uint16          `json:"priority"`
	Weight   uint16          `json:"weight"`
}

// NoSRV is a service that the domain says it does not offer (RFC 6186 §3.4).
type NoSRV struct {
	Service   string `json:"service"`
	Available bool   `json:"available"`
}

// Autoconfig is a host from which programs read settings.
type Autoconfig struct {
	Host safetext.Remote `json:"host"`
}

// The kinds of the contract: diagnostics.Observation.

func (Note) Kind() string        { return "note" }
func (Lookup) Kind() string      { return "lookup" }
func (MX) Kind() string          { return "mx" }
func (SPF) Kind() string         { return "spf" }
func (SPFFault) Kind() string    { return "spf-fault" }
func (SPFChange) Kind() string   { return "spf-change" }
func (SPFProposal) Kind() string { return "spf-proposal" }
func (SPFCost) Kind() string     { return "spf-branch" }
func (m Misplaced) Kind() string { return m.Method + "-elsewhere" }
func (DKIMKey) Kind() string     { return "dkim" }
func (NoDKIMKey) Kind() string   { return "dkim" }
func (DKIMNames) Kind() string   { return "dkim-names" }
func (DMARC) Kind() string       { return "dmarc" }
func (DMARCFault) Kind() string  { return "dmarc-fault" }
func (DMARCReport) Kind() string { return "dmarc-report" }
func (r Record) Kind() string    { return r.Of }
func (MTASTS) Kind() string      { return "mta-sts" }
func (TLSRPT) Kind() string      { return "tls-rpt" }
func (BIMI) Kind() string        { return "bimi" }
func (TLSA) Kind() string        { return "tlsa" }
func (NoTLSA) Kind() string      { return "tlsa" }
func (PTR) Kind() string         { return "ptr" }
func (SRV) Kind() string         { return "srv" }
func (NoSRV) Kind() string       { return "srv" }
func (Autoconfig) Kind() string  { return "autoconfig" }

// What fits in a row: diagnostics.Briefer.

func (s SPF) Brief() string { return s.Record.Raw() }

func (k DKIMKey) Brief() string   { return diagnostics.Joined(" · ", k.Selector.Raw(), k.Key.Raw()) }
func (k NoDKIMKey) Brief() string { return k.Selector.Raw() }
func (d DMARC) Brief() string     { return d.Record.Raw() }
