package delivery

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
	"golang.org/x/text/unicode/norm"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/locale"
)

// Draft is a message to be built. Without an author it gets that of the profile that sends it, and its Message-ID.
type Draft struct {
	From    config.Address
	ReplyTo string   // empty leaves it to the profile
	To, CC  []string // mailboxes, with or without a name
	Subject string
	Body    string
	// Attachments are paths of files, Files are attached as they are here.
	Attachments []string
	Files       []File
}

// File is a file to attach.
type File struct {
	Name string
	Data []byte
}

// Build makes the message (RFC 5322, MIME). Errors are about an address or a file.
func (d Draft) Build(now time.Time) (*Message, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if d.From.Address != "" {
		if err := m.FromFormat(d.From.Name, config.AddressASCIIDomain(d.From.Address)); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrBadAddress, "From")
		}
	}
	m.Subject(strings.Join(strings.Fields(d.Subject), " "))
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(strings.Trim(NewMessageID(d.From.Address), "<>"))
	m.SetBodyString(mail.TypeTextPlain, d.Body)
	for _, path := range d.Attachments {
		if err := attach(m, path); err != nil {
			return nil, err
		}
	}
	for _, file := range d.Files {
		if err := m.AttachReader(file.Name, bytes.NewReader(file.Data), named(file.Name)); err != nil {
			return nil, fmt.Errorf("attach %s: %w", file.Name, err)
		}
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("build the message: %w", err)
	}
	if b.Len() > MaxMessage {
		return nil, ErrTooLarge
	}
	message, err := Parse(b.Bytes())
	if err != nil {
		return nil, err
	}
	if d.From.Address == "" {
		message.drop("Message-ID")
	}
	var replies []string
	if d.ReplyTo != "" {
		replies = []string{d.ReplyTo}
	}
	for name, list := range map[string][]string{"To": d.To, "Cc": d.CC, "Reply-To": replies} {
		if err := message.address(name, list); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// address writes a field of addresses, which may have names.
func (m *Message) address(name string, list []string) error {
	var values []string
	for _, text := range list {
		parsed, bad := addressfield.List(text)
		if len(bad) > 0 {
			return fmt.Errorf("%w: %s", ErrBadAddress, name)
		}
		for _, a := range parsed {
			values = append(values, addressfield.Mailbox(a.Name, a.Address))
		}
	}
	if len(values) > 0 {
		m.set(name, foldWords(strings.Join(values, ", ")))
	}
	return nil
}

// asciiDomains returns the addresses with their domains in A-labels, which every server takes (RFC 6531 §3.3).
func asciiDomains(addresses []string) []string {
	out := make([]string, 0, len(addresses))
	for _, address := range addresses {
		out = append(out, config.AddressASCIIDomain(address))
	}
	return out
}

// shouting is the share of capitals from which a subject counts as written in capitals.
const shouting = 0.8

// Advice names what makes spam filters suspicious of a message (M-8).
func Advice(subject string, bodyOctets, imageOctets int) []config.Text {
	var out []config.Text
	capitals, letters := 0, 0
	for _, r := range subject {
		if unicode.IsLetter(r) {
			letters++
			if unicode.IsUpper(r) {
				capitals++
			}
		}
	}
	const fewLetters = 6 // "RE: AG" is not shouting
	switch {
	case strings.TrimSpace(subject) == "":
		out = append(out, locale.Msg("delivery.advice.subject"))
	case letters >= fewLetters && float64(capitals) > shouting*float64(letters):
		out = append(out, locale.Msg("delivery.advice.capitals"))
	}
	if strings.Count(subject, "!") > 1 {
		out = append(out, locale.Msg("delivery.advice.exclamation"))
	}
	if imageOctets > 0 && bodyOctets < 200 {
		out = append(out, locale.Msg("delivery.advice.images"))
	}
	return out
}

// attach reads the file at once, so that a missing or unreadable one is an error before anything is sent.
func attach(m *mail.Msg, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("attach %s: not a file", filepath.Base(path))
	}
	if info.Size() > MaxMessage {
		return ErrTooLarge
	}
	name := norm.NFC.String(filepath.Base(path)) // macOS gives letters and their accents apart
	return m.AttachReader(name, io.LimitReader(file, MaxMessage), named(name))
}
