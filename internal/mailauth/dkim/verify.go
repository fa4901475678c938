package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"postier/internal/mailauth/lookup"
)

// Result is a word of RFC 8601 §2.7.1.
type Result string

// The results.
const (
	Pass      Result = "pass"
	Fail      Result = "fail"
	TempError Result = "temperror"
	PermError Result = "permerror"
)

// Verification is the verdict on one DKIM-Signature field.
type Verification struct {
	Domain, Selector, Algorithm string
	Result                      Result
	// Reason says why the result is not pass, or what limits a pass.
	Reason string
	// Partial is set when l= leaves the end of the body to whoever wants to add to it (RFC 6376 §8.2).
	Partial bool
}

// MaxSignatures bounds the signatures of a message that are read; each costs a look-up and a hash over the body (RFC
// 6376 §8.4).
const MaxSignatures = 10

// Verify verifies the signatures of a message whose lines end with CRLF, in the order of the header (RFC 6376 §6.1).
func Verify(ctx context.Context, r lookup.Resolver, message []byte, now time.Time) []Verification {
	fields, body := splitMessage(message)
	var signatures []string
	for _, f := range fields {
		if strings.EqualFold(fieldName(f), "DKIM-Signature") && len(signatures) < MaxSignatures {
			signatures = append(signatures, f)
		}
	}
	list := make([]Verification, len(signatures))
	var wg sync.WaitGroup
	for i, f := range signatures {
		wg.Go(func() {
			v := verifier{resolver: r, fields: fields, body: body, field: f, now: now}
			list[i] = v.verify(ctx)
		})
	}
	wg.Wait()
	return list
}

// verifier verifies one signature.
type verifier struct {
	resolver lookup.Resolver
	fields   []string
	body     []byte
	field    string
	now      time.Time

	tags []Tag
}

func (v *verifier) tag(name string) (value string, found bool) {
	for _, t := range v.tags {
		if t.Name == name {
			return withoutSpaces(t.Value), true
		}
	}
	return "", false
}

// value is a tag that defaults to something.
func (v *verifier) value(name, missing string) string {
	if value, found := v.tag(name); found {
		return value
	}
	return missing
}

// describe reads what a report shows of a signature, readable or not.
func (v *verifier) describe() Verification {
	_, text, _ := strings.Cut(v.field, ":")
	out := Verification{}
	for pair := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(pair, "=")
		to := map[string]*string{"d": &out.Domain, "s": &out.Selector, "a": &out.Algorithm}[withoutSpaces(name)]
		if to != nil && *to == "" {
			*to = withoutSpaces(value)
		}
	}
	return out
}

// fault is a verdict other than pass.
type fault struct {
	result Result
	reason string
}

func (f *fault) Error() string { return f.reason }

func permError(format string, args ...any) *fault {
	return &fault{PermError, fmt.Sprintf(format, args...)}
}

func (v *verifier) verify(ctx context.Context) Verification {
	out := v.describe()
	key, f := v.prepare(ctx, out)
	if f == nil {
		f = v.check(key, &out)
	}
	if f != nil {
		out.Result, out.Reason, out.Partial = f.result, f.reason, false
		return out
	}
	out.Result = Pass
	if out.Reason == "" && key.Testing {
		out.Reason = "the key is marked as a test (t=y)"
	}
	return out
}

// required are the tags that a signature must have (RFC 6376 §3.5).
var required = []string{"v", "a", "b", "bh", "d", "h", "s"}

// prepare reads the signature and its key (RFC 6376 §6.1.1, §6.1.2).
func (v *verifier) prepare(ctx context.Context, about Verification) (Key, *fault) {
	_, text, _ := strings.Cut(v.field, ":")
	tags, bad := Tags(text)
	if bad != nil {
		return Key{}, permError("malformed signature: %s %q", bad.Kind, bad.Token)
	}
	v.tags = tags
	for _, name := range required {
		if value, found := v.tag(name); !found || value == "" && name != "b" {
			return Key{}, permError("the signature has no %s=", name)
		}
	}
	if version, _ := v.tag("v"); version != "1" {
		return Key{}, permError("unknown version of the signature")
	}
	if f := v.identity(about.Domain); f != nil {
		return Key{}, f
	}
	if f := v.times(); f != nil {
		return Key{}, f
	}
	if methods := strings.Split(v.value("q", "dns/txt"), ":"); !slices.Contains(methods, "dns/txt") {
		return Key{}, permError("unknown method to look up the key")
	}
	name, ok := lookup.Name(about.Selector + "._domainkey." + about.Domain)
	if !ok {
		return Key{}, permError("s= and d= make no name")
	}
	published := Find(ctx, v.resolver, name)
	problem := published.Problem()
	if problem != ProblemTooLarge && lookup.Temporary(published.Err) {
		return Key{}, &fault{TempError, "key unavailable: " + published.Err.Error()}
	}
	if problem != ProblemNone {
		return Key{}, permError("%s", problem)
	}
	return published.Key, nil
}

