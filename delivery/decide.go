package delivery

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics/explain"
)

// Reason says why a profile was chosen, beyond the words of config.RouteReason.
type Reason string

// The reasons.
const (
	ReasonAddress  Reason = "address"
	ReasonDomain   Reason = "domain"
	ReasonDefault  Reason = "default"
	ReasonFallback Reason = "fallback"
	ReasonNamed    Reason = "named"    // --profile
	ReasonPlatform Reason = "platform" // --method platform (M-1)
	ReasonService  Reason = "service"  // the machine's service decides, by its own configuration
	ReasonNone     Reason = "none"
)

// Method is the sending method (M-1).
type Method string

// The methods. Own is the mailbox that the sender's address selects, platform the profile that the configuration names
// as fallback.
const (
	MethodOwn      Method = "own"
	MethodPlatform Method = "platform"
)

// Block says why a message is not sent.
type Block string

// The blocks.
const (
	BlockNone       Block = ""
	BlockNoProfile  Block = "no-profile"   // nothing matches and no default is switched on
	BlockOff        Block = "profile-off"  // the profile that was named is switched off (D-1)
	BlockUnknown    Block = "profile-none" // the profile that was named does not exist
	BlockKind       Block = "kind-off"     // the profile does not send messages of this kind (D-4)
	BlockRecipients Block = "recipients"   // no recipient is left
	BlockTooMany    Block = "too-many"     // more recipients than one message may have
)

// Request is what a caller wants to send, as far as the decision needs it.
type Request struct {
	// Author is the address of the From header; it selects the profile. Empty takes the default's.
	Author string `json:"author"`
	// Envelope is the sender that the caller asks for (-f); empty leaves it to the profile.
	Envelope   string   `json:"envelope,omitempty"`
	Recipients []string `json:"recipients"`
	Kind       string   `json:"kind,omitempty"`
	Profile    string   `json:"profile,omitempty"`
	Method     Method   `json:"method,omitempty"`
	// ForReal sends to the real recipients although test mode is on: the person was asked and said so (P-5).
	ForReal bool `json:"for_real,omitempty"`
	// Test sends to the test address although test mode is off.
	Test bool `json:"test,omitempty"`
}

// Facts are what a decision needs in addition to the configuration. The zero Facts know nothing.
type Facts struct {
	// Suppressed reports whether an address is on the suppression list, and why.
	Suppressed func(address string) (reason string, listed bool)
	// Room is what the limits of a profile leave at this moment.
	Room func(profile string, limits config.Limits) Room
	// Provider are the limits that a profile's provider is known to have.
	Provider func(profile *config.Profile) []ProviderLimit
}

// Suppressed is a recipient that is left out because of the suppression list.
type Suppressed struct {
	Address string `json:"address"`
	Reason  string `json:"reason,omitempty"`
}

// ProviderLimit is a limit of the provider, in addition to the profile's own (D-6).
type ProviderLimit struct {
	What  string `json:"what"`
	Value int    `json:"value"`
}

// Room is what the limits leave.
type Room struct {
	// Left is how many messages may still go in each window; a window without a limit is missing.
	Left map[string]int `json:"left,omitempty"`
	// Next is when the next message may go; zero means now.
	Next time.Time `json:"next,omitzero"`
	// By names the limit that Next waits for: hour, day, week or batch.
	By string `json:"by,omitempty"`
	// Refused is true when the provider itself said lately that its quota is used up.
	Refused bool `json:"refused,omitempty"`
}

// Free reports whether a message may go now.
func (r Room) Free() bool { return r.Next.IsZero() }

// Decision is what happens to a message, and why. It is what `send --dry-run --json` prints.
type Decision struct {
	Send    bool   `json:"send"`
	Block   Block  `json:"block,omitempty"`
	Profile string `json:"profile,omitempty"`
	Reason  Reason `json:"reason"`
	// Instead is the profile that would have sent, had it not been switched off by a failure or used up its quota (D-5).
	// InsteadFor is the cause.
	Instead     string       `json:"instead,omitempty"`
	InsteadFor  config.Cause `json:"instead_for,omitempty"`
	InsteadCode string       `json:"instead_code,omitempty"`
	Kind        string       `json:"kind,omitempty"`
	// From and ReplyTo are what the message must say when it goes through another profile than the author's own.
	From     *config.Address `json:"from,omitempty"`
	ReplyTo  string          `json:"reply_to,omitempty"`
	Envelope string          `json:"envelope,omitempty"`
	// Recipients get the message: the test address alone in test mode.
	Recipients []string        `json:"recipients"`
	BCC        []string        `json:"bcc,omitempty"`
	Suppressed []Suppressed    `json:"suppressed,omitempty"`
	TestMode   bool            `json:"test_mode"`
	Originals  []string        `json:"originals,omitempty"`
	Limits     config.Limits   `json:"limits,omitzero"`
	Room       Room            `json:"room,omitzero"`
	Provider   []ProviderLimit `json:"provider_limits,omitempty"`
	Insecure   bool            `json:"insecure,omitempty"`
	// Local says where mail to each local name goes.
	Local map[string][]string `json:"local,omitempty"`
}

