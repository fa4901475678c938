package scripted

import (
	"strconv"
	"strings"
)

// smtpDialect implements SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954).
type smtpDialect struct{}

func (smtpDialect) greeting() Action { return Reply("220 {domain} ESMTP ready") }

func (d smtpDialect) serve(s *session) {
	for !s.over {
		line := s.readCommand(verb)
		if s.over {
			return
		}
		d.command(s, line)
	}
}

// verb is the phase of a command line.
func verb(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return strings.ToUpper(word)
}

// phases of a command: its whole line, its verb with the first argument; the verb itself comes from the caller.
func narrowPhases(line string) []string {
	words := strings.Fields(line)
	if len(words) < 2 {
		return nil
	}
	return []string{line, verb(line) + " " + strings.ToUpper(words[1])}
}

func (d smtpDialect) command(s *session, line string) {
	v := verb(line)
	narrow := narrowPhases(line)
	switch v {
	case "EHLO":
		s.act(v, Reply(d.ehlo(s)), narrow...)
	case "HELO":
		s.act(v, Reply("250 {domain}"), narrow...)
	case "STARTTLS":
		d.startTLS(s)
	case "AUTH":
		d.auth(s, line, narrow)
	case "DATA":
		action, scripted := s.scripted(v)
		action = action.withDefault(Reply("354 end with a dot"))
		s.perform(action, v)
		if !scripted || strings.HasPrefix(action.Reply, "354") {
			d.message(s)
		}
	case "BDAT":
		words := strings.Fields(line)
		if len(words) > 1 {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			s.readOctets(n, "BDAT.data")
		}
		s.act(v, Reply("250 2.0.0 taken"), narrow...)
	case "QUIT":
		s.act(v, Action{Reply: "221 2.0.0 bye", Close: true})
	case "MAIL", "RCPT", "RSET", "NOOP", "VRFY":
		s.act(v, Reply("250 2.0.0 ok"), narrow...)
	default:
		s.act(v, Reply("500 5.5.2 unknown command"), narrow...)
	}
}

func (smtpDialect) ehlo(s *session) string {
	keywords := s.server.options.Capabilities
	usual := []string{"PIPELINING", "SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES"}
	switch {
	case s.inTLS:
		keywords = s.server.options.CapabilitiesTLS
		usual = append(usual, "AUTH PLAIN LOGIN")
	case s.server.config != nil:
		usual = append(usual, "STARTTLS")
	default:
		usual = append(usual, "AUTH PLAIN LOGIN")
	}
	if keywords == nil {
		keywords = usual
	}
	lines := append([]string{"{domain}"}, keywords...)
	for i := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		lines[i] = "250" + separator + lines[i]
	}
	return strings.Join(lines, "\n")
}

func (smtpDialect) startTLS(s *session) {
	standard := Reply("220 2.0.0 go ahead")
	if s.inTLS || s.server.config == nil {
		standard = Reply("502 5.5.1 no STARTTLS here")
	}
	action, _ := s.scripted("STARTTLS")
	action = action.withDefault(standard)
	s.perform(action, "STARTTLS")
	if !s.over && !action.NoTLS && strings.HasPrefix(action.Reply, "220") {
		s.handshake()
	}
}

// auth runs the server's side of the usual mechanisms and ends in the phase "auth".
func (smtpDialect) auth(s *session, line string, narrow []string) {
	if action, ok := s.scripted(append(narrow, "AUTH")...); ok {
		if action.decides() {
			s.perform(action, "AUTH")
			return
		}
		s.sleep(action.Delay)
	}
	words := strings.Fields(line)
	for i, prompt := range prompts(words[1:]) {
		s.perform(Reply("334 "+prompt), "AUTH")
		if s.over || s.readLine("AUTH."+strconv.Itoa(i+1)) == "*" {
			s.perform(Reply("501 5.7.0 cancelled"), "AUTH")
			return
		}
	}
	s.act("auth", Reply("235 2.7.0 signed in"))
}

// prompts are the challenges still due, after an AUTH or AUTHENTICATE with these words: mechanism and initial response.
func prompts(words []string) []string {
	if len(words) == 0 {
		return nil
	}
	initial := len(words) > 1
	switch strings.ToUpper(words[0]) {
	case "LOGIN":
		both := []string{"VXNlcm5hbWU6", "UGFzc3dvcmQ6"} // Username:, Password:
		if initial {
			return both[1:]
		}
		return both
	case "CRAM-MD5":
		return []string{"PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UuZXhhbXBsZT4="} // <1896.697170952@postoffice.example>
	default:
		if initial {
			return nil
		}
		return []string{""}
	}
}

// message reads up to the dot on its own line (RFC 5321 §4.5.2).
func (smtpDialect) message(s *session) {
	for !s.over {
		if s.readLine("message") == "." {
			s.act(".", Reply("250 2.0.0 queued as 0FB409BA029"))
			return
		}
	}
}
