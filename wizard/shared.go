package wizard

import (
	"slices"
	"strings"

	"postier/internal/check"
	"postier/internal/safetext"
	"postier/internal/secret"
)

// Mask returns text with every spelling of a secret that the conversation holds replaced by a mask of constant width.
func (s State) Mask(text string) string {
	for _, held := range []secret.Value{s.secret, s.pending, s.opts.Secret, s.opts.Stored} {
		text = held.Redact(text, s.draft.Submission.Username, s.draft.Address)
	}
	return text
}

// Shared returns what a helper may see of a screen: the same step without the secret, without what was said about one
// that was typed, and with mask applied to every text that a server or a check brought in.
func (v Screen) Shared(mask func(string) string) Screen {
	m := masker{mask}
	v.Intro = m.list(v.Intro)
	v.Numbered = m.list(v.Numbered)
	v.Title, v.Support = m.words(v.Title), m.words(v.Support)
	v.Notices = m.notices(v.Notices)
	v.Text = m.remote(v.Text)
	v.Facts = slices.Clone(v.Facts)
	for i, f := range v.Facts {
		f.Label, f.Value, f.Detail = m.words(f.Label), m.words(f.Value), m.words(f.Detail)
		v.Facts[i] = f
	}
	v.Copy = slices.Clone(v.Copy)
	for i, c := range v.Copy {
		c.Label, c.Text, c.Picture = m.words(c.Label), mask(c.Text), mask(c.Picture)
		v.Copy[i] = c
	}
	v.Checks = slices.Clone(v.Checks)
	for i, r := range v.Checks {
		v.Checks[i] = m.report(r)
	}
	if v.Finding != nil {
		finding := m.report(*v.Finding)
		v.Finding = &finding
	}
	v.Fields = slices.Clone(v.Fields)
	for i, f := range v.Fields {
		v.Fields[i] = m.field(f)
	}
	v.Actions = slices.Clone(v.Actions)
	for i, a := range v.Actions {
		a.Label, a.Disabled = m.words(a.Label), m.words(a.Disabled)
		v.Actions[i] = a
	}
	if v.Busy != nil {
		busy := *v.Busy
		busy.Text = m.words(busy.Text)
		v.Busy = &busy
	}
	return v
}

// masker applies a mask to the parts of a screen.
type masker struct{ mask func(string) string }

func (m masker) remote(r safetext.Remote) safetext.Remote {
	return safetext.FromRemote(m.mask(r.Raw()))
}

// words masks foreign text. Our own sentences and what the person entered in the open stay as they are: masking an
// address because it resembles the secret would give the secret away.
func (m masker) words(w Words) Words {
	w.Remote = m.remote(w.Remote)
	if len(w.Msg.Args) > 0 {
		w.Msg.Args = slices.Clone(w.Msg.Args)
		for i, arg := range w.Msg.Args {
			if foreign, ok := arg.(safetext.Remote); ok {
				w.Msg.Args[i] = m.remote(foreign)
			}
		}
	}
	return w
}

func (m masker) list(list []Words) []Words {
	list = slices.Clone(list)
	for i, w := range list {
		list[i] = m.words(w)
	}
	return list
}

// Remarks about a secret that was typed say how long it is, or what was in it.
const (
	remarkOnShape  = "presets.shape."
	remarkOnChange = "presets.change."
)

// notices leaves out what a remark on a typed secret would tell about it.
func (m masker) notices(list []Notice) []Notice {
	var out []Notice
	for _, n := range list {
		switch key := n.Text.Msg.Key; {
		case strings.HasPrefix(key, remarkOnChange):
			continue
		case strings.HasPrefix(key, remarkOnShape):
			n.Text = Msg("wizard.shared.shape")
		default:
			n.Text = m.words(n.Text)
		}
		out = append(out, n)
	}
	return out
}

// field masks a field. Of a secret only its label crosses, and that something was wrong with it.
func (m masker) field(f Field) Field {
	f.Label, f.Help, f.Placeholder = m.words(f.Label), m.words(f.Help), m.words(f.Placeholder)
	f.Choices = slices.Clone(f.Choices)
	for i, c := range f.Choices {
		f.Choices[i] = Choice{Value: c.Value, Label: m.words(c.Label), Detail: m.words(c.Detail)}
	}
	if f.Kind != KindSecret {
		f.Error = m.words(f.Error)
		return f
	}
	f.Value = ""
	if !f.Error.Empty() {
		f.Error = Msg("wizard.shared.secret")
	}
	return f
}

func (m masker) report(r Report) Report {
	r.Name, r.Title, r.Meaning = m.words(r.Name), m.words(r.Title), m.words(r.Meaning)
	r.WhoWords, r.RetryWords = m.words(r.WhoWords), m.words(r.RetryWords)
	r.Remedy = m.list(r.Remedy)
	r.Reply, r.Brief = m.remote(r.Reply), m.remote(r.Brief)
	r.Fixes = slices.Clone(r.Fixes)
	for i, f := range r.Fixes {
		r.Fixes[i] = check.Fix{
			Kind: f.Kind, Name: m.mask(f.Name), Value: m.mask(f.Value), Old: m.mask(f.Old), TTLSeconds: f.TTLSeconds,
		}
	}
	r.Details = slices.Clone(r.Details)
	for i, line := range r.Details {
		r.Details[i] = m.mask(line)
	}
	return r
}
