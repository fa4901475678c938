package diagnostics

import (
	"net/netip"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Addresses are the addresses of a host. SMTP lists the families apart, IMAP together.
type Addresses struct {
	Host safetext.Remote `json:"host"`
	All  []netip.Addr    `json:"addresses,omitzero"`
	IPv4 []netip.Addr    `json:"ipv4,omitzero"`
	IPv6 []netip.Addr    `json:"ipv6,omitzero"`
}

// Brief implements Briefer.
func (a Addresses) Brief() string {
	return Some(slices.Concat(a.All, a.IPv6, a.IPv4), netip.Addr.String)
}

// Connection is one attempt to connect. Security is used by SMTP only.
type Connection struct {
	Attempt  wire.Attempt
	Security config.Security
	// IMAP selects the field names of the JSON: the two areas had published different ones before they shared this type.
	IMAP bool
}

// Kind implements Observation.
func (c Connection) Kind() string {
	if c.IMAP {
		return "connect"
	}
	return "connection"
}

// Connected reports whether the attempt succeeded.
func (c Connection) Connected() bool { return c.Attempt.Err == nil }

// Said implements Spoken. Only SMTP's evidence quotes the error.
func (c Connection) Said() safetext.Remote {
	if c.Connected() || c.IMAP {
		return safetext.Remote{}
	}
	return wire.Classify(c.Attempt.Err).Text
}

// Brief implements Briefer.
func (c Connection) Brief() string {
	if c.Connected() {
		return c.Attempt.Address.String()
	}
	return ""
}

func (c Connection) shape() any {
	var fault wire.Kind
	if !c.Connected() {
		fault = wire.Classify(c.Attempt.Err).Kind
	}
	address, took, six := c.Attempt.Address.String(), c.Attempt.Took.Milliseconds(), c.Attempt.IPv6()
	if c.IMAP {
		return struct {
			Address   string    `json:"address"`
			Connected bool      `json:"connected"`
			Fault     wire.Kind `json:"fault,omitzero"`
			IPv6      bool      `json:"ipv6"`
			TookMS    int64     `json:"took_ms"`
		}{address, c.Connected(), fault, six, took}
	}
	family, outcome := "ipv4", "connected"
	if six {
		family = "ipv6"
	}
	if !c.Connected() {
		outcome = string(fault)
	}
	return struct {
		Address  string          `json:"address"`
		Family   string          `json:"family"`
		Outcome  string          `json:"outcome"`
		Security config.Security `json:"security"`
		TookMS   int64           `json:"took_ms"`
	}{address, family, outcome, c.Security, took}
}

// Banner is a server's greeting.
type Banner struct {
	Text     safetext.Remote `json:"-"`
	Lines    int             `json:"lines"`
	WaitedMS int64           `json:"waited_ms"`
}

// TLS is an established encryption. IMAP leaves Mode out.
type TLS struct {
	Version string          `json:"version"`
	Cipher  string          `json:"cipher"`
	Mode    config.Security `json:"mode,omitzero"`
	TookMS  int64           `json:"took_ms"`
}

// Cleartext is the lack of encryption.
type Cleartext struct {
	Version string `json:"version"`
}

// NoTLS says that there is no encryption.
func NoTLS() Cleartext { return Cleartext{Version: "none"} }

// Certificate is a chain as the server presented it.
type Certificate struct {
	Subject    safetext.Remote   `json:"subject"`
	Issuer     safetext.Remote   `json:"issuer"`
	Names      []safetext.Remote `json:"names"`
	MoreNames  int               `json:"more_names"`
	Chain      []safetext.Remote `json:"chain"`
	NotBefore  string            `json:"not_before"` // RFC 3339, UTC
	NotAfter   string            `json:"not_after"`
	Key        string            `json:"key"`
	Signature  string            `json:"signature"`
	SHA256SPKI string            `json:"sha256_spki"`
	Verified   bool              `json:"verified"`
	Pinned     bool              `json:"pinned"`
}

// Brief implements Briefer.
func (c Certificate) Brief() string {
	until, _, _ := strings.Cut(c.NotAfter, "T")
	return Joined(" · ", Some(c.Names, safetext.Remote.Raw), until)
}

// Reply is what a server said. Fault says what makes the text an invalid reply.
type Reply struct {
	Text  safetext.Remote `json:"-"`
	Fault string          `json:"fault,omitzero"`
}

// Failure is an error on this side of the connection.
type Failure struct {
	Text   safetext.Remote  `json:"-"`
	Class  wire.Kind        `json:"class,omitzero"`
	Detail safetext.Remote  `json:"detail,omitzero"`
	Faults []wire.CertFault `json:"faults,omitzero"` // of a certificate
}

// Protocol is what a server did that its protocol does not allow.
type Protocol struct {
	Text safetext.Remote `json:"-"`
}

// Extensions are what an SMTP server offers (RFC 5321 §4.1.1.1).
type Extensions struct {
	Domain safetext.Remote `json:"domain"`
	Helo   string          `json:"helo"`
	List   []Extension     `json:"list"`
	Size   int64           `json:"size"`
}

// Extension is one such keyword with its parameters.
type Extension struct {
	Keyword safetext.Remote `json:"keyword"`
	Params  safetext.Remote `json:"params"`
}

// Mechanisms are the ways to sign in that an SMTP server offers, in its own words and order.
type Mechanisms struct {
	BeforeTLS []safetext.Remote `json:"before_tls"`
	AfterTLS  []safetext.Remote `json:"after_tls"`
	Chosen    string            `json:"chosen"`
}

// Brief implements Briefer.
func (m Mechanisms) Brief() string {
	var names []string
	for _, name := range m.AfterTLS {
		names = append(names, name.Raw())
	}
	return strings.Join(names, ", ")
}

// SignIn is an attempted sign-in, successful or not. IMAP leaves Secret out and SMTP leaves Offered out.
type SignIn struct {
	Mechanism string             `json:"mechanism"`
	Username  safetext.Remote    `json:"username"`
	Offered   []safetext.Remote  `json:"offered,omitzero"`
	Secret    *config.SecretType `json:"secret,omitzero"`
	// Weak is set when a SCRAM server's iteration count is low.
	Weak bool `json:"weak_iterations,omitzero"`
}

// Sender is the address that MAIL named.
type Sender struct {
	Text safetext.Remote `json:"-"`
}

// Recipient is an address that RCPT named.
type Recipient struct {
	Text     safetext.Remote `json:"-"`
	Accepted bool            `json:"accepted"`
}

// Folders are the folders of a mailbox.
type Folders struct {
	Count      int               `json:"count"`
	Prefix     safetext.Remote   `json:"prefix"`
	Separator  safetext.Remote   `json:"separator"`
	SpecialUse bool              `json:"special_use"`
	Candidates []safetext.Remote `json:"candidates"`
	Names      []safetext.Remote `json:"names"`
}

// Folder is the folder for sent mail.
type Folder struct {
	Name       safetext.Remote `json:"name"`
	FoundBy    string          `json:"found_by"`
	SpecialUse safetext.Remote `json:"special_use"`
	Created    bool            `json:"created"`
}

// The kinds of the contract: Observation.

func (Addresses) Kind() string   { return "addresses" }
func (Banner) Kind() string      { return "banner" }
func (TLS) Kind() string         { return "tls" }
func (Cleartext) Kind() string   { return "tls" }
func (Certificate) Kind() string { return "certificate" }
func (Reply) Kind() string       { return "reply" }
func (Failure) Kind() string     { return "error" }
func (Protocol) Kind() string    { return "protocol" }
func (Extensions) Kind() string  { return "extensions" }
func (Mechanisms) Kind() string  { return "mechanisms" }
func (SignIn) Kind() string      { return "auth" }
func (Sender) Kind() string      { return "sender" }
func (Recipient) Kind() string   { return "recipient" }
func (Folders) Kind() string     { return "folders" }
func (Folder) Kind() string      { return "folder" }

// What is quoted: Spoken.

func (b Banner) Said() safetext.Remote    { return b.Text }
func (r Reply) Said() safetext.Remote     { return r.Text }
func (f Failure) Said() safetext.Remote   { return f.Text }
func (p Protocol) Said() safetext.Remote  { return p.Text }
func (s Sender) Said() safetext.Remote    { return s.Text }
func (r Recipient) Said() safetext.Remote { return r.Text }

// What fits in a row: Briefer.

func (t TLS) Brief() string        { return Joined(" · ", t.Version, t.Cipher) }
func (c Cleartext) Brief() string  { return c.Version }
func (e Extensions) Brief() string { return e.Domain.Raw() }
func (s SignIn) Brief() string     { return Joined(", ", s.Mechanism, s.Username.Raw()) }
func (f Folder) Brief() string     { return f.Name.Raw() }
