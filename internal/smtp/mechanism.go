package smtp

import (
	"slices"
	"strings"

	"postier/config"
	"postier/internal/sasl"
)

// Orders of preference. With a password: those that prove it without sending it, then those that send it inside TLS.
// CRAM-MD5 comes after PLAIN, because inside TLS it protects nothing and asks the server to keep the password readable.
// NTLM only when there is nothing else.
var (
	passwordOrder = []string{
		sasl.SCRAMSHA256Plus, sasl.SCRAMSHA256, sasl.SCRAMSHA1Plus, sasl.SCRAMSHA1, sasl.Plain, sasl.Login, sasl.CRAMMD5,
		sasl.NTLM,
	}
	tokenOrder = []string{sasl.XOAuth2, sasl.OAuthBearer}
)

// wanted lists the wire names that fit the configured mechanism, best first.
func wanted(m config.Mechanism, token bool) []string {
	switch {
	case m == config.MechanismSCRAMSHA1 || m == config.MechanismSCRAMSHA256:
		name := strings.ToUpper(string(m))
		return []string{name + "-PLUS", name}
	case m != config.MechanismAuto && m != "":
		return []string{strings.ToUpper(string(m))}
	case token:
		return tokenOrder
	}
	return passwordOrder
}

// choose picks the mechanism, or "" when none fits.
func choose(offered []string, m config.Mechanism, token, tls bool) string {
	for _, name := range fitting(offered, m, token, tls) {
		return name
	}
	return ""
}

// fitting lists the mechanisms that both sides have, best first. Channel binding needs TLS; servers that offer -PLUS
// without it exist.
func fitting(offered []string, m config.Mechanism, token, tls bool) []string {
	var list []string
	for _, name := range wanted(m, token) {
		if slices.Contains(offered, name) && (tls || !strings.HasSuffix(name, "-PLUS")) {
			list = append(list, name)
		}
	}
	return list
}

// newMechanism begins the exchange of one mechanism for the account under a user name.
func (c *Client) newMechanism(name, user string) (*sasl.Mechanism, bool) {
	credentials := sasl.Credentials{
		Username: user, Secret: c.account.Secret, Host: c.account.Server.Host, Port: c.server.Port,
	}
	if state, inTLS := c.dialog.conn.State(); inTLS {
		credentials.TLS = &state
	}
	return sasl.New(name, credentials)
}
