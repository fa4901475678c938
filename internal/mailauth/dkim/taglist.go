package dkim

import (
	"strings"
)

// Tags reads a tag-list (RFC 6376 §3.2). The fault, if any, is the first.
func Tags(s string) ([]Tag, *Fault) {
	var tags []Tag
	offset := 0
	for field := range strings.SplitSeq(s, ";") {
		start := offset
		offset += len(field) + 1
		trimmed := strings.TrimLeft(field, fws)
		at := start + len(field) - len(trimmed)
		trimmed = strings.TrimRight(trimmed, fws)
		if trimmed == "" {
			// tag-list = tag-spec *( ";" tag-spec ) [ ";" ]: the list may end with a semicolon.
			if offset <= len(s) {
				return nil, &Fault{FaultTagList, start, ";"}
			}
			continue
		}
		name, value, found := strings.Cut(trimmed, "=")
		valueAt := at + len(name) + 1
		name = strings.TrimRight(name, fws)
		if !found || !tagName(name) {
			return nil, &Fault{FaultTagList, at, trimmed}
		}
		for i := range len(value) {
			if c := value[i]; (c < 0x21 || c > 0x7e) && strings.IndexByte(fws, c) < 0 {
				return nil, &Fault{FaultTagList, valueAt + i, value[i : i+1]}
			}
		}
		spaces := len(value) - len(strings.TrimLeft(value, fws))
		for _, t := range tags {
			if t.Name == name { // the whole list is invalid then
				return nil, &Fault{FaultTwice, at, name}
			}
		}
		tags = append(tags, Tag{Name: name, Value: value[spaces:], Offset: valueAt + spaces})
	}
	return tags, nil
}

// fws are the characters of folding white space.
const fws = " \t\r\n"

// tagName is ALPHA *ALNUMPUNC.
func tagName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// mispasted finds characters of a zone file or a key file that do not belong in the record.
func mispasted(txt string) *Fault {
	if at := strings.Index(txt, "-----"); at >= 0 {
		return &Fault{FaultPEM, at, "-----"}
	}
	if at := strings.Index(txt, `\;`); at >= 0 {
		return &Fault{FaultBackslash, at, `\;`}
	}
	if at := strings.IndexAny(txt, "\"“”"); at >= 0 {
		return &Fault{FaultQuotes, at, `"`}
	}
	return nil
}

// Repair returns the record that was probably meant, and whether that can be read. It never invents anything: a key
// that lacks a part stays incomplete.
func Repair(txt string) (string, bool) {
	s := strings.NewReplacer(`\;`, ";", `\"`, "", `"`, "", "“", "", "”", "", "\r", " ", "\n", " ", "\t", " ").Replace(txt)
	if begin := strings.Index(s, "-----BEGIN PUBLIC KEY-----"); begin >= 0 {
		key := s[begin+len("-----BEGIN PUBLIC KEY-----"):]
		key, rest, _ := strings.Cut(key, "-----END PUBLIC KEY-----")
		head := strings.TrimSpace(s[:begin])
		if !strings.HasSuffix(strings.ReplaceAll(head, " ", ""), "p=") {
			head = strings.TrimSpace(strings.TrimSuffix(head+"; p=", " "))
			head = strings.TrimPrefix(head, "; ")
		}
		s = head + strings.Join(strings.Fields(key), "") + rest
	}
	var fields []string
	seen := map[string]bool{}
	for field := range strings.SplitSeq(s, ";") {
		name, value, found := strings.Cut(strings.TrimSpace(field), "=")
		name = strings.ToLower(strings.TrimSpace(name))
		value = strings.TrimSpace(value)
		if !found || seen[name] {
			continue
		}
		seen[name] = true
		if name == "h" && !accepts(list(value), "sha256") || name == "s" && !accepts(list(value), "email") &&
			!accepts(list(value), "*") {
			continue // the default is right
		}
		switch name {
		case "v":
			value = "DKIM1"
		case "p":
			value = strings.Join(strings.Fields(value), "")
		}
		fields = append(fields, name+"="+value)
	}
	if !seen["v"] {
		fields = append([]string{"v=DKIM1"}, fields...)
	}
	for i, f := range fields { // v= must be first
		if strings.HasPrefix(f, "v=") && i > 0 {
			copy(fields[1:i+1], fields[:i])
			fields[0] = f
		}
	}
	s = strings.Join(fields, "; ")
	k, _ := Parse(s)
	return s, k.Public != nil
}
