package rehearsal

import (
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal/certificates"
)

// Fault is something that can be wrong with the provider.
type Fault struct {
	// Name is what --fault takes.
	Name string
	// Cause is the cause that a correct diagnosis finds; it is empty if the wizard should succeed in spite of the fault.
	Cause check.Cause
	// Check is the id of the check that first shows it, empty with Cause and with SignIn.
	Check check.ID
	// SignIn is true for a fault of the browser sign-in, which shows before any check.
	SignIn bool
	// Text says in one sentence what is wrong.
	Text locale.Text

	apply func(*behaviour)
}

// Faults lists them in the order in which a session would meet them.
func Faults() []Fault { return slices.Clone(faults) }

// FindFault looks a fault up by its name.
func FindFault(name string) (Fault, bool) {
	for _, f := range faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

func fault(name string, cause check.Cause, id check.ID, apply func(*behaviour)) Fault {
	return Fault{Name: name, Cause: cause, Check: id, Text: locale.Msg("demo.fault." + name), apply: apply}
}

var faults = slices.Concat(networkFaults, tlsFaults, signInFaults, sendingFaults, imapFaults, domainFaults,
	arrivalFaults, oauthFaults)

var networkFaults = []Fault{
	fault("dns-down", check.CauseDNSFailure, check.NetResolve, func(q *behaviour) { q.dnsDown = true }),
	fault("ipv6-broken", check.CauseIPv6Broken, check.NetConnect6, func(q *behaviour) { q.ipv6Broken = true }),
	fault("port-blocked", check.CausePortBlocked, check.NetConnect, func(q *behaviour) { q.smtp = faultSwallowed }),
	fault("port-465-blocked", check.CausePortBlocked, check.NetConnect,
		func(q *behaviour) { q.submissions = faultSwallowed }),
	fault("connection-refused", check.CauseConnectionRefused, check.NetConnect,
		func(q *behaviour) { q.smtp = faultRefused }),
	// On port 587 the server has to speak first, so its silence cannot be a slow handshake.
	fault("silent-server", check.CauseServerTimeout, check.SMTPGreeting,
		func(q *behaviour) { q.onStartTLS(); q.smtp = faultSilent }),
	fault("slow-banner", "", "", func(q *behaviour) { q.onStartTLS(); q.smtp = faultSlow }),
	fault("connection-dropped", check.CauseConnectionDropped, check.SMTPEhlo, func(q *behaviour) { q.dropHello = true }),
	fault("server-busy", check.CauseServerBusy, check.SMTPEhlo, func(q *behaviour) {
		q.hello = smtpError(451, 4, 3, 0, "Temporary system problem, try again later")
	}),
}

var tlsFaults = []Fault{
	fault("cert-expired", check.CauseCertExpired, check.SMTPCertificate,
		func(q *behaviour) { q.certificate = certificates.Expired }),
	fault("cert-not-yet-valid", check.CauseCertNotYetValid, check.SMTPCertificate,
		func(q *behaviour) { q.certificate = certificates.NotYetValid }),
	fault("cert-wrong-name", check.CauseCertNameMismatch, check.SMTPCertificate,
		func(q *behaviour) { q.certificate = certificates.WrongName }),
	fault("cert-self-signed", check.CauseCertSelfSigned, check.SMTPCertificate,
		func(q *behaviour) { q.certificate = certificates.SelfSigned }),
	fault("cert-untrusted", check.CauseCertUntrusted, check.SMTPCertificate,
		func(q *behaviour) { q.certificate = certificates.Untrusted }),
	fault("starttls-stripped", check.CauseTLSStripped, check.SMTPTLS,
		func(q *behaviour) { q.onStartTLS(); q.noStartTLS = true }),
	fault("starttls-injected", check.CauseTLSInjected, check.SMTPInjection,
		func(q *behaviour) { q.onStartTLS(); q.smtp = faultInjected }),
	fault("starttls-failed", check.CauseStartTLSFailed, check.SMTPTLS,
		func(q *behaviour) { q.onStartTLS(); q.smtp = faultTLSRefused }),
	fault("tls-wrong-mode", check.CauseTLSWrongMode, check.SMTPTLS, func(q *behaviour) { q.plainSubmissions = true }),
	fault("tls-old", check.CauseTLSVersionUnsupported, check.SMTPTLS, func(q *behaviour) { q.oldTLS = true }),
}

var signInFaults = []Fault{
	fault("wrong-password", check.CauseWrongPassword, check.SMTPAuth, func(q *behaviour) { q.typed = mistyped }),
	fault("app-password-required", check.CauseAppPasswordRequired, check.SMTPAuth,
		func(q *behaviour) { q.typed = accountPassword }),
	fault("basic-auth-disabled", check.CauseBasicAuthDisabled, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(535, 5, 7, 139, "Authentication unsuccessful, basic authentication is disabled.")
		q.login = imapNo("", "LogonDenied-BasicAuthBlocked")
	}),
	fault("smtp-auth-disabled", check.CauseSMTPAuthDisabled, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(535, 5, 7, 139,
			"Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.")
	}),
	fault("webmail-login-required", check.CauseWebmailLoginRequired, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(534, 5, 7, 14, "Please log in with your web browser and then try again.")
	}),
	fault("too-many-login-attempts", check.CauseTooManyLoginAttempts, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(454, 4, 7, 0, "Too many login attempts, please try again later.")
	}),
	fault("account-suspended", check.CauseAccountSuspended, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(535, 5, 7, 139, "Authentication unsuccessful, user account is locked.")
		q.login = imapNo(imap.ResponseCodeContactAdmin, "Your account is suspended")
	}),
	fault("auth-temporary-failure", check.CauseAuthTemporaryFailure, check.SMTPAuth, func(q *behaviour) {
		q.signIn = smtpError(454, 4, 7, 0, "Temporary authentication failure: Connection lost to authentication server")
	}),
	fault("auth-not-offered", check.CauseAuthNotOffered, check.SMTPAuthOffered, func(q *behaviour) { q.mechanisms = nil }),
	fault("login-only", "", "", func(q *behaviour) { q.mechanisms = []string{"LOGIN"} }),
}

