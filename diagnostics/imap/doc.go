// Package imap rehearses the Sent copy: it signs in to the mailbox, finds the folder for sent mail, files a small
// labelled message there, reads it back octet by octet and removes exactly that one message again.
//
// It holds a client (internal/imap), gives each rung of the ladder a verdict with its evidence, and speaks no IMAP
// itself.
package imap
