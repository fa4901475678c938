package delivery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics/explain"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/smtp"
)

// compose writes a message of the program itself. Auto-Submitted keeps automatic answers away (RFC 3834 §5); by X-Loop
// the program recognises the message should it come back.
func (q *Queue) compose(profile string, p *config.Profile, to, subject, body string) *Item {
	now := q.Store.Now()
	id := NewMessageID(p.From.Address)
	m := &Message{fields: []field{
		{"From", " " + formatAddress(config.Address{Name: cmp.Or(q.Product, config.Program), Address: p.From.Address})},
		{"To", " " + formatAddress(config.Address{Address: to})},
		{"Subject", " " + subject},
		{"Date", " " + now.Format(time.RFC1123Z)},
		{"Message-ID", " " + id},
		{"Auto-Submitted", " auto-generated"},
		{"X-Loop", " " + loopMark},
		{"MIME-Version", " 1.0"},
		{"Content-Type", " text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", " 8bit"},
	}}
	m.body = smtp.CRLF([]byte(body))
	m.asciiHeader()
	m.encodeLeaf("text/plain", "utf-8", true)
	return &Item{
		ID: newID(), State: StateWaiting, Profile: profile, MessageID: id, Envelope: p.From.Address,
		Accepted: now, Due: now, Raw: m.Bytes(),
		Detail: Detail{Author: p.From.Address, Subject: subject, Own: true, Recipients: []Recipient{{Address: to}}},
	}
}

// notifyOwner queues the one message that says why the profile was switched off (D-5, D-7).
func (q *Queue) notifyOwner(
	ctx context.Context, fallback string, through *config.Profile, profile string, p *config.Profile, try Try,
) error {
	item := q.Notice(fallback, through, Owner(p), func(lang config.Language) (string, string) {
		subject := locale.For(lang).T("delivery.off.subject", "address", safetext.FromRemote(p.From.Address))
		return subject, q.reasons(lang, profile, p, try)
	})
	item.About = profile
	return q.Accept(ctx, item, false)
}

// Owner is the address of the person who is told about a profile.
func Owner(p *config.Profile) string { return cmp.Or(p.ReplyTo, p.From.Address) }

// Notice writes a message to a person about the program's own work. say gives its subject and its text in a language;
// the text comes in every one, since the one that the person reads is unknown, the program's first.
func (q *Queue) Notice(through string, p *config.Profile, to string,
	say func(config.Language) (subject, text string),
) *Item {
	var parts []string
	for _, lang := range q.languages() {
		_, text := say(lang)
		parts = append(parts, text)
	}
	subject, _ := say(q.lang())
	return q.compose(through, p, to, subject, strings.Join(parts, "\n\n"+strings.Repeat("-", 60)+"\n\n"))
}

// Identify gives a message of the program its Message-ID, so that a second copy of it can be told by its receiver.
func (i *Item) Identify(id string) {
	i.Raw = bytes.Replace(i.Raw, []byte(i.MessageID), []byte(id), 1)
	i.MessageID = id
}

func (q *Queue) lang() config.Language { return cmp.Or(q.Lang, locale.English) }

func (q *Queue) languages() []config.Language {
	others := slices.DeleteFunc(locale.All(), func(lang config.Language) bool { return lang == q.lang() })
	return append([]config.Language{q.lang()}, others...)
}

