package delivery

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"mime"
	"os"
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
	// MaxMessage is what one message may take of the queue's database, in octets. What may be sent is the server's to say
	// (RFC 1870).
	MaxMessage = 512 << 20
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
	ErrTooLarge   = errors.New("the message is larger than 512 MiB")
	ErrHeader     = errors.New("the message's header is larger than 64 KiB")
	ErrEmpty      = errors.New("there is no message")
	ErrLoop       = errors.New("the message goes round in circles")
	ErrBadAddress = errors.New("a malformed address")
)

// field is one header field.
type field struct {
	name  string
	value string // without the line end, folds kept as they came
}

// Message is a message with its header in parts. Its body has CRLF line ends.
type Message struct {
	fields []field
	body   []byte
	// rest is what follows body where the message is large, nil otherwise.
	rest *overflow
	// author is the name of the sender where the header has no author (-F).
	author string
	// host is the machine of a local author, empty for this one.
	host string
}

// Parse takes a message apart. Line ends may be LF, CR or CRLF. The header ends at the first blank line, or at the
// first line that is no header field: nothing after it is ever taken for a recipient.
func Parse(data []byte) (*Message, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, ErrEmpty
	}
	text := smtp.CRLF(headerLines(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))) // a byte order mark is no text
	m := &Message{}
	size := 0
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\r\n"))
		if size += len(line); size > maxHeader {
			return nil, ErrHeader
		}
		switch name, value, isField := fieldOf(line); {
		case len(line) == 0:
			m.body = rest
			return m, nil
		case len(m.fields) == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))):
			// the envelope lines of mbox files
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

