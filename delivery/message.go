package delivery

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// Caps of a message (docs/security.md T8).
const (
	MaxMessage = 25 << 20 // octets; most providers take no more
	maxHeader  = 64 << 10 // octets
	// maxReceived is where a message is taken to go round in circles (RFC 5321 §6.3: normally at least 100).
	maxReceived = 100
	// maxLineOctets is the longest line without its end (RFC 5322 §2.1.1).
	maxLineOctets = 998
)

// loopMark is the value of X-Loop in what this program writes by itself.
const loopMark = "postier"

// Errors of a message that cannot be sent. They are data errors (exit code 65).
var (
	ErrTooLarge   = errors.New("the message is larger than 25 MiB")
	ErrHeader     = errors.New("the message's header is larger than 64 KiB")
	ErrEmpty      = errors.New("there is no message")
	ErrLoop       = errors.New("the message goes round in circles")
	ErrBadAddress = errors.New("the message's header holds a malformed address")
)

// field is one header field.
type field struct {
	name  string
	value string // without the line end, folds kept as they came
}

// Message is a message with its header in parts. Body has CRLF line ends.
type Message struct {
	fields []field
	body   []byte
}

// Read reads a message. With dot, a line holding a dot alone ends it, as sendmail without -i does; what follows is not
// read.
func Read(r io.Reader, dot bool) (*Message, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	if dot {
		data = untilDot(data)
	}
	if len(data) > MaxMessage {
		return nil, ErrTooLarge
	}
	return Parse(data)
}

func untilDot(data []byte) []byte {
	var out []byte
	for line := range bytes.Lines(data) {
		if string(bytes.TrimRight(line, "\r\n")) == "." {
			break
		}
		out = append(out, line...)
	}
	return out
}

// Parse takes a message apart. Line ends may be LF, CR or CRLF. The header ends at the first blank line, or at the
// first line that is no header field: nothing after it is ever taken for a recipient.
func Parse(data []byte) (*Message, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, ErrEmpty
	}
	text := smtp.CRLF(data)
	m := &Message{}
	size := 0
	for first := true; len(text) > 0; first = false {
		line, rest, _ := bytes.Cut(text, []byte("\r\n"))
		if size += len(line); size > maxHeader {
			return nil, ErrHeader
		}
		switch name, value, isField := fieldOf(line); {
		case len(line) == 0:
			m.body = rest
			return m, nil
		case first && bytes.HasPrefix(line, []byte("From ")): // the envelope line of mbox files
		case (line[0] == ' ' || line[0] == '\t') && len(m.fields) > 0:
			m.fields[len(m.fields)-1].value += "\r\n" + string(line)
		case isField:
			m.fields = append(m.fields, field{name, value})
		default:
			m.body = text
			return m, nil
		}
		text = rest
	}
	return m, nil
}

// fieldOf splits a header line (RFC 5322 §2.2: printable ASCII without colon).
func fieldOf(line []byte) (name, value string, ok bool) {
	before, after, found := bytes.Cut(line, []byte(":"))
	before = bytes.TrimRight(before, " \t") // obsolete, and still written
	if !found || len(before) == 0 {
		return "", "", false
	}
	for _, c := range before {
		if c <= ' ' || c >= 0x7f {
			return "", "", false
		}
	}
	return string(before), string(after), true
}

// Bytes is the message as it goes over the wire, without dot-stuffing.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	for _, f := range m.fields {
		b.WriteString(f.name + ":" + f.value + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return b.Bytes()
}

// Get is the first field of a name, unfolded.
func (m *Message) Get(name string) string {
	if values := m.all(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (m *Message) all(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, unfold(f.value))
		}
	}
	return out
}

func unfold(value string) string { return strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "")) }

// set replaces the first field of a name in its place and drops the others, or adds one.
func (m *Message) set(name, value string) {
	kept, done := m.fields[:0], false
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			if done {
				continue
			}
			f.value, done = " "+value, true
		}
		kept = append(kept, f)
	}
	m.fields = kept
	if !done {
		m.fields = append(m.fields, field{name, " " + value})
	}
}

func (m *Message) drop(names ...string) {
	m.fields = slices.DeleteFunc(m.fields, func(f field) bool { return f.isOneOf(names) })
}

func (f field) isOneOf(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, f.name) })
}

// Author is the address of the From field, empty when there is none.
func (m *Message) Author() (string, error) {
	list, err := m.addresses("From")
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].Address, nil
}

// Recipients are the addresses of To, Cc and Bcc; in a message that was sent on, those of its Resent fields alone
// (RFC 5322 §3.6.6).
func (m *Message) Recipients() ([]string, error) {
	names := []string{"To", "Cc", "Bcc"}
	for _, name := range []string{"Resent-To", "Resent-Cc", "Resent-Bcc"} {
		if len(m.all(name)) > 0 {
			names = []string{"Resent-To", "Resent-Cc", "Resent-Bcc"}
		}
	}
	var out []string
	for _, name := range names {
		list, err := m.addresses(name)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out = append(out, a.Address)
		}
	}
	return out, nil
}

func (m *Message) addresses(name string) ([]*mail.Address, error) {
	var out []*mail.Address
	for _, value := range m.all(name) {
		list, err := ParseAddresses(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, name)
		}
		out = append(out, list...)
	}
	return out, nil
}

