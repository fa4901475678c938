package explain

import (
	"cmp"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/secret"
)

// The protocols that have replies.
const (
	SMTP = "smtp"
	IMAP = "imap"
	TLS  = "tls"
	TCP  = "tcp"
	DNS  = "dns"
)

// maxText bounds what the patterns are searched in. No reply of an honest server is longer, and the reason stands at
// its beginning.
const maxText = 8 << 10

// Query is what a server said.
type Query struct {
	// Protocol is smtp, imap, tls, tcp or dns; empty lets the text decide.
	Protocol string
	// Code is an SMTP reply code (535), an IMAP status (NO, BAD, BYE, OK, +) or the name of an errno; empty if unknown.
	Code string
	// Enhanced is an enhanced status code (5.7.8) or an IMAP response code (AUTHENTICATIONFAILED); empty if there is none.
	Enhanced string
	// Text is the reply with its lines joined by a blank.
	Text string
	// Provider is the id of a preset or the name of a server program; empty if unknown.
	Provider string
}

// Answer is what the catalogue knows about a Query.
type Answer struct {
	// Cause is check.CauseUnknown for a reply that the catalogue does not know.
	Cause check.Cause
	// Reply is the id of the catalogue entry that matched; empty for a general answer.
	Reply string
	Who   Who
	Retry Retry
	// Exit is the exit code of a command that stops for this answer.
	Exit int
	// Letters is set when the words are about the letters of the password; see WithLetters.
	Letters secret.Letters

	// words is set when only single words of the text matched.
	words bool
	info  CauseInfo
	own   map[locale.Lang]Words
}

// Info is the cause's entry in the catalogue.
func (a Answer) Info() CauseInfo { return a.info }

// Title is the cause in a few words.
func (a Answer) Title(lang locale.Lang) string {
	if title := inLanguage(a.own, lang).Title; title != "" {
		return title
	}
	return a.info.Title(lang)
}

// Meaning says what happened: in the reply's own words where it has some, otherwise in the cause's.
func (a Answer) Meaning(lang locale.Lang) string {
	if meaning := inLanguage(a.own, lang).Meaning; meaning != "" {
		return meaning
	}
	return a.info.Meaning(lang)
}

// Detail is CauseInfo.Detail of the answer's cause.
func (a Answer) Detail(lang locale.Lang, params check.Params) string {
	return a.info.Detail(lang, params)
}

// Remedy says what to do, step by step.
func (a Answer) Remedy(lang locale.Lang) []string {
	if remedy := inLanguage(a.own, lang).Remedy; len(remedy) > 0 {
		return slices.Clone(remedy)
	}
	return a.info.Remedy(lang)
}

// reply is one entry of the catalogue of replies.
type reply struct {
	ID       string `json:"id"`
	Code     string `json:"code"`
	Enhanced string `json:"enhanced"`
	// Pattern is searched without regard to case, and a dot matches a line end too.
	Pattern  string   `json:"pattern"`
	Provider []string `json:"provider"`
	// NeedsProvider means that the words are not unique: the entry counts only when the provider is known.
	NeedsProvider bool        `json:"needs_provider"`
	Cause         check.Cause `json:"cause"`
	// Priority is 1 before 0 before -1 and -2, the fall-backs on single words.
	Priority int                   `json:"priority"`
	Text     map[locale.Lang]Words `json:"text"`
	Example  string                `json:"example"`
	Source   string                `json:"source"`
	Evidence string                `json:"evidence"`

	needles [][]string
	once    sync.Once
	re      *regexp.Regexp
}

// providerData relates the ids of presets to the names that replies use.
type providerData struct {
	// Aliases gives further names of a preset: google-workspace is gmail too.
	Aliases map[string][]string `json:"aliases"`
	// Programs are names of server programs, which any provider may run.
	Programs []string `json:"programs"`
	// Neutral are ids that say nothing about who runs the server.
	Neutral []string `json:"neutral"`
}

