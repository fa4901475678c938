// Package smtp is a client for message submission. It knows the protocol and no checks: the ladder of
// diagnostics/smtp takes its steps one by one and judges each, package delivery takes them all at once with Open and
// then hands over messages with Send. So what is proven and what sends is the same client.
//
// The dialog is our own and small, because the libraries hide what a diagnosis needs: the banner, unexpected replies,
// the chain of a bad certificate, bytes after the STARTTLS reply. It follows RFC 5321, RFC 6409 (submission), RFC 8314
// (implicit TLS), RFC 3207 (STARTTLS), RFC 4954 (AUTH) and RFC 2920 (pipelining). Nothing secret is written before TLS
// stands and the chain holds for the host that the person confirmed; the one exception is Account.AllowCleartext.
package smtp
