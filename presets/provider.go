package presets

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// Kind says what a provider offers.
type Kind string

// The kinds of provider.
const (
	KindMailbox       Kind = "mailbox"       // a mailbox with its own submission server
	KindTransactional Kind = "transactional" // sends only, made for volume and follow-up
	KindRelay         Kind = "relay"         // a server of one's own or of the company
)

// Source says where a provider's facts come from, which is also how far they are trusted.
type Source string

// The sources.
const (
	SourceFlagship Source = "flagship" // data/flagships: this project's own facts
	SourceISPDB    Source = "ispdb"    // data/ispdb: Mozilla's and Delta Chat's data
	SourceVendor   Source = "vendor"   // given by the caller: the demo, or a vendor's file
)

// Text is one sentence for people, by language. It may hold {product}: the calling program.
type Text map[locale.Lang]string

// In returns the sentence in a language; see locale.Choose for languages that the data does not hold.
func (t Text) In(lang locale.Lang) string { return locale.Choose(t, lang) }

// Empty reports whether there is nothing to say.
func (t Text) Empty() bool { return len(t) == 0 }

// Provider is one provider as its file describes it. A Provider from a Book is shared: callers must not change it.
type Provider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Names is the name where it holds words to translate.
	Names Text `json:"names,omitzero"`
	Kind  Kind `json:"kind"`
	// Countries are ISO 3166 codes in capitals, EU, or world.
	Countries []string `json:"countries"`
	// Domains are the address domains that only this provider has, as lower-case A-labels.
	Domains []string `json:"domains"`
	// MXSuffixes are ends of MX host names, on label boundaries. Several providers may share one: then only the person
	// knows which product it is.
	MXSuffixes []string `json:"mx_suffixes"`
	// MXRank orders providers that share a suffix: the more common product has the lower rank.
	MXRank int `json:"mx_rank,omitempty"`

	// SMTP and IMAP are the servers in the order in which they should be tried.
	SMTP []Server `json:"smtp"`
	IMAP []Server `json:"imap"`
	// Ask describes the values that the placeholders of hosts and user names stand for.
	Ask []Ask `json:"ask,omitempty"`
	// Auth are the mechanisms that the provider is known to offer.
	Auth     []config.Mechanism `json:"auth"`
	UserRule UserRule           `json:"username"`

	Credential       Credential `json:"credential"`
	NeedsAppPassword Need       `json:"needs_app_password"`
	PasswordAuth     Password   `json:"password_auth_status"`
	OAuth            *OAuth     `json:"oauth,omitempty"`
	EnableFirst      *Enable    `json:"enable_first,omitempty"`
	// AppPasswordSteps lead to the app password or key, one instruction a step.
	AppPasswordSteps StepList `json:"app_password_steps,omitzero"`
	AppPasswordURL   string   `json:"app_password_url,omitempty"`
	Shape            *Shape   `json:"app_password_shape,omitempty"`
	// WithoutTwoStep says what holds for an account without two-step verification.
	WithoutTwoStep Text `json:"without_two_step,omitzero"`
	// Alert is the security alert that the person will get and should expect.
	Alert Text `json:"security_alert,omitzero"`
	// Unblock is what to do when the provider blocks the account after a sign-in.
	Unblock StepList `json:"unblock,omitzero"`
	// Lockout is how long the provider is known to refuse an account after several wrong sign-ins; nil when that is not
	// known.
	Lockout *Lockout `json:"lockout,omitempty"`
	// WayOut says what to do instead where a mail program can never sign in.
	WayOut Text `json:"way_out,omitzero"`
	// Plans are those with which no program can send, or not enough.
	Plans *Plans `json:"plans,omitempty"`
	// Dated are facts that start to hold on a given day; see Warnings.
	Dated []Dated `json:"dated,omitempty"`

	SentCopy SentCopy `json:"sent_copy"`
	// SentFolders are folder names in the order to try; \Sent stands for the special-use attribute (RFC 6154).
	SentFolders []string `json:"sent_folders"`
	FromRule    FromRule `json:"from_rule,omitempty"`
	SPF         SPF      `json:"spf"`
	DKIM        DKIM     `json:"dkim_selectors"`
	Limits      []Limit  `json:"limits"`
	KnownErrors []Known  `json:"known_errors"`
	// Traps are surprises that every person should know about; Notes are for those who want details.
	Traps []Text `json:"traps"`
	Notes []Text `json:"notes"`

	DocsURL string `json:"docs_url,omitempty"`
	// Trust says how well each part is known, by the name of its key in this file.
	Trust map[string]Trust `json:"confidence"`
	// Checked is the day on which the facts were last reviewed, YYYY-MM-DD.
	Checked string `json:"checked"`
	// Sources are keys of data/sources.json.
	Sources []string `json:"sources"`

	// SameAs is set in the second source only: the flagship that this provider is. Its domains then lead there.
	SameAs string `json:"same_as,omitempty"`

	source Source
}

