package explain

import (
	"strings"
	"sync"

	"postier/internal/check"
	"postier/internal/locale"
)

// generalEntry is what a code means by itself, where no reply of the catalogue fits.
type generalEntry struct {
	// Code is a reply code (421), the subject and detail of an enhanced code (1.1; 1 for the subject alone), an IMAP
	// response code, or a class (the first digit; an IMAP status).
	Code string `json:"code"`
	// Cause is the cause that the code alone proves; empty when it proves none.
	Cause check.Cause `json:"cause"`
	// Vague is set for codes such as "other address status", which suggest a cause rather than prove it.
	Vague bool                  `json:"vague"`
	Text  map[locale.Lang]Words `json:"text"`
}

type generalData struct {
	Details   map[string]generalEntry // RFC 3463 §3: subject and detail
	Subjects  map[string]generalEntry // RFC 3463 §3: subject
	Replies   map[string]generalEntry // RFC 5321 §4.2.3, RFC 4954 §4 and §6
	Classes   map[string]generalEntry // RFC 5321 §4.2.1
	Responses map[string]generalEntry // RFC 9051 §7.1: response codes
	Statuses  map[string]generalEntry // RFC 9051 §7.1: OK, NO, BAD, BYE, PREAUTH
	Layers    map[string]generalEntry // tls, tcp, dns: the layer where it broke
	Letters   map[string]generalEntry // what kind of letters a refused password has
}

var generals = sync.OnceValue(func() generalData {
	return generalData{
		Details:   byCode("data/general/enhanced-details.json"),
		Subjects:  byCode("data/general/enhanced-subjects.json"),
		Replies:   byCode("data/general/smtp-codes.json"),
		Classes:   byCode("data/general/smtp-classes.json"),
		Responses: byCode("data/general/imap-response-codes.json"),
		Statuses:  byCode("data/general/imap-statuses.json"),
		Layers:    byCode("data/general/layers.json"),
		Letters:   byCode("data/general/password-letters.json"),
	}
})

func byCode(path string) map[string]generalEntry {
	entries := map[string]generalEntry{}
	for _, e := range readFile[[]generalEntry](path) {
		entries[e.Code] = e
	}
	return entries
}

// general answers by the codes alone, the most specific first. Where the code proves no cause, the cause is unknown and
// the meaning is that of the code.
func general(q Query) Answer {
	g := generals()
	switch q.Protocol {
	case SMTP:
		class, detail, subject := splitEnhanced(q)
		return firstOf(q, lookup(g.Details, detail), lookup(g.Replies, q.Code), lookup(g.Subjects, subject),
			lookup(g.Classes, class))
	case IMAP:
		return firstOf(q, lookup(g.Responses, strings.ToUpper(q.Enhanced)), lookup(g.Statuses, strings.ToUpper(q.Code)))
	}
	return firstOf(q, lookup(g.Layers, q.Protocol))
}

// splitEnhanced splits 5.1.10 into the subject "1" and the detail "1.10". The class is that of the reply code, where
// there is one. Class 2 means no failure, so it has neither subject nor detail.
func splitEnhanced(q Query) (class, detail, subject string) {
	class = cut(q.Code, 1)
	parts := strings.Split(q.Enhanced, ".")
	if len(parts) != 3 {
		return class, "", ""
	}
	if class == "" {
		class = parts[0]
	}
	if class == "2" || class == "3" {
		return class, "", ""
	}
	return class, parts[1] + "." + parts[2], parts[1]
}

func lookup(entries map[string]generalEntry, key string) []generalEntry {
	if e, ok := entries[key]; ok {
		return []generalEntry{e}
	}
	return nil
}

// firstOf answers with the first entry found. Texts that it leaves out come from the entries after it.
func firstOf(q Query, found ...[]generalEntry) Answer {
	var list []generalEntry
	for _, f := range found {
		list = append(list, f...)
	}
	if len(list) == 0 {
		return answer(check.CauseUnknown, q)
	}
	if list[0].Cause != "" {
		a := answer(list[0].Cause, q)
		a.own, a.vague = list[0].Text, list[0].Vague
		return a
	}
	a := answer(check.CauseUnknown, q)
	a.own = map[locale.Lang]Words{}
	for _, lang := range locale.Written() {
		var words Words
		for _, e := range list {
			w := e.Text[lang]
			if words.Title == "" {
				words.Title = w.Title
			}
			if words.Meaning == "" {
				words.Meaning = w.Meaning
			}
			if len(words.Remedy) == 0 && e.Cause == "" {
				words.Remedy = w.Remedy
			}
		}
		a.own[lang] = words
	}
	return a
}
