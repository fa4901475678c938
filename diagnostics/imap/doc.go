// Package imap rehearses the Sent copy: it signs in to the mailbox, finds the folder for sent mail, files a small
// labelled message there, reads it back octet by octet and removes exactly that one message again.
//
// It speaks IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051) with SPECIAL-USE (RFC 6154), LIST-EXTENDED (RFC 5258),
// NAMESPACE (RFC 2342), UIDPLUS (RFC 4315), LITERAL+ and LITERAL- (RFC 7888), SASL-IR (RFC 4959), QUOTA (RFC 9208) and
// ID (RFC 2971). The dialog is its own, not a library's: every octet is capped before memory is taken for it, a secret
// is known by its position, and what a server said stays available word for word (docs/decisions, "imap client").
package imap
