package rehearsal

import (
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// bearerMechanisms are the only mechanisms that the mail servers offer with sign-ins by browser.
var bearerMechanisms = []string{"XOAUTH2", "OAUTHBEARER"}

// bearerFailed is how a server explains a refused token, in the challenge before the refusal (RFC 7628 §3.2.2).
const bearerFailed = `{"status":"401","schemes":"Bearer","scope":"mail:send mail:read"}`

// bearer returns the server's side of a mechanism that carries a token, or nil. refuse is the answer to a wrong token.
func (p *Provider) bearer(mechanism string, refuse error, accept func(username string) error) sasl.Server {
	judge := func(username, token string) error {
		p.mu.Lock()
		p.signIns++
		p.mu.Unlock()
		account, active := p.oauth.introspect(token)
		if !active || !strings.EqualFold(account, username) || account != p.Address {
			return refuse
		}
		return accept(username)
	}
	switch {
	case p.oauth == nil:
		return nil
	case mechanism == "XOAUTH2":
		return &bearerServer{judge: judge, parse: parseXOAuth2}
	case mechanism == "OAUTHBEARER":
		return &bearerServer{judge: judge, parse: parseOAuthBearer}
	}
	return nil
}

// bearerServer is the server's side of XOAUTH2 and OAUTHBEARER: one message from the client; when it is refused, an
// explanation that the client has to answer before the refusal itself.
type bearerServer struct {
	parse   func(string) (username, token string, ok bool)
	judge   func(username, token string) error
	asked   bool
	refusal error
}

// Next implements sasl.Server.
func (b *bearerServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case b.refusal != nil:
		return nil, true, b.refusal
	case response == nil && !b.asked:
		b.asked = true
		return []byte{}, false, nil
	}
	username, token, ok := b.parse(string(response))
	if !ok {
		return nil, true, sasl.ErrUnexpectedClientResponse
	}
	if b.refusal = b.judge(username, token); b.refusal != nil {
		return []byte(bearerFailed), false, nil
	}
	return nil, true, nil
}

// parseXOAuth2 reads user=NAME^Aauth=Bearer TOKEN^A^A.
func parseXOAuth2(message string) (username, token string, ok bool) {
	fields := bearerFields(message)
	token, ok = strings.CutPrefix(fields["auth"], "Bearer ")
	return fields["user"], token, ok
}

// parseOAuthBearer reads n,a=NAME,^Ahost=…^Aport=…^Aauth=Bearer TOKEN^A^A (RFC 7628 §3.1).
func parseOAuthBearer(message string) (username, token string, ok bool) {
	header, rest, _ := strings.Cut(message, "\x01")
	name, found := strings.CutPrefix(header, "n,a=")
	if !found {
		return "", "", false
	}
	// RFC 5801 §4: a comma and an equals sign in a name are written in hex.
	username = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(strings.TrimSuffix(name, ","))
	token, ok = strings.CutPrefix(bearerFields(rest)["auth"], "Bearer ")
	return username, token, ok
}

func bearerFields(message string) map[string]string {
	fields := map[string]string{}
	for _, part := range strings.Split(message, "\x01") {
		if name, value, found := strings.Cut(part, "="); found {
			fields[name] = value
		}
	}
	return fields
}

// authenticateBearer signs an IMAP session in.
func (s *imapSession) authenticateBearer(mechanism string) sasl.Server {
	refuse := imapNo(imap.ResponseCodeAuthenticationFailed, "AUTHENTICATE failed.")
	return s.provider.bearer(mechanism, refuse, func(string) error {
		if s.provider.behaviour.login != nil {
			return s.provider.behaviour.login
		}
		s.enter()
		return nil
	})
}

// authBearer signs an SMTP session in.
func (s *smtpSession) authBearer(mechanism string) sasl.Server {
	refuse := smtpError(535, 5, 7, 3, "Authentication unsuccessful")
	return s.provider.bearer(mechanism, refuse, func(username string) error {
		if s.provider.behaviour.signIn != nil {
			return s.provider.behaviour.signIn
		}
		s.username = username
		return nil
	})
}
