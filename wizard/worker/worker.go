// Package worker does the work that the wizard requests: it looks up providers, runs the checks, writes the
// configuration and stores the draft. All front ends use it.
//
// It connects wizard, which knows no network, with diagnostics, which knows no conversation.
package worker

import (
	"context"
	"errors"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
)

// Worker does the wizard's work. It is safe for several requests at once.
type Worker struct {
	Network *wire.Network
	Book    *presets.Book
	// ConfigPath is the file that DoSave writes; the draft is stored next to it.
	ConfigPath string
	// Lang is the language of test messages.
	Lang locale.Lang
	// Product is the calling program's name.
	Product string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// After is the alarm clock for the waits between two checks; nil means time.After.
	After func(time.Duration) <-chan time.Time
	// Arrival is how long the test message is looked for; 0 means the package's own limit.
	Arrival time.Duration
	// Credentials makes the credential store of a configuration; nil means one that uses the system's keyring and
	// environment.
	Credentials func(configPath string) *credential.Store
	// CAFile is the absolute path of a file with roots that the checks trust in addition. A profile that was proven
	// with them refers to this file.
	CAFile string
	// Fallback is saved together with a new profile; nil where there is none.
	Fallback *Fallback
	// Repair takes another way that works in place of one that failed, by itself: for runs without a person.
	Repair bool
	// Version and System are those of this program, for the report.
	Version string
	System  report.System
	// NoDraft switches the draft off, for the demo and unattended runs.
	NoDraft bool

	// ClientSecret returns the client secret that some identity providers give to installed programs; nil means that
	// there is none.
	ClientSecret func(ctx context.Context, provider string) (secret.Value, error)

	signIns signIns
	found   found
	kept    kept
	// saveHook runs before the configuration is written. Tests use it to simulate a full disk, or a write by another
	// program.
	saveHook func(*config.Document) error
}

func (w *Worker) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *Worker) after(d time.Duration) <-chan time.Time {
	if w.After != nil {
		return w.After(d)
	}
	return time.After(d)
}

func (w *Worker) store() *credential.Store {
	if w.Credentials != nil {
		return w.Credentials(w.ConfigPath)
	}
	return credential.For(w.ConfigPath)
}

// Do carries out one request and tells each outcome as it comes, the last one with Done set.
func (w *Worker) Do(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	out := wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true}
	switch r.Kind {
	case wizard.DoDiscover:
		w.discover(ctx, r, &out, tell)
	case wizard.DoSubmission:
		w.submission(ctx, r, &out, tell)
	case wizard.DoSent:
		w.sent(ctx, r, &out, tell)
	case wizard.DoDNS:
		w.dns(ctx, r, &out, tell)
	case wizard.DoTest:
		w.test(ctx, r, &out, tell)
	case wizard.DoWait:
		select {
		case <-w.after(r.Pause):
		case <-ctx.Done():
		}
	case wizard.DoSignInFind:
		w.findSignIn(r, &out)
	case wizard.DoSignInBegin:
		w.beginSignIn(ctx, r, &out)
	case wizard.DoSignIn:
		w.signIn(ctx, r, &out, tell)
	case wizard.DoSignOut:
		out.Err = sentence(w.signOut(r.SignIn, r.Draft))
	case wizard.DoSave:
		w.save(ctx, r, &out)
	case wizard.DoReport:
		w.report(r, &out)
	case wizard.DoDraft:
		out.Err = sentence(w.saveDraft(r.Draft))
	case wizard.DoForget:
		out.Err = sentence(w.forgetDraft())
	}
	tell(out)
}

// Target returns what the checks dial: the profile as which the draft would be saved, with the secret and the
// provider's facts, which are not saved.
func (w *Worker) Target(d wizard.Draft, r wizard.Request) account.Target {
	t := account.Of(d.Profile, d.ToProfile(config.Credential{Type: d.SecretType}), w.Book)
	t.Address, t.SentMode, t.SentFolder, t.Secret = d.Address, d.SentMode, d.SentFolder, r.Secret
	return t
}

// dial returns what the checks of a request need to connect: the network with the additional roots that the edited
// profile trusts, and the target with a secret. Without these it says in out why, and for a token that cannot be had it
// reports the given check as failed.
func (w *Worker) dial(ctx context.Context, r wizard.Request, id check.ID, out *wizard.Outcome) (
	network *wire.Network, target account.Target, ok bool,
) {
	network, err := account.Trusting(w.Network, w.ConfigPath, r.Draft.TLS.CAFile)
	if err != nil {
		out.Err = sentence(err)
		return nil, target, false
	}
	if !w.authorise(ctx, &r, id, out) {
		return nil, target, false
	}
	target = w.Target(r.Draft, r)
	w.found.signedInWith(target.Secret)
	return network, target, true
}

// run carries out plans and reports each check as it begins and ends.
func (w *Worker) run(ctx context.Context, r wizard.Request, tell func(wizard.Outcome),
	plans ...diagnostics.Plan,
) []diagnostics.Result {
	results := rootcause.Run(ctx, w.Network, func(e diagnostics.Event) {
		report := wizard.Report{ID: e.ID, Running: true}
		if e.Result != nil {
			report = ReportOf(*e.Result)
		}
		tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Report: &report})
	}, plans...)
	w.found.keep(r.Kind, results)
	return results
}

// sentence turns an error into words: its own translated message when it has one, else its text. No error has none.
func sentence(err error) wizard.Words {
	if err == nil {
		return wizard.Words{}
	}
	if errors.Is(err, context.Canceled) {
		return wizard.Msg("wizard.cancelled")
	}
	var taken *wizard.NameTaken
	if errors.As(err, &taken) {
		return wizard.Msg("wizard.review.name-taken", "name", taken.Name)
	}
	if text, ok := config.Describe(err); ok {
		return wizard.Words{Msg: text}
	}
	return wizard.Remote(err.Error())
}
