package worker

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/internal/secret"
	"postier/wizard"
)

// saving lets one save of this process end before the next begins, because a secret and the configuration that names it
// are two files. A save of another process is noticed by config.ChangedError.
var saving sync.Mutex

// save writes the secret, then the configuration. When the configuration cannot be written, the secret is put back as
// it was, so that nothing has changed.
func (w *Worker) save(ctx context.Context, r wizard.Request, out *wizard.Outcome) {
	saving.Lock()
	defer saving.Unlock()
	// Another program may write the file after we read it. Then we read it again and repeat our change, a few times at
	// most.
	const attempts = 3
	var err error
	for range attempts {
		out.Saved, err = w.write(ctx, r)
		if err == nil || !errors.As(err, new(*config.ChangedError)) {
			break
		}
	}
	out.Err, out.Failure = sentence(err), err
}

func (w *Worker) saveDocument(doc *config.Document) error {
	if w.saveHook != nil {
		if err := w.saveHook(doc); err != nil {
			return err
		}
	}
	return doc.Save()
}

func (w *Worker) write(ctx context.Context, r wizard.Request) (*wizard.Saved, error) {
	doc, err := config.LoadOrNew(w.ConfigPath)
	if err != nil {
		return nil, err
	}
	d, name := r.Draft, r.Draft.Profile
	previous := doc.File.Profiles[name]
	if previous != nil && !d.Editing {
		return nil, &wizard.NameTaken{Name: name}
	}
	keeper := &keeper{worker: w, store: w.store(), name: name}
	reference, err := keeper.keep(ctx, r, previous)
	if err != nil {
		return nil, err
	}
	profile := d.ToProfile(reference)
	if profile.TLS.CAFile == "" {
		profile.TLS.CAFile = w.CAFile
	}
	profile.Validated = &config.Validated{
		At: w.now().UTC().Truncate(time.Second), Digest: profile.Digest(),
		Checks: d.Proven,
	}
	if d.Kept && previous != nil {
		profile.Enabled, profile.Disabled = previous.Enabled, previous.Disabled
		profile.Validated = keptProof(profile, previous)
	}
	if err := doc.Put(name, profile); err != nil {
		keeper.undo(ctx)
		return nil, err
	}
	if d.Default {
		doc.File.Default = name
	}
	if err := takeOver(doc, d); err != nil {
		keeper.undo(ctx)
		return nil, err
	}
	if err := w.keepFallback(doc); err != nil {
		keeper.undo(ctx)
		return nil, err
	}
	if err := w.saveDocument(doc); err != nil {
		keeper.undo(ctx)
		return nil, err
	}
	keeper.tidy(d)
	if previous != nil {
		keeper.forget(ctx, previous.Credential, reference)
	}
	saved := &wizard.Saved{
		Path: doc.Path, Profile: name, Default: doc.File.Default == name, Programs: installedPrograms(),
	}
	if reference.Kind == config.CredentialFile || reference.Kind == config.CredentialOAuth {
		saved.Secret = reference.Path
		if !filepath.IsAbs(saved.Secret) {
			saved.Secret = filepath.Join(filepath.Dir(doc.Path), reference.Path)
		}
	}
	return saved, nil
}

// keptProof is the proof of a profile of which nothing was changed that its submission server would have to prove: what
// was proven stays so, with its date, and what was not does not become so.
func keptProof(now, before *config.Profile) *config.Validated {
	if !before.Proven() {
		return before.Validated
	}
	proof := *now.Validated
	proof.At = before.Validated.At
	return &proof
}

// takeOver makes the profile the fallback, or ends that.
func takeOver(doc *config.Document, d wizard.Draft) error {
	switch {
	case d.Fallback:
		return doc.SetFallback(d.Profile)
	case doc.File.Fallback == d.Profile:
		return doc.SetFallback("")
	}
	return nil
}

// keeper stores the secret of one profile, and restores the old one when the configuration could not be written.
type keeper struct {
	worker *Worker
	store  *credential.Store
	name   string
	tokens tokenMove         // of a sign-in by browser
	put    config.Credential // what was written; its kind is empty when nothing was
	old    secret.Value      // what was stored there before, empty when nothing was
}

// keep stores the secret and returns the reference to it.
func (k *keeper) keep(
	ctx context.Context, r wizard.Request, previous *config.Profile,
) (config.Credential, error) {
	d := r.Draft
	switch {
	case d.Kept && previous != nil:
		return previous.Credential, nil
	case !d.NeedsSecret():
		return config.Credential{}, nil
	case d.SecretType == config.SecretOAuth:
		return k.keepSignIn(d)
	case d.AskEach:
		return config.Credential{Kind: config.CredentialAsk, Type: d.SecretType}, nil
	case r.Stored && d.Credential.Kind != config.CredentialInline:
		reference := d.Credential
		reference.Type = d.SecretType
		return reference, nil
	}
	kind := config.CredentialFile
	if d.Credential.Kind == config.CredentialKeyring {
		kind = config.CredentialKeyring
	}
	was := config.Credential{Kind: kind, Path: "secrets/" + k.name}
	if kind == config.CredentialKeyring {
		was = config.Credential{Kind: kind, Name: k.name}
	}
	// a missing secret and an unreadable one are treated alike: there is nothing to restore
	k.old, _ = k.store.Resolve(ctx, k.name, &config.Profile{Credential: was})
	reference, err := k.store.Put(ctx, k.name, kind, d.SecretType, r.Secret)
	if err != nil {
		return config.Credential{}, err
	}
	k.put = reference
	return reference, nil
}

// undo restores the secret that was stored before keep.
func (k *keeper) undo(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	k.tokens.undo()
	switch {
	case k.put.Kind == "":
	case k.old.Empty():
		_ = k.store.Remove(ctx, k.name, k.put)
	default:
		_, _ = k.store.Put(ctx, k.name, k.put.Kind, k.put.Type, k.old)
	}
}

// forget removes a secret that the profile no longer refers to. A secret outside the configuration's own folder stays:
// someone else put it there. A save counts as done even if the old secret cannot be removed.
func (k *keeper) forget(ctx context.Context, before, now config.Credential) {
	if before.Kind != now.Kind || before.Path != now.Path || before.Name != now.Name {
		_ = k.store.Remove(context.WithoutCancel(ctx), k.name, before)
	}
}
