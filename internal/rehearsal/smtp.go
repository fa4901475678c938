package rehearsal

import (
	"cmp"
	"errors"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"time"

	"postier/config"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// patience is how long the services wait for a client: longer than any of our steps, and short enough to end a
// forgotten session.
const patience = 5 * time.Minute

// services lists the provider's ports with their servers.
func (p *Provider) services() []service {
	list := []service{
		{port: config.PortSMTP, server: p.smtpServer(false, true), fault: p.behaviour.smtp},
		{port: config.PortSubmission, server: p.smtpServer(true, !p.behaviour.noStartTLS), fault: p.behaviour.smtp},
		{
			port: config.PortSubmissions, implicit: !p.behaviour.plainSubmissions, server: p.smtpServer(true, true),
			fault: cmp.Or(p.behaviour.submissions, p.behaviour.smtp),
		},
		{port: config.PortIMAP, server: p.imapServer(), fault: p.behaviour.imap},
		{port: config.PortIMAPS, implicit: true, server: p.imapServer(), fault: p.behaviour.imap},
	}
	if p.behaviour.submissionPort == config.PortSubmission {
		// A fault of STARTTLS would not show if the client could use implicit TLS instead.
		list[2].fault = faultRefused
	}
	if p.oauth != nil {
		list = append(list, p.oauth.service())
	}
	return list
}

// smtpServer makes the server of one port. Submission servers require a sign-in; the server on port 25 accepts mail for
// the customer's domain from anyone, as an MX does.
func (p *Provider) smtpServer(submission, startTLS bool) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if p.behaviour.dropHello {
			_ = c.Conn().Close()
			return nil, net.ErrClosed
		}
		if p.behaviour.hello != nil {
			return nil, p.behaviour.hello
		}
		return &smtpSession{provider: p, conn: c, submission: submission}, nil
	}))
	server.Domain = SMTPHost
	server.MaxMessageBytes = maxMessage
	server.ReadTimeout, server.WriteTimeout = patience, patience
	server.ErrorLog = log.New(io.Discard, "", 0)
	if startTLS {
		server.TLSConfig = p.tls
	} else {
		server.AllowInsecureAuth = true
	}
	return server
}

// smtpSession is one SMTP session.
type smtpSession struct {
	provider   *Provider
	conn       *smtp.Conn
	submission bool
	username   string // once signed in
	from       string
	to         []string
}

// Reset implements smtp.Session.
func (s *smtpSession) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *smtpSession) Logout() error { return nil }

// AuthMechanisms implements smtp.AuthSession.
func (s *smtpSession) AuthMechanisms() []string {
	if !s.submission {
		return nil
	}
	return s.provider.behaviour.mechanisms
}

// Auth implements smtp.AuthSession.
func (s *smtpSession) Auth(mechanism string) (sasl.Server, error) {
	if !slices.Contains(s.AuthMechanisms(), mechanism) {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	if server := s.authBearer(mechanism); server != nil {
		return server, nil
	}
	switch mechanism {
	case "LOGIN":
		return &loginServer{judge: s.signIn}, nil
	case "CRAM-MD5":
		return &cramServer{judge: s.signInByProof}, nil
	default:
		return sasl.NewPlainServer(func(identity, username, password string) error {
			if identity != "" && identity != username {
				return smtp.ErrAuthFailed
			}
			return s.signIn(username, password)
		}), nil
	}
}

func (s *smtpSession) signInByProof(username string, proves func(string) bool) error {
	for _, known := range []string{appPassword, accountPassword} {
		if proves(known) {
			return s.signIn(username, known)
		}
	}
	return s.signIn(username, "")
}

func (s *smtpSession) signIn(username, password string) error {
	judged := s.provider.judge(username, password)
	switch {
	case s.provider.behaviour.signIn != nil:
		return s.provider.behaviour.signIn
	case judged == accepted:
		s.username = username
		return nil
	case judged == needsAppPassword:
		return smtpError(534, 5, 7, 9,
			"5.7.9 Application-specific password required. Learn more at\nhttps://aide."+ProviderDomain+"/mots-de-passe")
	default:
		return smtpError(535, 5, 7, 8, "Error: authentication failed: (reason unavailable)")
	}
}

// Mail implements smtp.Session.
func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.submission && s.username == "" {
		return smtpError(530, 5, 7, 0, "Authentication required")
	}
	if s.provider.behaviour.mail != nil {
		return s.provider.behaviour.mail
	}
	s.from = from
	return nil
}

// Rcpt implements smtp.Session. It also checks the sender.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.submission && !owned(s.from) {
		return notOwned(s.from, to)
	}
	if custom := s.provider.behaviour.rcpt; custom != nil {
		return custom(s.from, to)
	}
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	if domain != Domain {
		return relayDenied(s.from, to)
	}
	if !owned(local + "@" + domain) {
		return userUnknown(s.from, to)
	}
	if s.provider.behaviour.greylists && s.provider.tooEarly(s.from, to) {
		return smtpError(450, 4, 2, 0, "<"+to+">: Recipient address rejected: Greylisted, come back in a minute")
	}
	s.to = append(s.to, to)
	return nil
}

// owned reports whether an address belongs to the account.
func owned(address string) bool {
	return strings.EqualFold(address, Address) || strings.EqualFold(address, Alias)
}

// greyPeriod is how long a new pair of sender and recipient has to wait.
const greyPeriod = time.Minute

func (p *Provider) tooEarly(from, to string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair := strings.ToLower(from + " " + to)
	first, known := p.grey[pair]
	if !known {
		p.grey[pair] = p.now()
		return true
	}
	return p.now().Sub(first) < greyPeriod
}

// Data implements smtp.Session.
func (s *smtpSession) Data(r io.Reader) error {
	message, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(message) > s.provider.behaviour.largest {
		return smtpError(552, 5, 3, 4, "Message size exceeds fixed limit")
	}
	if s.provider.behaviour.content != nil {
		return s.provider.behaviour.content
	}
	mail := envelope{from: s.from, to: s.to, helo: s.conn.Hostname(), client: clientIP(s.conn), submitted: s.submission}
	id, err := s.provider.deliver(mail, message)
	if err != nil {
		return err
	}
	if s.provider.behaviour.vanish {
		_ = s.conn.Conn().Close()
		return errors.New("connection lost")
	}
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "Ok: queued as " + id}
}

func clientIP(c *smtp.Conn) net.IP {
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		return nil
	}
	return net.ParseIP(host)
}