// Decide says which profile sends a message, to whom, and whether it may go now (P-1, P-3, D-4, M-1, P-5, P-7, C-3,
// D-5).
func Decide(f *config.File, r Request, facts Facts) Decision {
	d := Decision{Kind: r.Kind, Recipients: []string{}}
	d.choose(f, r)
	d.avoidQuota(f, facts)
	if d.Block != BlockNone {
		return d
	}
	p := f.Profiles[d.Profile]
	owner, may := p, owns
	if instead := f.Profiles[d.Instead]; instead != nil {
		owner, may = instead, ownsAddress
	}
	r.Recipients, d.Local = resolveLocal(f.Aliases, r.Recipients, p.From.Address)
	if kindOff(owner, r.Kind) || kindOff(p, r.Kind) {
		d.Block = BlockKind
		return d
	}
	d.speakFor(owner, p, may, r)
	d.recipients(owner, r, facts)
	d.Limits, d.Insecure = p.Limits, p.Insecure
	if facts.Provider != nil {
		d.Provider = facts.Provider(p)
	}
	limits := facts.limits(p)
	if facts.Room != nil {
		d.Room = facts.Room(d.Profile, limits)
	}
	switch most := limits.RecipientsPerMessage; {
	case len(d.Recipients) == 0:
		d.Block = BlockRecipients
	case most > 0 && len(d.Recipients)+len(d.BCC) > most:
		d.Block = BlockTooMany
	}
	d.Send = d.Block == BlockNone
	return d
}

// kindOff reports whether a profile does not send messages of a kind (D-4).
func kindOff(p *config.Profile, kind string) bool {
	on, listed := p.Kinds[kind]
	return kind != "" && listed && !on
}

// limits are those that hold for a profile.
func (f Facts) limits(p *config.Profile) config.Limits {
	if f.Provider == nil {
		return p.Limits
	}
	return EffectiveLimits(p.Limits, f.Provider(p))
}

// choose sets the profile.
func (d *Decision) choose(f *config.File, r Request) {
	d.Reason = ReasonNone
	switch {
	case r.Profile != "":
		p := f.Profiles[r.Profile]
		if p == nil {
			d.Block = BlockUnknown
			return
		}
		d.Profile, d.Reason = r.Profile, ReasonNamed
		if !p.Enabled && !d.fallBack(f, p) {
			d.Block = BlockOff
		}
		return
	case r.Method == MethodPlatform:
		if p := f.Profiles[f.Fallback]; p == nil || !p.Enabled {
			d.Block = BlockNoProfile
			return
		}
		d.Profile, d.Reason = f.Fallback, ReasonPlatform
		return
	}
	// The profile that a failure switched off still says which messages are its own: those go on through the fallback and
	// not through whichever profile is the default (D-5).
	var reason config.RouteReason
	d.Profile, reason = config.Route(withoutFailures(f), r.Author)
	d.Reason = Reason(reason)
	if p := f.Profiles[d.Profile]; p != nil && !p.Enabled && d.fallBack(f, p) {
		return
	}
	d.Profile, reason = config.Route(f, r.Author)
	if d.Reason = Reason(reason); d.Profile == "" {
		d.Block = BlockNoProfile
	}
}

// fallBack chooses the fallback in place of a profile that a failure switched off, and reports whether it did.
func (d *Decision) fallBack(f *config.File, p *config.Profile) bool {
	name, _, ok := fallbackOf(f, d.Profile)
	if ok = ok && p.Disabled != nil; ok {
		d.goThrough(name, p.Disabled.Cause)
	}
	return ok
}

