package worker

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/report"
	"postier/internal/safefile"
	"postier/internal/secret"
	"postier/wizard"
)

// reportFile is what the report for support is called; it is written beside the configuration.
const reportFile = "postier-report.md"

// found are the results of the latest checks of each kind, for the report, and the secret with which they were made: a
// password, or the token of a sign-in by browser. A server may have repeated it.
type found struct {
	mu      sync.Mutex
	secret  secret.Value
	results map[wizard.RequestKind][]diagnostics.Result
}

func (f *found) signedInWith(v secret.Value) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secret = v
}

func (f *found) keep(kind wizard.RequestKind, results []diagnostics.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.results == nil {
		f.results = map[wizard.RequestKind][]diagnostics.Result{}
	}
	f.results[kind] = results
}

// all are the results in the order of the steps, and their secret.
func (f *found) all() ([]diagnostics.Result, secret.Value) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Concat(f.results[wizard.DoSubmission], f.results[wizard.DoSent], f.results[wizard.DoDNS],
		f.results[wizard.DoTest]), f.secret
}

// StepNumbers are the wizard's steps in which an area is tested, by which support guides users over the phone.
func StepNumbers() map[string]int {
	return map[string]int{
		"smtp": wizard.StepSubmission.Number(), "imap": wizard.StepSent.Number(), "dns": wizard.StepDNS.Number(),
		"arrival": wizard.StepTest.Number(),
	}
}

// report writes what the checks found into a file for support (M-11). It is masked, and never holds the secret.
func (w *Worker) report(r wizard.Request, out *wizard.Outcome) {
	target := w.Target(r.Draft, r)
	results, used := w.found.all()
	target.Secret = used
	info := report.Info{Version: w.Version, Started: w.now(), Target: target, Lang: w.Lang, Steps: StepNumbers()}
	settings := report.SettingsOf(r.Draft.ToProfile(config.Credential{Type: r.Draft.SecretType}))
	bundle := report.NewBundle(info, results, w.System, settings, report.MaskOf(target))
	content, err := bundle.Render(report.Markdown)
	switch {
	case errors.Is(err, report.ErrCanary):
		out.Err = wizard.Msg("diagnose.report.canary")
		return
	case err != nil:
		out.Err = sentence(err)
		return
	}
	path := filepath.Join(filepath.Dir(w.ConfigPath), reportFile)
	if err := safefile.Write(path, content, safefile.Options{Alone: true}); err != nil {
		out.Err = sentence(err)
		return
	}
	out.File = path
}
