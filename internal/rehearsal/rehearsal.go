// Package rehearsal is a complete mail provider on loopback: submission with implicit TLS and STARTTLS (RFC 8314,
// 6409), IMAP (RFC 3501), a name server, a certificate authority, and delivery between them with a real DKIM signature.
// `postier demo` sets up an account at it, it rehearses failures (Faults), and tests use it as their peer.
//
// Everything is kept in memory and listens on 127.0.0.1 and ::1. The ports of mail cannot be bound without privileges,
// so the dialer asks Provider.Route where a host and port of the provider really are.
package rehearsal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/dns"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/rehearsal/certificates"
	"postier/internal/rehearsal/nameserver"
	"postier/internal/secret"
)

// The names of the provider and of the customer's own domain, both under the reserved .example (RFC 2606).
const (
	ProviderDomain = "poste-demo.example"
	Domain         = "atelier-demo.example"
	SMTPHost       = "smtp.poste-demo.example"
	IMAPHost       = "imap.poste-demo.example"
	MXHost         = "mx.poste-demo.example"
	// SPFInclude is what the customer's SPF record includes.
	SPFInclude = "spf.poste-demo.example"
	// Selector is the selector of the provider's DKIM signatures for the customer's domain.
	Selector = "poste1"
	// Address is the account, Alias its second address; other addresses of the domain belong to colleagues.
	Address = "marie@atelier-demo.example"
	Alias   = "contact@atelier-demo.example"

	servedSMTPHost = "smtp.atelier-demo.example"
	servedIMAPHost = "imap.atelier-demo.example"
	outgoingHost   = "out.poste-demo.example"
	// outgoingIP is where the provider's mail comes from, in the range for documentation (RFC 5737).
	outgoingIP = "192.0.2.25"
)

// The account's secrets. They are made up, give access to nothing outside this process, and are deliberately shown on
// screen.
const (
	appPassword     = "kivo-tams-relu-pade"
	accountPassword = "Atelier-Demo-2026"
	mistyped        = "kivo-tams-relu-pabe"
)

// Options choose how the provider behaves.
type Options struct {
	// Lang names the folders: Sent, Envoyés, Gesendet.
	Lang locale.Lang
	// Fault is the name of a fault, or empty.
	Fault string
	// Now is the clock for certificates and headers; nil means time.Now.
	Now func() time.Time
	// Slow is how long the slow faults wait; 0 means four seconds: long enough to see, short enough to wait for.
	Slow time.Duration
	// OAuth makes the provider accept sign-ins by browser and no passwords; the faults oauth-… imply it.
	OAuth bool
	// Approval is how long the rehearsed person takes to approve on the provider's page. 0 means six seconds; if it is
	// negative, only the page decides.
	Approval time.Duration
	// TokenLife is how long an access token is valid; 0 means an hour.
	TokenLife time.Duration
	// Serve is for other processes, which cannot ask Route: the name server gives the real ports, and IPv4 addresses
	// alone, because those of the other family have ports of their own.
	Serve bool
}

const defaultSlow = 4 * time.Second

// Provider is a running provider.
type Provider struct {
	// Address is the account's mail address and user name.
	Address string
	// Password is the app password that the servers accept.
	Password secret.Value
	// AccountPassword works only on the provider's web site: mail programs that use it are told that they need an app
	// password.
	AccountPassword secret.Value
	// Typed is the password that the rehearsed person types: Password, except in the faults about a wrong one.
	Typed secret.Value
	// Submission and IMAP are the settings that work without a fault.
	Submission config.Server
	IMAP       config.Server
	// Roots holds the provider's own certificate authority.
	Roots *x509.CertPool

	options   Options
	now       func() time.Time
	behaviour behaviour
	ca        *certificates.CA
	tls       *tls.Config
	names     *nameserver.Zone
	dns       *nameserver.Server
	ports     *ports
	oauth     *authServer // nil without Options.OAuth
	store     *store
	signer    signer

	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.Once
	done    sync.WaitGroup

	mu       sync.Mutex
	signIns  int
	queueIDs int
	grey     map[string]time.Time
}

