// Package guide writes a page that explains how to sign in at a provider: what must be switched on first, where to
// click, what to type, what happens next, and what to do if it fails. The text, Markdown and HTML versions have the
// same content.
package guide

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
)

// Options say for whom the page is.
type Options struct {
	Lang locale.Lang
	// Product is the calling program's name: the label to type at the provider.
	Product string
	// Today decides which dated facts are shown, and how they are worded.
	Today time.Time
	// Address fills in the user name and the servers when it is known.
	Address string
}

// Page is a guide in a person's language.
type Page struct {
	Lang     locale.Lang `json:"-"`
	ID       string      `json:"provider"`
	Title    string      `json:"title"`
	Sections []Section   `json:"sections"`
	// Footer says how certain the page is, and when it was last checked.
	Footer string `json:"footer"`
}

// Section is one part of a page. Text comes before Steps, Links after them.
type Section struct {
	ID    string `json:"id"` // a stable name, such as steps or warnings
	Title string `json:"title"`
	Warn  bool   `json:"warn,omitempty"`
	// List is true when Text holds separate points rather than sentences that follow one another.
	List  bool     `json:"list,omitempty"`
	Text  []string `json:"text,omitempty"`
	Steps []string `json:"steps,omitempty"`
	Links []string `json:"links,omitempty"`
}

// writer builds a page.
type writer struct {
	p *presets.Provider
	o Options
	c *locale.Catalogue
}

// For writes the guide of a provider.
func For(p *presets.Provider, o Options) Page {
	w := &writer{p, o, locale.For(o.Lang)}
	name := p.NameIn(o.Lang)
	page := Page{Lang: o.Lang, ID: p.ID, Title: w.t("title", "name", name)}
	add := func(s Section) {
		if len(s.Text)+len(s.Steps)+len(s.Links) > 0 {
			s.Title = w.t("section."+s.ID, "name", name)
			page.Sections = append(page.Sections, s)
		}
	}
	if wayOut, impossible := p.Impossible(); impossible {
		add(Section{ID: "impossible", Warn: true, Text: w.own(p.PasswordAuth.Fact, wayOut)})
		add(w.warnings())
	} else {
		add(w.secretKind())
		add(w.plans())
		add(w.warnings())
		add(w.before())
		add(w.steps())
		add(w.look())
		add(w.alert())
		add(w.blocks())
		add(w.unblock())
		add(w.settings())
		add(w.sent())
		add(w.limits())
	}
	add(Section{ID: "docs", Links: list(p.DocsURL)})
	add(w.sources())
	confidence, checked := p.Confidence()
	if len(p.SMTP) == 0 {
		confidence = p.PasswordAuth.Trust.Confidence()
	}
	page.Footer = w.t("servers-known", "known", w.c.Say(confidence.Text(checked)))
	return page
}

func (w *writer) t(key string, args ...any) string { return w.c.T("guide."+key, args...) }

// own are the provider's own sentences, empty ones left out, with the product's name filled in.
func (w *writer) own(texts ...presets.Text) []string {
	var out []string
	for _, text := range texts {
		if !text.Empty() {
			out = append(out, w.fill(text.In(w.o.Lang)))
		}
	}
	return out
}

