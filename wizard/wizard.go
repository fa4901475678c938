// Package wizard is the conversation that ends with mail proven to work: twelve steps, a draft, back and forth.
//
// A State is a value. State.Answer and State.Tell are its only transitions: they return the next State together with
// requests for work (look up a provider, run checks, save). The caller (the full screen, plain lines or an unattended
// run, by package carrier) carries the requests out and tells the outcome. The package knows no terminal, no network
// and no clock, so the whole wizard is tested as a table of answers.
package wizard

import (
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/presets"
)

// Step is one of the twelve steps. Numbers and names are part of the contract; they are said over the phone.
type Step string

// The steps.
const (
	StepAddress    Step = "address"
	StepProvider   Step = "provider"
	StepServer     Step = "server"
	StepPrepare    Step = "prepare"
	StepCredential Step = "credential"
	StepSubmission Step = "submission"
	StepSent       Step = "sent"
	StepDNS        Step = "dns"
	StepTest       Step = "test"
	StepOptions    Step = "options"
	StepReview     Step = "review"
	StepDone       Step = "done"
)

// Steps lists all steps in order.
func Steps() []Step {
	return []Step{
		StepAddress, StepProvider, StepServer, StepPrepare, StepCredential, StepSubmission,
		StepSent, StepDNS, StepTest, StepOptions, StepReview, StepDone,
	}
}

// Number is the step's fixed number, 1 to 12; 0 for an unknown step.
func (s Step) Number() int {
	for i, step := range Steps() {
		if step == s {
			return i + 1
		}
	}
	return 0
}

// Words is a text to show: a message of the translations, a text that holds all of its languages (a preset's, a
// cause's), a literal (an address, a number), or remote text.
type Words struct {
	Msg     locale.Text
	Text    presets.Text
	Literal string
	Remote  safetext.Remote
}

// Msg makes Words of a message of the translations.
func Msg(key string, args ...any) Words { return Words{Msg: locale.Msg(key, args...)} }

// Literal makes Words of a literal that the person or this program wrote.
func Literal(s string) Words { return Words{Literal: s} }

// Remote makes Words of remote text.
func Remote(s string) Words { return Words{Remote: safetext.FromRemote(s)} }

// Translated makes Words of a text that holds all of its languages.
func Translated(t presets.Text) Words { return Words{Text: t} }

// Empty reports whether there is nothing to show.
func (w Words) Empty() bool {
	return w.Msg.Empty() && w.Text.Empty() && w.Literal == "" && w.Remote.Empty()
}

// FieldID names a field; the names are also the keys of an answers file.
type FieldID string

// The fields.
const (
	FieldAddress      FieldID = "address"
	FieldProvider     FieldID = "provider"
	FieldSMTPHost     FieldID = "smtp-host"
	FieldSMTPPort     FieldID = "smtp-port" // takes the whole grammar of C-7
	FieldSMTPSecurity FieldID = "smtp-security"
	FieldAuth         FieldID = "auth"
	FieldUser         FieldID = "user"
	FieldHelo         FieldID = "helo"
	FieldIMAPHost     FieldID = "imap-host"
	FieldIMAPPort     FieldID = "imap-port"
	FieldIMAPSecurity FieldID = "imap-security"
	FieldIMAPUser     FieldID = "imap-user"
	FieldSecret       FieldID = "secret" // never in an answers file
	FieldKeep         FieldID = "keep"   // file | ask (C-2)
	FieldSentCopy     FieldID = "sent-copy"
	FieldSentFolder   FieldID = "sent-folder"
	FieldLabel        FieldID = "label"
	FieldProfile      FieldID = "profile"
	FieldFrom         FieldID = "from"
	FieldFromName     FieldID = "from-name"
	FieldReplyTo      FieldID = "reply-to"
	FieldBCC          FieldID = "bcc"
	FieldSenders      FieldID = "senders"
	FieldKindsOn      FieldID = "kinds-on"
	FieldKindsOff     FieldID = "kinds-off"
	FieldPerHour      FieldID = "per-hour"
	FieldPerDay       FieldID = "per-day"
	FieldPerWeek      FieldID = "per-week"
	FieldRecipients   FieldID = "recipients-per-message"
	FieldBatch        FieldID = "batch-messages"
	FieldWait         FieldID = "batch-wait"
	FieldTestMode     FieldID = "test-mode"
	FieldTestAddress  FieldID = "test-address"
	FieldDefault      FieldID = "default"
	FieldFallback     FieldID = "fallback"
	// FieldAsk is the prefix of values that a preset's placeholder stands for: "ask-tenant".
	FieldAsk FieldID = "ask-"
)

