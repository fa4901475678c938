package watch

import (
	"encoding/json"
	"slices"
	"time"

	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/check"
	"postier/internal/locale"
)

// record is what is kept of a profile between rounds.
type record struct {
	Checks map[check.ID]*memory `json:"checks,omitempty"`
	// Selectors are the DKIM selectors that had a key when all was well.
	Selectors []string `json:"selectors,omitempty"`
	// Facts are the dated facts of the provider that the owner was told, by id and date.
	Facts   map[string]time.Time `json:"facts,omitempty"`
	Notices []*notice            `json:"notices,omitempty"`
	// Left is when the message that a round files could not be removed from the Sent folder, zero when it always could.
	Left time.Time `json:"left,omitzero"`
	// Again is when the service looks at the profile before its next round, zero when it need not; Tries is how often it
	// has done so in a row.
	Again time.Time `json:"again,omitzero"`
	Tries int       `json:"tries,omitempty"`
	// Checked is when the last round was, and State what it found.
	Checked time.Time `json:"checked,omitzero"`
	State   State     `json:"state,omitempty"`
}

// memory is what is known of one check.
type memory struct {
	// Good is the last verdict with which the check held, empty before it ever did. Published is what DNS held then.
	Good      check.Status `json:"good,omitempty"`
	Published string       `json:"published,omitempty"`
	Trouble   *trouble     `json:"trouble,omitempty"`
}

// trouble is a check that does not hold.
type trouble struct {
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	// Times counts failures that were some time apart.
	Times  int                    `json:"times"`
	Status check.Status           `json:"status"`
	Cause  check.Cause            `json:"cause"`
	Words  map[locale.Lang]*words `json:"words"`
	// Said is the server's own line, raw; Published is what DNS holds now.
	Said      string `json:"said,omitempty"`
	Published string `json:"published,omitempty"`
	// Told is true once a notice names it; Fixed when the check holds again and the all-clear is still due.
	Told  bool `json:"told,omitempty"`
	Fixed bool `json:"fixed,omitempty"`
	// Exit is the exit code of a command that stops for it.
	Exit int `json:"exit,omitempty"`
	// Digest and Stamp are of the settings and the secret with which it was found last.
	Digest string `json:"digest,omitempty"`
	Stamp  string `json:"stamp,omitempty"`
}

// words are what the catalogue says of a trouble.
type words struct {
	Check   string   `json:"check"`
	Title   string   `json:"title"`
	Code    string   `json:"code"`
	Meaning string   `json:"meaning"`
	Remedy  []string `json:"remedy,omitempty"`
}

// confirmed reports whether the check failed twice.
func (t *trouble) confirmed() bool { return t.Times >= enough && !t.Fixed }

// doubtful reports whether it failed once, and is to be looked at again.
func (t *trouble) doubtful() bool { return t.Times < enough && !t.Fixed }

func decodeRecord(detail []byte) *record {
	r := &record{}
	if len(detail) > 0 && json.Unmarshal(detail, r) != nil {
		r = &record{} // written by another version: what is known begins again
	}
	if r.Checks == nil {
		r.Checks = map[check.ID]*memory{}
	}
	if r.Facts == nil {
		r.Facts = map[string]time.Time{}
	}
	return r
}

func (r *record) encode() []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic("watch: a record of plain values always marshals: " + err.Error())
	}
	return data
}

// memory is that of one check.
func (r *record) memory(id check.ID) *memory {
	if r.Checks[id] == nil {
		r.Checks[id] = &memory{}
	}
	return r.Checks[id]
}

// troubles are the checks that do not hold, in the order of a report.
func (r *record) troubles(which func(*trouble) bool) []check.ID {
	var list []check.ID
	for _, id := range check.All() {
		if m := r.Checks[id]; m != nil && m.Trouble != nil && which(m.Trouble) {
			list = append(list, id)
		}
	}
	return list
}

// failure is the first confirmed trouble that is more than a remark.
func (r *record) failure() (check.ID, *trouble) {
	failed := r.troubles(func(t *trouble) bool { return t.confirmed() && t.Status == check.Fail })
	if len(failed) == 0 {
		return "", nil
	}
	return failed[0], r.Checks[failed[0]].Trouble
}

// cannotSend reports whether the last round found that nothing can be sent.
func (r *record) cannotSend() bool {
	return slices.ContainsFunc(r.troubles(func(t *trouble) bool { return !t.Fixed && t.Status == check.Fail }), sends)
}

// sends reports whether a check is one of sending.
func sends(id check.ID) bool { return id.Area() == "net" || id.Area() == "smtp" }

// wordsOf are the words for a result in every language.
func wordsOf(r diagnostics.Result) map[locale.Lang]*words {
	out := map[locale.Lang]*words{}
	for _, lang := range locale.All() {
		said := report.Describe(lang, r)
		out[lang] = &words{
			Check: report.Name(lang, r.ID), Title: said.Title, Code: said.Code, Meaning: said.Meaning, Remedy: said.Remedy,
		}
	}
	return out
}
