// Package arrival sends a message with a random token to oneself, finds it again by IMAP in the inbox or in junk, and
// says what the receiver judged about it: SPF, DKIM and DMARC as written into Authentication-Results (RFC 8601), next
// to a verification of the DKIM signatures (RFC 6376) of its own. Afterwards the message is removed.
//
// Judge does the same for any message, wherever it came from.
package arrival