// FieldKind says how a field is edited.
type FieldKind string

// The kinds of field.
const (
	KindText    FieldKind = "text"
	KindSecret  FieldKind = "secret"
	KindChoice  FieldKind = "choice" // one of Choices
	KindSearch  FieldKind = "search" // one of many Choices, found by typing
	KindConfirm FieldKind = "confirm"
)

// Values of a confirm field, in every language and in answers files.
const (
	Yes = "yes"
	No  = "no"
)

// Values of FieldKeep: the secret is stored, or asked for at every send (C-2).
const (
	KeepFile = "file"
	KeepAsk  = "ask"
)

// Field is one thing to fill in.
type Field struct {
	ID          FieldID
	Kind        FieldKind
	Label       Words
	Help        Words
	Value       string // initial value; empty for secrets
	Placeholder Words
	Choices     []Choice
	Error       Words // why the last value was not taken
	Fix         bool  // the field to look at first after a failure (M-5)
	Focus       bool  // the field that the person came to change
	Optional    bool
	// Replaced is true where typing begins a new value instead of adding to the one shown, as in a selected field.
	Replaced bool
	Given    bool // secret: one is already held, an empty answer keeps it
	// Number, where it is not 0, stands before the label. A front end whose fields are all on one page takes the person
	// to the field when the number is typed, with Alt while text is being entered.
	Number int
	// Later is true where a later step has the field too: a front end that asks for one field after the other passes it
	// over here.
	Later bool
}

// Choice is one value of a choice field.
type Choice struct {
	Value  string
	Label  Words
	Detail Words
}

// Action is what a key does. The first action of a screen is what Enter does once every field is filled.
type Action struct {
	ID    ActionID
	Label Words
	// Disabled says why the action cannot be taken now; empty when it can.
	Disabled Words
	// Key is a letter that front ends bind, the same in every language; 0 for Enter and Esc.
	Key rune
}

// ActionID names an action.
type ActionID string

// The actions. Some carry a step: "goto:credential".
const (
	ActNext    ActionID = "next"
	ActBack    ActionID = "back"
	ActOwn     ActionID = "own" // back to the provider of the rehearsal
	ActRetry   ActionID = "retry"
	ActCancel  ActionID = "cancel"  // stop the work under way
	ActSkip    ActionID = "skip"    // go on without
	ActChoose  ActionID = "choose"  // another provider
	ActManual  ActionID = "manual"  // enter by hand
	ActEdit    ActionID = "edit"    // change what is shown
	ActFix     ActionID = "fix"     // go to the step and field that the failure names
	ActKeep    ActionID = "keep"    // take the secret as typed
	ActClean   ActionID = "clean"   // take the secret cleaned
	ActAskEach ActionID = "ask"     // toggle: ask for the password at each send
	ActCreate  ActionID = "create"  // create the Sent folder
	ActSuggest ActionID = "suggest" // take the corrected address
	ActTake    ActionID = "take"    // take the settings of the mail program that was found
	ActSave    ActionID = "save"
	ActAgain   ActionID = "again"   // set up another address
	ActWay     ActionID = "way"     // use the other way that works
	ActService ActionID = "service" // choose a service that sends in place of the mailbox's server
	ActWait    ActionID = "wait"    // wait, then check again by itself
	ActLeave   ActionID = "leave"   // end the program and keep the draft; front ends carry it out themselves
	// The ways to sign in.
	ActSignIn   ActionID = "sign-in"  // ask the provider for a code, or make the address to open
	ActPaste    ActionID = "paste"    // sign in by pasting an address back
	ActBrowser  ActionID = "browser"  // by browser instead of with a password
	ActPassword ActionID = "password" // with a password instead of by browser
	ActQuit     ActionID = "quit"
	ActReport   ActionID = "report" // write a report for support
)

// gotoPrefix starts the ID of an action that goes straight to a step.
const gotoPrefix = "goto:"

// Level is how serious a notice is. Front ends show it as a word; colour only helps.
type Level string