// NameIn is the name as a person who speaks the language reads it.
func (p *Provider) NameIn(lang locale.Lang) string {
	if p.Names.Empty() {
		return p.Name
	}
	return p.Names.In(lang)
}

// Source is where the facts come from.
func (p *Provider) Source() Source {
	if p.source == "" {
		return SourceVendor
	}
	return p.source
}

// Server is one server of a provider. Host may hold placeholders: {domain} is the address's domain, every other one is
// described in Ask.
type Server struct {
	Host     string          `json:"host"`
	Port     int             `json:"port"`
	Security config.Security `json:"security"`
	// Auth and Username override the provider's own where a server differs.
	Auth     []config.Mechanism `json:"auth,omitempty"`
	Username string             `json:"username,omitempty"`
	// Restriction is client-ip when the server serves only the provider's own lines.
	Restriction string `json:"restriction,omitempty"`
}

// Ask is a value that only the person can give.
type Ask struct {
	Name  string `json:"name"`
	Label Text   `json:"label"`
	// Help says where the value stands.
	Help Text `json:"help,omitzero"`
	// Digits is true when the value is a number.
	Digits bool `json:"digits,omitempty"`
	// Default is used until the person says otherwise; without one the value must be asked for.
	Default string   `json:"default,omitempty"`
	Choices []string `json:"choices,omitempty"`
	// Secret is true when the value must not be shown, such as an API key that serves as user name.
	Secret bool `json:"secret,omitempty"`
}

// UserRule is how the user name comes from the address: {address}, {local}, {domain}, or a placeholder of Ask.
// An empty rule means that no user name is needed.
type UserRule struct {
	Rule string `json:"rule"`
	// ByDomain holds the rules for address domains that differ from Rule.
	ByDomain map[string]string `json:"by_domain,omitempty"`
	// IMAPRule is set where IMAP wants another user name than submission.
	IMAPRule string `json:"imap_rule,omitempty"`
	Note     Text   `json:"note"`
}

// Credential is what the person types as password.
type Credential struct {
	Type config.SecretType `json:"type"`
	// Label is the provider's own word for it, empty for a plain password.
	Label Text `json:"label,omitzero"`
	// Prefix starts every right one, WrongPrefix a key of another kind that people paste by mistake.
	Prefix      string `json:"prefix,omitempty"`
	WrongPrefix string `json:"wrong_prefix,omitempty"`
}

// Need answers "is it needed?".
type Need string

// The answers.
const (
	NeedYes     Need = "yes"
	NeedNo      Need = "no"
	NeedTwoStep Need = "two-step" // only once two-step verification is on
	NeedMaybe   Need = "maybe"    // reported, not confirmed, or only for some
)

// PasswordStatus says whether a password opens SMTP at this provider.
type PasswordStatus string

// The states of signing in with a password.
const (
	PasswordAllowed     PasswordStatus = "allowed"      // the mailbox password works
	PasswordApp         PasswordStatus = "app-password" // an app password works, the account password does not
	PasswordAppAdvised  PasswordStatus = "app-password-advised"
	PasswordDisputed    PasswordStatus = "disputed"    // reports differ whether an app password still works
	PasswordSeparate    PasswordStatus = "separate"    // a password of its own for mail programs, set at the provider
	PasswordKey         PasswordStatus = "key"         // an API key, SMTP key or token
	PasswordRetiring    PasswordStatus = "retiring"    // works now, and there is a date when it will not
	PasswordOAuthOnly   PasswordStatus = "oauth-only"  // no password of any kind works
	PasswordImpossible  PasswordStatus = "impossible"  // no SMTP for programs at all
	PasswordOwnersRules PasswordStatus = "owners-rule" // whoever runs the server decides
)

// Password is the state of signing in with a password, and since when.
type Password struct {
	Status PasswordStatus `json:"status"`
	// Date is the day of the last change, YYYY, YYYY-MM or YYYY-MM-DD, or empty.
	Date  string `json:"date,omitempty"`
	Fact  Text   `json:"fact"`
	Trust Level  `json:"confidence"`
	// Sources are keys of data/sources.json.
	Sources []string `json:"sources"`
}

// OAuthFlow is the flow that a program may use.
type OAuthFlow string

