// Package discovery finds the provider of an address and the servers to use, from the presets and from what the domain
// publishes.
//
// All sources are asked at once and ranked by trust: the presets by domain and by MX, SRV records (RFC 6186, RFC 8314),
// autoconfig over HTTPS (draft-ietf-mailmaint-autoconfig), PACC (draft-ietf-mailmaint-pacc), Autodiscover where it
// answers without a sign-in, the second source of the presets, and finally a probe of usual names and ports.
//
// This package knows no secret and never sends the part of the address before the @ anywhere (docs/security.md T5).
// From what others publish it uses only host names, ports and words of a fixed list, so that none of their text can
// reach a screen.
package discovery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/wire"
	"postier/presets"
)

// Limit is when the search ends with what is known by then; people do not wait longer than that at a line that says
// "searching".
const Limit = 10 * time.Second

// Origin says where a candidate comes from, in the words of the JSON output.
type Origin string

// The origins.
const (
	OriginPreset     Origin = "preset"
	OriginMX         Origin = "mx"
	OriginSRV        Origin = "srv"
	OriginAutoconfig Origin = "autoconfig"
	OriginProbe      Origin = "probe"
)

// Source says more precisely where one setting comes from.
type Source string

// The sources of settings.
const (
	SourcePreset       Source = "preset"       // the project's own facts, or the caller's
	SourceISPDB        Source = "ispdb"        // the presets' second source
	SourceSRV          Source = "srv"          // an SRV record of the domain
	SourceAutoconfig   Source = "autoconfig"   // the domain's config-v1.1.xml
	SourcePACC         Source = "pacc"         // the domain's user-agent-configuration.json
	SourceAutodiscover Source = "autodiscover" // the domain's Autodiscover service
	SourceProbe        Source = "probe"        // a server answered under a usual name
)

// Reason says why the person must confirm a candidate before anything secret is typed (docs/security.md T5).
type Reason string

// The reasons.
const (
	OtherDomain Reason = "other-domain" // the servers are in a domain that neither the address nor a preset vouches for
	Redirected  Reason = "redirected"   // the domain's own server redirected to another domain for the settings
	Alias       Reason = "alias"        // a name of the domain is an alias for one elsewhere
	Guess       Reason = "guess"        // no one published it
	MXDerived   Reason = "mx-derived"   // the name is that of a server which receives mail
	Cleartext   Reason = "cleartext"    // no encrypted server is known
)

// Text is the reason in words.
func (r Reason) Text() locale.Text { return locale.Msg("discovery.confirm." + string(r)) }

// Server is one server of a candidate. Its Auth is auto.
type Server struct {
	config.Server
	// Mechanisms are those that the server is known to offer; empty if that is not known.
	Mechanisms []config.Mechanism
	Source     Source
	// Ask names the placeholders that only the person can fill, as in presets.Endpoint.
	Ask []string
	// Cleartext is true for a server without encryption: it must never be applied silently.
	Cleartext bool
}

// Candidate is one possible provider with its servers in the order to try.
type Candidate struct {
	// Provider is a preset's id, or custom.
	Provider string
	// Name is the preset's, or the domain that the servers are in.
	Name   string
	Origin Origin
	// Via is the host name that led to the candidate: the MX suffix, the SPF name, the host that served the file, the name
	// that answered.
	Via        string
	Confidence presets.Confidence
	// Checked is the day on which a preset was last reviewed, YYYY-MM-DD.
	Checked string
	// Confirm is empty if a plain yes is enough.
	Confirm    []Reason
	SMTP, IMAP []Server
	Credential config.SecretType
	SentCopy   config.SentMode
	Notes      []Note

	rank int
}

// Custom is the Provider of a candidate that is not a preset.
const Custom = "custom"

// Options change a search.
type Options struct {
	// Offline sends no request: only the presets by domain answer.
	Offline bool
	// Found is called with the candidates so far, best first, whenever another one becomes the best. It is called from one
	// goroutine, and never after Find has returned. Products that share an MX are reported together.
	Found func([]Candidate)
	// Now is the clock for dated facts; nil means time.Now.
	Now func() time.Time
}

