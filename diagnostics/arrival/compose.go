package arrival

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"postier/config"
	"postier/internal/account"
	"postier/internal/locale"
)

// Message is a test message, ready to be sent.
type Message struct {
	ID    string // Message-ID with its angle brackets
	Token string // random; also in the field X-Postier-Test
	Raw   []byte
}

const idPrefix = "postier-"

// tokenOf returns the token in the Message-ID of a test message.
func tokenOf(id string) string {
	token, _, _ := strings.Cut(strings.TrimPrefix(id, "<"+idPrefix), "@")
	return token
}

const tokenSize = 12 // octets of randomness, so that no one guesses it and no two tests share it

// Compose writes the test message. It resembles a personal message, so that receivers treat it like one: plain text, a
// real subject and a few sentences, a Message-ID under the author's domain, no links, no fields of a mailing list.
func Compose(target account.Target, lang locale.Lang, product string, now time.Time) (Message, error) {
	random := make([]byte, tokenSize)
	_, _ = rand.Read(random) // crypto/rand.Read never fails
	token := hex.EncodeToString(random)
	author := config.AddressASCIIDomain(target.Author()) // the server may not offer SMTPUTF8 (RFC 6531 §3.3)
	domain := domainOf(author)
	words := locale.For(lang)

	m := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP))
	if err := m.From(author); err != nil {
		return Message{}, fmt.Errorf("compose the test message: %w", err)
	}
	if err := m.To(config.AddressASCIIDomain(target.To())); err != nil {
		return Message{}, fmt.Errorf("compose the test message: %w", err)
	}
	id := idPrefix + token + "@" + domain
	m.SetMessageIDWithValue(id)
	m.SetDateWithValue(now)
	m.SetUserAgent(oneLine(product))
	m.SetGenHeader("X-Postier-Test", token)
	m.Subject(oneLine(words.T("arrival.message.subject", "product", product)))
	body := words.T("arrival.message.body", "product", product, "token", token)
	m.SetBodyString(mail.TypeTextPlain, strings.ReplaceAll(strings.TrimSpace(body), "\n", "\r\n")+"\r\n")
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return Message{}, fmt.Errorf("compose the test message: %w", err)
	}
	return Message{ID: "<" + id + ">", Token: token, Raw: out.Bytes()}, nil
}

// oneLine removes control characters, so that a product's name cannot start another header field (docs/security.md T8).
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
