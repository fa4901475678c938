package rehearsal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/presets"
)

// The names of the provider's sign-in by browser (Options.OAuth).
const (
	// LoginHost is where its pages and endpoints are, on port 443.
	LoginHost = "login.poste-demo.example"
	// OAuthName is the identity provider's name, as in credential.provider.
	OAuthName = "poste-demo"
	// OAuthClient is the only client id that it knows.
	OAuthClient = "postier-demo-client"
	// Colleague is the account that is signed in by mistake in the fault oauth-wrong-account.
	Colleague = "paul@atelier-demo.example"

	portHTTPS = 443
	loginURL  = "https://" + LoginHost
)

// scopesOAuth are the scopes that its mail servers require.
var scopesOAuth = []string{"mail:send", "mail:read", "offline_access", "openid", "email"}

const (
	// defaultApproval is how long the rehearsed person takes to approve: long enough to read the screen.
	defaultApproval = 6 * time.Second
	// defaultTokenLife is the usual hour.
	defaultTokenLife = time.Hour
	// deviceLife is short enough to see the countdown move; RFC 8628 §3.2.
	deviceLife = 5 * time.Minute
	// pollSeconds is shorter than at most providers, so that a rehearsal does not wait.
	pollSeconds = 1
	codeLife    = time.Minute
)

// oauthBehaviour is how the sign-in by browser fails.
type oauthBehaviour int

const (
	oauthGood oauthBehaviour = iota
	oauthDeclined
	oauthExpired
	oauthSlowDown
	oauthServerError
	oauthWrongAccount
)

// oauthFault describes a fault of the browser sign-in. It shows before any check of the mail servers.
func oauthFault(name string, cause check.Cause, how oauthBehaviour) Fault {
	return Fault{
		Name: name, Cause: cause, SignIn: true, Text: locale.Msg("demo.fault." + name),
		apply: func(q *behaviour) { q.oauth = how },
	}
}

var oauthFaults = []Fault{
	oauthFault("oauth-declined", check.CauseOAuthDenied, oauthDeclined),
	oauthFault("oauth-expired", check.CauseOAuthTimeout, oauthExpired),
	oauthFault("oauth-slow-down", "", oauthSlowDown),
	oauthFault("oauth-server-error", "", oauthServerError),
	oauthFault("oauth-wrong-account", check.CauseOAuthScopeMissing, oauthWrongAccount),
}

// consent is what the person decided.
type consent int

const (
	undecided consent = iota
	agreed
	declined
)

// permission is one sign-in, from the first request to the tokens.
type permission struct {
	account  string
	consent  consent
	userCode string
	begun    time.Time
	expires  time.Time
	polls    int

	redirect, challenge, nonce string // authorization code
	wantsID                    bool

	refresh string // the refresh token that is valid now; empty once the sign-in has ended
}

// authServer is the provider's authorization server: device flow (RFC 8628), authorization code with PKCE (RFC 7636),
// renewal with rotation, and introspection of tokens for its mail servers.
type authServer struct {
	provider *Provider
	key      []byte

	mu      sync.Mutex
	devices map[string]*permission // by device code
	codes   map[string]*permission // by authorization code
	renewal map[string]*permission // by every refresh token ever given
	access  map[string]tokenOf
}

type tokenOf struct {
	account string
	expires time.Time
}

func (p *Provider) newAuthServer() *authServer {
	return &authServer{
		provider: p, key: []byte(rand.Text()),
		devices: map[string]*permission{}, codes: map[string]*permission{}, renewal: map[string]*permission{},
		access: map[string]tokenOf{},
	}
}

// service returns the server with its port.
func (a *authServer) service() service {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /devicecode", a.deviceCode)
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("GET /device", a.devicePage)
	mux.HandleFunc("POST /device", a.deviceAnswer)
	mux.HandleFunc("GET /authorize", a.authorizePage)
	mux.HandleFunc("POST /authorize", a.authorizeAnswer)
	return service{port: portHTTPS, implicit: true, server: &http.Server{
		Handler: http.MaxBytesHandler(mux, maxForm), ReadTimeout: patience, WriteTimeout: patience,
		ReadHeaderTimeout: patience,
		ErrorLog:          log.New(io.Discard, "", 0),
	}}
}

