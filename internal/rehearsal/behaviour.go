package rehearsal

import (
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"postier/config"
	"postier/internal/rehearsal/certificates"
)

// behaviour holds the ways in which this provider differs from a good one. A fault changes some of them.
type behaviour struct {
	typed string // the password that the rehearsed person types

	submissionPort     int
	submissionSecurity config.Security
	certificate        certificates.Kind
	oldTLS             bool
	smtp, imap         portFault // of all SMTP and all IMAP ports
	submissions        portFault // of port 465 alone
	plainSubmissions   bool      // port 465 speaks plaintext
	noStartTLS         bool      // port 587 does not offer STARTTLS, and takes passwords in clear
	ipv6Broken         bool
	dnsDown            bool

	hello      *smtp.SMTPError // answer to EHLO
	dropHello  bool            // the connection ends at EHLO
	mechanisms []string
	signIn     *smtp.SMTPError // answer to every AUTH
	mail       *smtp.SMTPError // answer to every MAIL
	rcpt       func(from, to string) *smtp.SMTPError
	greylists  bool
	largest    int             // octets of a message
	content    *smtp.SMTPError // answer to every message
	vanish     bool            // the connection ends after the message was taken, without an answer

	login        *imap.Error // answer to every sign-in
	noSent       bool
	noSpecialUse bool
	appending    *imap.Error
	corrupts     bool
	filesSent    bool

	spf       spfState
	dkim      dkimState
	noDMARC   bool
	placement placement

	oauth oauthBehaviour
}

type (
	spfState  int
	dkimState int
	placement int
)

const (
	spfGood spfState = iota
	spfMissing
	spfWrong
	spfTooManyLookups
)

const (
	dkimGood dkimState = iota
	dkimMissing
	dkimRevoked
)

const (
	placedInbox placement = iota
	placedJunk
	placedLate
	placedNowhere
)

// maxMessage is the SIZE that the provider announces (RFC 1870), in octets.
const maxMessage = 25 << 20

func behaviourOf(fault string) (behaviour, error) {
	q := behaviour{
		typed:              appPassword,
		submissionPort:     config.PortSubmissions,
		submissionSecurity: config.SecurityTLS,
		certificate:        certificates.Good,
		mechanisms:         []string{"PLAIN", "LOGIN", "CRAM-MD5"},
		largest:            maxMessage,
	}
	if fault == "" {
		return q, nil
	}
	f, ok := FindFault(fault)
	if !ok {
		return q, fmt.Errorf("no fault is called %q; Faults lists them", fault)
	}
	f.apply(&q)
	return q, nil
}

// onStartTLS moves the settings to port 587, for the faults that only exist there.
func (q *behaviour) onStartTLS() {
	q.submissionPort, q.submissionSecurity = config.PortSubmission, config.SecurityStartTLS
}

// smtpError writes a reply the way go-smtp takes it. Further lines of a reply repeat the enhanced code themselves.
func smtpError(code int, class, subject, detail int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

func imapNo(code imap.ResponseCode, text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}
