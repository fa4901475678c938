// Package dkim parses DKIM key records (RFC 6376 §3.6.1 with RFC 8301 and RFC 8463) and locates each fault, including
// those that come from wrong pasting. It verifies no signatures.
package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Key lengths of RSA in bits (RFC 8301 §3.2): no verifier accepts a signature below MinBits; signers should use
// GoodBits.
const (
	MinBits  = 1024
	GoodBits = 2048
	maxBits  = 8192 // crypto/rsa and most verifiers refuse more; checking such keys is also slow
)

// FaultKind names what is wrong with a record.
type FaultKind string

// The faults. All but FaultHash and FaultService make the key unreadable; those two make it useless for mail.
const (
	FaultTagList   FaultKind = "tag-list"  // not a tag=value list (RFC 6376 §3.2)
	FaultTwice     FaultKind = "twice"     // a tag appears a second time
	FaultVersion   FaultKind = "version"   // v= is not DKIM1, or not first
	FaultNoKey     FaultKind = "no-key"    // p= is missing
	FaultBase64    FaultKind = "base64"    // p= is not base64
	FaultTruncated FaultKind = "truncated" // the key ends in the middle
	FaultKey       FaultKind = "key"       // p= decodes, but to no key of this type
	FaultType      FaultKind = "type"      // k= names a type that verifiers do not support
	FaultTooLong   FaultKind = "too-long"  // a key that verifiers refuse
	FaultHash      FaultKind = "hash"      // h= does not include sha256
	FaultService   FaultKind = "service"   // s= does not include e-mail
	FaultQuotes    FaultKind = "quotes"    // literal quotation marks of a zone file
	FaultBackslash FaultKind = "backslash" // literal "\;" of a zone file
	FaultPEM       FaultKind = "pem"       // the lines of a PEM file
)

// Fault is one fault with its place in the record, in octets.
type Fault struct {
	Kind   FaultKind
	Offset int
	Token  string
}

// Key is a parsed record.
type Key struct {
	// Type is the value of k=, "rsa" when absent. Empty when the record could not be read at all.
	Type string
	// Public is *rsa.PublicKey or ed25519.PublicKey; nil for a revoked or unreadable key.
	Public crypto.PublicKey
	// Bits is the length of an RSA modulus, 256 for Ed25519.
	Bits int
	// Revoked is an empty p= (RFC 6376 §3.6.1).
	Revoked bool
	// Testing is t=y: failures are to be treated as if the message was not signed.
	Testing bool
	// Strict is t=s: the i= of a signature must be of exactly this domain.
	Strict bool
	// Hashes and Services are h= and s=; empty means all.
	Hashes, Services []string
	Notes            string
}

// Label is the key as the report names it: rsa-2048, ed25519, or the bare type when there is no key.
func (k Key) Label() string {
	if k.Public == nil || k.Type != "rsa" {
		return k.Type
	}
	return fmt.Sprintf("rsa-%d", k.Bits)
}

// Usable reports whether a verifier would accept signatures by this key.
func (k Key) Usable() bool {
	return k.Public != nil && !k.Revoked && (k.Type != "rsa" || k.Bits >= MinBits && k.Bits <= maxBits) &&
		accepts(k.Hashes, "sha256") && (accepts(k.Services, "email") || accepts(k.Services, "*"))
}

func accepts(list []string, value string) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// Tag is one tag=value with the place of its value.
type Tag struct {
	Name, Value string
	Offset      int
}

// IsKey reports whether a TXT record was probably meant as a DKIM key: a wildcard may answer with another record.
func IsKey(txt string) bool {
	lower := strings.ToLower(strings.TrimLeft(txt, "\"'“ \t"))
	if strings.HasPrefix(lower, "v=dkim") || strings.Contains(txt, "-----BEGIN PUBLIC KEY") {
		return true
	}
	if strings.HasPrefix(lower, "v=") {
		return false // SPF, DMARC and others
	}
	for field := range strings.SplitSeq(lower, ";") {
		name, _, found := strings.Cut(strings.Trim(field, "\" \t\r\n"), "=")
		if found && strings.TrimSpace(name) == "p" {
			return true
		}
	}
	return false
}

