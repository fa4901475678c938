package oauth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"postier/internal/safetext"
)

// claims are those of an ID token that are read (OpenID Connect Core §2, §5.1); upn is Microsoft's.
type claims struct {
	Audience audience `json:"aud"`
	Nonce    string   `json:"nonce"`
	Email    string   `json:"email"`
	Name     string   `json:"preferred_username"`
	UPN      string   `json:"upn"`
}

// audience is one name or a list of them.
type audience []string

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// maxAccount in octets of an account's name (RFC 5321 §4.5.3.1.3 allows 254 for an address).
const maxAccount = 320

// account is the mailbox that was signed in, as the provider names it; empty when it names none. A different account
// from the requested one is an error. The ID token came directly from the token endpoint over TLS, which replaces the
// check of its signature (OpenID Connect Core §3.1.3.7 no. 6). That it belongs to this client and this sign-in is
// checked.
func (g grant) account(r Request, nonce string) (safetext.Remote, error) {
	if g.idToken == "" {
		return safetext.Remote{}, nil
	}
	bad := &Error{Problem: BadAnswer, Provider: r.Provider.Name, Server: hostOf(r.Provider.TokenURL)}
	parts := strings.Split(g.idToken, ".")
	if len(parts) != 3 || len(g.idToken) > maxAnswer {
		return safetext.Remote{}, bad
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return safetext.Remote{}, bad
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil || !slices.Contains(c.Audience, r.ClientID) || nonce != "" && c.Nonce != nonce {
		return safetext.Remote{}, bad
	}
	var named []string
	for _, name := range []string{c.Name, c.Email, c.UPN} {
		if strings.Contains(name, "@") && len(name) <= maxAccount {
			named = append(named, name)
		}
	}
	for _, name := range named {
		if slices.ContainsFunc(r.Accounts, func(wanted string) bool { return SameMailbox(name, wanted) }) {
			return safetext.FromRemote(name), nil
		}
	}
	if len(named) == 0 || len(r.Accounts) == 0 {
		return safetext.Remote{}, nil
	}
	return safetext.Remote{}, &Error{
		Problem: WrongAccount, Provider: r.Provider.Name, Server: hostOf(r.Provider.TokenURL),
		Account: safetext.FromRemote(named[0]), Wanted: r.Accounts[0],
	}
}

// SameMailbox compares addresses without regard to letter case. Gmail ignores dots in the local part and has two
// domains for each mailbox.
func SameMailbox(a, b string) bool { return plainMailbox(a) == plainMailbox(b) }

func plainMailbox(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	if domain == "gmail.com" || domain == "googlemail.com" {
		return strings.ReplaceAll(local, ".", "") + "@gmail.com"
	}
	return local + "@" + domain
}