// goThrough gives the message to the fallback because of a failure of its own profile.
func (d *Decision) goThrough(fallback string, cause config.Cause) {
	d.Instead, d.InsteadFor, d.InsteadCode = d.Profile, cause, explain.Code(cause)
	d.Profile, d.Reason = fallback, ReasonFallback
}

// withoutFailures is the configuration as it would be had no failure switched a profile off.
func withoutFailures(f *config.File) *config.File {
	out := *f
	out.Profiles = make(map[string]*config.Profile, len(f.Profiles))
	for name, p := range f.Profiles {
		copied := *p
		copied.Enabled = p.Enabled || p.Disabled != nil
		out.Profiles[name] = &copied
	}
	return &out
}

// speakFor sets envelope sender, author and reply address of a message of owner that goes through p. Where p does not
// send for the author, the server would refuse the message, or it would fail DMARC: the message gets the profile's own
// address, keeps the author's name, and replies go to the author (D-5).
func (d *Decision) speakFor(owner, p *config.Profile, may func(*config.Profile, string) bool, r Request) {
	d.Envelope = p.From.Address
	if r.Envelope != "" && may(p, r.Envelope) {
		d.Envelope = r.Envelope
	}
	if author := cmp.Or(r.Author, owner.From.Address); !may(p, author) {
		d.From = &config.Address{Name: cmp.Or(owner.From.Name, p.From.Name), Address: p.From.Address}
		d.ReplyTo = author
	}
	d.ReplyTo = cmp.Or(owner.ReplyTo, d.ReplyTo)
}

// owns reports whether a profile sends for an address by its own address or its senders.
func owns(p *config.Profile, address string) bool {
	return ownsAddress(p, address) || routeTo(p, address) == config.RouteDomain
}

// ownsAddress is owns for a fallback: its domain among the senders routes new addresses to it, but does not mean that
// its server lets it send as someone else's mailbox in that domain.
func ownsAddress(p *config.Profile, address string) bool {
	return routeTo(p, address) == config.RouteAddress
}

// routeTo is why an address would be routed to a profile if there were no other.
func routeTo(p *config.Profile, address string) config.RouteReason {
	alone := &config.File{Profiles: map[string]*config.Profile{"p": {Enabled: true, From: p.From, Senders: p.Senders}}}
	_, reason := config.Route(alone, address)
	return reason
}

// recipients decides who gets the message, by the rules of the profile whose message it is, whichever sends it: test
// mode (P-5) and blind copies (C-3) hold for the fallback as well.
func (d *Decision) recipients(p *config.Profile, r Request, facts Facts) {
	real := slices.DeleteFunc(unique(r.Recipients), func(address string) bool {
		if facts.Suppressed == nil {
			return false
		}
		reason, listed := facts.Suppressed(address)
		if listed {
			d.Suppressed = append(d.Suppressed, Suppressed{address, reason})
		}
		return listed
	})
	d.TestMode = r.Test || p.TestMode.Enabled && !r.ForReal
	switch {
	case len(real) == 0:
	case d.TestMode:
		d.Originals = real
		d.Recipients = []string{cmp.Or(p.TestMode.Address, p.From.Address)} // without a test address: to oneself
	default:
		d.Recipients = real
		for _, address := range unique(p.BCC) {
			if !contains(real, address) {
				d.BCC = append(d.BCC, address)
			}
		}
	}
}

// All are the envelope recipients of a decision: those of the message and the blind copies.
func (d Decision) All() []string { return append(slices.Clone(d.Recipients), d.BCC...) }

// EffectiveLimits are the own limits, and where there is none the provider's (D-6).
func EffectiveLimits(own config.Limits, provider []ProviderLimit) config.Limits {
	fields := map[string]*int{
		"messages_per_hour": &own.PerHour, "messages_per_day": &own.PerDay, "messages_per_week": &own.PerWeek,
		"recipients_per_message": &own.RecipientsPerMessage,
	}
	for _, l := range provider {
		if field := fields[l.What]; field != nil && *field == 0 {
			*field = l.Value
		}
	}
	return own
}

// key is an address for comparing: domain in A-labels, no difference of case.
func key(address string) string {
	return strings.ToLower(config.AddressASCIIDomain(strings.TrimSpace(address)))
}

func unique(list []string) []string {
	var out []string
	for _, address := range list {
		if !contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

func contains(list []string, address string) bool {
	return slices.ContainsFunc(list, func(other string) bool { return key(other) == key(address) })
}
