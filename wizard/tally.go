package wizard

import (
	"strconv"
	"strings"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// Tally counts the checks of a step by what came of them. Checks that did not apply are not counted, nor those that the
// list does not show because they passed when something else failed.
type Tally struct{ Passed, Remarks, Failed, NotReached int }

// Tally counts the checks of the screen.
func (v Screen) Tally() Tally {
	var t Tally
	for _, r := range v.Checks {
		switch {
		case r.Status == check.Pass && r.ID.OnlyAfterFailure():
		case r.Status == check.Pass:
			t.Passed++
		case r.Status == check.Warn:
			t.Remarks++
		case r.Status == check.Fail:
			t.Failed++
		case r.Status == check.Skip && r.Cause == check.CauseNeedsFailed:
			t.NotReached++
		}
	}
	return t
}

// Say names the counts that are not zero: "7 checks passed", "1 failed", "3 not reached".
func (t Tally) Say(lang locale.Lang) []string {
	words := locale.For(lang)
	var out []string
	if t.Passed > 0 {
		out = append(out, words.N("wizard.tally.passed", t.Passed))
	}
	if t.Remarks > 0 {
		out = append(out, words.T("wizard.tally.remark", "n", t.Remarks))
	}
	if t.Failed > 0 {
		out = append(out, words.T("wizard.tally.failed", "n", t.Failed))
	}
	if t.NotReached > 0 {
		out = append(out, words.N("wizard.tally.skipped", t.NotReached))
	}
	return out
}

// ForReader is the evidence of a check that is for the person who sets up mail: a folder or an address. The other
// evidence is for a technician.
func (r Report) ForReader() Words {
	if r.Status != check.Pass && r.Status != check.Warn {
		return Words{}
	}
	switch r.ID {
	case check.SMTPSender, check.SMTPRecipient, check.IMAPFolder, check.ArrivalPlacement:
		return folderWords(r.Brief)
	}
	return Words{}
}

// Waits reports whether the screen waits by itself, or does so with its first action.
func (v Screen) Waits() bool {
	return v.Busy != nil || len(v.Actions) > 0 && v.Actions[0].ID == ActWait
}

// PassedOverNumbers are the numbers of the steps that were passed over: "3, 4".
func (v Screen) PassedOverNumbers() string {
	var numbers []string
	for _, step := range v.PassedOver {
		numbers = append(numbers, strconv.Itoa(step.Number()))
	}
	return strings.Join(numbers, ", ")
}

// AwaitsTime reports whether the screen waits until a check that failed is made again.
func (v Screen) AwaitsTime() bool { return v.Busy != nil && v.Busy.Countdown && v.Finding != nil }

// Passes reports whether what failed passes by itself while the person waits: the headline says so in place of FAIL.
func (v Screen) Passes() bool {
	f := v.Finding
	return f != nil && f.Status == check.Fail && f.Cause != check.CauseNeedsFailed && f.Retry == RetryAutomatic &&
		v.Waits()
}

// folderWords is the name of a folder for the person; any other text stays as it is.
func folderWords(name safetext.Remote) Words {
	if strings.EqualFold(name.Raw(), "INBOX") { // RFC 9051, section 5.1: every server's name for it
		return Msg("wizard.folder.inbox")
	}
	return Words{Remote: name}
}