// maxForm in octets of a request.
const maxForm = 32 << 10

// describe makes the browser sign-in the only one in the provider's preset.
func (a *authServer) describe(preset *presets.Provider) {
	sasl := []config.Mechanism{config.MechanismXOAuth2, config.MechanismOAuthBearer}
	preset.Credential.Type = config.SecretOAuth
	preset.Auth = sasl
	preset.AppPasswordSteps, preset.Shape = nil, nil // there is no app password to create
	preset.PasswordAuth.Status = presets.PasswordOAuthOnly
	preset.OAuth = &presets.OAuth{
		Provider: OAuthName, Flow: presets.FlowDevice, Scopes: scopesOAuth, SASL: sasl, Trust: preset.PasswordAuth.Trust,
		AuthURL: loginURL + "/authorize", TokenURL: loginURL + "/token", DeviceURL: loginURL + "/devicecode",
	}
}

// introspect returns the account of an access token.
func (a *authServer) introspect(token string) (account string, active bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, found := a.access[token]
	return t.account, found && a.provider.now().Before(t.expires)
}

// OAuthEnd revokes every sign-in, as an owner or an administrator does on a web page.
func (p *Provider) OAuthEnd() {
	p.oauth.mu.Lock()
	defer p.oauth.mu.Unlock()
	clear(p.oauth.access)
	for _, g := range p.oauth.renewal {
		g.refresh = ""
	}
}

// answer approves or denies the sign-in with this user code, and reports whether there is such a code.
func (a *authServer) answer(userCode string, agrees bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.devices {
		if g.userCode == strings.ToUpper(strings.TrimSpace(userCode)) {
			g.consent = declined
			if agrees {
				g.consent = agreed
			}
			return true
		}
	}
	return false
}

// account is who signs in.
func (a *authServer) account() string {
	if a.provider.behaviour.oauth == oauthWrongAccount {
		return Colleague
	}
	return Address
}

// reply writes an answer as RFC 6749 §5.1 requires, with the header that forbids caching.
func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func oauthError(w http.ResponseWriter, code, description string) {
	reply(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": description})
}

// knows refuses a client other than OAuthClient.
func knows(w http.ResponseWriter, r *http.Request) bool {
	if r.PostFormValue("client_id") == OAuthClient {
		return true
	}
	reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "no such client"})
	return false
}

func wantsID(scope string) bool { return strings.Contains(" "+scope+" ", " openid ") }

// deviceCode is the device authorization endpoint (RFC 8628 §3.1).
func (a *authServer) deviceCode(w http.ResponseWriter, r *http.Request) {
	if !knows(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.provider.now()
	g := &permission{
		account: a.account(), userCode: userCode(), begun: now, expires: now.Add(deviceLife),
		wantsID: wantsID(r.PostFormValue("scope")),
	}
	code := rand.Text()
	a.devices[code] = g
	reply(w, http.StatusOK, map[string]any{
		"device_code": code, "user_code": g.userCode, "interval": pollSeconds, "expires_in": int(deviceLife / time.Second),
		"verification_uri": loginURL + "/device", "verification_uri_complete": loginURL + "/device?code=" + g.userCode,
	})
}

// userCode has no vowels and no letters that look alike (RFC 8628 §6.1).
func userCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	for i := range random {
		random[i] = letters[int(random[i])%len(letters)]
	}
	return string(random[:4]) + "-" + string(random[4:])
}