// ParseAddresses reads the address list of a header field. One that is too long is refused before it is parsed.
func ParseAddresses(value string) ([]*mail.Address, error) {
	value = strings.Trim(value, " \t,;")
	switch {
	case value == "" || strings.HasSuffix(value, ":"): // "undisclosed-recipients:;"
		return nil, nil
	case len(value) > maxHeader:
		return nil, ErrHeader
	}
	list, err := mail.ParseAddressList(value)
	if err != nil {
		return nil, ErrBadAddress
	}
	for _, a := range list {
		if !config.ValidateAddress(a.Address).Empty() {
			return nil, ErrBadAddress
		}
	}
	return list, nil
}

// Prepare gives the message the form in which it leaves: the author that the decision wants, Message-ID and Date when
// they are missing, no Bcc, ASCII in the header, lines that fit, and in test mode the wrapping. It returns the
// Message-ID, with its angle brackets. A message that this program wrote itself, or one that has passed too many
// servers, is refused: it goes round in circles.
func (m *Message) Prepare(d Decision, from config.Address, now time.Time) (id string, err error) {
	if len(m.all("Received")) > maxReceived {
		return "", ErrLoop
	}
	for _, value := range m.all("X-Loop") {
		if value == loopMark {
			return "", ErrLoop
		}
	}
	m.drop("Bcc", "Resent-Bcc", "Return-Path")
	if err := m.readdress(d); err != nil {
		return "", err
	}
	if author, _ := m.Author(); author == "" {
		m.set("From", formatAddress(from))
	}
	if m.Get("Date") == "" {
		m.set("Date", now.Format(time.RFC1123Z))
	}
	id = m.Get("Message-ID")
	if !validID(id) {
		id = NewMessageID(from.Address)
		m.set("Message-ID", id)
	}
	m.asciiHeader()
	if d.TestMode {
		m.wrapForTest(d)
	}
	m.fit()
	return id, nil
}

// readdress sets the author that a decision wants, with the name that the message gives, and the reply address.
func (m *Message) readdress(d Decision) error {
	list, err := m.addresses("From")
	if err != nil {
		return err
	}
	if d.From != nil {
		author := *d.From
		if len(list) > 0 && list[0].Name != "" {
			author.Name = list[0].Name
		}
		m.set("From", formatAddress(author))
	}
	if d.ReplyTo != "" && len(m.all("Reply-To")) == 0 && config.ValidateAddress(d.ReplyTo).Empty() {
		m.set("Reply-To", formatAddress(config.Address{Address: d.ReplyTo}))
	}
	return nil
}

// validID accepts a Message-ID that can be searched for later (RFC 5322 §3.6.4).
func validID(id string) bool {
	return len(id) > 4 && len(id) < 250 && id[0] == '<' && id[len(id)-1] == '>' && strings.Count(id, "@") == 1 &&
		!strings.ContainsAny(id, " \t\"\\(),") &&
		safetext.IsASCII(id)
}

// NewMessageID makes a Message-ID under the domain of an address.
func NewMessageID(address string) string {
	domain, ok := config.DomainASCII(config.AddressDomain(address))
	if !ok {
		domain = "postier.invalid"
	}
	return "<" + strings.ToLower(rand.Text()) + "@" + domain + ">"
}

func formatAddress(a config.Address) string { return addressfield.Mailbox(a.Name, a.Address) }

// addressFields hold addresses; in others any text may be written as encoded words (RFC 2047 §5).
var addressFields = []string{
	"From", "To", "Cc", "Reply-To", "Sender", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender",
}

// asciiHeader encodes what scripts write raw into the header: not every server offers SMTPUTF8. Text that is no UTF-8
// is taken for Latin-1, which it nearly always is. Lines that are too long are folded.
func (m *Message) asciiHeader() {
	for i, f := range m.fields {
		value := f.value
		if safetext.IsASCII(value) && !strings.ContainsRune(value, 0) &&
			longestLine([]byte(value)) < maxLineOctets-len(f.name)-1 {
			continue
		}
		value = unfold(value)
		if !utf8.ValidString(value) {
			value = latin1(value)
		}
		if f.isOneOf(addressFields) {
			if wire, err := addressfield.Wire(value); err == nil {
				m.fields[i].value = " " + wire
				continue
			}
		}
		m.fields[i].value = " " + foldWords(mime.QEncoding.Encode("utf-8", strings.ReplaceAll(value, "\x00", "")))
	}
}

// foldWords breaks at spaces, so that no line is longer than 78 where that is possible (RFC 5322 §2.1.1).
func foldWords(s string) string {
	const width = 76
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(s, " ") {
		switch {
		case i > 0 && column+1+len(word) > width:
			b.WriteString("\r\n ")
			column = 1
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		for len(word) > maxLineOctets/2 { // one endless word: a space in it is better than a refusal
			b.WriteString(word[:maxLineOctets/2] + "\r\n ")
			word = word[maxLineOctets/2:]
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func longestLine(text []byte) int {
	longest := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		longest = max(longest, len(bytes.TrimSuffix(line, []byte("\r"))))
	}
	return longest
}

// NameAuthor gives a message without From the author that the envelope names (-f with -F).
func (m *Message) NameAuthor(name, address string) {
	if address != "" && m.Get("From") == "" {
		m.set("From", formatAddress(config.Address{Name: name, Address: address}))
	}
}
