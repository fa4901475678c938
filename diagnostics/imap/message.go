package imap

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// tokenSize makes a Message-ID that cannot be guessed and that two runs never share.
const tokenSize = 12

// rehearsal is the message that is appended and removed again.
type rehearsal struct {
	id    string // Message-ID with its angle brackets
	token string
	raw   []byte
}

// newRehearsal composes a small message that explains itself, in case it cannot be removed. It stays below 4,096
// octets, so that LITERAL- servers take it without a pause (RFC 7888 §5).
func newRehearsal(author string, lang locale.Lang, product string, now time.Time) rehearsal {
	random := make([]byte, tokenSize)
	_, _ = rand.Read(random) // crypto/rand.Read never fails
	r := rehearsal{token: hex.EncodeToString(random)}
	domain, ok := config.DomainASCII(config.AddressDomain(author))
	if !ok {
		domain = "postier.invalid"
	}
	r.id = "<postier-" + r.token + "@" + domain + ">"

	words := locale.For(lang)
	subject := words.T("imap.rehearsal.subject", "product", product)
	body := words.T("imap.rehearsal.body", "product", product)
	var b bytes.Buffer
	mailbox := authorField(author, domain)
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\n", mailbox, mailbox)
	fmt.Fprintf(&b, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", headerSafe(subject)))
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: %s\r\n", now.Format(time.RFC1123Z), r.id)
	fmt.Fprintf(&b, "X-Postier-Rehearsal: %s\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", r.token)
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	qp := quotedprintable.NewWriter(&b)
	_, _ = qp.Write([]byte(strings.ReplaceAll(strings.TrimSpace(body), "\n", "\r\n") + "\r\n"))
	_ = qp.Close()
	r.raw = b.Bytes()
	return r
}

// authorField writes the author for a mailbox without UTF8=ACCEPT, which need not take a header outside ASCII
// (RFC 6855 §3): the domain in A-labels, and a local part that has no other form as a name (RFC 6857 §3.1.8).
func authorField(author, domain string) string {
	field := addressfield.Mailbox("", headerSafe(author))
	if safetext.IsASCII(field) {
		return field
	}
	return addressfield.Mailbox(headerSafe(author), config.Program+"@"+domain)
}

// headerSafe drops characters that could start another header field (docs/security.md T8).
func headerSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, s)
}
