package explain

import (
	"cmp"
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
	// vague is set when a code without a definite meaning suggests the cause, or a word such as "refused" alone.
	vague bool
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
	// Pattern is searched without regard to case, and a dot matches a line end too. That of a wide entry is searched in
	// the words alone; see bare.
	Pattern  string   `json:"pattern"`
	Provider []string `json:"provider"`
	// NeedsProvider means that the words are not unique: the entry counts only when the provider is known.
	NeedsProvider bool        `json:"needs_provider"`
	Cause         check.Cause `json:"cause"`
	// Priority is 1 before 0 before -1, -2 and -3, the wide entries.
	Priority int                   `json:"priority"`
	Text     map[locale.Lang]Words `json:"text"`
	Example  string                `json:"example"`
	Source   string                `json:"source"`
	Evidence string                `json:"evidence"`

	branches []branch
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
	numbers := needleNumbers{}
	for _, r := range list {
		r.branches = branchesOf(r.expression(), numbers)
	}
	slices.SortStableFunc(list, func(a, b *reply) int { return cmp.Compare(b.Priority, a.Priority) })
	return list
}

// wide reports whether the entry knows a kind of reply by words that many systems use. Such entries are rules in the
// order of their file: the first that fits counts, and Code is a condition.
func (r *reply) wide() bool { return r.Priority < 0 }

func (r *reply) expression() string {
	if r.wide() {
		return "(?s)" + r.Pattern // the words are in lower case
	}
	return "(?is)" + r.Pattern
}

// admits reports whether a wide entry is about replies with the code of q. An SMTP reply without a code may have any.
func (r *reply) admits(q Query) bool {
	code := q.Code
	if code == "" && q.Protocol == SMTP {
		code = cut(q.Enhanced, 1)
		return strings.HasPrefix(code, cut(r.Code, 1)) || code == ""
	}
	return strings.HasPrefix(code, r.Code)
}

// matches reports whether the pattern is found in a text.
func (r *reply) matches(t *searched) bool {
	return slices.ContainsFunc(r.branches, func(b branch) bool { return b.matches(t) })
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
	names := providerNames(q.Provider)
	best := special(q, names)
	if best == nil {
		best = ofKind(q)
	}
	if best == nil {
		return general(q)
	}
	if coded := general(q); coded.Cause != check.CauseUnknown && tells(q, best, coded) {
		return coded
	}
	a := answer(best.Cause, q)
	a.Reply, a.words = best.ID, best.Priority <= wordsOnly
	a.vague = best.Priority <= lastWords && best.Cause == check.CauseMessageRefused
	if !foreign(best.Provider, names) {
		a.own = best.Text
	}
	return a
}

// special finds the entry about one reply of one system that fits best, or nil.
func special(q Query, names []string) *reply {
	text := &searched{text: q.Text, lower: strings.ToLower(q.Text)}
	var best *reply
	bestScore := 0.0
	for _, r := range replies(q.Protocol) {
		if r.wide() || best != nil && r.Priority < best.Priority {
			break // no codes outweigh a priority
		}
		known := fits(r.Provider, names)
		if r.NeedsProvider && !known || !r.matches(text) {
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
	return best
}

// ofKind finds the first wide entry that fits, or nil.
func ofKind(q Query) *reply {
	words := wordsOf(q.Protocol, q.Text)
	text := &searched{text: words, lower: words}
	for _, r := range replies(q.Protocol) {
		if r.wide() && r.admits(q) && r.matches(text) {
			return r
		}
	}
	return nil
}

// wordsOf is what wide entries are searched in.
func wordsOf(protocol, text string) string {
	lower := strings.ToLower(text)
	if protocol == SMTP || protocol == IMAP {
		return bare(lower)
	}
	return cut(lower, maxWords)
}

// Priorities of wide entries: from wordsOnly on they match single words, at lastWords words that say next to nothing.
const (
	wordsOnly = -2
	lastWords = -3
)

// passing are enhanced codes that say more than "try again later" in a transient reply.
var passing = []string{"2.2", "4.3", "4.6", "4.7", "5.3", "7.23", "7.24", "7.25", "7.26", "7.28"}

// tells reports whether the enhanced code of a reply says more than the words that an entry matched. It never says more
// than a special entry or a kind: servers choose words with more care than codes. Against single words, permanent codes
// about an address, a mailbox or security do; those about the network, the protocol and limits are often given for want
// of a better one. A vague code ("other address status") says more only than words that say next to nothing.
func tells(q Query, r *reply, coded Answer) bool {
	if r.Priority > wordsOnly || coded.vague && r.Priority > lastWords {
		return false
	}
	if q.Protocol == IMAP {
		return q.Enhanced != "" && !strings.EqualFold(q.Enhanced, "LIMIT")
	}
	_, detail, subject := splitEnhanced(q)
	if r.Priority <= lastWords && detail == "" && !coded.vague {
		return true // a reply code that proves a cause by itself, such as 503
	}
	if transient(q) {
		return r.Priority <= lastWords && !coded.vague && slices.Contains(passing, detail)
	}
	return subject == "1" || subject == "2" || subject == "7" && !coded.vague
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
