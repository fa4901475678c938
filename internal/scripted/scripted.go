// Package scripted holds what tests and benchmarks talk to, and what the program is never linked with: SMTP and IMAP
// servers that misbehave by a table, a name server that does by its zone, and a proxy that adds a round-trip time.
//
// A Script maps a phase of the session to an Action; phases that are not in it go well. Phases are
//
//	connect    the TCP connection is there, nothing has been said
//	tls        a TLS handshake is due (implicit TLS, or after STARTTLS)
//	greeting   the server speaks first
//	EHLO …     a command, by its verb, by verb and first word, or by its whole line: the longest match counts
//	auth       the verdict at the end of any sign-in dialog
//	.          the end of a message (SMTP)
//	literal    the go-ahead for a synchronising literal (IMAP)
//
// A phase may be narrowed to inside TLS by the prefix "tls:", and to its nth time in one connection by the suffix
// "#n": "EHLO#2", "tls:EHLO". IMAP commands of two words are written so: "UID FETCH".
//
// Servers record every octet that the client sent, and whether it was inside TLS, so that a test can assert that no
// secret arrived.
package scripted

import "time"

// Script says what happens in each phase.
type Script map[string]Action

// Action is what the server does in one phase, in the order of the fields. The zero Action is what a well-behaved
// server does; with only Delay or Drip it does that, more slowly.
type Action struct {
	// Delay passes before anything else.
	Delay time.Duration
	// Reply is one or more lines, separated by \n and each sent with CRLF. {tag} becomes the tag of the IMAP command,
	// {domain} the server's name.
	Reply string
	// Raw is sent as it stands, instead of Reply.
	Raw []byte
	// Mute sends nothing and goes on reading.
	Mute bool
	// Drip sends the reply one octet at a time, with this pause before each.
	Drip time.Duration
	// Next are the further turns of a dialog; the server reads a line before each of them (334 of AUTH, + of
	// AUTHENTICATE).
	Next []Action
	// Inject is sent in the same segment as the reply: bytes injected after the answer to STARTTLS.
	Inject string
	// InjectLater is sent on its own, InjectDelay after the reply.
	InjectLater string
	InjectDelay time.Duration
	// Endless is sent forever, at full speed: "x" makes an endless line, "250-x\r\n" an endless reply.
	Endless string
	// TLSAlert sends a fatal alert of this number instead of a handshake, then closes (RFC 8446 §6.2: 40
	// handshake_failure, 70 protocol_version, 80 internal_error).
	TLSAlert byte
	// Hang sends nothing more and keeps the connection until the client closes it.
	Hang bool
	// Close ends the connection in order (FIN), Reset breaks it (RST).
	Close bool
	Reset bool
	// NoTLS skips the handshake after a positive answer to STARTTLS.
	NoTLS bool
}

// Reply is an Action with only a reply.
func Reply(lines string) Action { return Action{Reply: lines} }

// decides reports whether the action takes the place of the default reply.
func (a Action) decides() bool {
	return a.Reply != "" || a.Raw != nil || a.Mute || a.Endless != "" || a.TLSAlert != 0 || a.Hang || a.Close || a.Reset
}

// withDefault fills an action that only slows things down with the default.
func (a Action) withDefault(standard Action) Action {
	if a.decides() {
		return a
	}
	slowed := standard
	slowed.Delay, slowed.Drip = a.Delay, a.Drip
	slowed.Inject, slowed.InjectLater, slowed.InjectDelay = a.Inject, a.InjectLater, a.InjectDelay
	slowed.NoTLS = a.NoTLS
	if a.Next != nil {
		slowed.Next = a.Next
	}
	return slowed
}