var sendingFaults = []Fault{
	// The sender is checked at RCPT, as Postfix does (smtpd_delay_reject): a check that stops after MAIL does not find it.
	fault("sender-not-owned", check.CauseSenderNotOwned, check.SMTPSender, func(q *behaviour) { q.rcpt = notOwned }),
	fault("relay-denied", check.CauseRelayDenied, check.SMTPSender, func(q *behaviour) { q.rcpt = relayDenied }),
	fault("recipient-unknown", check.CauseRecipientUnknown, check.SMTPRecipient,
		func(q *behaviour) { q.rcpt = userUnknown }),
	fault("greylisted", check.CauseGreylisted, check.SMTPRecipient, func(q *behaviour) { q.greylists = true }),
	fault("ip-blocklisted", check.CauseIPBlocklisted, check.SMTPRecipient, func(q *behaviour) {
		q.rcpt = func(string, string) *smtp.SMTPError {
			return smtpError(554, 5, 7, 1, "Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org")
		}
	}),
	fault("rate-limited", check.CauseRateLimited, check.SMTPRecipient, func(q *behaviour) {
		q.rcpt = func(string, string) *smtp.SMTPError { return smtpError(452, 4, 5, 3, "rate limit exceeded") }
	}),
	fault("quota-exceeded", check.CauseSendingQuotaExceeded, check.SMTPSender, func(q *behaviour) {
		q.mail = smtpError(550, 5, 4, 5, "Daily user sending limit exceeded.")
	}),
	fault("mailbox-full", check.CauseMailboxFull, check.SMTPRecipient, func(q *behaviour) {
		q.rcpt = func(_, to string) *smtp.SMTPError {
			return smtpError(452, 4, 2, 2, "<"+to+">: Recipient address rejected: Mailbox full")
		}
		q.appending = imapNo(imap.ResponseCodeOverQuota, "Quota exceeded (mailbox for user is full)")
	}),
	fault("message-too-large", check.CauseMessageTooLarge, check.SMTPData, func(q *behaviour) { q.largest = tinyMessage }),
	fault("content-rejected", check.CauseContentRejected, check.SMTPData, func(q *behaviour) {
		q.content = smtpError(554, 5, 7, 1, "Message rejected under suspicion of SPAM")
	}),
	fault("delivery-unknown", check.CauseDeliveryUnknown, check.SMTPData,
		func(q *behaviour) { q.vanish = true; q.placement = placedNowhere }),
}