// The flows.
const (
	FlowDevice   OAuthFlow = "device-code"        // RFC 8628
	FlowCode     OAuthFlow = "authorization-code" // RFC 6749 §4.1 with PKCE (RFC 7636)
	FlowPartners OAuthFlow = "partners-only"      // mail scopes are given to approved programs only
)

// OAuth is the provider's sign-in in the browser.
type OAuth struct {
	Provider  string             `json:"provider"`
	Flow      OAuthFlow          `json:"flow"`
	AuthURL   string             `json:"auth_url"`
	TokenURL  string             `json:"token_url"`
	DeviceURL string             `json:"device_url,omitempty"`
	Scopes    []string           `json:"scopes"`
	SASL      []config.Mechanism `json:"sasl"`
	Note      Text               `json:"note,omitzero"`
	Trust     Level              `json:"confidence"`
	Sources   []string           `json:"sources"`
}

// Enable is something that must be switched on before a mail program may sign in.
type Enable struct {
	Needed  Need     `json:"needed"`
	Fact    Text     `json:"fact"`
	URL     string   `json:"url,omitempty"`
	Trust   Level    `json:"confidence"`
	Sources []string `json:"sources,omitempty"`
}

// Plans says which plans leave programs out. Which plan a person has is not known; what to do instead is the same
// everywhere.
type Plans struct {
	Fact    Text     `json:"fact"`
	Trust   Level    `json:"confidence"`
	Sources []string `json:"sources"`
}

// Lockout is a range of minutes.
type Lockout struct {
	FromMinutes int      `json:"from_minutes"`
	ToMinutes   int      `json:"to_minutes"`
	Trust       Level    `json:"confidence"`
	Sources     []string `json:"sources"`
}

// StepList is the guide, in each language the same number of steps.
type StepList map[locale.Lang][]string

// In returns the steps in a language, {product} not yet filled.
func (s StepList) In(lang locale.Lang) []string {
	var out []string
	for _, step := range s.Steps() {
		out = append(out, step.In(lang))
	}
	return out
}

// Steps returns the steps one by one, each in every language of the list.
func (s StepList) Steps() []Text {
	out := make([]Text, len(s[locale.English]))
	for i := range out {
		out[i] = Text{}
		for lang, steps := range s {
			if i < len(steps) {
				out[i][lang] = steps[i]
			}
		}
	}
	return out
}

// SentCopy says who files the copy of what was sent.
type SentCopy struct {
	Mode  config.SentMode `json:"mode"`
	Note  Text            `json:"note,omitzero"`
	Trust Level           `json:"confidence"`
}

// FromRule says which From addresses the provider takes.
type FromRule string

// The rules; empty means that nothing is known beyond the address itself.
const (
	FromVerified  FromRule = "verified"   // a verified sender or domain
	FromOwnDomain FromRule = "own-domain" // any address of the account's domains
	FromOwner     FromRule = "owner"      // the signed-in address, or as the account's owner set it
	FromRelay     FromRule = "relay"      // as the relay's owner allows
)

// SPF is what the sender's domain publishes so that this provider may send for it (RFC 7208).
type SPF struct {
	Include  []string `json:"include"`
	Redirect string   `json:"redirect,omitempty"`
	Note     Text     `json:"note,omitzero"`
	Trust    Level    `json:"confidence"`
}

// DKIM are the selectors that the provider uses. A name in braces is a pattern whose value differs by customer.
type DKIM struct {
	Selectors []string `json:"selectors"`
	Note      Text     `json:"note,omitzero"`
	Trust     Level    `json:"confidence"`
}

// Known are the selectors that can be asked for as they stand, patterns left out.
func (d DKIM) Known() []string {
	var out []string
	for _, s := range d.Selectors {
		if !strings.Contains(s, "{") {
			out = append(out, s)
		}
	}
	return out
}

// Limit is one limit on sending. What names unit and period, such as messages_per_day or recipients_per_message.
type Limit struct {
	What  string `json:"what"`
	Value int    `json:"value"`
	// Plan is whom it holds for; empty means everyone.
	Plan    Text     `json:"plan,omitzero"`
	Trust   Level    `json:"confidence"`
	Sources []string `json:"sources"`
}

// Known is a reply that this provider is known to give, and its cause.
type Known struct {
	// Code is the reply code with its enhanced code, IMAP NO, or tls and dial for faults before any reply.
	Code string `json:"code"`
	// Match is a part of the reply's text; alternatives are parted by " / ".
	Match   string   `json:"match"`
	Cause   Text     `json:"cause"`
	Trust   Level    `json:"confidence"`
	Sources []string `json:"sources"`
}
