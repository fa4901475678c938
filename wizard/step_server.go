package wizard

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"postier/config"
	"postier/presets"
)

// The pages of the server step.
const (
	pageAsk = "ask" // what a preset's placeholders stand for
	pageOut = "out" // the submission server
	pageIn  = "in"  // the IMAP server
)

func (s *State) serverPages() []string {
	var pages []string
	if !s.draft.Manual && len(s.placeholders()) > 0 {
		pages = append(pages, pageAsk)
	}
	if s.draft.Manual || s.draft.Edited {
		pages = append(pages, pageOut, pageIn)
	}
	return pages
}

func (s *State) serverApplies() bool { return len(s.serverPages()) > 0 }

func (s *State) enterServer(forward bool) {
	if !forward {
		s.page = max(0, len(s.serverPages())-1)
	}
}

func (s *State) serverPage() string {
	pages := s.serverPages()
	if len(pages) == 0 {
		return pageOut
	}
	return pages[min(s.page, len(pages)-1)]
}

func (s *State) serverPageOf(field FieldID) int {
	page := pageOut
	if strings.HasPrefix(string(field), "imap-") {
		page = pageIn
	}
	return max(0, slices.Index(s.serverPages(), page))
}

// placeholders returns the placeholders of the chosen preset that the person fills in.
func (s *State) placeholders() []presets.Ask {
	p := s.preset()
	if p == nil {
		return nil
	}
	smtp, imap := p.Servers(s.draft.Address)
	var names []string
	for _, list := range [][]presets.Endpoint{smtp, imap} {
		if len(list) > 0 {
			names = append(names, list[0].Ask...)
		}
	}
	var out []presets.Ask
	for _, ask := range p.Ask {
		if slices.Contains(names, ask.Name) {
			out = append(out, ask)
		}
	}
	return out
}

// askIntro says what is asked for: a part of the server's name, or what the provider gave the customer to sign in with.
func (s *State) askIntro() Words {
	p := s.preset()
	for _, ask := range s.placeholders() {
		if !strings.Contains(p.UserRule.Rule, "{"+ask.Name+"}") {
			return Msg("wizard.server.ask", "name", p.Name)
		}
	}
	return Msg("wizard.server.ask-login", "name", p.Name)
}

// asLabel begins a text with a capital letter, in every language.
func asLabel(text presets.Text) presets.Text {
	out := presets.Text{}
	for lang, words := range text {
		first, size := utf8.DecodeRuneInString(words)
		out[lang] = string(unicode.ToUpper(first)) + words[size:]
	}
	return out
}

func (s *State) serverScreen(v *Screen) {
	v.Actions = []Action{{ID: ActNext, Label: Msg("wizard.action.next")}}
	d := &s.draft
	switch s.serverPage() {
	case pageAsk:
		v.Title, v.Intro = Msg("wizard.title.ask"), []Words{s.askIntro()}
		for _, ask := range s.placeholders() {
			id := FieldAsk + FieldID(ask.Name)
			current := d.Asked[ask.Name]
			if current == "" {
				current = ask.Default
			}
			f := Field{
				ID: id, Kind: KindText, Label: Translated(asLabel(ask.Label)), Value: s.value(id, current), Error: s.errors[id],
				Fix:  s.fixField == id,
				Help: Msg("wizard.server.ask.help"),
			}
			if !ask.Help.Empty() {
				f.Help = Translated(ask.Help)
			}
			if len(ask.Choices) > 0 {
				f.Kind = KindChoice
			}
			for _, choice := range ask.Choices {
				f.Choices = append(f.Choices, Choice{Value: choice, Label: Literal(choice)})
			}
			v.Fields = append(v.Fields, f)
		}
	case pageIn:
		imap := config.Server{Port: config.PortIMAPS, Security: config.SecurityAuto}
		if d.IMAP != nil {
			imap = *d.IMAP
		}
		v.Intro = []Words{Msg("wizard.server.incoming")}
		host := s.field(FieldIMAPHost, KindText, imap.Host)
		host.Optional = true
		v.Fields = []Field{
			host,
			s.port(FieldIMAPPort, imap.Port),
			s.choices(FieldIMAPSecurity, string(imap.Security), "wizard.security.", securities(imap.Security)...),
			s.field(FieldIMAPUser, KindText, imap.Username),
		}
	default:
		v.Intro = []Words{Msg("wizard.server.outgoing")}
		v.Fields = []Field{
			s.field(FieldSMTPHost, KindText, d.Submission.Host),
			s.port(FieldSMTPPort, d.Submission.Port),
			s.choices(FieldSMTPSecurity, string(d.Submission.Security), "wizard.security.",
				securities(d.Submission.Security)...),
			s.choices(FieldAuth, string(d.Submission.Auth), "wizard.auth.", mechanisms()...),
			s.field(FieldUser, KindText, d.Submission.Username),
		}
		if s.value(FieldHelo, d.Submission.Helo) != "" || s.fixField == FieldHelo || !s.errors[FieldHelo].Empty() {
			helo := s.field(FieldHelo, KindText, d.Submission.Helo)
			helo.Optional = true
			v.Fields = append(v.Fields, helo)
		}
	}
}