// Parse reads a key record. The faults are in the order of the record.
func Parse(txt string) (Key, []Fault) {
	if fault := mispasted(txt); fault != nil {
		return Key{}, []Fault{*fault}
	}
	tags, fault := Tags(txt)
	if fault != nil {
		return Key{}, []Fault{*fault}
	}
	var faults []Fault
	k := Key{Type: "rsa"}
	public := -1
	for i, t := range tags {
		switch t.Name { // tag names and values are case-sensitive unless said otherwise (RFC 6376 §3.2)
		case "v":
			if i != 0 || t.Value != "DKIM1" {
				return Key{}, []Fault{{FaultVersion, t.Offset, t.Value}}
			}
		case "k":
			k.Type = t.Value
		case "h":
			k.Hashes = list(t.Value)
			if !accepts(k.Hashes, "sha256") { // RFC 8301 §3.1: rsa-sha1 must not be used
				faults = append(faults, Fault{FaultHash, t.Offset, t.Value})
			}
		case "s":
			k.Services = list(t.Value)
			if !accepts(k.Services, "email") && !accepts(k.Services, "*") {
				faults = append(faults, Fault{FaultService, t.Offset, t.Value})
			}
		case "t":
			flags := list(t.Value)
			k.Testing = slices.Contains(flags, "y")
			k.Strict = slices.Contains(flags, "s")
		case "n":
			k.Notes = t.Value
		case "p":
			public = i
		}
	}
	if public < 0 {
		return k, append(faults, Fault{FaultNoKey, len(txt), ""})
	}
	if fault := k.decode(tags[public]); fault != nil {
		faults = append(faults, *fault)
	}
	return k, faults
}

func list(s string) []string {
	var out []string
	for item := range strings.SplitSeq(s, ":") {
		out = append(out, strings.TrimSpace(item))
	}
	return out
}

// decode reads p=.
func (k *Key) decode(t Tag) *Fault {
	text := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, t.Value)
	if text == "" {
		k.Revoked = true
		return nil
	}
	if k.Type != "rsa" && k.Type != "ed25519" {
		return &Fault{FaultType, t.Offset, k.Type}
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		if at := badBase64(t.Value); at >= 0 {
			return &Fault{FaultBase64, t.Offset + at, t.Value[at : at+1]}
		}
		return &Fault{FaultTruncated, t.Offset + len(t.Value), ""}
	}
	if k.Type == "ed25519" {
		return k.decodeEd25519(raw, t)
	}
	return k.decodeRSA(raw, t)
}

// badBase64 is the place of the first character that base64 does not have, or -1.
func badBase64(s string) int {
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("+/= \t\r\n", c) >= 0 {
			continue
		}
		return i
	}
	return -1
}

// decodeEd25519 reads the 32 octets of RFC 8463 §4.
func (k *Key) decodeEd25519(raw []byte, t Tag) *Fault {
	switch {
	case len(raw) == ed25519.PublicKeySize:
		k.Public, k.Bits = ed25519.PublicKey(raw), 8*ed25519.PublicKeySize
		return nil
	case len(raw) < ed25519.PublicKeySize:
		return &Fault{FaultTruncated, t.Offset + len(t.Value), ""}
	}
	return &Fault{FaultKey, t.Offset, ""}
}

// decodeRSA reads a SubjectPublicKeyInfo, which is what signers publish, or the bare RSAPublicKey that RFC 6376 §3.6.1
// names.
func (k *Key) decodeRSA(raw []byte, t Tag) *Fault {
	public, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		public, err = x509.ParsePKCS1PublicKey(raw)
	}
	key, isRSA := public.(*rsa.PublicKey)
	switch {
	case err != nil && shortDER(raw):
		return &Fault{FaultTruncated, t.Offset + len(t.Value), ""}
	case err != nil || !isRSA:
		return &Fault{FaultKey, t.Offset, ""}
	}
	k.Public, k.Bits = key, key.N.BitLen()
	if k.Bits > maxBits {
		return &Fault{FaultTooLong, t.Offset, ""}
	}
	return nil
}

// shortDER reports whether raw begins as a DER SEQUENCE whose length says that more should follow.
func shortDER(raw []byte) bool {
	if len(raw) < 2 || raw[0] != 0x30 {
		return false
	}
	length, header := int(raw[1]), 2
	if raw[1]&0x80 != 0 {
		octets := int(raw[1] & 0x7f)
		if octets == 0 || octets > 2 || len(raw) < 2+octets {
			return octets > 0 && octets <= 2
		}
		length = 0
		for _, b := range raw[2 : 2+octets] {
			length = length<<8 | int(b)
		}
		header += octets
	}
	return header+length > len(raw)
}
