package wizard

import (
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/presets"
)

// Client identifies the program at an identity provider. It comes from the vendor file or from a flag; postier has no
// client of its own built in.
type Client struct{ ID, Tenant string }

// AnyProvider is the key of Options.Clients for a client that a flag named without a provider. It wins over the client
// of a named provider.
const AnyProvider = ""

// SignIn describes a sign-in by browser: at which identity provider and as which client it was made, and where its
// tokens are stored. It never holds a token.
type SignIn struct {
	Provider string `json:"provider"`
	Tenant   string `json:"tenant,omitempty"`
	ClientID string `json:"client_id"`
	// Account is the mailbox that the provider named; empty when it named none.
	Account string `json:"account,omitempty"`
	// Name is the name that the profile had when the sign-in began.
	Name string `json:"name"`
	// Pending is true until the profile is saved: a saved profile keeps its own sign-in until then.
	Pending bool `json:"pending,omitempty"`
}

// SignInPrompt is what the person has to do in a browser.
type SignInPrompt struct {
	Flow presets.OAuthFlow
	// URL is the page to open, Code what to type there (device flow).
	URL, Code string
	// QR is the text for a picture, empty where it would not fit a screen. Complete is true when it carries the code,
	// which the person has to compare then.
	QR       string
	Complete bool
	// Lasts is how long the prompt is valid.
	Lasts time.Duration
	// Redirect is the beginning of the address that has to be pasted (authorization code).
	Redirect string
}

// flowOf returns the provider's sign-in by browser; nil when it has none that any program may use.
func flowOf(p *presets.Provider) *presets.OAuth {
	if p == nil || p.OAuth == nil || p.OAuth.Flow == presets.FlowPartners {
		return nil
	}
	return p.OAuth
}

// identity returns the sign-in by browser of the draft's provider, or the one that an edited profile already uses.
func (s *State) identity() *presets.OAuth {
	if o := flowOf(s.preset()); o != nil {
		return o
	}
	kept := s.draft.Credential
	if kept.Kind != config.CredentialOAuth {
		return nil
	}
	for _, e := range s.opts.Book.All() {
		p, _ := s.opts.Book.Get(e.ID)
		if o := flowOf(p); o != nil && o.Provider == kept.Provider {
			return o
		}
	}
	return nil
}

// client returns the client to sign in with; its ID is empty when there is none. An edited profile keeps its own
// client, because its tokens were issued to that one.
func (s *State) client(o *presets.OAuth) Client {
	c := s.opts.Clients[o.Provider]
	if kept := s.draft.Credential; kept.Kind == config.CredentialOAuth && kept.Provider == o.Provider {
		c = Client{kept.ClientID, kept.Tenant}
	}
	given := s.opts.Clients[AnyProvider]
	if given.ID != "" {
		c.ID = given.ID
	}
	if given.Tenant != "" {
		c.Tenant = given.Tenant
	}
	return c
}

// browserSignIn returns the sign-in by browser and the client for it; ok is false where the person cannot sign in by
// browser.
func (s *State) browserSignIn() (o *presets.OAuth, c Client, ok bool) {
	o = s.identity()
	if o == nil || !s.ownServers() || !acceptsToken(&s.draft.Submission) || !acceptsToken(s.draft.IMAP) {
		return nil, Client{}, false
	}
	c = s.client(o)
	return o, c, c.ID != ""
}

// acceptsToken reports whether a token may be sent to a server: over TLS, and by a mechanism that is made for tokens.
func acceptsToken(server *config.Server) bool {
	if server == nil {
		return true
	}
	switch server.Auth {
	case config.MechanismAuto, config.MechanismXOAuth2, config.MechanismOAuthBearer, config.MechanismNone, "":
		return !server.Cleartext()
	}
	return false
}

// ownServers reports whether the draft's servers are the provider's own. A token opens the mailbox to whoever holds it,
// so it is sent to no other server (docs/security.md T5).
func (s *State) ownServers() bool {
	var hosts []string
	add := func(server *config.Server) {
		if server != nil && server.Host != "" {
			hosts = append(hosts, strings.ToLower(server.Host))
		}
	}
	if p := s.preset(); p != nil {
		smtp, imap := p.ServersWith(s.draft.Address, s.draft.Asked)
		for _, e := range slices.Concat(smtp, imap) {
			add(&e.Server)
		}
	}
	for _, c := range s.draft.Candidates {
		if c.Origin == originSaved && s.draft.Credential.Kind == config.CredentialOAuth {
			add(&c.Submission)
			add(c.IMAP)
		}
	}
	own := func(server *config.Server) bool {
		return server == nil || slices.Contains(hosts, strings.ToLower(server.Host))
	}
	return own(&s.draft.Submission) && own(s.draft.IMAP)
}

// passwordless reports whether no password can work at a provider.
func (s *State) passwordless(p *presets.Provider) bool {
	return p != nil && (p.PasswordAuth.Status == presets.PasswordOAuthOnly || s.passwordsEnded(p))
}

