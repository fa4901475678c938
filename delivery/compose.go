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

	"postier/config"
	"postier/internal/locale"
)

// Draft is a message to be built.
type Draft struct {
	From    config.Address
	To, CC  []string
	Subject string
	Body    string
	// Attachments are paths of files.
	Attachments []string
}

// Build makes the message (RFC 5322, MIME). Errors are about an address or a file.
func (d Draft) Build(now time.Time) (*Message, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.FromFormat(d.From.Name, config.AddressASCIIDomain(d.From.Address)); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrBadAddress, "From")
	}
	for _, row := range []struct {
		name string
		list []string
		add  func(...string) error
	}{{"To", d.To, m.To}, {"Cc", d.CC, m.Cc}} {
		for _, address := range row.list {
			if !config.ValidateAddress(address).Empty() {
				return nil, fmt.Errorf("%w: %s", ErrBadAddress, row.name)
			}
		}
		if len(row.list) > 0 {
			if err := row.add(asciiDomains(row.list)...); err != nil {
				return nil, fmt.Errorf("%w: %s", ErrBadAddress, row.name)
			}
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
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("build the message: %w", err)
	}
	if b.Len() > MaxMessage {
		return nil, ErrTooLarge
	}
	return Parse(b.Bytes())
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
func Advice(subject string, bodyOctets, imageOctets int) []locale.Text {
	var out []locale.Text
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
	return m.AttachReader(filepath.Base(path), io.LimitReader(file, MaxMessage))
}
