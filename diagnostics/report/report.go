// Package report writes the results of diagnostics as the JSON of the contract and as plain lines, and derives the exit
// code from them. The texts come from the catalogue in the chosen language.
package report

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/diagnostics/matrix"
	"postier/diagnostics/portprobe"
	"postier/diagnostics/repair"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/wire"
)

// Schema is the version of the JSON shape.
const Schema = 1

// Info is what a report says about the run itself.
type Info struct {
	Version string // of this program
	Started time.Time
	Took    time.Duration
	Target  account.Target
	// Domain is the domain of a report about DNS alone.
	Domain string
	Lang   locale.Lang
	// Transcript adds the conversation to each check.
	Transcript bool
	// Verbose adds the evidence of checks that passed to the plain lines; JSON always has it.
	Verbose bool
	// Width is the terminal's in cells; 0 leaves lines as long as they are, for a pipe and for files.
	Width int
	// Colour colours the verdicts.
	Colour bool
	// Off says that nothing is sent with the profile that is checked, because it is switched off; empty where it is not.
	Off string
	// Steps are the wizard's step numbers by area (smtp, imap, dns, arrival), for the bundle; nil leaves them out.
	Steps map[string]int
	// Matrix is the table of --matrix, Ports what --probe-elsewhere found; each is nil without its flag.
	Matrix *matrix.Matrix
	Ports  []portprobe.Finding
	// Repair is what --repair found; nil without the flag.
	Repair *Repair
}

// step is the wizard's step for a check. The checks net.* belong to submission.
func (i Info) step(id check.ID) int {
	return i.Steps[Area(id)]
}

// Report is the JSON of `diagnose --json`.
type Report struct {
	Schema  int          `json:"schema"`
	Tool    Tool         `json:"tool"`
	Started string       `json:"started"` // RFC 3339, UTC
	TookMS  int64        `json:"took_ms"`
	Target  Target       `json:"target"`
	Verdict check.Status `json:"verdict"`
	// Root is what to look at first. It is absent when everything passed.
	Root   *Root   `json:"root,omitempty"`
	Checks []Check `json:"checks"`
	// Matrix, Recommendation and Ports are set with --matrix and --probe-elsewhere only.
	Matrix         []matrix.Row    `json:"matrix,omitempty"`
	Recommendation *Recommendation `json:"recommendation,omitempty"`
	Ports          []Port          `json:"ports,omitempty"`
	// Repair is set with --repair only: the ways that work, best first, and empty when none does.
	Repair *[]repair.Way `json:"repair,omitempty"`
}

// Repair is what a search for other ways found.
type Repair struct {
	Ways  []repair.Way
	Tried []repair.Tried
	// Saved is set when the first way was written into the profile.
	Saved bool
	// Needed is true when a check failed.
	Needed bool
}

// Root is the cause from which the rest follows: the first failure, or the first warning when nothing failed. Code is
// the cause's spoken code.
type Root struct {
	ID    check.ID    `json:"id"`
	Cause check.Cause `json:"cause"`
	Code  string      `json:"code"`
}

// Recommendation is the recommendation of the matrix. Port is absent when nothing works.
type Recommendation struct {
	*matrix.Choice
	Text string `json:"text"`
}

// Port is the verdict on a port with its texts. Letter is a paragraph for the operator of the network or the server.
type Port struct {
	portprobe.Finding
	Meaning string `json:"meaning"`
	Letter  string `json:"letter,omitempty"`
}

// Tool names this program.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Target is what was checked.
type Target struct {
	Address  safetext.Remote `json:"address,omitzero"`
	Domain   safetext.Remote `json:"domain,omitzero"`
	Profile  string          `json:"profile,omitempty"`
	Provider string          `json:"provider,omitempty"`
	SMTP     *Server         `json:"smtp,omitempty"`
	IMAP     *Server         `json:"imap,omitempty"`
}

// Server is one server of the target.
type Server struct {
	Host     safetext.Remote  `json:"host"`
	Port     int              `json:"port,omitempty"`
	Security config.Security  `json:"security,omitempty"`
	Auth     config.Mechanism `json:"auth,omitempty"`
}

// Check is one check with its texts.
type Check struct {
	ID     check.ID     `json:"id"`
	Status check.Status `json:"status"`
	Cause  check.Cause  `json:"cause,omitempty"`
	// CauseCode is the cause's spoken code, such as A-1.
	CauseCode string `json:"cause_code,omitempty"`
	// Matched is the catalogue entry that matched the server's reply. It is absent for a judgement of our own.
	Matched string `json:"matched,omitempty"`
	// Name is the check's name for people; Title the cause in a few words, or Name when there is none.
	Name string `json:"name"`
	// Step is the number of the wizard's step, in a bundle only.
	Step       int                    `json:"step,omitempty"`
	Title      string                 `json:"title"`
	Meaning    string                 `json:"meaning,omitempty"`
	Remedy     []string               `json:"remedy,omitempty"`
	Needs      []check.ID             `json:"needs,omitempty"`
	TookMS     int64                  `json:"took_ms"`
	Evidence   diagnostics.Evidence   `json:"evidence"`
	Code       *diagnostics.ReplyCode `json:"code,omitempty"`
	Fix        []check.Fix            `json:"fix,omitempty"`
	Transcript []wire.Line            `json:"transcript,omitempty"`
}