// byBrowser reports whether the draft signs in by browser.
func (s *State) byBrowser() bool { return s.draft.SecretType == config.SecretOAuth }

// chooseSignIn sets how to sign in at a provider that was just chosen: by browser where passwords do not work or soon
// will not, and where a client was named for this run. A password that was given beforehand wins where passwords work.
func (s *State) chooseSignIn() {
	p := s.preset()
	_, _, ok := s.browserSignIn()
	s.draft.SecretType = s.passwordType()
	if !ok || !s.passwordless(p) && !s.opts.Secret.Empty() {
		return
	}
	soon := p.PasswordAuth.Status == presets.PasswordRetiring || p.Credential.Type == config.SecretOAuth
	if s.passwordless(p) || soon || s.opts.Clients[AnyProvider].ID != "" {
		s.draft.SecretType = config.SecretOAuth
	}
}

// dropForeignSignIn gives up the sign-in by browser where the servers are no longer the provider's.
func (s *State) dropForeignSignIn() {
	if _, _, ok := s.browserSignIn(); s.byBrowser() && !ok {
		s.draft.SecretType = s.passwordType()
		s.dropSignIn()
	}
}

// passwordType returns which kind of password the draft's provider wants.
func (s *State) passwordType() config.SecretType {
	if p := s.preset(); p != nil && p.Credential.Type != "" && p.Credential.Type != config.SecretOAuth {
		return p.Credential.Type
	}
	return config.SecretPassword
}

// hasCredential reports whether the checks have a password or a token to sign in with.
func (s *State) hasCredential() bool {
	if s.byBrowser() {
		return s.signedIn
	}
	return !s.secret.Empty()
}

// signInKey identifies the settings that a sign-in is made for.
func (s *State) signInKey() string {
	o, c, ok := s.browserSignIn()
	if !ok {
		return ""
	}
	return strings.Join(append(s.secretServers(), s.draft.Address, o.Provider, c.ID, c.Tenant), "\n")
}

// signInWanted describes the sign-in that the draft needs.
func (s *State) signInWanted() SignIn {
	o, c, ok := s.browserSignIn()
	if !ok {
		return SignIn{}
	}
	w := SignIn{Provider: o.Provider, Tenant: c.Tenant, ClientID: c.ID, Name: s.profileName()}
	if s.draft.SignIn != nil {
		w.Name = s.draft.SignIn.Name
	}
	return w
}

// dropSignIn forgets a sign-in that was made for other settings, and asks for its tokens to be removed.
func (s *State) dropSignIn() {
	for _, kind := range signInKinds() {
		s.abandon(kind)
		delete(s.work, kind)
	}
	if old := s.draft.SignIn; old != nil {
		s.searched = true // a sign-in that was dropped must not be found again
		if old.Pending {
			s.requests = append(s.requests, Request{Kind: DoSignOut, Draft: s.Draft(), SignIn: *old})
		}
	}
	s.draft.SignIn, s.signedIn, s.signedFor = nil, false, ""
	s.prompt, s.promptRequest, s.approved = nil, 0, false
}

func signInKinds() []RequestKind { return []RequestKind{DoSignInFind, DoSignInBegin, DoSignIn} }

// useSignIn stores in the draft a sign-in that was found or made.
func (s *State) useSignIn(made SignIn) {
	s.draft.SignIn, s.signedIn, s.signedFor = &made, true, s.signInKey()
	s.prompt, s.promptRequest, s.approved = nil, 0, false
	s.secretGen++
}

// takeSignInOutcome puts the outcome of sign-in work into the state.
func (s *State) takeSignInOutcome(o Outcome) {
	current := s.work[o.Kind].key == s.key(o.Kind) && s.byBrowser()
	switch {
	case o.Kind == DoSignInFind:
		s.searched = true
		if o.SignIn != nil && current {
			s.useSignIn(*o.SignIn)
		}
	case o.SignIn != nil && current:
		s.useSignIn(*o.SignIn)
		if s.draft.Step == StepCredential {
			s.forward()
		} else {
			s.keepDraft()
		}
		s.notices = append(s.notices, Notice{LevelGood, s.accountWords()})
	case o.SignIn != nil: // it was made for settings that have changed since
		s.requests = append(s.requests, Request{Kind: DoSignOut, Draft: s.Draft(), SignIn: *o.SignIn})
	case o.Prompt != nil:
		s.prompt, s.promptRequest = o.Prompt, o.ID
		if o.Prompt.Flow == presets.FlowDevice {
			s.ask(DoSignIn, nil)
		}
	case o.Again:
		s.errors = map[FieldID]Words{FieldSecret: o.Err}
		delete(s.work, DoSignIn)
	case o.Approved:
		s.approved = true
	default:
		s.prompt, s.approved = nil, false
	}
}

// accountWords names the account that is signed in.
func (s *State) accountWords() Words {
	if s.draft.SignIn == nil || s.draft.SignIn.Account == "" {
		return Msg("oauth.prompt.done-unnamed")
	}
	return Msg("oauth.prompt.done", "account", Remote(s.draft.SignIn.Account).Remote)
}
