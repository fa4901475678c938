// Package imap is a client for what postier needs of a mailbox: it connects, signs in, lists folders, files a message,
// finds it again, reads it and removes exactly that one.
//
// It speaks IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051) with SPECIAL-USE (RFC 6154), LIST-EXTENDED (RFC 5258),
// NAMESPACE (RFC 2342), UIDPLUS (RFC 4315), LITERAL+ and LITERAL- (RFC 7888), SASL-IR (RFC 4959), QUOTA (RFC 9208) and
// ID (RFC 2971). It caps every octet before it takes memory for it, knows a secret by its position, and keeps what the
// server said word for word (docs/decisions/0001-imap-client.md). It judges nothing: diagnostics/imap holds a Session
// and judges, delivery holds one and files the Sent copy.
package imap