// port is the field of a port, which may be empty: the placeholder names the port that is then used.
func (s *State) port(id FieldID, current int) Field {
	f := s.field(id, KindText, strconv.Itoa(current))
	f.Optional, f.Placeholder = true, Msg("wizard.field."+string(id)+".usual")
	return f
}

// securities lists the choices for a server's security. No encryption is among them only where it is set already (a
// server on this machine).
func securities(current config.Security) []string {
	list := []string{string(config.SecurityAuto), string(config.SecurityTLS), string(config.SecurityStartTLS)}
	if current == config.SecurityNone {
		list = append(list, string(config.SecurityNone))
	}
	return list
}

// mechanisms lists the SASL mechanisms to choose from with a password.
func mechanisms() []string {
	var list []string
	for _, m := range config.Mechanisms() {
		if !m.TakesToken() {
			list = append(list, string(m))
		}
	}
	return list
}

func (s *State) choices(id FieldID, current, prefix string, values ...string) Field {
	f := s.field(id, KindChoice, current)
	if !slices.Contains(values, f.Value) {
		values = append(values, f.Value)
	}
	for _, v := range values {
		f.Choices = append(f.Choices, Choice{Value: v, Label: Msg(prefix + v)})
	}
	return f
}

func (s *State) answerServer(a Answer) {
	if a.Action != ActNext {
		return
	}
	taken := false
	switch s.serverPage() {
	case pageAsk:
		taken = s.takeAsked()
	case pageIn:
		taken = s.takeIMAP()
	default:
		taken = s.takeSubmission()
	}
	if !taken {
		return
	}
	s.fixField = ""
	if s.page+1 < len(s.serverPages()) && s.wanted == "" {
		s.page++
		return
	}
	s.forward()
}

func (s *State) takeAsked() bool {
	asked := map[string]string{}
	for _, ask := range s.placeholders() {
		id := FieldAsk + FieldID(ask.Name)
		current := s.draft.Asked[ask.Name]
		if current == "" {
			current = ask.Default
		}
		value := s.preset().Answer(ask.Name, s.value(id, current))
		if value == "" {
			s.errors[id] = Msg("wizard.server.ask.empty")
			continue
		}
		if ask.Digits && strings.Trim(value, "0123456789") != "" {
			s.errors[id] = Msg("wizard.server.ask.digits")
			continue
		}
		if text := config.ValidateUsername(value); !text.Empty() {
			s.errors[id] = Words{Msg: text}
			continue
		}
		if len(ask.Choices) > 0 && !slices.Contains(ask.Choices, value) {
			s.errors[id] = Msg("wizard.server.choose", "words", strings.Join(ask.Choices, ", "))
			continue
		}
		asked[ask.Name] = value
	}
	if len(s.errors) > 0 {
		return false
	}
	if maps.Equal(asked, s.draft.Asked) {
		return true // the person's changes to the servers stay
	}
	p := s.preset()
	c := CandidateOf(p, s.draft.Address, s.draft.Candidates[max(0, s.draft.Chosen)].Origin, "", asked)
	for _, server := range []*config.Server{&c.Submission, c.IMAP} {
		if server == nil {
			continue
		}
		if text := config.ValidateHost(server.Host); !text.Empty() {
			for name := range asked {
				s.errors[FieldAsk+FieldID(name)] = Words{Msg: text}
			}
			return false
		}
	}
	s.draft.Asked = asked
	s.draft.Submission, s.draft.IMAP = c.Submission, c.IMAP
	for name := range asked {
		s.clearTyped(FieldAsk + FieldID(name))
	}
	s.draft.Edited = s.draft.Edited || s.serverGiven()
	return true
}

// judge reports whether a setting is valid, and notes the error when it is not.
func (s *State) judge(id FieldID, value string) bool {
	words := Words{Msg: config.ValidateSetting(string(id), value)}
	if (id == FieldSMTPHost || id == FieldIMAPHost) && words.Empty() && !s.reachable(value) {
		words = Msg("wizard.server.rehearsal", "host", value)
	}
	if !words.Empty() {
		s.errors[id] = words
	}
	return words.Empty()
}

// reachable reports whether there can be such a server: a rehearsal has its own only, below the reserved .example
// (RFC 2606) and on this machine.
func (s *State) reachable(host string) bool {
	own := strings.HasSuffix(strings.ToLower(host), ".example") || (config.Server{Host: host}).Local()
	return !s.opts.Rehearsal || host == "" || own
}

