// Package connection is the "test connection" button of another product: it does for settings what `postier diagnose`
// does, tells about each step while it runs, and returns a typed result with the words to show.
//
// Together with package config, which reads and validates the file, and package delivery it is postier's public API.
// What these three export keeps its name and meaning within a version of the configuration file (config.Version); a
// function that goes is marked as deprecated for two releases before. All other packages may change at any time.
package connection

import (
	"context"
	"crypto/x509"
	"errors"
	"path/filepath"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/report"
	"postier/diagnostics/rootcause"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/locale"
	"postier/internal/secret"
	"postier/internal/wire"
)

// Options say how to test. The zero value asks the system's name service, trusts the system's roots and speaks English.
type Options struct {
	// Language of the texts: en, fr or de.
	Language string
	// Resolver is the only name server to ask, IP or IP:PORT.
	Resolver string
	// Roots are trusted in place of the system's.
	Roots *x509.CertPool
	// Timeout is for each step of the dialogue.
	Timeout time.Duration
	// SkipMailbox leaves the mailbox alone, so that no copy is filed in it and removed again.
	SkipMailbox bool
	// Progress is told of each step when it begins, with an empty Status, and when it has ended. It is never called by
	// two goroutines at once.
	Progress func(Step)
}

// Status is what became of a step.
type Status = string

// The ways a step ends. Skipped is one that could not be judged, because an earlier one failed, or need not be.
const (
	Passed  Status = "pass"
	Warned  Status = "warn"
	Failed  Status = "fail"
	Skipped Status = "skip"
)

// Step is one check, with its words in the language of the options.
type Step struct {
	// ID names the check, as in `postier diagnose --json`: smtp.auth.
	ID     string
	Status Status
	// Cause is a word for programs, and Code is what a person can say on the phone: wrong-password, A-14.
	Cause, Code string
	// Name says what is checked, Title what was found, and Meaning what that means.
	Name, Title, Meaning string
	// Remedy is what to do, step by step.
	Remedy []string
	Took   time.Duration
}

// Result is the outcome of a test.
type Result struct {
	// Works reports whether a message can leave, and a copy of it be filed. Warnings are allowed.
	Works bool
	// Steps are in the order in which they should be read.
	Steps []Step
	// Root is the step to repair first; nil when everything works.
	Root *Step
}

// ErrNoProfile says that a file has no profile of that name.
var ErrNoProfile = errors.New("no such profile")

// CheckProfile tests a profile of a configuration, with its own password.
func CheckProfile(ctx context.Context, d *config.Document, name string, o Options) (Result, error) {
	p, ok := d.File.Profiles[name]
	if !ok {
		return Result{}, ErrNoProfile
	}
	network, err := o.network()
	if err != nil {
		return Result{}, err
	}
	source := account.Source{Network: network, ConfigPath: d.Path, Credentials: credential.For(d.Path)}
	target, network, err := source.Profile(ctx, name, p)
	if err != nil {
		return Result{}, err
	}
	return o.test(ctx, network, target), nil
}

// CheckSettings tests settings that are not saved, such as those of a form. A relative tls.ca_file of the profile
// starts at the working directory.
func CheckSettings(ctx context.Context, p *config.Profile, password string, o Options) (Result, error) {
	if faults := config.ValidateProfile(p).Errors(); len(faults) > 0 {
		return Result{}, &config.InvalidError{Faults: faults}
	}
	network, err := o.network()
	if err != nil {
		return Result{}, err
	}
	here, err := filepath.Abs("config.json")
	if err != nil {
		return Result{}, err
	}
	if network, err = account.Trusting(network, here, p.TLS.CAFile); err != nil {
		return Result{}, err
	}
	target := account.Of("", p, nil)
	target.Secret = secret.New(password)
	return o.test(ctx, network, target), nil
}

func (o Options) network() (*wire.Network, error) {
	n := &wire.Network{Resolver: wire.SystemResolver(), Roots: o.Roots, Timeout: o.Timeout}
	if o.Resolver == "" {
		return n, nil
	}
	var err error
	n.Resolver, err = wire.ResolverAt(o.Resolver)
	return n, err
}

func (o Options) language() locale.Lang {
	if lang, ok := locale.Parse(o.Language); ok {
		return lang
	}
	return locale.English
}

func (o Options) test(ctx context.Context, network *wire.Network, target account.Target) Result {
	plans := []diagnostics.Plan{smtp.Plan(network, target, smtp.Options{})}
	if target.IMAP != nil && target.IMAP.Host != "" && !o.SkipMailbox {
		plans = append(plans, imap.Plan(network, target, imap.Options{Lang: o.language()}))
	}
	diagnostics.GuardLockout(nil, plans...)
	results := rootcause.Run(ctx, network, o.observe, plans...)
	var out Result
	root, broken := diagnostics.Root(results)
	out.Works = !broken && !diagnostics.Cancelled(results)
	for _, r := range results {
		out.Steps = append(out.Steps, o.step(r))
		if broken && r.ID == root.ID {
			step := o.step(r)
			out.Root = &step
		}
	}
	return out
}

func (o Options) observe(e diagnostics.Event) {
	switch {
	case o.Progress == nil:
	case e.Result == nil:
		o.Progress(Step{ID: string(e.ID), Name: report.Name(o.language(), e.ID)})
	default:
		o.Progress(o.step(*e.Result))
	}
}

func (o Options) step(r diagnostics.Result) Step {
	words := report.Describe(o.language(), r)
	return Step{
		ID: string(r.ID), Status: string(r.Status), Cause: string(r.Cause), Code: words.Code,
		Name: report.Name(o.language(), r.ID), Title: words.Title, Meaning: words.Meaning, Remedy: words.Remedy, Took: r.Took,
	}
}