// The levels.
const (
	LevelInfo Level = "info"
	LevelWarn Level = "warn"
	LevelFail Level = "fail"
	LevelGood Level = "good"
)

// Notice is a remark above the fields.
type Notice struct {
	Level Level
	Text  Words
}

// Fact is a labelled value.
type Fact struct {
	Label  Words
	Value  Words
	Detail Words // where it comes from, how sure it is
	// Change goes to where it is changed; empty where it is not. Focus says that the person begins here, Recent that it
	// was changed last.
	Change ActionID
	Focus  bool
	Recent bool
}

// Copyable is a text for the person to copy: a URL for the phone, a DNS record for the hoster's form.
type Copyable struct {
	Label Words
	Text  string
	QR    bool // a URL that a phone may read
	// Picture is the text of the QR code where it differs from Text.
	Picture string
}

// Report is the outcome of one check with the words that explain it, so that a front end needs neither the catalogue
// nor package diagnostics.
type Report struct {
	ID      check.ID
	Name    Words        // of the check; set on a Screen
	Status  check.Status // empty while it runs or waits
	Running bool
	Cause   check.Cause
	// Code is the cause to be said aloud, and Matched the reply that led to it.
	Code, Matched string
	// Title is the cause in a few words, Meaning what happened and why, Remedy what to do, in order.
	Title, Meaning Words
	Remedy         []Words
	// Who must act, and whether to Retry; WhoWords and RetryWords say so. WhoWords is empty when the reader must act.
	Who                  Who
	Retry                Retry
	WhoWords, RetryWords Words
	// RetryAfter is the time after which the server asked to try again; 0 where it named none.
	RetryAfter time.Duration
	// UsualPause is the usual time until trying again helps; 0 where it is not known.
	UsualPause time.Duration
	Took       time.Duration
	// Exit is the exit code of an unattended run that this failure ends.
	Exit int
	// Reply is what the server said, if that is what failed.
	Reply safetext.Remote
	// Brief is one line of evidence for the row: "TLS 1.3, certificate for smtp.example.org".
	Brief safetext.Remote
	// Fixes are exact texts to publish or to type.
	Fixes []check.Fix
	// Step and Field say where the person can fix it; empty where nothing in the wizard can.
	Step  Step
	Field FieldID
	// Details are the raw lines for the technician's view.
	Details []string
}

// Busy says that a request is under way.
type Busy struct {
	Request int
	Text    Words
	// GivesUp is the time after which the work ends by itself at the latest: most of it has shorter limits of its own.
	GivesUp time.Duration
	// Countdown is true where the work waits for the person: front ends then show the time left instead of the time
	// passed.
	Countdown bool
}

// Screen describes what a step shows. How it is drawn is up to the front end.
type Screen struct {
	Step    Step
	Number  int
	Title   Words
	Intro   []Words
	Notices []Notice
	Facts   []Fact
	// Numbered are instructions to follow in order.
	Numbered []Words
	// Text is to be read or copied as it is, line by line: a report, the configuration of another program.
	Text   safetext.Remote
	Copy   []Copyable
	Checks []Report
	// Finding is the failure to explain. Support says whom to ask about it, where the product names someone.
	Finding *Report
	Support Words
	Fields  []Field
	Actions []Action
	Busy    *Busy
	// Help is the key of the step's help page in the catalogue.
	Help string
	// PassedOver are the steps between the one before and this one, which do not apply.
	PassedOver []Step
	// First is true where there is no step to go back to.
	First bool
}

// Answer is what a person did on a screen.
type Answer struct {
	Action ActionID
	Values map[FieldID]string
	Secret secret.Value
}

// RequestKind names a kind of work.
type RequestKind string

