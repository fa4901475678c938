package watch

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

// Kind is what a notice says.
type Kind string

// The kinds.
const (
	KindFailing Kind = "failing" // something that worked stopped working
	KindWorking Kind = "working" // it works again
	KindAhead   Kind = "ahead"   // the provider will change something
)

// notice is a message to the people who are told. It is kept until one of them has it, or it is no longer true.
type notice struct {
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at"`
	// Checks are those that it is about, Fact the dated fact.
	Checks []check.ID     `json:"checks,omitempty"`
	Fact   *presets.Dated `json:"fact,omitempty"`
	To     []*addressee   `json:"to,omitempty"`
	// Over are the troubles that are over.
	Over []over `json:"over,omitempty"`
}

// over is a trouble that is over.
type over struct {
	Since time.Time              `json:"since"`
	Words map[locale.Lang]*words `json:"words"`
}

// addressee is one who is told.
type addressee struct {
	// Target is an address, a URL, or empty for the command.
	Target string      `json:"target,omitempty"`
	Result SentResult  `json:"result,omitempty"`
	Cause  check.Cause `json:"cause,omitempty"`
}

// taken reports whether somebody has the notice.
func (n *notice) taken() bool {
	return slices.ContainsFunc(n.To, func(a *addressee) bool { return a.Result == SentTaken })
}

// ended reports whether nothing more is to be done for it.
func (n *notice) ended() bool {
	return n.taken() && !slices.ContainsFunc(n.To, func(a *addressee) bool {
		return a.Result != SentTaken && a.Result != SentRefused
	})
}

// announce turns what changed into notices, and takes back those that are no longer true.
func (r *record) announce(now time.Time) {
	r.retract(now)
	broken := slices.DeleteFunc(r.troubles(func(t *trouble) bool { return t.confirmed() && !t.Told }),
		func(id check.ID) bool { return r.Checks[id].Good == "" }) // it never worked, as far as is known
	if len(broken) > 0 {
		for _, id := range broken {
			r.Checks[id].Trouble.Told = true
		}
		r.Notices = append(r.Notices, &notice{Kind: KindFailing, At: now, Checks: broken})
	}
	fixed := r.troubles(func(t *trouble) bool { return t.Fixed })
	if len(fixed) == 0 || r.doubts() {
		return // the profile may have got from one trouble into another
	}
	clear := &notice{Kind: KindWorking, At: now, Checks: fixed}
	for _, id := range fixed {
		t := r.Checks[id].Trouble
		clear.Over = append(clear.Over, over{Since: t.Since, Words: t.Words})
		r.Checks[id].Trouble = nil
	}
	r.Notices = append(r.Notices, clear)
}

// retract takes back what is no longer true: that something fails which holds again, and that it holds when it fails
// again. Where nobody has heard the one, nobody needs to hear the other.
func (r *record) retract(now time.Time) {
	for _, n := range r.Notices {
		heard := n.taken()
		n.Checks = slices.DeleteFunc(n.Checks, func(id check.ID) bool {
			t := r.memory(id).Trouble
			switch {
			case n.Kind == KindFailing && t != nil && t.Fixed && !heard:
				r.Checks[id].Trouble = nil
				return true
			case n.Kind == KindFailing:
				return t == nil || t.Fixed
			case n.Kind == KindWorking && t != nil && t.confirmed():
				t.Told = t.Told || !heard
				return true
			}
			return false
		})
	}
	r.Notices = slices.DeleteFunc(r.Notices, func(n *notice) bool {
		if n.Kind == KindAhead {
			return n.Fact.Before.Empty() || n.Fact.On(now)[locale.English] != n.Fact.Before[locale.English]
		}
		return len(n.Checks) == 0
	})
}

// doubts reports whether something failed once.
func (r *record) doubts() bool {
	return len(r.troubles(func(t *trouble) bool { return t.doubtful() && t.Status == check.Fail })) > 0
}

// ripe reports whether a notice may leave: what it says was found in this round.
func (r *record) ripe(n *notice, read reading, resting []check.ID) bool {
	switch n.Kind {
	case KindFailing:
		return slices.ContainsFunc(n.Checks, func(id check.ID) bool {
			return r.Checks[id].Trouble.Last.Equal(read.now) || slices.Contains(resting, id)
		})
	case KindWorking:
		return !r.doubts()
	}
	return true
}

// speech puts a notice into words.
type speech struct {
	name    string
	profile *config.Profile
	program string
	product string
	contact func(locale.Lang) string
	page    func(*locale.Catalogue, *config.Profile, check.Cause) []string
	record  *record
	now     time.Time
}

