package rehearsal

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-msgauth/authres"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"

	"postier/config"
)

// envelope is what the SMTP session says about a message.
type envelope struct {
	from      string
	to        []string
	helo      string
	client    net.IP
	submitted bool // by the account, as opposed to delivered by another server
}

// deliver accepts a message: it signs what the account submitted, evaluates it as the receiving side, and files it. It
// returns the queue id.
func (p *Provider) deliver(e envelope, message []byte) (string, error) {
	id := p.queueID()
	now := p.now()
	original := message
	if e.submitted {
		message = append(received(e, "ESMTPSA", SMTPHost, id, now), message...)
		var err error
		if message, err = p.signer.sign(message, p.behaviour.dkim); err != nil {
			return "", smtpError(451, 4, 3, 0, "Signing failed")
		}
		// From here on, the provider's outgoing host is the client.
		e.helo, e.client = outgoingHost, net.ParseIP(outgoingIP)
	}
	results := p.authenticate(e, message)
	var whole bytes.Buffer
	fmt.Fprintf(&whole, "Return-Path: <%s>\r\n", e.from)
	fmt.Fprintf(&whole, "Authentication-Results: %s\r\n", authres.Format(MXHost, results))
	if p.behaviour.placement == placedJunk {
		whole.WriteString("X-Spam-Flag: YES\r\n")
	}
	whole.Write(received(e, "ESMTPS", MXHost, p.queueID(), now))
	whole.Write(message)
	if p.behaviour.filesSent && e.submitted {
		if err := p.store.file(p.SentFolder(), original, now, imap.FlagSeen); err != nil {
			return "", err
		}
	}
	return id, p.place(whole.Bytes(), now)
}

// place files a message in the folder that the provider's filter chooses.
func (p *Provider) place(message []byte, now time.Time) error {
	switch p.behaviour.placement {
	case placedJunk:
		return p.store.file(p.JunkFolder(), message, now)
	case placedNowhere:
		return nil
	case placedLate:
		p.done.Go(func() {
			select {
			case <-time.After(p.options.Slow):
				_ = p.store.file("INBOX", message, p.now())
			case <-p.ctx.Done():
			}
		})
		return nil
	default:
		return p.store.file("INBOX", message, now)
	}
}

// received is a trace header (RFC 5321 §4.4).
func received(e envelope, protocol, by, id string, now time.Time) []byte {
	return fmt.Appendf(nil, "Received: from %s (%s [%s])\r\n\tby %s with %s id %s\r\n\tfor <%s>; %s\r\n",
		e.helo, e.helo, e.client, by, protocol, id, e.to[0], now.Format(time.RFC1123Z))
}

// authenticate evaluates SPF, DKIM and DMARC of a message as the receiving side does, with the name server's current
// records.
func (p *Provider) authenticate(e envelope, message []byte) []authres.Result {
	author, signed := "", ""
	if parsed, err := mail.ReadMessage(bytes.NewReader(message)); err == nil {
		if from, err := parsed.Header.AddressList("From"); err == nil && len(from) > 0 {
			author = strings.ToLower(config.AddressDomain(from[0].Address))
		}
	}
	spfResult, _ := spf.CheckHostWithSender(e.client, e.helo, e.from, spf.WithContext(p.ctx),
		spf.WithResolver(p.dns.Resolver()))
	results := []authres.Result{&authres.SPFResult{Value: authres.ResultValue(spfResult), From: e.from, Helo: e.helo}}
	verifications, _ := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: p.lookupTXT})
	for _, v := range verifications {
		results = append(results, &authres.DKIMResult{Value: dkimValue(v.Err), Domain: v.Domain, Identifier: v.Identifier})
		if v.Err == nil && aligned(v.Domain, author) {
			signed = v.Domain
		}
	}
	if len(verifications) == 0 {
		results = append(results, &authres.DKIMResult{Value: authres.ResultNone})
	}
	fine := signed != "" || spfResult == spf.Pass && aligned(strings.ToLower(config.AddressDomain(e.from)), author)
	return append(results, &authres.DMARCResult{Value: p.dmarcValue(author, fine), From: author})
}

func (p *Provider) lookupTXT(name string) ([]string, error) {
	return p.dns.Resolver().LookupTXT(p.ctx, name)
}

func (p *Provider) dmarcValue(author string, fine bool) authres.ResultValue {
	_, err := dmarc.LookupWithOptions(author, &dmarc.LookupOptions{LookupTXT: p.lookupTXT})
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
		return authres.ResultNone
	case dmarc.IsTempFail(err):
		return authres.ResultTempError
	case err != nil:
		return authres.ResultPermError
	case fine:
		return authres.ResultPass
	default:
		return authres.ResultFail
	}
}

func dkimValue(err error) authres.ResultValue {
	switch {
	case err == nil:
		return authres.ResultPass
	case dkim.IsTempFail(err):
		return authres.ResultTempError
	case dkim.IsPermFail(err):
		return authres.ResultPermError
	default:
		return authres.ResultFail
	}
}

// aligned is relaxed alignment (RFC 9989 §4.4), as far as the two domains of this provider need it.
func aligned(domain, author string) bool {
	return author != "" && (domain == author || strings.HasSuffix(domain, "."+author) ||
		strings.HasSuffix(author, "."+domain))
}

// signer is the provider's DKIM key for the customer's domain.
type signer struct {
	key    *rsa.PrivateKey
	public string // base64 of the SubjectPublicKeyInfo (RFC 6376 §3.6.1)
}

// dkimKey is shared by all demonstrations of a process, because generating a key takes a noticeable part of a second.
var dkimKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newSigner(state dkimState) (signer, error) {
	if state == dkimMissing {
		return signer{}, nil
	}
	key, err := dkimKey()
	if err != nil {
		return signer{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	return signer{key: key, public: base64.StdEncoding.EncodeToString(der)}, err
}

// record is the key record, split because a string in DNS holds at most 255 octets.
func (s signer) record(state dkimState) string {
	owner := Selector + "._domainkey." + Domain + ". 300 IN TXT "
	switch state {
	case dkimMissing:
		return ""
	case dkimRevoked: // RFC 6376 §3.6.1: an empty p= means that the key was revoked
		return owner + "\"v=DKIM1; k=rsa; p=\"\n"
	default:
		half := len(s.public) / 2
		return fmt.Sprintf("%s\"v=DKIM1; k=rsa; p=%s\" %q\n", owner, s.public[:half], s.public[half:])
	}
}

func (s signer) sign(message []byte, state dkimState) ([]byte, error) {
	if state == dkimMissing {
		return message, nil
	}
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(message), &dkim.SignOptions{
		Domain: Domain, Selector: Selector, Signer: s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
	})
	return out.Bytes(), err
}