// reasons is the notice in one language: what happened, why, what to do, and the provider's limits where those are the
// reason.
func (q *Queue) reasons(lang config.Language, profile string, p *config.Profile, try Try) string {
	say := locale.For(lang)
	name := cmp.Or(p.Label, p.From.Address)
	lines := []string{
		say.T("delivery.off.what", "name", safetext.FromRemote(name), "address", safetext.FromRemote(p.From.Address),
			"product", cmp.Or(q.Product, config.Program)),
		"",
	}
	if info, ok := explain.Cause(try.Cause); ok {
		lines = append(lines, info.Title(lang)+" ("+info.Code+")", info.Meaning(lang), "")
		for _, step := range info.Remedy(lang) {
			lines = append(lines, "- "+step)
		}
	}
	if try.Reply != "" {
		lines = append(lines, "", say.T("delivery.off.server", "reply", safetext.FromRemote(try.Reply)))
	}
	lines = append(lines, q.PageLines(say, p, try.Cause)...)
	if q.Provider != nil {
		for i, limit := range q.Provider(p) {
			if i == 0 {
				lines = append(lines, "", say.T("delivery.off.limits"))
			}
			lines = append(lines, "- "+say.T("delivery.limit."+limit.What, "n", limit.Value))
		}
	}
	program := "    " + cmp.Or(q.Program, config.Program)
	lines = append(lines, "", say.T("delivery.off.mend"), "",
		program+" setup --edit "+profile, program+" profile enable "+profile, "", say.T("delivery.off.meanwhile"))
	if q.Contact != nil && q.Contact(lang) != "" {
		lines = append(lines, "", q.Contact(lang))
	}
	return strings.Join(lines, "\n")
}

// PageLines name the provider's own page about a cause, where one is known.
func (q *Queue) PageLines(say *locale.Catalogue, p *config.Profile, cause config.Cause) []string {
	if q.Page == nil || q.Page(p, cause) == "" {
		return nil
	}
	return []string{"", say.T("delivery.off.page", "page", safetext.FromRemote(q.Page(p, cause)))}
}

// outdated reports whether a notice says that a profile is switched off which works again or is gone.
func (i *Item) outdated(f *config.File) bool {
	if i.About == "" {
		return false
	}
	p := f.Profiles[i.About]
	return p == nil || p.Enabled || p.Disabled == nil
}

// bounce returns a message that could not be sent to its sender. There is none for a message that is delivered at once:
// its caller sees the outcome.
func (q *Queue) bounce(ctx context.Context, doc *config.Document, item *Item) {
	if item.Own || item.TestMode || item.BounceTo == "" || item.inline {
		return
	}
	through, p := item.Profile, doc.File.Profiles[item.Profile]
	if name, other, ok := fallbackOf(&doc.File, item.Profile); ok && (p == nil || !p.Enabled) {
		through, p = name, other
	}
	if p == nil {
		return
	}
	bounce := q.compose(through, p, item.BounceTo, q.bounceSubject(item), q.bounceText(item))
	if err := q.Accept(ctx, bounce, false); err != nil && q.Observe != nil {
		q.Observe(Event{Item: item, Err: errors.Join(errBounce, err)})
	}
}

var errBounce = errors.New("the message could not be returned to its sender")

func (q *Queue) bounceSubject(item *Item) string {
	subject := safetext.FromRemote(decodeWords(item.Subject))
	return locale.For(q.lang()).T("delivery.bounce.subject", "subject", subject)
}

func (q *Queue) bounceText(item *Item) string {
	lang := q.lang()
	say := locale.For(lang)
	date := item.Accepted.Local().Format("2006-01-02 15:04")
	lines := []string{say.T("delivery.bounce.what", "date", date, "id", safetext.FromRemote(item.MessageID)), ""}
	for _, r := range item.Failed() {
		lines = append(lines, "  "+safetext.Escape(r.Address))
		if info, ok := explain.Cause(r.Cause); ok {
			lines = append(lines, "    "+info.Title(lang)+" ("+info.Code+")")
		}
		if r.Reply != "" {
			lines = append(lines, "    "+safetext.Escape(r.Reply))
		}
	}
	lines = append(lines, "", say.T("delivery.bounce.again"))
	const most = 4 << 10 // the header tells which message it was; its text stays with the sender
	header, _, _ := strings.Cut(string(item.Raw), "\r\n\r\n")
	for line := range strings.SplitSeq(header[:min(len(header), most)], "\r\n") {
		lines = append(lines, "> "+safetext.Escape(line))
	}
	return strings.Join(lines, "\n")
}
