// Package imap is an IMAP client with the commands that postier needs: it connects, signs in, lists folders, files a
// message, finds it, reads it and removes exactly that message.
//
// It speaks IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051) with SPECIAL-USE (RFC 6154), LIST-EXTENDED (RFC 5258),
// NAMESPACE (RFC 2342), UIDPLUS (RFC 4315), LITERAL+ and LITERAL- (RFC 7888), SASL-IR (RFC 4959), QUOTA (RFC 9208) and
// ID (RFC 2971). It checks the size of every response before it allocates memory for it, masks secrets in the
// transcript by their position in the command, and keeps the server's replies word for word
// (docs/decisions/0001-imap-client.md). It passes no verdict: diagnostics/imap uses a Session to check a mailbox,
// delivery uses one to file the Sent copy.
package imap
