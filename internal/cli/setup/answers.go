package setup

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/wizard"
)

// readAnswers reads an answers file: {"version":1,"answers":{"address":"…","smtp-host":"…"}}. It never holds a secret.
func readAnswers(f *command.Factory, path string) (map[wizard.FieldID]string, error) {
	const most = 64 << 10 // a full set of answers is below 4 KiB
	opened, err := os.Open(path)
	if err != nil {
		return nil, f.Fault(exitcode.IO, "cli.error.answers-read", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	defer opened.Close()
	var file struct {
		Version int                       `json:"version"`
		Answers map[wizard.FieldID]string `json:"answers"`
	}
	decoder := json.NewDecoder(io.LimitReader(opened, most))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil || file.Version != 1 {
		detail := "version"
		if err != nil {
			detail = err.Error()
		}
		return nil, f.Fault(exitcode.Data, "cli.error.answers-form", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(detail))
	}
	out := map[wizard.FieldID]string{}
	for id, value := range file.Answers {
		known := id == wizard.FieldAddress || id == wizard.FieldFallback || slices.Contains(command.SettingFields(), id) ||
			strings.HasPrefix(string(id), string(wizard.FieldAsk))
		if !known {
			return nil, f.Fault(exitcode.Data, "cli.error.answers-key", "path", safetext.FromRemote(path), "key",
				safetext.FromRemote(string(id)))
		}
		out[id] = value
	}
	return out, nil
}