// token is the token endpoint.
func (a *authServer) token(w http.ResponseWriter, r *http.Request) {
	if !knows(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.PostFormValue("grant_type") {
	case "urn:ietf:params:oauth:grant-type:device_code":
		a.tokenForDevice(w, r.PostFormValue("device_code"))
	case "authorization_code":
		a.tokenForCode(w, r.PostForm)
	case "refresh_token":
		a.tokenForRefresh(w, r.PostFormValue("refresh_token"))
	default:
		oauthError(w, "unsupported_grant_type", "")
	}
}

func (a *authServer) tokenForDevice(w http.ResponseWriter, code string) {
	g, found := a.devices[code]
	if !found {
		oauthError(w, "invalid_grant", "unknown device code")
		return
	}
	g.polls++
	if a.stumbles(w, g) {
		return
	}
	ripe := a.provider.now().Sub(g.begun) >= a.provider.options.Approval && a.provider.options.Approval >= 0
	how := a.provider.behaviour.oauth
	switch {
	case !a.provider.now().Before(g.expires), ripe && how == oauthExpired:
		delete(a.devices, code)
		oauthError(w, "expired_token", "the code has run out")
	case g.consent == declined, ripe && how == oauthDeclined:
		delete(a.devices, code)
		oauthError(w, "access_denied", "the person declined")
	case g.consent == agreed, ripe:
		delete(a.devices, code)
		a.grant(w, g)
	default:
		oauthError(w, "authorization_pending", "")
	}
}

// stumbles answers the first polls in the faults that are temporary.
func (a *authServer) stumbles(w http.ResponseWriter, g *permission) bool {
	switch {
	case a.provider.behaviour.oauth == oauthSlowDown && g.polls == 1:
		oauthError(w, "slow_down", "")
	case a.provider.behaviour.oauth != oauthServerError || g.polls > 3:
		return false
	case g.polls == 2:
		panic(http.ErrAbortHandler) // the connection is cut
	default:
		http.Error(w, "<h1>Service Unavailable</h1>", http.StatusServiceUnavailable)
	}
	return true
}

func (a *authServer) tokenForCode(w http.ResponseWriter, form url.Values) {
	g, found := a.codes[form.Get("code")]
	delete(a.codes, form.Get("code")) // RFC 6749 §4.1.2: once
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	proof := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case !found || !a.provider.now().Before(g.expires):
		oauthError(w, "invalid_grant", "unknown code")
	case form.Get("redirect_uri") != g.redirect:
		oauthError(w, "invalid_grant", "another redirect_uri")
	case subtle.ConstantTimeCompare([]byte(proof), []byte(g.challenge)) != 1:
		oauthError(w, "invalid_grant", "the verifier does not fit")
	default:
		a.grant(w, g)
	}
}

// tokenForRefresh rotates. A refresh token that is used twice ends the sign-in, because one of its two holders has
// stolen it (RFC 9700 §4.14.2).
func (a *authServer) tokenForRefresh(w http.ResponseWriter, token string) {
	g, found := a.renewal[token]
	switch {
	case !found || g.refresh == "":
		oauthError(w, "invalid_grant", "the sign-in has ended")
	case g.refresh != token:
		g.refresh = ""
		oauthError(w, "invalid_grant", "this token was used before")
	default:
		a.grant(w, g)
	}
}

// grant issues new tokens.
func (a *authServer) grant(w http.ResponseWriter, g *permission) {
	life := a.provider.options.TokenLife
	access, refresh := "at-"+rand.Text()+rand.Text(), "rt-"+rand.Text()+rand.Text()
	a.access[access] = tokenOf{g.account, a.provider.now().Add(life)}
	g.refresh = refresh
	a.renewal[refresh] = g
	body := map[string]any{
		"token_type": "Bearer", "access_token": access, "refresh_token": refresh, "expires_in": int(life / time.Second),
		"scope": strings.Join(scopesOAuth, " "),
	}
	if g.wantsID {
		body["id_token"] = a.idToken(g)
	}
	reply(w, http.StatusOK, body)
}

// idToken names the account (OpenID Connect Core §2).
func (a *authServer) idToken(g *permission) string {
	encode := func(v map[string]any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	now := a.provider.now()
	claims := map[string]any{
		"iss": loginURL, "aud": OAuthClient, "sub": g.account, "email": g.account, "preferred_username": g.account,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	signed := encode(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + encode(claims)
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
