package rehearsal

import (
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"postier/internal/locale"
)

// pageData is what a page of the sign-in shows: a question with two buttons, or a sentence.
type pageData struct {
	Lang, Text, Action, Code, Yes, No string
	Fields                            map[string]string
	AskCode                           bool
}

// page writes a page without html/template, because with templates the linker keeps every exported method of the
// program.
func page(d pageData) string {
	e := html.EscapeString
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><title>Poste Démo</title>\n", e(d.Lang))
	fmt.Fprintf(&b, "<h1>Poste Démo</h1><p>%s</p>\n", e(d.Text))
	if d.Action != "" {
		fmt.Fprintf(&b, "<form method=\"post\" action=\"%s\">", e(d.Action))
		for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
			fmt.Fprintf(&b, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", e(name), e(d.Fields[name]))
		}
		if d.AskCode {
			fmt.Fprintf(&b, "\n<input name=\"user_code\" value=\"%s\" autocomplete=\"off\">", e(d.Code))
		}
		fmt.Fprintf(&b, "\n<button name=\"answer\" value=\"yes\">%s</button>", e(d.Yes))
		fmt.Fprintf(&b, " <button name=\"answer\" value=\"no\">%s</button></form>", e(d.No))
	}
	b.WriteString("</html>\n")
	return b.String()
}

func (a *authServer) show(w http.ResponseWriter, status int, d pageData, key string, args ...any) {
	speak := locale.For(a.provider.options.Lang)
	d.Lang, d.Text = string(speak.Lang()), speak.T(key, args...)
	d.Yes, d.No = speak.T("demo.oauth.yes"), speak.T("demo.oauth.no")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, page(d))
}

// devicePage asks for the code (RFC 8628 §3.3).
func (a *authServer) devicePage(w http.ResponseWriter, r *http.Request) {
	a.show(w, http.StatusOK, pageData{Action: "/device", AskCode: true, Code: r.URL.Query().Get("code")},
		"demo.oauth.device", "account", a.account())
}

func (a *authServer) deviceAnswer(w http.ResponseWriter, r *http.Request) {
	if !a.answer(r.PostFormValue("user_code"), r.PostFormValue("answer") == "yes") {
		a.show(w, http.StatusNotFound, pageData{Action: "/device", AskCode: true}, "demo.oauth.unknown")
		return
	}
	a.show(w, http.StatusOK, pageData{}, "demo.oauth.thanks")
}

// passedOn are the parameters of an authorization request that the page's form sends back.
var passedOn = []string{"redirect_uri", "state", "scope", "nonce", "code_challenge"}

// authorizePage asks for consent (RFC 6749 §4.1.1). A request without PKCE, or with a redirect other than to loopback,
// is refused (RFC 8252 §7.3, RFC 9700 §2.1.1).
func (a *authServer) authorizePage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("client_id") != OAuthClient || query.Get("response_type") != "code" ||
		query.Get("code_challenge_method") != "S256" ||
		query.Get("code_challenge") == "" || !loopback(query.Get("redirect_uri")) {
		a.show(w, http.StatusBadRequest, pageData{}, "demo.oauth.unknown")
		return
	}
	fields := map[string]string{}
	for _, name := range passedOn {
		fields[name] = query.Get(name)
	}
	a.show(w, http.StatusOK, pageData{Action: "/authorize", Fields: fields}, "demo.oauth.consent", "account", a.account())
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// authorizeAnswer redirects the browser to the address in the request (RFC 6749 §4.1.2).
func (a *authServer) authorizeAnswer(w http.ResponseWriter, r *http.Request) {
	back, err := url.Parse(r.PostFormValue("redirect_uri"))
	if err != nil || !loopback(back.String()) {
		a.show(w, http.StatusBadRequest, pageData{}, "demo.oauth.unknown")
		return
	}
	values := url.Values{"state": {r.PostFormValue("state")}}
	if r.PostFormValue("answer") == "yes" && a.provider.behaviour.oauth != oauthDeclined {
		code := rand.Text()
		values.Set("code", code)
		a.mu.Lock()
		a.codes[code] = &permission{
			account: a.account(), expires: a.provider.now().Add(codeLife), redirect: r.PostFormValue("redirect_uri"),
			challenge: r.PostFormValue("code_challenge"), nonce: r.PostFormValue("nonce"),
			wantsID: wantsID(r.PostFormValue("scope")),
		}
		a.mu.Unlock()
	} else {
		values.Set("error", "access_denied")
	}
	back.RawQuery = values.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}