var (
	// repliesOf has the replies of each protocol, which are read when they are first asked for.
	repliesOf = map[string]func() []*reply{
		SMTP: sync.OnceValue(func() []*reply { return loadReplies(SMTP) }),
		IMAP: sync.OnceValue(func() []*reply { return loadReplies(IMAP) }),
		TLS:  sync.OnceValue(func() []*reply { return loadReplies(TLS) }),
		TCP:  sync.OnceValue(func() []*reply { return loadReplies(TCP) }),
		DNS:  sync.OnceValue(func() []*reply { return loadReplies(DNS) }),
	}
	providers = sync.OnceValue(func() providerData { return readFile[providerData]("data/providers.json") })
)

func replies(protocol string) []*reply {
	if read, known := repliesOf[protocol]; known {
		return read()
	}
	return nil
}

func loadReplies(protocol string) []*reply {
	list := readFolder[*reply]("data/replies/" + protocol)
	for _, r := range list {
		if parsed, err := syntax.Parse(r.expression(), syntax.Perl); err == nil {
			r.needles = needles(parsed)
		}
	}
	slices.SortStableFunc(list, func(a, b *reply) int { return cmp.Compare(b.Priority, a.Priority) })
	return list
}

func (r *reply) expression() string { return "(?is)" + r.Pattern }

// matches reports whether the pattern is found. lower is text in lower case: most entries end at plain searches in it,
// so that their expression is never compiled.
func (r *reply) matches(text, lower string) bool {
	for _, literals := range r.needles {
		if !slices.ContainsFunc(literals, func(n string) bool { return strings.Contains(lower, n) }) {
			return false
		}
	}
	r.once.Do(func() { r.re = regexp.MustCompile(r.expression()) })
	return r.re.MatchString(text)
}

