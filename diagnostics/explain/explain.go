// Package explain turns what a server says into a cause, its meaning and its remedy, in every language.
//
// The knowledge is data in the folder data, made to be edited by hand: causes, replies by protocol, the pages of the
// checks, and general answers by reply code (RFC 5321 §4.2), enhanced status code (RFC 3463) and IMAP response code
// (RFC 9051 §7.1). It is embedded and parsed on first use. Nothing here prints or touches the network.
package explain

import (
	"slices"
	"strings"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// Who must act. The words are part of the contract.
type Who string

// The parties that can fix a cause.
const (
	WhoUser      Who = "user"
	WhoAdmin     Who = "admin"
	WhoProvider  Who = "provider"
	WhoNetwork   Who = "network"
	WhoServer    Who = "server"
	WhoDeveloper Who = "developer"
)

// Retry says whether trying again helps. The words are part of the contract.
type Retry string

// The answers to "shall I try again?".
const (
	RetryNo          Retry = "no"
	RetryLater       Retry = "later"
	RetryAfterChange Retry = "after-change"
	RetryAutomatic   Retry = "automatic"
)

// Severity is the default status of a check that finds the cause.
type Severity string

// The severities. Info deserves a sentence but no warning.
const (
	SeverityFail Severity = "fail"
	SeverityWarn Severity = "warn"
	SeverityInfo Severity = "info"
	SeveritySkip Severity = "skip"
)

// Words is one cause in one language. Meaning is one or two sentences, Remedy one to four short steps. Detail is a
// sentence with {placeholders} that is used only when the check knows all values. The words of one result have the
// placeholders filled, the detail at the end of the meaning, and the cause's spoken code.
type Words struct {
	Code    string   `json:"-"`
	Title   string   `json:"title"`
	Meaning string   `json:"meaning"`
	Detail  string   `json:"detail,omitempty"`
	Remedy  []string `json:"remedy"`
}

// CauseInfo is one entry of the catalogue of causes.
type CauseInfo struct {
	Slug check.Cause `json:"slug"`
	// Code can be said aloud, for instance "A-14". It is the same in every language and never given to another cause;
	// its number alone is unique too.
	Code     string   `json:"code"`
	Group    string   `json:"group"`
	Who      Who      `json:"who"`
	Retry    Retry    `json:"retry"`
	Severity Severity `json:"severity"`
	// Exit is the exit code of a command that stops for this cause; 0 where it does not stop one.
	Exit int `json:"exit"`
	// Step is the wizard step where the cause can be fixed, empty when none can.
	Step string `json:"step,omitempty"`
	// Field is the field of that step, with smtp- for both servers: see FieldFor.
	Field string `json:"field,omitempty"`
	// PauseMinutes is the usual time until trying again helps; 0 where it is not known. Greylisting servers let a sender
	// through after one to five minutes (RFC 6647 §5.1), and a sending quota comes back by the hour or by the day.
	PauseMinutes int `json:"pause_minutes,omitempty"`
	// UsedBy names users of the cause that are neither a reply nor a check, such as commands.
	UsedBy []string              `json:"used_by,omitempty"`
	Text   map[locale.Lang]Words `json:"text"`
}

// Title is the cause in a few words.
func (c CauseInfo) Title(lang locale.Lang) string { return c.words(lang).Title }

// Meaning says what happened.
func (c CauseInfo) Meaning(lang locale.Lang) string { return c.words(lang).Meaning }

// Remedy says what to do, step by step.
func (c CauseInfo) Remedy(lang locale.Lang) []string { return slices.Clone(c.words(lang).Remedy) }

// Detail fills the cause's own sentence about this case with params, escaped. It is empty when the cause has none, and
// when params lack a value for it.
func (c CauseInfo) Detail(lang locale.Lang, params check.Params) string {
	detail := c.words(lang).Detail
	var pairs []string
	for name, value := range params.All() {
		if placeholder := "{" + name + "}"; strings.Contains(detail, placeholder) {
			if value.Empty() {
				return ""
			}
			pairs = append(pairs, placeholder, sayable(value))
		}
	}
	return strings.NewReplacer(pairs...).Replace(detail)
}

// maxValue bounds, in bytes, what one remote value adds to a sentence. The evidence has the whole value.
const maxValue = 200

func sayable(value safetext.Remote) string {
	raw := value.Raw()
	if len(raw) > maxValue {
		raw = strings.ToValidUTF8(raw[:maxValue], "") + " …"
	}
	return safetext.Escape(raw)
}

func (c CauseInfo) words(lang locale.Lang) Words { return inLanguage(c.Text, lang) }

// inLanguage picks the words in a language; see locale.Choose.
func inLanguage(text map[locale.Lang]Words, lang locale.Lang) Words {
	w, ok := text[lang]
	if ok {
		return w
	}
	c, w := locale.For(lang), text[locale.English]
	w.Title, w.Meaning, w.Detail = c.Translate(w.Title), c.Translate(w.Meaning), c.Translate(w.Detail)
	w.Remedy = slices.Clone(w.Remedy)
	for i, step := range w.Remedy {
		w.Remedy[i] = c.Translate(step)
	}
	return w
}

// FieldFor is Field for one check: for a check of the IMAP server, smtp-host becomes imap-host.
func (c CauseInfo) FieldFor(id check.ID) string {
	if rest, ok := strings.CutPrefix(c.Field, "smtp-"); ok && id.Area() == "imap" {
		return "imap-" + rest
	}
	return c.Field
}

// Cause returns the cause with this slug.
func Cause(slug check.Cause) (CauseInfo, bool) {
	if slug == "" { // a success does not read the catalogue
		return CauseInfo{}, false
	}
	i, ok := causes().bySlug[slug]
	if !ok {
		return CauseInfo{}, false
	}
	return causes().list[i], true
}

// Code is the spoken code of a cause, such as A-14; empty for a slug that is none.
func Code(slug check.Cause) string {
	info, _ := Cause(slug)
	return info.Code
}

// Causes lists all causes in the order of their codes.
func Causes() []CauseInfo { return slices.Clone(causes().list) }

// ByCode returns the cause with this spoken code. "A-14", "a14", "a 14" and "14" are the same.
func ByCode(code string) (CauseInfo, bool) {
	letter, number := splitCode(code)
	i, ok := causes().byNumber[number]
	if !ok {
		return CauseInfo{}, false
	}
	c := causes().list[i]
	if letter != "" && !strings.HasPrefix(c.Code, letter+"-") {
		return CauseInfo{}, false
	}
	return c, true
}

// splitCode splits "a-14" into "A" and "14". The number is empty when code does not have the form of a spoken code.
func splitCode(code string) (letter, number string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code != "" && code[0] >= 'A' && code[0] <= 'Z' {
		letter, code = code[:1], strings.TrimLeft(code[1:], "- ")
	}
	if code == "" || strings.Trim(code, "0123456789") != "" {
		return "", ""
	}
	return letter, strings.TrimLeft(code, "0")
}
