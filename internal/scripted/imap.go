package scripted

import (
	"strconv"
	"strings"
)

// imapDialect implements as much IMAP (RFC 9051, RFC 3501) as a script needs around its misbehaviour. It has no
// mailboxes; tests that need them start the demonstration's server.
type imapDialect struct{}

func (imapDialect) greeting() Action { return Reply("* OK {domain} ready") }

func (d imapDialect) serve(s *session) {
	for !s.over {
		line := s.readCommand(imapVerb)
		if s.over {
			return
		}
		s.tag = verb(line)
		if tag, _, found := strings.Cut(line, " "); found {
			s.tag = tag
		}
		whole := d.literals(s, line)
		if s.over {
			return
		}
		d.command(s, line, whole)
	}
}

// imapVerb is the phase of a command line: its second word, or two for UID commands.
func imapVerb(line string) string {
	words := strings.Fields(strings.ToUpper(line))
	switch {
	case len(words) < 2:
		return ""
	case words[1] == "UID" && len(words) > 2:
		return "UID " + words[2]
	default:
		return words[1]
	}
}

// literals reads the literals of a command and the rest of its line (RFC 9051 §4.3). whole is false when the script
// refused one.
func (imapDialect) literals(s *session, line string) (whole bool) {
	for {
		size, synchronising, ok := literalSize(line)
		if !ok {
			return true
		}
		if synchronising {
			action, _ := s.scripted("literal")
			action = action.withDefault(Reply("+ go ahead"))
			s.perform(action, "literal")
			if s.over || !strings.HasPrefix(action.Reply, "+") {
				return false
			}
		}
		s.readOctets(size, "literal")
		if s.over {
			return false
		}
		line = s.readLine("literal.rest")
	}
}

func literalSize(line string) (size int64, synchronising, ok bool) {
	open := strings.LastIndexByte(line, '{')
	if open < 0 || !strings.HasSuffix(line, "}") {
		return 0, false, false
	}
	digits, nonSync := strings.CutSuffix(line[open+1:len(line)-1], "+")
	size, err := strconv.ParseInt(digits, 10, 64)
	return size, !nonSync, err == nil && size >= 0
}

func (d imapDialect) command(s *session, line string, whole bool) {
	if !whole {
		return // the script's answer to the literal was the answer to the command
	}
	_, rest, _ := strings.Cut(line, " ")
	v := imapVerb(line)
	switch v {
	case "CAPABILITY":
		s.act(v, Reply("* CAPABILITY "+strings.Join(d.capabilities(s), " ")+"\n{tag} OK done"))
	case "STARTTLS":
		d.startTLS(s)
	case "LOGIN":
		if action, ok := s.scripted(rest, v); ok && action.decides() {
			s.perform(action, v)
			return
		}
		s.act("auth", Reply("{tag} OK signed in"))
	case "AUTHENTICATE":
		d.authenticate(s, rest)
	case "LOGOUT":
		s.act(v, Action{Reply: "* BYE bye\n{tag} OK done", Close: true})
	case "IDLE":
		s.act(v, Action{Reply: "+ idling", Next: []Action{Reply("{tag} OK done")}})
	default:
		s.act(v, Reply(imapStandard(v)+"{tag} OK "+v+" completed"), narrowPhases(rest)...)
	}
}

// imapStandard are the untagged lines of the commands that require some.
func imapStandard(v string) string {
	switch v {
	case "LIST":
		return "* LIST (\\HasNoChildren) \"/\" INBOX\n* LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
	case "SELECT", "EXAMINE":
		return "* 0 EXISTS\n* FLAGS (\\Seen \\Deleted)\n* OK [UIDVALIDITY 1] fixed\n* OK [UIDNEXT 1] next\n"
	case "NAMESPACE":
		return "* NAMESPACE ((\"\" \"/\")) NIL NIL\n"
	case "SEARCH", "UID SEARCH":
		return "* SEARCH\n"
	default:
		return ""
	}
}

func (imapDialect) capabilities(s *session) []string {
	configured := s.server.options.Capabilities
	usual := []string{"IMAP4rev1", "SASL-IR", "LITERAL+", "UIDPLUS", "SPECIAL-USE"}
	switch {
	case s.inTLS:
		configured = s.server.options.CapabilitiesTLS
		usual = append(usual, "AUTH=PLAIN")
	case s.server.config != nil:
		usual = append(usual, "STARTTLS", "LOGINDISABLED")
	default:
		usual = append(usual, "AUTH=PLAIN")
	}
	if configured != nil {
		return configured
	}
	return usual
}

func (imapDialect) startTLS(s *session) {
	standard := Reply("{tag} OK begin")
	if s.inTLS || s.server.config == nil {
		standard = Reply("{tag} BAD no STARTTLS here")
	}
	action, _ := s.scripted("STARTTLS")
	action = action.withDefault(standard)
	s.perform(action, "STARTTLS")
	if !s.over && !action.NoTLS && strings.Contains(action.Reply, "{tag} OK") {
		s.handshake()
	}
}

func (imapDialect) authenticate(s *session, rest string) {
	if action, ok := s.scripted(append(narrowPhases(rest), "AUTHENTICATE")...); ok && action.decides() {
		s.perform(action, "AUTHENTICATE")
		return
	}
	for i, prompt := range prompts(strings.Fields(rest)[1:]) {
		s.perform(Action{Raw: []byte("+ " + prompt + "\r\n")}, "AUTHENTICATE")
		if s.over || s.readLine("AUTHENTICATE."+strconv.Itoa(i+1)) == "*" {
			s.perform(Reply("{tag} BAD cancelled"), "AUTHENTICATE")
			return
		}
	}
	s.act("auth", Reply("{tag} OK signed in"))
}