// The reasons why a search can fail. Finding no candidate is not one of them.
var (
	ErrAddress     = errors.New("the address is malformed")
	ErrNoDomain    = errors.New("the address's domain does not exist")
	ErrUnreachable = errors.New("the name service does not answer")
)

// The ranks, best first. A match by MX ranks after the second source if that knows the domain itself.
const (
	rankDomain = iota * rankStep
	rankMX
	rankSRV
	rankAutoconfig
	rankPACC
	rankAutodiscover
	rankISPDBDomain
	rankMXBehindDomain // a preset by MX, if the second source knows the domain itself
	rankISPDBMX
	rankConfirm // published by the domain, but pointing to another one
	rankSPF
	rankProbe
)

// rankStep leaves room for the order within one source.
const rankStep = 100

// Find looks for the provider of an address, best candidate first. It ends within Limit, or as soon as no pending
// source could give a better answer. If ctx ends first, it returns what is known by then.
func Find(ctx context.Context, network *wire.Network, book *presets.Book, address string, o Options) ([]Candidate,
	error,
) {
	if text := config.ValidateAddress(address); !text.Empty() {
		return nil, ErrAddress
	}
	domain, ok := config.DomainASCII(config.AddressDomain(address))
	if !ok {
		return nil, ErrAddress
	}
	now := time.Now()
	if o.Now != nil {
		now = o.Now()
	}
	f := &finder{
		network: network, book: book, address: address, domain: strings.ToLower(domain), found: o.Found,
		today: now,
	}
	if match, ok := book.Domain(f.domain); ok {
		f.listed = match.Source == presets.SourceISPDB
		rank := rankDomain
		if f.listed {
			rank = rankISPDBDomain
		}
		if c, ok := f.preset(match, OriginPreset, rank); ok {
			f.take(c)
			f.tell()
		}
	}
	// With one of the project's own presets there is nothing left to ask.
	if o.Offline || network == nil || (len(f.candidates) > 0 && !f.listed) {
		return f.candidates, nil
	}
	return f.online(ctx)
}

// finder is one search. All fields except the candidates are fixed before the sources start; only the collecting
// goroutine uses the candidates.
type finder struct {
	network *wire.Network
	book    *presets.Book
	address string // as typed
	domain  string // A-labels, lower case
	today   time.Time
	found   func([]Candidate)
	listed  bool // the second source knows the domain

	candidates []Candidate
	reported   Candidate // the best one that was last reported
}

// take inserts a candidate by its rank.
func (f *finder) take(c Candidate) {
	same := func(k Candidate) bool { return k.Provider == c.Provider && sameServers(k.SMTP, c.SMTP) }
	if i := slices.IndexFunc(f.candidates, same); i >= 0 {
		if f.candidates[i].rank <= c.rank && len(f.candidates[i].IMAP) >= len(c.IMAP) {
			return
		}
		f.candidates = slices.Delete(f.candidates, i, i+1)
	}
	f.candidates = append(f.candidates, c)
	slices.SortStableFunc(f.candidates, func(a, b Candidate) int { return a.rank - b.rank })
}

// tell calls Found if another candidate has become the best one.
func (f *finder) tell() {
	if f.found == nil || len(f.candidates) == 0 {
		return
	}
	best := f.candidates[0]
	same := best.Provider == f.reported.Provider && best.rank == f.reported.rank &&
		sameServers(best.SMTP, f.reported.SMTP) &&
		len(best.IMAP) == len(f.reported.IMAP)
	if f.reported.Provider != "" && same {
		return
	}
	f.reported = best
	f.found(slices.Clone(f.candidates))
}

// sameServers compares where the first servers are: two sources that agree on it are one answer.
func sameServers(a, b []Server) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return a[0].Host == b[0].Host && a[0].Port == b[0].Port
}

// settled reports whether the first candidate needs no confirmation, and its rank.
func (f *finder) settled() (rank int, ok bool) {
	if len(f.candidates) == 0 {
		return 0, false
	}
	best := f.candidates[0]
	return best.rank, len(best.Confirm) == 0 && len(best.SMTP) > 0
}
