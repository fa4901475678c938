package setup

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"postier/config"
	"postier/internal/safefile"
	"postier/wizard"
)

// save writes the secret, then the configuration. When the configuration cannot be written, a secret that was not there
// before is taken away again and one that was there is put back, so that nothing has changed.
func (w *Worker) save(ctx context.Context, r wizard.Request, out *wizard.Outcome) {
	saved, err := w.write(ctx, r)
	if err != nil {
		out.Err = sentence(err)
		return
	}
	out.Saved = saved
}

func (w *Worker) write(ctx context.Context, r wizard.Request) (*wizard.Saved, error) {
	doc, err := config.LoadOrNew(w.ConfigPath)
	if err != nil {
		return nil, err
	}
	d, name := r.Draft, r.Draft.Profile
	reference := config.Credential{Kind: config.CredentialAsk, Type: d.SecretType}
	undo := func() {}
	store := w.store()
	if !d.AskEach && d.Submission.Auth != config.MechanismNone {
		previous, had := doc.File.Profiles[name]
		if had {
			if old, err := store.Resolve(ctx, name, previous); err == nil {
				undo = func() { _, _ = store.Put(ctx, name, config.CredentialFile, d.SecretType, old) }
			}
		}
		if reference, err = store.Put(ctx, name, config.CredentialFile, d.SecretType, r.Secret); err != nil {
			return nil, err
		}
		if !had {
			undo = func() { _ = store.Remove(ctx, name, reference) }
		}
	}
	profile := d.ToProfile(reference)
	profile.Validated = &config.Validated{At: w.now().UTC().Truncate(time.Second), Digest: profile.Digest(), Checks: d.Proven}
	if old := doc.File.Profiles[name]; old != nil {
		profile.TLS = old.TLS
		profile.Enabled = old.Enabled
		profile.Validated.Digest = profile.Digest()
	}
	doc.File.Profiles[name] = profile
	isDefault := d.Default || doc.File.Default == ""
	if isDefault {
		doc.File.Default = name
	}
	if err := doc.Save(); err != nil {
		undo()
		return nil, err
	}
	saved := &wizard.Saved{Path: doc.Path, Profile: name, Default: isDefault}
	if reference.Kind == config.CredentialFile {
		saved.Secret = filepath.Join(filepath.Dir(doc.Path), reference.Path)
	}
	return saved, nil
}

// DraftPath is where the draft of a configuration lies: beside it, so that it is found again after a dropped line.
func DraftPath(configPath string) string {
	return filepath.Join(filepath.Dir(configPath), "draft.json")
}

func (w *Worker) saveDraft(d wizard.Draft) error {
	if w.NoDraft {
		return nil
	}
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return safefile.Write(DraftPath(w.ConfigPath), append(data, '\n'), safefile.Options{})
}

func (w *Worker) forgetDraft() {
	if !w.NoDraft {
		_ = safefile.Remove(DraftPath(w.ConfigPath))
	}
}

// LoadDraft reads the draft beside a configuration. ok is false when there is none, or none that this version reads.
func LoadDraft(configPath string) (d wizard.Draft, ok bool, err error) {
	data, err := safefile.Read(DraftPath(configPath))
	if os.IsNotExist(err) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	if err := json.Unmarshal(data, &d); err != nil || d.Version != wizard.DraftVersion || d.Step.Number() == 0 {
		return wizard.Draft{}, false, nil
	}
	return d, true, nil
}
