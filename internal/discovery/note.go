package discovery

import (
	"slices"
	"time"

	"postier/internal/locale"
	"postier/presets"
)

// Note is a remark on a candidate: a message of the catalogue, or a preset's own sentence.
type Note struct {
	Msg locale.Text
	Own presets.Text
	// Warn is true if the person should read the note before continuing.
	Warn bool
}

// In puts the note into words.
func (n Note) In(lang locale.Lang) string {
	if !n.Own.Empty() {
		return n.Own.In(lang)
	}
	return locale.For(lang).Say(n.Msg)
}

func say(key string, args ...any) Note { return Note{Msg: locale.Msg(key, args...)} }

// presetNotes are what a person should know before choosing this provider: whether it can work at all, what ends on a
// given day, and which values are still missing.
func presetNotes(p *presets.Provider, today time.Time, servers []presets.Endpoint) []Note {
	var out []Note
	if wayOut, impossible := p.Impossible(); impossible {
		out = append(out, Note{Own: p.PasswordAuth.Fact, Warn: true}, Note{Own: wayOut})
	} else if !p.PasswordWorks() {
		out = append(out, Note{Own: p.PasswordAuth.Fact, Warn: true})
	}
	if p.Plans != nil {
		out = append(out, Note{Own: p.Plans.Fact, Warn: true})
	}
	for _, d := range p.Dated {
		if text := d.On(today); !text.Empty() {
			out = append(out, Note{Own: text, Warn: true})
		}
	}
	var questions []string
	for _, e := range servers {
		for _, name := range e.Ask {
			if a, ok := p.Question(name); ok && !slices.Contains(questions, name) {
				questions = append(questions, name)
				out = append(out, Note{Own: a.Label})
			}
		}
		if e.Cleartext && !slices.ContainsFunc(out, func(n Note) bool { return n.Msg.Key == "discovery.note.cleartext" }) {
			out = append(out, Note{Msg: locale.Msg("discovery.note.cleartext", "host", e.Host), Warn: true})
		}
	}
	return out
}
