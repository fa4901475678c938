// Package delivery sends messages through the saved configuration: it picks the profile, honours test mode, limits and
// the suppression list, hands the message to the submission server, files the Sent copy, keeps what did not leave in a
// queue and turns to the fallback when a profile's sign-in is refused for good.
//
// Decide is a pure function of the configuration and a few facts, and what it returns is what `send --dry-run` prints.
// A Message is prepared once (RFC 5322, 6409 §8); every try sends the same octets under the same Message-ID. Sender
// makes one try, Queue keeps accepted messages on disk (or in PostgreSQL) until they are sent, refused or too old.
package delivery
