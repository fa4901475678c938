// Package smtp is a client for message submission. It knows the protocol and no checks. The ladder of diagnostics/smtp
// calls its steps one by one and judges each; package delivery calls Open, which runs them all, and then Send for each
// message. So the checks and the deliveries use the same client.
//
// The dialog is our own, because the libraries hide what a diagnosis needs: the banner, unexpected replies, the chain
// of a bad certificate, bytes after the STARTTLS reply. It follows RFC 5321, RFC 6409 (submission), RFC 8314 (implicit
// TLS), RFC 3207 (STARTTLS), RFC 4954 (AUTH) and RFC 2920 (pipelining). It writes no secret before TLS is established
// and the chain is valid for the host that the user confirmed. The one exception is Account.AllowCleartext.
package smtp