// The kinds of work.
const (
	DoDiscover   RequestKind = "discover"   // find the provider of Settings.Address
	DoSubmission RequestKind = "submission" // the submission ladder
	DoSent       RequestKind = "sent"       // the Sent rehearsal
	DoDNS        RequestKind = "dns"        // the sender's domain
	DoTest       RequestKind = "test"       // a message to oneself, found again
	DoSave       RequestKind = "save"       // write the configuration
	DoReport     RequestKind = "report"     // write what was found into a file for support
	DoDraft      RequestKind = "draft"      // keep the draft; failing is told but stops nothing
	DoForget     RequestKind = "forget"     // remove the draft
	DoCancel     RequestKind = "cancel"     // end the request with this ID
	DoWait       RequestKind = "wait"       // let Request.Pause pass
	// The sign-in by browser.
	DoSignInFind  RequestKind = "signin-find"  // look for one that was made before
	DoSignInBegin RequestKind = "signin-begin" // ask for what the person does elsewhere: a prompt
	DoSignIn      RequestKind = "signin"       // wait until it is done, or take what was pasted, and keep the tokens
	DoSignOut     RequestKind = "signout"      // remove the tokens of a sign-in that is not wanted any more
)

// Writes reports whether work of this kind changes files. It is then done in the order in which it was asked for, and
// finished even when the person leaves.
func (k RequestKind) Writes() bool {
	return k == DoSave || k == DoReport || k == DoDraft || k == DoForget || k == DoSignOut
}

// Request asks for work. Its ID lets a late outcome of abandoned work be ignored.
type Request struct {
	ID     int
	Kind   RequestKind
	Draft  Draft
	Secret secret.Value
	// OtherNames allows DoSubmission to show a refused password once more, under another form of the user name.
	OtherNames bool
	// Create asks DoSent to make the folder.
	Create bool
	// Sent asks DoTest to look for the message with this Message-ID, which was submitted before, and to send none.
	Sent string
	// Pause is how long DoWait takes.
	Pause time.Duration
	// SignedIn says that the checks sign in with the access token of Draft.SignIn.
	SignedIn bool
	// SignIn is the sign-in of the DoSignIn… kinds, Flow is the OAuth flow for DoSignInBegin, and Begun is the ID of
	// the DoSignInBegin that DoSignIn goes on with. For DoSignIn, Secret is the pasted address.
	SignIn SignIn
	Flow   presets.OAuthFlow
	Begun  int
	// Stored tells DoSave that the secret is the one under Draft.Credential, so that the reference stays as it is.
	Stored bool
}

// Outcome says how a request ended, or (Done false) what became known while it runs.
type Outcome struct {
	ID   int
	Kind RequestKind
	Done bool
	// Report is a check that began or ended (Done false).
	Report *Report
	// Reports are all results (Done true).
	Reports []Report
	// Err says why the work could not be done at all; a failed check is no error. Failure is the same for programs, where
	// the work was DoSave.
	Err     Words
	Failure error

	// Candidates answer DoDiscover, best first; with Done false those known so far.
	Candidates []Candidate
	// Submission answers DoSubmission and IMAP answers DoSent with the settings that work, where "auto" was asked for.
	Submission *config.Server
	IMAP       *config.Server
	// Ways are, for DoSubmission and DoSent, the other ways that were tried after a failure, in the order of trying.
	Ways []Way
	// Folders are, for DoSent, the folders that the server listed, for choosing; Folder is the one that serves.
	Folders []string
	// Likely says that the first of Folders may be the one for sent mail.
	Likely bool
	Folder string
	// Sent is, for DoTest, the Message-ID of a message that was submitted and has not been found yet.
	Sent string
	// FiledByProvider is set by DoTest when a copy stood in Sent although postier did not append it.
	FiledByProvider bool
	// Keeper is, for DoDNS, a name server of the sender's domain, where there is something to publish.
	Keeper string
	// Prompt answers DoSignInBegin.
	Prompt *SignInPrompt
	// Phase is the progress (Done false) of DoSignIn: waiting, slower, offline, ailing, saving; or PhaseWays.
	Phase string
	// SignIn is one that DoSignInFind found or DoSignIn made.
	SignIn *SignIn
	// Again says, for DoSignIn, that the pasted text was not the expected address, and that the person may paste once
	// more. Approved says that the provider approved and only storing the tokens failed: DoSignIn can be repeated
	// without another approval.
	Again, Approved bool
	// Saved is what DoSave wrote, and File what DoReport wrote.
	Saved *Saved
	File  string
}

// Saved says what DoSave wrote.
type Saved struct {
	Path    string
	Profile string
	Secret  string // path of the file that holds the secret, or another description of where it is stored
	// Programs are the export formats of the programs that are on this machine.
	Programs []string
	Default  bool
	// Unchanged is true where there was nothing to write.
	Unchanged bool
}
