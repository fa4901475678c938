// Package addressfield writes the address fields of a header (From, To, Cc, …) in the form that every server takes.
//
// A server without SMTPUTF8 takes ASCII alone (RFC 6531 §3.1). Of an address only the local part may then stop a
// message: a domain has an equivalent in A-labels (RFC 5891 §4.4), and a display name or a comment becomes encoded
// words (RFC 2047 §5). Groups, comments and the order of a list are kept (RFC 5322 §3.4).
package addressfield

import (
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"postier/config"
	"postier/internal/safetext"
)

// ErrMalformed is the error of a value that cannot be read as a list of addresses.
var ErrMalformed = errors.New("not a list of addresses")

const (
	// lineWidth is where a line is folded (RFC 5322 §2.1.1; RFC 2047 §2 wants 76 for lines with encoded words).
	lineWidth = 76
	// maxLine is the longest line that a field may have (RFC 5322 §2.1.1).
	maxLine = 998
)

// Mailbox returns one address with its display name, which may be empty. The address is written without its name, its
// quotes kept, as config.ValidateAddress accepts it. The result may be longer than a line; Wire folds it.
func Mailbox(name, address string) string {
	name = strings.Join(strings.Fields(strings.Map(withoutControls, name)), " ")
	mailbox := "<" + addrSpec(address) + ">"
	switch {
	case name == "":
		return mailbox
	case safetext.IsASCII(name):
		return quoted(name) + " " + mailbox
	}
	return encoded(name) + " " + mailbox
}

// addrSpec writes the domain in A-labels and quotes a local part that cannot stand without quotes (RFC 5322 §3.4.1).
func addrSpec(address string) string {
	address = config.AddressASCIIDomain(address)
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	local := address[:at]
	isQuoted := len(local) > 1 && local[0] == '"' && local[len(local)-1] == '"'
	if !isQuoted && strings.ContainsAny(local, " \t\"\\(),:;<>@[]") {
		return quoted(local) + address[at:]
	}
	return address
}

func withoutControls(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// Wire rewrites the value of an address field: domains in A-labels, names and comments as encoded words, lines folded.
// A value in ASCII whose lines are short enough is returned as it is. What remains outside ASCII is a local part, for
// which there is no other form: the message then needs SMTPUTF8. The value may be folded and must be UTF-8.
func Wire(value string) (string, error) {
	if safetext.IsASCII(value) && longestLine(value) <= maxLine {
		return value, nil
	}
	if !utf8.ValidString(value) {
		return "", ErrMalformed
	}
	tokens, err := scan(unfolded.Replace(value))
	if err != nil {
		return "", err
	}
	words, err := rewrite(tokens)
	if err != nil {
		return "", err
	}
	return fold(words), nil
}

func longestLine(value string) int {
	longest := 0
	for line := range strings.SplitSeq(value, "\n") {
		longest = max(longest, len(strings.TrimSuffix(line, "\r")))
	}
	return longest
}

// encoded writes text as encoded words. Q is easier to read; where the text holds characters that Q leaves as they are
// and that a phrase or comment must not contain, B is used (RFC 2047 §5 (2), (3)).
func encoded(text string) string {
	if strings.ContainsAny(text, "\"#$%&'(),.:;<>@[]\\^`{|}~") {
		return mime.BEncoding.Encode("utf-8", text)
	}
	return mime.QEncoding.Encode("utf-8", text)
}

// A replacer builds its table when it is first used.
var (
	unfolded = strings.NewReplacer("\r", "", "\n", "")
	escaped  = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
)

func quoted(text string) string {
	return `"` + escaped.Replace(text) + `"`
}

// fold joins words with blanks and begins a new line where one would become too long. A word that begins with a special
// character follows the last one directly.
func fold(words []word) string {
	var b strings.Builder
	column := len("Reply-To: ") // room for the field's name
	for i, w := range words {
		width := len(w.text)
		switch {
		case i == 0:
		case w.glued:
		case column+1+width > lineWidth:
			b.WriteString("\r\n ")
			column = 1
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w.text)
		column += width
	}
	return b.String()
}