func (s *State) takeSubmission() bool {
	d := &s.draft
	server, batch := d.Submission, d.Limits.Batch
	server.Host = strings.TrimSpace(s.value(FieldSMTPHost, server.Host))
	s.judge(FieldSMTPHost, server.Host)
	server.Security = config.Security(s.value(FieldSMTPSecurity, string(server.Security)))
	server.Auth = config.Mechanism(s.value(FieldAuth, string(server.Auth)))
	port, text := config.ParsePortField(s.value(FieldSMTPPort, strconv.Itoa(server.Port)))
	if !text.Empty() {
		s.errors[FieldSMTPPort] = Words{Msg: text}
	} else {
		// What follows the number wins over the fields below (C-7). A mode that was given stays.
		port.Apply(&server, &batch)
		if port.Security == "" && s.opts.Values[FieldSMTPSecurity] == "" {
			server = server.FollowPort(d.Submission)
		}
	}
	if server.Cleartext() && !s.opts.AllowCleartext {
		s.errors[FieldSMTPSecurity] = Msg("wizard.server.no-cleartext")
	}
	if !slices.Contains(config.Securities(), server.Security) {
		s.errors[FieldSMTPSecurity] = Msg("wizard.server.security-unknown")
	}
	if !slices.Contains(config.Mechanisms(), server.Auth) {
		s.errors[FieldAuth] = Msg("wizard.server.auth-unknown")
	}
	server.Username = s.value(FieldUser, server.Username)
	server.Helo = strings.TrimSpace(s.value(FieldHelo, server.Helo))
	if server.Auth != config.MechanismNone {
		s.judge(FieldUser, server.Username)
	}
	s.judge(FieldHelo, server.Helo)
	if len(s.errors) > 0 {
		return false
	}
	d.followName(server.Username)
	d.Submission, d.Limits.Batch = server, batch
	s.clearTyped(FieldSMTPHost, FieldSMTPPort, FieldSMTPSecurity, FieldAuth, FieldUser, FieldHelo)
	return true
}

// followName keeps one user name for both servers: the mailbox gets the new name of the submission server, unless it
// has had one of its own.
func (d *Draft) followName(username string) {
	same := func(a, b string) bool { return config.AddressASCIIDomain(a) == config.AddressASCIIDomain(b) }
	if d.IMAP != nil && (d.IMAP.Username == "" || same(d.IMAP.Username, d.Submission.Username)) {
		d.IMAP.Username = username
	}
}

func (s *State) takeIMAP() bool {
	d := &s.draft
	imap := config.Server{Port: config.PortIMAPS, Security: config.SecurityAuto, Username: d.Submission.Username}
	if d.IMAP != nil {
		imap = *d.IMAP
	}
	imap.Host = strings.TrimSpace(s.value(FieldIMAPHost, imap.Host))
	if imap.Host == "" {
		if d.IMAP = nil; d.SentMode != config.SentServer {
			d.SentMode = config.SentNone
		}
		d.SentFolder = ""
		s.clearTyped(FieldIMAPHost, FieldIMAPPort, FieldIMAPSecurity, FieldIMAPUser)
		return true
	}
	s.judge(FieldIMAPHost, imap.Host)
	imap.Security = config.Security(s.value(FieldIMAPSecurity, string(imap.Security)))
	port, text := imap.IMAPPort(s.value(FieldIMAPPort, strconv.Itoa(imap.Port)))
	if !text.Empty() {
		s.errors[FieldIMAPPort] = Words{Msg: text}
	}
	imap.Port = port
	if imap.Cleartext() && !s.opts.AllowCleartext {
		s.errors[FieldIMAPSecurity] = Msg("wizard.server.no-cleartext")
	}
	if !slices.Contains(config.Securities(), imap.Security) {
		s.errors[FieldIMAPSecurity] = Msg("wizard.server.security-unknown")
	}
	if d.IMAP != nil && s.opts.Values[FieldIMAPSecurity] == "" {
		imap = imap.FollowPort(*d.IMAP)
	}
	imap.Username = s.value(FieldIMAPUser, imap.Username)
	if imap.Username == "" {
		imap.Username = d.Submission.Username
	}
	s.judge(FieldIMAPUser, imap.Username)
	if len(s.errors) > 0 {
		return false
	}
	if d.IMAP == nil && d.SentMode != config.SentServer || d.SentMode == "" {
		d.SentMode = config.SentAppend
	}
	d.IMAP = &imap
	s.clearTyped(FieldIMAPHost, FieldIMAPPort, FieldIMAPSecurity, FieldIMAPUser)
	return true
}
