package addressfield

import (
	"mime"
	"strings"

	"postier/config"
	"postier/internal/safetext"
)

// Address is one mailbox of a list.
type Address struct {
	// Name is the display name, or the comment after an address without one, decoded.
	Name string
	// Address is the address as an envelope takes it. For a local name it has no domain, or one that is no mail domain.
	Address string
	// Local is set for a name that means something on this machine only: root, www-data@localhost.
	Local bool
}

// User is the local part of a local name.
func (a Address) User() string {
	user, _, _ := strings.Cut(a.Address, "@")
	return user
}

// List reads the addresses of a header field or an argument as programs write them, groups included (RFC 5322 §3.4).
// What cannot be an address is returned in bad; it does not cost the others.
func List(value string) (list []Address, bad []string) {
	for _, piece := range split(unfolded.Replace(value)) {
		address, ok := parse(piece)
		if !ok {
			bad = append(bad, piece)
			continue
		}
		list = append(list, address)
	}
	return list, bad
}

// split cuts a list at its commas, and at the semicolons that some programs write instead. The names of groups are
// dropped.
func split(value string) []string {
	var pieces []string
	start := 0
	cut := func(end int) {
		if piece := strings.TrimSpace(value[start:end]); piece != "" {
			pieces = append(pieces, piece)
		}
		start = end + 1
	}
	quoted, escaped, angle, literal := false, false, false, false
	depth := 0
	for i := range len(value) {
		c := value[i]
		switch {
		case escaped:
			escaped = false
		case c == '\\' && (quoted || depth > 0):
			escaped = true
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<' || c == '>':
			angle = c == '<'
		case c == '[' || c == ']':
			literal = c == '['
		case angle || literal:
		case c == ',' || c == ';':
			cut(i)
		case c == ':' && !strings.ContainsRune(value[start:i], '@'): // the name of a group
			start = i + 1
		}
	}
	cut(len(value))
	return pieces
}

// parse reads one mailbox: an address, one in angle brackets with a name, or one with a comment.
func parse(piece string) (Address, bool) {
	text, comment := withoutComments(piece)
	name, spec := "", text
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		end := strings.LastIndexByte(text, '>')
		if end < open {
			return Address{}, false
		}
		name, spec = text[:open], text[open+1:end]
		if at := strings.IndexByte(spec, ':'); at > 0 && spec[0] == '@' { // a source route (RFC 5321 appendix C)
			spec = spec[at+1:]
		}
	}
	if name = decode(unquote(name)); name == "" {
		name = decode(comment)
	}
	address, local, ok := canonical(strings.TrimSpace(spec))
	return Address{Name: name, Address: address, Local: local}, ok
}

// withoutComments takes the comments out of a mailbox; the last one is often a name.
func withoutComments(s string) (text, comment string) {
	var out, inside strings.Builder
	depth := 0
	quoted, escaped := false, false
	for i := range len(s) {
		c := s[i]
		switch {
		case escaped:
			escaped = false
		case c == '\\' && (quoted || depth > 0):
			escaped = true
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			if depth++; depth == 1 {
				inside.Reset()
				continue
			}
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				continue
			}
		}
		if depth > 0 {
			inside.WriteByte(c)
		} else {
			out.WriteByte(c)
		}
	}
	return strings.TrimSpace(out.String()), strings.TrimSpace(inside.String())
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	escaped := false
	for _, r := range s[1 : len(s)-1] {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		b.WriteRune(r)
	}
	return b.String()
}

// decode reads encoded words and makes what could end a line or a field a blank.
func decode(s string) string {
	var words mime.WordDecoder
	if text, err := words.DecodeHeader(s); err == nil {
		s = text
	}
	return strings.Join(strings.Fields(strings.Map(withoutControls, s)), " ")
}

// canonical is an address as an envelope takes it. A local part that is no dot-atom is quoted (RFC 5321 §4.1.2): dots
// before the @ or two in a row exist at docomo and others.
func canonical(spec string) (address string, local, ok bool) {
	at := strings.LastIndexByte(spec, '@')
	if at < 0 {
		return spec, true, isUser(spec)
	}
	user, domain := spec[:at], strings.TrimSuffix(spec[at+1:], ".")
	if !strings.HasPrefix(user, `"`) && (strings.Contains(user, "..") || strings.HasPrefix(user, ".") ||
		strings.HasSuffix(user, ".")) {
		user = quoted(user)
	}
	address = user + "@" + domain
	switch {
	case isLocalDomain(domain):
		return address, true, isUser(strings.Trim(user, `"`))
	}
	return address, false, config.ValidateRecipient(address).Empty()
}

// isUser reports whether a name without a domain may be one of this machine's: what cron, mdadm and others put there.
func isUser(name string) bool {
	const longest = 64 // RFC 5321 §4.5.3.1.1
	if name == "" || len(name) > longest || strings.HasPrefix(name, "-") {
		return false
	}
	for _, r := range name {
		if safetext.Harmful(r) || strings.ContainsRune(" \"\\(),:;<>@[]|/`'", r) {
			return false
		}
	}
	return true
}

// isLocalDomain reports whether a domain means this machine: no mail domain has a single label, and localhost belongs
// to every machine (RFC 6761 §6.3).
func isLocalDomain(domain string) bool {
	domain = strings.ToLower(domain)
	if domain == "" || strings.ContainsAny(domain, " \t") {
		return false
	}
	return !strings.ContainsAny(domain, ".[") || strings.HasSuffix(domain, ".localdomain") ||
		strings.HasSuffix(domain, ".localhost")
}