// Start starts the provider. It ends with the context, or by Close.
func Start(ctx context.Context, o Options) (*Provider, error) {
	q, err := behaviourOf(o.Fault)
	if err != nil {
		return nil, err
	}
	if o.Slow == 0 {
		o.Slow = defaultSlow
	}
	if o.Approval == 0 {
		o.Approval = defaultApproval
	}
	if o.TokenLife == 0 {
		o.TokenLife = defaultTokenLife
	}
	p := &Provider{
		Address:         Address,
		Password:        secret.New(appPassword),
		AccountPassword: secret.New(accountPassword),
		Typed:           secret.New(q.typed),
		Submission: config.Server{
			Host: SMTPHost, Port: q.submissionPort, Security: q.submissionSecurity, Auth: config.MechanismAuto,
			Username: Address,
		},
		IMAP: config.Server{
			Host: IMAPHost, Port: config.PortIMAPS, Security: config.SecurityTLS, Auth: config.MechanismAuto,
			Username: Address,
		},
		options: o, now: o.Now, behaviour: q, grey: map[string]time.Time{},
	}
	if p.now == nil {
		p.now = time.Now
	}
	if o.OAuth || q.oauth != oauthGood {
		p.oauth = p.newAuthServer()
		p.behaviour.mechanisms = bearerMechanisms
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	if err := p.open(); err != nil {
		p.Close()
		return nil, fmt.Errorf("start the demonstration: %w", err)
	}
	context.AfterFunc(ctx, p.Close)
	return p, nil
}

// open creates the parts in the order of their dependencies.
func (p *Provider) open() error {
	var err error
	if p.ca, err = certificates.New(p.now()); err != nil {
		return err
	}
	p.Roots = p.ca.Roots()
	if p.tls, err = p.tlsConfig(); err != nil {
		return err
	}
	if p.signer, err = newSigner(p.behaviour.dkim); err != nil {
		return err
	}
	if p.store, err = newStore(p.options.Lang, p.behaviour); err != nil {
		return err
	}
	if p.ports, err = p.openPorts(); err != nil {
		return err
	}
	if p.names, err = nameserver.Parse(p.zone()); err != nil {
		return err
	}
	var answers dns.Handler = p.names
	if p.behaviour.dnsDown {
		answers = dns.HandlerFunc(dns.HandleFailed)
	}
	p.dns, err = nameserver.Serve(answers)
	return err
}

func (p *Provider) tlsConfig() (*tls.Config, error) {
	cert, err := p.ca.Certificate(p.behaviour.certificate, p.hosts()...)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	if p.behaviour.oldTLS {
		conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	return conf, nil
}

// Close ends the provider and waits for its goroutines. It may be called more than once.
func (p *Provider) Close() {
	p.closing.Do(func() {
		p.cancel()
		if p.ports != nil {
			p.ports.close()
		}
		if p.dns != nil {
			p.dns.Close()
		}
	})
	p.done.Wait()
}

// DNSAddr is the provider's name server, host:port, for UDP and TCP.
func (p *Provider) DNSAddr() string { return p.dns.Addr() }

// Names are the records of the name server, for tests that change them.
func (p *Provider) Names() *nameserver.Zone { return p.names }

// CAFile writes the certificate of the provider's authority into dir and returns its path.
func (p *Provider) CAFile(dir string) (string, error) { return p.ca.WriteFile(dir) }

// Fault is the fault that was asked for; its Name is empty when everything works.
func (p *Provider) Fault() Fault {
	f, _ := FindFault(p.options.Fault)
	return f
}

// SignIns is the number of passwords that the servers were asked to judge.
func (p *Provider) SignIns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signIns
}

// SentFolder is the name of the folder for sent mail, empty when there is none.
func (p *Provider) SentFolder() string { return p.store.name(folderSent) }

// JunkFolder is the name of the folder for junk.
func (p *Provider) JunkFolder() string { return p.store.name(folderJunk) }

// verdict is how a password is judged.
type verdict int

const (
	refused verdict = iota
	needsAppPassword
	accepted
)

func (p *Provider) judge(username, password string) verdict {
	p.mu.Lock()
	p.signIns++
	p.mu.Unlock()
	offered := secret.New(password)
	switch {
	case username != p.Address:
		return refused
	case offered.Equal(p.Password):
		return accepted
	case offered.Equal(p.AccountPassword):
		return needsAppPassword
	default:
		return refused
	}
}

// queueID is a Postfix-like queue id, unique in this provider.
func (p *Provider) queueID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queueIDs++
	return fmt.Sprintf("4D%06XP", p.queueIDs)
}
