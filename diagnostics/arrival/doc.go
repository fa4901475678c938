// Package arrival sends a message with a random token to oneself, finds it again by IMAP in the inbox or in junk, and
// says what the receiver judged about it: SPF, DKIM and DMARC as written into Authentication-Results (RFC 8601), and
// its own verification of the DKIM signatures (RFC 6376). Afterwards it removes the message.
//
// Judge and Evaluate do this for any message.
package arrival