// tinyMessage is a size in octets below that of any message with a header. It is not announced (RFC 1870 SIZE is the
// server's limit, this one the account's), so it shows only after the message was sent.
const tinyMessage = 100

func notOwned(from, _ string) *smtp.SMTPError {
	return smtpError(553, 5, 7, 1, "<"+from+">: Sender address rejected: not owned by user "+Address)
}

func relayDenied(_, to string) *smtp.SMTPError {
	return smtpError(554, 5, 7, 1, "<"+to+">: Relay access denied")
}

func userUnknown(_, to string) *smtp.SMTPError {
	return smtpError(550, 5, 1, 1, "<"+to+">: Recipient address rejected: User unknown in virtual mailbox table")
}

var imapFaults = []Fault{
	fault("imap-disabled", check.CauseClientAccessDisabled, check.IMAPAuth, func(q *behaviour) {
		q.login = imapNo(imap.ResponseCodeAlert,
			"Your account is not enabled for IMAP use. Please visit your mail settings page.")
	}),
	fault("imap-wrong-password", check.CauseWrongPassword, check.IMAPAuth, func(q *behaviour) {
		q.login = imapNo(imap.ResponseCodeAuthenticationFailed, "Authentication failed.")
	}),
	fault("imap-refused", check.CauseConnectionRefused, check.IMAPConnect, func(q *behaviour) { q.imap = faultRefused }),
	fault("no-sent-folder", check.CauseFolderMissing, check.IMAPFolder, func(q *behaviour) { q.noSent = true }),
	fault("no-special-use", "", "", func(q *behaviour) { q.noSpecialUse = true }),
	fault("append-refused", check.CauseAppendRefused, check.IMAPAppend, func(q *behaviour) {
		q.appending = imapNo(imap.ResponseCodeCannot, "Messages cannot be filed in this folder")
	}),
	fault("append-corrupted", check.CauseReadbackMismatch, check.IMAPReadback, func(q *behaviour) { q.corrupts = true }),
	fault("sent-by-server", check.CauseSentCopyDuplicate, check.ArrivalDelivered,
		func(q *behaviour) { q.filesSent = true }),
}

var domainFaults = []Fault{
	fault("spf-missing", check.CauseSPFMissing, check.DNSSPF, func(q *behaviour) { q.spf = spfMissing }),
	fault("spf-wrong", check.CauseSPFNotAuthorised, check.DNSSPF, func(q *behaviour) { q.spf = spfWrong }),
	fault("spf-too-many-lookups", check.CauseSPFTooManyLookups, check.DNSSPF,
		func(q *behaviour) { q.spf = spfTooManyLookups }),
	fault("dkim-missing", check.CauseDKIMMissing, check.DNSDKIM, func(q *behaviour) { q.dkim = dkimMissing }),
	fault("dkim-revoked", check.CauseDKIMRevoked, check.DNSDKIM, func(q *behaviour) { q.dkim = dkimRevoked }),
	fault("dmarc-missing", check.CauseDMARCMissing, check.DNSDMARC, func(q *behaviour) { q.noDMARC = true }),
}

var arrivalFaults = []Fault{
	fault("junk", check.CauseLandedInJunk, check.ArrivalPlacement, func(q *behaviour) { q.placement = placedJunk }),
	fault("lost", check.CauseNotArrived, check.ArrivalDelivered, func(q *behaviour) { q.placement = placedNowhere }),
	fault("slow-delivery", "", "", func(q *behaviour) { q.placement = placedLate }),
}
