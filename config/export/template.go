package export

import (
	"maps"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/pattern"
)

// template is a file with places for values:
//
//	{host}   the value in the quotes of the format
//	{=port}  the value without quotes
//	{+name}  the value in quotes, even when it is empty
//	{?tls}   nothing; the value must not be empty
//	{^tls}   nothing; the value must be empty
//
// A line is left out when the value of one of its places is empty, unless the place says otherwise.
type template struct {
	path  string // of the artifact; it may have places, too
	quote quoting
	text  string
}

// quoting writes a value in the syntax of a format; ok is false for a value that the format has no way to write.
type quoting func(value string) (quoted string, ok bool)

// all is a quoting that can write every value.
func all(quote func(string) string) quoting {
	return func(value string) (string, bool) { return quote(value), true }
}

// write is the writer of a format that has one file, and needs no values but those of every profile.
func (t template) write(s source) ([]Artifact, error) { return s.fill(nil, t) }

// fill writes files with the values of the profile and with words, which the format adds to them or puts in their
// place. A file whose path is left out is not written.
func (s source) fill(words map[string]string, files ...template) ([]Artifact, error) {
	var artifacts []Artifact
	for _, t := range files {
		values := s.values()
		values["argv"], values["arguments"] = t.list(values["argv"]), t.list(values["arguments"])
		maps.Copy(values, words)
		path, err := t.line(s, t.path, values)
		if err != nil {
			return nil, err
		}
		if path == "" {
			continue
		}
		var content strings.Builder
		for line := range strings.Lines(t.text) {
			filled, err := t.line(s, line, values)
			if err != nil {
				return nil, err
			}
			content.WriteString(filled)
		}
		artifacts = append(artifacts, Artifact{Path: path, Content: []byte(content.String())})
	}
	return artifacts, nil
}

// list quotes each word of an argument list that values joined with NUL.
func (t template) list(words string) string {
	if words == "" || t.quote == nil {
		return ""
	}
	return joinQuoted(strings.Split(words, "\x00"), ", ", func(word string) string {
		quoted, _ := t.quote(word)
		return quoted
	})
}

var places = pattern.Of(`\{([=+?^]?)([a-z]+)\}`)

// line fills one line; it is "" when the line is left out.
func (t template) line(s source, line string, values map[string]string) (string, error) {
	var b strings.Builder
	end := 0
	for _, at := range places().FindAllStringSubmatchIndex(line, -1) {
		b.WriteString(line[end:at[0]])
		end = at[1]
		mark := line[at[2]:at[3]]
		value, err := s.value(line[at[4]:at[5]], values)
		if err != nil || mark != "+" && (value == "") != (mark == "^") {
			return "", err
		}
		switch mark {
		case "?", "^":
			continue
		case "", "+":
			ok := false
			key := strings.TrimRight(b.String(), " =:")
			if value, ok = t.quote(value); !ok {
				return "", s.cannotHold(key)
			}
		}
		b.WriteString(value)
	}
	return b.String() + line[end:], nil
}

// value is a value by its name. Those that not every profile has are looked up only where a line needs them, since
// they can be refused.
func (s source) value(name string, values map[string]string) (string, error) {
	switch name {
	case "command":
		return s.command()
	case "secretfile":
		return s.secretFile()
	case "nodemechanism":
		return s.nodeMechanism()
	case "rubymechanism":
		return s.rubyMechanism()
	}
	value, known := values[name]
	if !known {
		panic("export: no value is called " + name)
	}
	return value, nil
}

// values are what a template can name; user, file and argv are empty where signing in needs no secret.
func (s source) values() map[string]string {
	p := s.profile
	at := strings.LastIndexByte(s.from(), '@')
	security := s.security()
	inline, _ := s.inline()
	values := map[string]string{
		"profile": s.name, "host": s.host(), "port": strconv.Itoa(p.Submission.Port),
		"server":   inBrackets(s.host()) + ":" + strconv.Itoa(p.Submission.Port),
		"security": string(security), "tls": "", "starttls": "", "none": "", "ssl": s.sslOrTLS(),
		"from": s.from(), "local": s.from()[:at], "domain": s.from()[at+1:], "name": p.From.Name, "mailbox": s.mailbox(),
		"reply": config.AddressASCIIDomain(p.ReplyTo), "replyto": p.ReplyTo,
		"helo": p.Submission.Helo, "ca": s.ownRoots(), "roots": s.ownRoots(),
		"mechanism": string(s.mechanism()), "upper": strings.ToUpper(string(s.mechanism())),
		"auth": "", "user": "", "file": "", "program": "", "argv": "", "arguments": "", "php": "", "phpsite": "",
		"inline": inline, "secretheader": secretHeader, "words": "",
	}
	values[string(security)] = "yes"
	if s.hasPassword() {
		file, argv := s.reference()
		values["auth"], values["user"], values["file"] = "yes", p.Submission.Username, file
		values["php"], values["phpsite"] = s.phpSecret(phpStops...), s.phpSecret(phpGoesOn...)
		values["words"] = shellWords(s.secretCommand())
		if file == "" {
			values["program"] = argv[0]
			values["argv"], values["arguments"] = strings.Join(argv, "\x00"), strings.Join(argv[1:], "\x00")
		}
	}
	return values
}