// needles returns sets of literals in lower case. In every match stands one literal of each set.
func needles(re *syntax.Regexp) [][]string {
	const shortest = 3 // shorter ones stand in too many replies to spare anything
	switch re.Op {
	case syntax.OpLiteral:
		if len(re.Rune) >= shortest {
			return [][]string{{strings.ToLower(string(re.Rune))}}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needles(re.Sub[0])
	case syntax.OpConcat:
		var all [][]string
		for _, sub := range re.Sub {
			all = append(all, needles(sub)...)
		}
		return all
	case syntax.OpAlternate:
		var either []string
		for _, sub := range re.Sub {
			found := needles(sub)
			if len(found) == 0 {
				return nil
			}
			either = append(either, slices.MaxFunc(found, func(a, b []string) int {
				return cmp.Compare(minLength(a), minLength(b))
			})...)
		}
		return [][]string{either}
	}
	return nil
}

func minLength(list []string) int {
	shortest := len(list[0])
	for _, s := range list {
		shortest = min(shortest, len(s))
	}
	return shortest
}

// Match finds the entry that fits a reply best, or else a general answer by its codes.
func Match(q Query) Answer {
	q.Text = cut(q.Text, maxText)
	q.Protocol = strings.ToLower(q.Protocol)
	if q.Protocol == "" {
		q.Protocol = guessProtocol(q.Text)
	}
	if q.Code == "" {
		// The text may hold the codes itself; a caller who knows them need not have it parsed.
		parsed := ParseReplyAs(q.Protocol, q.Text)
		q.Code = parsed.Code
		if q.Enhanced == "" {
			q.Enhanced = parsed.Enhanced
		}
	}
	lower := strings.ToLower(q.Text)
	names := providerNames(q.Provider)
	var best *reply
	bestScore := 0.0
	for _, r := range replies(q.Protocol) {
		if best != nil && r.Priority < best.Priority {
			break // no codes outweigh a priority
		}
		known := fits(r.Provider, names)
		if r.NeedsProvider && !known || !r.matches(q.Text, lower) {
			continue
		}
		s := score(r, q, known)
		if foreign(r.Provider, names) {
			s -= 0.5 // the same words of another service
		}
		if best == nil || s > bestScore {
			best, bestScore = r, s
		}
	}
	if best == nil {
		return general(q)
	}
	// Single words say less than a code that proves a cause by itself.
	if best.Priority <= wordsOnly {
		if coded := general(q); coded.Cause != check.CauseUnknown && tells(q) {
			return coded
		}
	}
	a := answer(best.Cause, q)
	a.Reply, a.words = best.ID, best.Priority <= wordsOnly
	if !foreign(best.Provider, names) {
		a.own = best.Text
	}
	return a
}

// wordsOnly is the priority from which entries match single words.
const wordsOnly = -2

// tells reports whether the enhanced code of a reply says more than single words: permanent codes about an address, a
// mailbox or security do. Those about the network, the protocol and limits are often given for want of a better one.
func tells(q Query) bool {
	if q.Protocol == IMAP {
		return q.Enhanced != "" && !strings.EqualFold(q.Enhanced, "LIMIT")
	}
	_, _, subject := splitEnhanced(q)
	return !transient(q) && (subject == "1" || subject == "2" || subject == "7")
}

// score weighs an entry whose pattern matches: priority first, then the codes, the provider, and how much the pattern
// says.
func score(r *reply, q Query, knownProvider bool) float64 {
	const longest = 90 // of two long patterns neither is more telling
	s := float64(10*r.Priority) + float64(min(len(r.Pattern), longest))/100
	if r.Code != "" && q.Code != "" {
		switch {
		case strings.EqualFold(r.Code, q.Code):
			s += 2
		case isDigit(r.Code[0]) && isDigit(q.Code[0]) && r.Code[0] != q.Code[0]:
			s--
		}
	}
	if r.Enhanced != "" && strings.EqualFold(r.Enhanced, q.Enhanced) {
		s += 2
	}
	if knownProvider {
		s += 1.5 // less than an equal code, more than any length
	}
	return s
}

// For is what the catalogue knows about a cause alone. A cause that is not in it counts as unknown.
func For(cause check.Cause) Answer { return answer(cause, Query{}) }

func answer(slug check.Cause, q Query) Answer {
	info, ok := Cause(slug)
	if !ok {
		info, _ = Cause(check.CauseUnknown)
	}
	a := Answer{Cause: info.Slug, Who: info.Who, Retry: info.Retry, Exit: info.Exit, info: info}
	// RFC 5321 §4.2.1: 4yz is a transient negative reply, the sender may try again.
	if transient(q) {
		a.Exit = exitcode.Transient(a.Exit)
		if a.Cause == check.CauseUnknown {
			a.Retry = RetryLater
		}
	}
	return a
}

func transient(q Query) bool {
	if q.Protocol != SMTP {
		return false
	}
	return strings.HasPrefix(q.Code, "4") || q.Code == "" && strings.HasPrefix(q.Enhanced, "4.")
}

// providerNames lists the names under which replies may know a provider: a preset's id and what providers.json adds.
func providerNames(id string) []string {
	if id == "" {
		return nil
	}
	id = strings.ToLower(id)
	if slices.Contains(providers().Neutral, id) {
		return nil
	}
	return append([]string{id}, providers().Aliases[id]...)
}

// foreign reports that an entry is about other services than the known one, so that its advice ("in the Google account
// ...") would mislead. Its cause still holds: the words are the same.
func foreign(entry, names []string) bool {
	if len(entry) == 0 || len(names) == 0 || fits(entry, names) {
		return false
	}
	return !fits(providers().Programs, entry) && !fits(providers().Programs, names)
}

// fits reports whether the lists share a name.
func fits(list, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(list, n) })
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func cut(s string, limit int) string {
	if len(s) > limit {
		return s[:limit]
	}
	return s
}