// Build converts results into the JSON of the contract.
func Build(info Info, results []diagnostics.Result) Report {
	r := Report{
		Schema: Schema, Tool: Tool{Name: "postier", Version: info.Version},
		Started: info.Started.UTC().Format(time.RFC3339), TookMS: info.Took.Milliseconds(),
		Target: target(info), Verdict: diagnostics.Verdict(results), Checks: []Check{},
	}
	if first, ok := diagnostics.First(results); ok {
		r.Root = &Root{ID: first.ID, Cause: first.Cause, Code: Describe(info.Lang, first).Code}
	}
	for _, result := range results {
		r.Checks = append(r.Checks, describe(info, result))
	}
	if info.Matrix != nil {
		r.Matrix = info.Matrix.Rows
		r.Recommendation = &Recommendation{Choice: info.Matrix.Best, Text: advice(info)}
	}
	if info.Repair != nil {
		ways := append([]repair.Way{}, info.Repair.Ways...)
		r.Repair = &ways
	}
	for _, finding := range info.Ports {
		r.Ports = append(r.Ports,
			Port{Finding: finding, Meaning: portMeaning(info.Lang, finding), Letter: letter(info.Lang, finding)})
	}
	return r
}

// JSON writes the report of the contract, indented, with a line end.
func JSON(w io.Writer, info Info, results []diagnostics.Result) error {
	data, err := json.MarshalIndent(Build(info, results), "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

func target(info Info) Target {
	t := info.Target
	out := Target{
		Address: safetext.FromRemote(t.Address), Domain: safetext.FromRemote(info.Domain), Profile: t.Profile,
		Provider: t.Provider,
	}
	if t.Submission.Host != "" {
		out.SMTP = server(t.Submission)
	}
	if t.IMAP != nil {
		out.IMAP = server(*t.IMAP)
	}
	return out
}

func server(s config.Server) *Server {
	return &Server{Host: safetext.FromRemote(s.Host), Port: s.Port, Security: s.Security, Auth: s.Auth}
}

func describe(info Info, r diagnostics.Result) Check {
	c := Check{
		ID: r.ID, Status: r.Status, Cause: r.Cause, Matched: r.Answer.Reply, Name: Name(info.Lang, r.ID),
		Step:  info.step(r.ID),
		Needs: r.Needs, TookMS: r.Took.Milliseconds(), Evidence: r.Evidence, Code: r.Code, Fix: r.Fix,
	}
	words := Describe(info.Lang, r)
	c.CauseCode, c.Title, c.Meaning, c.Remedy = words.Code, words.Title, words.Meaning, words.Remedy
	if info.Transcript {
		c.Transcript = r.Transcript
	}
	return c
}

// Describe returns the texts for a result. Without a cause the title is the check's name and the rest is empty.
func Describe(lang locale.Lang, r diagnostics.Result) explain.Words {
	if r.Cause == "" {
		return explain.Words{Title: Name(lang, r.ID)}
	}
	answer := r.Explain()
	words := explain.Words{
		Code: answer.Info().Code, Title: answer.Title(lang), Meaning: answer.Meaning(lang), Remedy: answer.Remedy(lang),
	}
	if detail := answer.Detail(lang, r.Params); detail != "" {
		words.Meaning += " " + detail
	}
	if slices.Contains(ownMessageChecks, r.ID) && slices.Contains(ownMessageCauses, r.Cause) {
		c := locale.For(lang)
		words.Meaning += " " + c.T("checks.own-message")
		words.Remedy = []string{c.T("checks.own-message.compare"), c.T("checks.own-message.ask")}
	}
	return words
}

// ownMessageCauses are about what a message holds, and ownMessageChecks hand over the program's own test message, which
// no one has to edit.
var (
	ownMessageCauses = []check.Cause{
		check.CauseContentRejected, check.CauseMessageTooLarge, check.CauseMessageMalformed,
	}
	ownMessageChecks = []check.ID{check.SMTPData, check.IMAPAppend}
)

// Name is a check's name for people: the title of its page in package explain, so that both say the same.
func Name(lang locale.Lang, id check.ID) string {
	page, _ := explain.Check(id)
	return page.Title(lang)
}

// ExitCode is what a command returns for these results: that of the root cause, 130 when the run was stopped, else 0.
func ExitCode(results []diagnostics.Result) int {
	if diagnostics.Cancelled(results) {
		return exitcode.Interrupted
	}
	root, ok := diagnostics.Root(results)
	if !ok {
		return exitcode.OK
	}
	return ExitOf(root)
}

// ExitOf is the exit code of a command that stops for this result: its cause's own code. A transient reply turns the
// general code for "failed" into 75, which says that trying again may help.
func ExitOf(r diagnostics.Result) int {
	code := r.Explain().Exit
	if code == exitcode.OK {
		code = exitcode.Failed
	}
	// RFC 5321 §4.2.1: 4yz is a transient negative completion reply. RFC 3463 §2: so is the class 4.
	if r.Code != nil && (r.Code.Reply/100 == 4 || r.Code.Reply == 0 && strings.HasPrefix(r.Code.Enhanced, "4.")) {
		return exitcode.Transient(code)
	}
	return code
}