// identity checks that the signature covers From and that i= is within d= (RFC 6376 §3.5, §6.1.1).
func (v *verifier) identity(domain string) *fault {
	if !slices.ContainsFunc(v.signedNames(), func(name string) bool { return strings.EqualFold(name, "From") }) {
		return permError("the From field is not signed")
	}
	identity := v.value("i", "@"+domain)
	at := strings.LastIndexByte(identity, '@')
	if at < 0 || !lookup.Within(identity[at+1:], domain) {
		return permError("i= is not within d=")
	}
	return nil
}

func (v *verifier) times() *fault {
	for _, name := range []string{"t", "x"} {
		text, found := v.tag(name)
		if !found {
			continue
		}
		// RFC 6376 §3.5: up to twelve digits have to be understood.
		seconds, err := strconv.ParseUint(text, 10, 48)
		if err != nil {
			return permError("%s= is no time", name)
		}
		if name == "x" && v.now.After(time.Unix(int64(seconds), 0)) {
			return permError("the signature has expired")
		}
	}
	return nil
}

func (v *verifier) signedNames() []string {
	names, _ := v.tag("h")
	return strings.Split(names, ":")
}

// check verifies the body hash and the signature (RFC 6376 §3.7, §6.1.3).
func (v *verifier) check(key Key, out *Verification) *fault {
	kind, hash, _ := strings.Cut(out.Algorithm, "-")
	switch {
	case hash == "sha1": // RFC 8301 §3.1
		return permError("the hash algorithm is too weak")
	case hash != "sha256":
		return permError("unknown hash algorithm")
	case kind != key.Type:
		return permError("the key is of another type")
	case !accepts(key.Hashes, hash):
		return permError("the key does not allow this hash algorithm")
	}
	// RFC 6376 §3.6.1: t=s forbids a subdomain in i=.
	identity := v.value("i", "@"+out.Domain)
	if key.Strict && !strings.EqualFold(identity[strings.LastIndexByte(identity, '@')+1:], out.Domain) {
		return permError("the key (t=s) does not allow a subdomain in i=")
	}
	headerForm, bodyForm, _ := strings.Cut(v.value("c", "simple/simple"), "/")
	if bodyForm == "" {
		bodyForm = "simple"
	}
	if !canonical(headerForm) || !canonical(bodyForm) {
		return permError("unknown canonicalization")
	}
	if f := v.bodyHash(bodyForm, out); f != nil {
		return f
	}
	text, _ := v.tag("b")
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return permError("b= is not base64")
	}
	digest := sha256.Sum256(v.signedHeader(headerForm))
	if !verifies(key, digest[:], signature) {
		return &fault{Fail, "signature did not verify"}
	}
	return nil
}

// bodyHash compares bh= with the hash of the body, or of the part that l= names.
func (v *verifier) bodyHash(form string, out *Verification) *fault {
	body := canonicalBody(v.body, form)
	if text, found := v.tag("l"); found {
		// RFC 6376 §3.5: up to 76 digits; what does not fit exceeds every body.
		length, err := strconv.ParseUint(text, 10, 63)
		switch {
		case err != nil:
			return permError("l= is no length")
		case length > uint64(len(body)):
			return &fault{Fail, "l= is longer than the body"}
		}
		out.Partial = true
		out.Reason = fmt.Sprintf("covers only the first %d of %d octets of the body (l=)", length, len(body))
		body = body[:length]
	}
	text, _ := v.tag("bh")
	want, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return permError("bh= is not base64")
	}
	if got := sha256.Sum256(body); subtle.ConstantTimeCompare(got[:], want) != 1 {
		return &fault{Fail, "body hash did not verify"}
	}
	return nil
}

func verifies(key Key, digest, signature []byte) bool {
	switch public := key.Public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil
	case ed25519.PublicKey: // RFC 8463 §3: of the hash
		return ed25519.Verify(public, digest, signature)
	}
	return false
}

// signedHeader are the fields that h= names, each time the next one from below, then the signature itself without the
// value of b= (RFC 6376 §3.7, §5.4.2).
func (v *verifier) signedHeader(form string) []byte {
	var b bytes.Buffer
	rest := map[string][]string{}
	for _, f := range v.fields {
		name := strings.ToLower(fieldName(f))
		rest[name] = append(rest[name], f)
	}
	for _, name := range v.signedNames() {
		name = strings.ToLower(name)
		list := rest[name]
		if len(list) == 0 {
			continue
		}
		b.WriteString(canonicalField(list[len(list)-1], form))
		rest[name] = list[:len(list)-1]
	}
	b.WriteString(strings.TrimSuffix(canonicalField(v.withoutSignature(), form), "\r\n"))
	return b.Bytes()
}

// withoutSignature is the field with an empty b=. Spaces around the value go with it.
func (v *verifier) withoutSignature() string {
	start := strings.IndexByte(v.field, ':') + 1
	for start < len(v.field) {
		part, _, more := strings.Cut(v.field[start:], ";")
		if name, _, found := strings.Cut(part, "="); found && strings.Trim(name, fws) == "b" {
			end := start + len(part)
			if !more {
				end = len(strings.TrimSuffix(v.field, "\r\n"))
			}
			return v.field[:start+len(name)+1] + v.field[end:]
		}
		start += len(part) + 1
	}
	return v.field
}