// headerLines makes a lone CR in the header a blank, where the message ends its lines otherwise: it would begin a field
// of its own inside the value of another (docs/security.md T8).
func headerLines(data []byte) []byte {
	if !bytes.Contains(data, []byte("\n")) || bytes.IndexByte(data, '\r') < 0 {
		return data
	}
	end := len(data)
	for _, blank := range []string{"\n\n", "\n\r\n"} {
		if at := bytes.Index(data, []byte(blank)); at >= 0 {
			end = min(end, at)
		}
	}
	header := bytes.Clone(data[:end])
	for i, c := range header {
		if c == '\r' && (i+1 == len(header) && end == len(data) || i+1 < len(header) && header[i+1] != '\n') {
			header[i] = ' '
		}
	}
	return append(header, data[end:]...)
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

// Bytes is the message as it goes over the wire, without dot-stuffing. Of a large one, it is what is in memory.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	b.Grow(m.size())
	for _, f := range m.fields {
		b.WriteString(f.name + ":" + f.value + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return b.Bytes()
}

// size is the length of Bytes.
func (m *Message) size() int {
	size := len("\r\n") + len(m.body)
	for _, f := range m.fields {
		size += len(f.name) + len(":") + len(f.value) + len("\r\n")
	}
	return size
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

// Author is the address of the From field, empty when there is none that can be written to: a local name, such as
// cron's root, is no address that a server would take.
func (m *Message) Author() string {
	if list := m.addresses("From"); len(list) > 0 && !list[0].Local {
		return list[0].Address
	}
	return ""
}

// Recipients are the addresses of To, Cc and Bcc; in a message that was sent on, those of its Resent fields alone (RFC
// 5322 §3.6.6). Local names are among them. What is no address is returned in bad.
func (m *Message) Recipients() (list, bad []string) {
	names := []string{"To", "Cc", "Bcc"}
	for _, name := range []string{"Resent-To", "Resent-Cc", "Resent-Bcc"} {
		if len(m.all(name)) > 0 {
			names = []string{"Resent-To", "Resent-Cc", "Resent-Bcc"}
		}
	}
	for _, name := range names {
		for _, value := range m.all(name) {
			addresses, wrong := addressfield.List(value)
			for _, a := range addresses {
				list = append(list, a.Address)
			}
			bad = append(bad, wrong...)
		}
	}
	return list, bad
}

func (m *Message) addresses(name string) []addressfield.Address {
	var out []addressfield.Address
	for _, value := range m.all(name) {
		list, _ := addressfield.List(value)
		out = append(out, list...)
	}
	return out
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
	m.fields = slices.DeleteFunc(m.fields, func(f field) bool { // meant for this program
		return strings.HasPrefix(strings.ToLower(f.name), "x-postier-")
	})
	m.once()
	m.localNames(d, from)
	m.readdress(d)
	if m.Get("From") == "" {
		m.set("From", formatAddress(config.Address{Name: cmp.Or(m.author, from.Name), Address: from.Address}))
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
		if err := m.wrapForTest(d); err != nil {
			return "", err
		}
	}
	return id, m.fit()
}

// single are the fields that a message may have once (RFC 5322 §3.6, RFC 2045 §3). Gmail and others refuse a second
// one. Those with a list of addresses are joined, of the others the first counts.
var single = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Date", "Message-ID", "In-Reply-To", "References", "Subject",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID",
}

// once leaves one field of each name that may be there once.
func (m *Message) once() {
	for _, name := range single {
		values := m.all(name)
		if len(values) < 2 {
			continue
		}
		value := values[0]
		if name == "To" || name == "Cc" {
			value = strings.Join(slices.DeleteFunc(values, func(v string) bool { return v == "" }), ", ")
		}
		m.set(name, foldWords(value))
	}
}

// localNames replaces what means something on this machine only, as system programs write it: the author becomes the
// profile's address under the author's name, recipients those that the aliases lead to.
func (m *Message) localNames(d Decision, from config.Address) {
	list, bad := addressfield.List(m.Get("From"))
	if len(list) == 0 && len(bad) > 0 || len(list) > 0 && list[0].Local {
		m.set("X-Original-From", foldWords(mime.QEncoding.Encode("utf-8", m.Get("From"))))
		name := m.author
		if len(list) > 0 {
			name = cmp.Or(list[0].Name, m.author, nameOf(list[0], m.host))
		}
		m.set("From", formatAddress(config.Address{Name: name, Address: from.Address}))
	}
	for _, name := range []string{"Sender", "Reply-To"} {
		if slices.ContainsFunc(m.addresses(name), func(a addressfield.Address) bool { return a.Local }) {
			m.drop(name)
		}
	}
	for _, name := range []string{"To", "Cc"} {
		list := m.addresses(name)
		if !slices.ContainsFunc(list, func(a addressfield.Address) bool { return a.Local }) {
			continue
		}
		var values []string
		for _, a := range list {
			targets := []string{a.Address}
			if a.Local {
				targets = d.Local[a.Address]
				a.Name = cmp.Or(a.Name, a.User())
			}
			for _, target := range targets {
				values = append(values, formatAddress(config.Address{Name: a.Name, Address: target}))
			}
		}
		if len(values) == 0 {
			m.drop(name)
			continue
		}
		m.set(name, foldWords(strings.Join(values, ", ")))
	}
}

// nameOf makes a display name of a local name and the machine: root (server1).
func nameOf(a addressfield.Address, machine string) string {
	_, host, _ := strings.Cut(a.Address, "@")
	if host == "" || host == "localhost" {
		host = machine
	}
	if host == "" {
		host, _ = os.Hostname()
	}
	if host == "" {
		return a.User()
	}
	return a.User() + " (" + host + ")"
}

// readdress sets the author that a decision wants, with the name that the message gives, and the reply address.
func (m *Message) readdress(d Decision) {
	if d.From != nil {
		author := *d.From
		if list := m.addresses("From"); len(list) > 0 && list[0].Name != "" {
			author.Name = list[0].Name
		}
		m.set("From", formatAddress(author))
	}
	if d.ReplyTo != "" && len(m.all("Reply-To")) == 0 && config.ValidateAddress(d.ReplyTo).Empty() {
		m.set("Reply-To", formatAddress(config.Address{Address: d.ReplyTo}))
	}
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
		if safetext.IsASCII(value) && !strings.ContainsFunc(value, isControl) &&
			longestLine([]byte(value)) < maxLineOctets-len(f.name)-1 {
			continue
		}
		value = unfold(value)
		if !utf8.ValidString(value) {
			value = latin1(value)
		}
		value = strings.Map(withoutControl, value)
		if f.isOneOf(addressFields) {
			if wire, err := addressfield.Wire(value); err == nil {
				m.fields[i].value = " " + wire
				continue
			}
		}
		m.fields[i].value = " " + foldWords(mime.QEncoding.Encode("utf-8", value))
	}
}

// isControl reports a character that no header field may hold (RFC 5322 §2.2): some readers end a line at it.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7f
}

func withoutControl(r rune) rune {
	if isControl(r) || r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
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

// NameAuthor gives a message without From the author that the envelope names (-f), under a name (-F).
func (m *Message) NameAuthor(name, address string) {
	m.author = name
	if address != "" && m.Get("From") == "" {
		m.set("From", formatAddress(config.Address{Name: name, Address: address}))
	}
}
