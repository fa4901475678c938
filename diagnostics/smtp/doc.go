// Package smtp climbs the submission ladder rung by rung: name, connection over both address families, greeting, TLS,
// certificate, EHLO, AUTH, sender, recipient and, when asked to, a message.
//
// The dialog is our own and small, because the libraries hide what a diagnosis needs: the banner, unexpected replies,
// the chain of a bad certificate, bytes behind STARTTLS. It follows RFC 5321, RFC 6409 (submission), RFC 8314 (implicit
// TLS), RFC 3207 (STARTTLS), RFC 4954 (AUTH) and RFC 2920 (pipelining). Nothing secret is written before TLS stands and
// the chain holds for the host that the person confirmed; the one exception is Target.AllowCleartext.
package smtp
