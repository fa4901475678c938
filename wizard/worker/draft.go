package worker

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"postier/internal/safefile"
	"postier/wizard"
)

// draftPath returns where the draft of a configuration is stored: next to it, so that it is found after a lost
// connection.
func draftPath(configPath string) string {
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
	return safefile.Write(draftPath(w.ConfigPath), append(data, '\n'), safefile.Options{})
}

func (w *Worker) forgetDraft() error {
	if w.NoDraft {
		return nil
	}
	return safefile.Remove(draftPath(w.ConfigPath))
}

// LoadDraft reads the draft of a configuration. ok is false when there is none, or when this version cannot read it: a
// damaged draft must not keep the person from starting a new setup.
func LoadDraft(configPath string) (d wizard.Draft, ok bool, err error) {
	data, err := safefile.Read(draftPath(configPath))
	if errors.Is(err, fs.ErrNotExist) {
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