// say gives the subject and the text in a language.
func (s speech) say(n *notice, lang locale.Lang) (subject, text string) {
	c := locale.For(lang)
	address := safetext.FromRemote(s.profile.From.Address)
	key := "watch.notice." + string(n.Kind)
	lines := []string{c.T(key+".what", "who", s.who(c), "product", s.product)}
	switch n.Kind {
	case KindFailing:
		for _, id := range n.Checks {
			lines = append(lines, "")
			lines = append(lines, s.trouble(c, lang, s.record.Checks[id])...)
		}
		lines = append(lines, "", c.T("watch.notice.failing.look"), "",
			"    "+s.program+" diagnose "+s.name, "    "+s.program+" setup --edit "+s.name, "",
			c.T("watch.notice.failing.once"))
		lines = append(lines, s.help(lang)...)
	case KindWorking:
		lines = append(lines, "")
		for _, o := range n.Over {
			lines = append(lines, "- "+c.T("watch.notice.working.line", "check", o.Words[lang].Check, "title",
				o.Words[lang].Title, "since", o.Since.Local().Format(minute)))
		}
	case KindAhead:
		lines = append(lines, "", n.Fact.Before.In(lang), "", c.T("watch.notice.ahead.once", "date", n.Fact.Date))
		lines = append(lines, s.help(lang)...)
		return c.T(key+".subject", "address", address, "date", n.Fact.Date), strings.Join(lines, "\n")
	}
	return c.T(key+".subject", "address", address), strings.Join(lines, "\n")
}

// help is where the owner finds help.
func (s speech) help(lang locale.Lang) []string {
	if s.contact == nil || s.contact(lang) == "" {
		return nil
	}
	return []string{"", s.contact(lang)}
}

// who is the profile as its owner knows it.
func (s speech) who(c *locale.Catalogue) string {
	address := safetext.FromRemote(s.profile.From.Address)
	if s.profile.Label == "" || s.profile.Label == s.profile.From.Address {
		return address.Escaped()
	}
	return c.T("watch.notice.who", "name", safetext.FromRemote(s.profile.Label), "address", address)
}

// minute is how a moment is shown.
const minute = "2006-01-02 15:04"

// trouble says what is wrong, why, and what to do.
func (s speech) trouble(c *locale.Catalogue, lang locale.Lang, m *memory) []string {
	t := m.Trouble
	w := t.Words[lang]
	lines := []string{
		c.T("watch.notice.failing.line", "check", w.Check, "title", w.Title, "code", w.Code, "since",
			t.Since.Local().Format(minute)),
		w.Meaning,
	}
	for _, step := range w.Remedy {
		lines = append(lines, "- "+step)
	}
	if t.Said != "" {
		lines = append(lines, c.T("delivery.off.server", "reply", safetext.FromRemote(t.Said)))
	}
	if s.page != nil {
		lines = append(lines, s.page(c, s.profile, t.Cause)...)
	}
	if m.Published != "" && m.Published != t.Published {
		lines = append(lines, c.T("watch.notice.was", "record", safetext.FromRemote(m.Published)))
		if t.Published != "" {
			lines = append(lines, c.T("watch.notice.now", "record", safetext.FromRemote(t.Published)))
		}
	}
	return lines
}

// payload is a notice as a URL gets it.
type payload struct {
	Schema  int       `json:"schema"`
	Event   Kind      `json:"event"`
	Time    time.Time `json:"time"`
	Profile string    `json:"profile"`
	Address string    `json:"address"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	Checks  []Check   `json:"checks"`
}

// json is the payload in a language.
func (s speech) json(n *notice, lang locale.Lang) []byte {
	subject, text := s.say(n, lang)
	p := payload{
		Schema: Schema, Event: n.Kind, Time: s.now.UTC().Truncate(time.Second), Profile: s.name,
		Address: s.profile.From.Address, Subject: subject, Text: text, Checks: []Check{},
	}
	for _, id := range n.Checks {
		c := Check{ID: id, Status: check.Pass}
		if t := s.record.memory(id).Trouble; t != nil {
			c.Status, c.Cause, c.Code = t.Status, t.Cause, t.Words[lang].Code
		}
		p.Checks = append(p.Checks, c)
	}
	data, err := json.Marshal(p)
	if err != nil {
		panic("watch: plain values always marshal: " + err.Error())
	}
	return data
}