func (w *writer) fill(text string) string {
	return strings.ReplaceAll(text, "{product}", w.o.Product)
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// secretKind says what the person types, and why it is not the account's password.
func (w *writer) secretKind() Section {
	s := Section{ID: "secret", Text: []string{w.t("secret." + string(w.p.Credential.Type))}}
	s.Warn = !w.p.PasswordWorks()
	if label := w.own(w.p.Credential.Label); len(label) > 0 {
		s.Text = append(s.Text, w.t("secret.label", "label", label[0]))
	}
	s.Text = append(s.Text, w.own(w.p.PasswordAuth.Fact)...)
	if o := w.p.OAuth; o != nil && !w.p.PasswordWorks() {
		s.Text = append(s.Text, w.own(o.Note)...)
	}
	return s
}

// plans says which plans leave programs out, and what to do with one of them.
func (w *writer) plans() Section {
	s := Section{ID: "plans", Warn: true}
	if w.p.Plans != nil {
		s.Text = append(w.own(w.p.Plans.Fact), w.t("plan-ways"))
	}
	return s
}

func (w *writer) warnings() Section {
	s := Section{ID: "warnings", Warn: true, List: true}
	for _, warning := range w.p.Warnings(w.o.Today, w.o.Lang) {
		text := w.fill(warning.Text)
		if warning.Days > 0 {
			text += " " + w.c.N("guide.days", warning.Days)
		}
		s.Text = append(s.Text, text)
	}
	return s
}

// before lists what must be switched on before anything else works.
func (w *writer) before() Section {
	s := Section{ID: "before", Text: w.own(w.p.WithoutTwoStep)}
	if e := w.p.EnableFirst; e != nil {
		s.Text = append(s.Text, w.own(e.Fact)...)
		if e.Needed != presets.NeedNo {
			s.Links = list(e.URL)
		}
	}
	return s
}

func (w *writer) steps() Section {
	s := Section{ID: "steps", Steps: w.p.Steps(w.o.Lang, w.o.Product), Links: list(w.p.AppPasswordURL)}
	if len(s.Steps) == 0 && w.p.PasswordWorks() {
		s.Steps = []string{w.t("generic.step.webmail"), w.t("generic.step.password")}
	}
	return s
}

// look describes the secret's shape, so that a wrong one is noticed before it is typed.
func (w *writer) look() Section {
	s := Section{ID: "look"}
	if shape := w.p.Shape; shape != nil {
		s.Text = append(s.Text, w.own(shape.Description)...)
		if shape.Example != "" {
			s.Text = append(s.Text, w.t("look.example", "example", shape.Example))
		}
	}
	if c := w.p.Credential; c.Prefix != "" {
		s.Text = append(s.Text, w.t("look.prefix", "prefix", c.Prefix))
	}
	if c := w.p.Credential; c.WrongPrefix != "" {
		s.Text = append(s.Text, w.t("look.wrong-prefix", "prefix", c.WrongPrefix))
	}
	return s
}

// alert describes the security alert that the person should expect, so that it does not alarm them (M-7).
func (w *writer) alert() Section {
	s := Section{ID: "alert", Text: w.own(w.p.Alert)}
	if len(s.Text) == 0 && w.p.Kind == presets.KindMailbox && w.p.Source() != presets.SourceVendor {
		s.Text = []string{w.t("generic.alert")}
	}
	return s
}

func (w *writer) blocks() Section {
	return Section{ID: "blocks", List: true, Text: w.own(w.p.Traps...)}
}

func (w *writer) unblock() Section {
	s := Section{ID: "unblock"}
	for _, step := range w.p.Unblock.In(w.o.Lang) {
		s.Steps = append(s.Steps, w.fill(step))
	}
	if len(s.Steps) == 0 && w.p.Kind == presets.KindMailbox {
		s.Steps = []string{w.t("generic.unblock.browser"), w.t("generic.unblock.confirm"), w.t("generic.unblock.wait")}
	}
	return s
}

// settings lists the servers, for a person who types them into another program.
func (w *writer) settings() Section {
	s := Section{ID: "settings", List: true}
	address := w.o.Address
	if address == "" {
		address = "@{domain}" // as placeholders
	}
	smtp, imap := w.p.Servers(address)
	for _, part := range []struct {
		key     string
		servers []presets.Endpoint
	}{{"submission", smtp}, {"imap", imap}} {
		for _, e := range part.servers {
			key := "settings." + part.key + "." + string(e.Security)
			s.Text = append(s.Text, w.t(key, "host", e.Host, "port", e.Port))
			if e.Cleartext {
				s.Text = append(s.Text, w.t("settings.cleartext"))
			}
		}
	}
	if w.o.Address != "" && len(smtp) > 0 && smtp[0].Username != "" && len(smtp[0].Ask) == 0 {
		s.Text = append(s.Text, w.t("settings.user", "user", smtp[0].Username))
	}
	note := w.own(w.p.UserRule.Note)
	for _, n := range note {
		s.Text = append(s.Text, w.t("settings.user-rule", "note", n))
	}
	for _, a := range w.p.Ask {
		s.Text = append(s.Text, w.t("settings.ask", "name", a.Name, "label", w.fill(a.Label.In(w.o.Lang))))
	}
	return s
}

func (w *writer) sent() Section {
	s := Section{ID: "sent"}
	if w.p.Kind == presets.KindMailbox || w.p.SentCopy.Mode == config.SentNone {
		s.Text = append([]string{w.t("sent." + string(w.p.SentCopy.Mode))}, w.own(w.p.SentCopy.Note)...)
	}
	return s
}

// sources says how well the steps are known and since when, and where the page's facts were read.
func (w *writer) sources() Section {
	s := Section{ID: "sources", List: true}
	confidence, checked, keys := w.p.StepsKnown()
	if len(w.p.AppPasswordSteps) > 0 {
		s.Text = append(s.Text, w.t("steps-known."+string(confidence), "date", checked))
	} else {
		keys = nil
	}
	var names []string
	others := false
	for _, key := range slices.Concat(keys, w.p.Sources) {
		name := presets.SourceName(key)
		others = others || name == "" && key != "memory"
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if others {
		names = append(names, w.t("sources-others"))
	}
	if len(names) > 0 {
		s.Text = append(s.Text, w.t("sources", "list", strings.Join(names, ", ")))
	}
	return s
}

// limits lists the provider's limits (D-6) and marks figures that are only remembered.
func (w *writer) limits() Section {
	s := Section{ID: "limits", List: true}
	for _, l := range w.p.Limits {
		if !slices.Contains(known, l.What) {
			continue // Validate and a test keep the list complete
		}
		text := w.c.N("guide.limit."+l.What, l.Value, "value", number(l.Value, w.o.Lang))
		if plan := w.own(l.Plan); len(plan) > 0 {
			text = w.t("limit-plan", "limit", text, "plan", plan[0])
		}
		if l.Trust.Confidence() == presets.Guess {
			text = w.t("limit-unsure", "limit", text)
		}
		s.Text = append(s.Text, text)
	}
	return s
}

// known are the limits that have words.
var known = []string{
	"messages_per_second", "messages_per_minute", "messages_per_hour", "messages_per_day", "messages_per_month",
	"recipients_per_message", "recipients_per_message_smtp", "recipients_per_message_web", "recipients_per_hour",
	"recipients_per_day",
	"external_recipients_per_day", "new_recipients_per_day", "concurrent_connections", "message_mb", "attachment_mb",
}

// number groups thousands as the language does.
func number(n int, lang locale.Lang) string {
	text := strconv.Itoa(n)
	separator := map[locale.Lang]string{locale.French: "\u00a0", locale.German: "."}[lang]
	if separator == "" {
		separator = ","
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + separator + text[i:]
	}
	return text
}
