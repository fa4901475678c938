package setup

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile"
	"postier/internal/safetext"
	"postier/wizard"
)

// answersFile is the form of an answers file: {"version":1,"answers":{"address":"…","smtp-host":"…"}}. It never holds a
// secret.
type answersFile struct {
	Version int                       `json:"version"`
	Answers map[wizard.FieldID]string `json:"answers"`
}

// answersVersion is the version of the form.
const answersVersion = 1

// readAnswers reads an answers file.
func readAnswers(f *command.Factory, path string) (map[wizard.FieldID]string, error) {
	const most = 64 << 10 // a full set of answers is below 4 KiB
	opened, err := os.Open(path)
	if err != nil {
		return nil, f.Fault(exitcode.IO, "cli.error.answers-read", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(err.Error()))
	}
	defer opened.Close()
	var file answersFile
	decoder := json.NewDecoder(io.LimitReader(opened, most))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil || file.Version != answersVersion {
		detail := "version"
		if err != nil {
			detail = err.Error()
		}
		return nil, f.Fault(exitcode.Data, "cli.error.answers-form", "path", safetext.FromRemote(path), "error",
			safetext.FromRemote(detail))
	}
	out := map[wizard.FieldID]string{}
	for id, value := range file.Answers {
		known := id == wizard.FieldAddress || id == wizard.FieldFallback || id == wizard.FieldProfile ||
			slices.Contains(command.SettingFields(), id) ||
			strings.HasPrefix(string(id), string(wizard.FieldAsk))
		if !known {
			return nil, f.Fault(exitcode.Data, "cli.error.answers-key", "path", safetext.FromRemote(path), "key",
				safetext.FromRemote(string(id)))
		}
		out[id] = value
	}
	return out, nil
}

// checkRecord refuses a place where the answers could not be written, before the conversation begins.
func checkRecord(f *command.Factory, path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "write", Path: path, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return recordFault(f, path, err)
	}
	return nil
}

// writeAnswers keeps the answers of a conversation for the next machine. They hold no secret, but addresses and
// servers, so only their owner can read them.
func writeAnswers(f *command.Factory, path string, answers map[wizard.FieldID]string) error {
	data, err := json.MarshalIndent(answersFile{answersVersion, answers}, "", "  ")
	if err == nil {
		err = safefile.Write(path, append(data, '\n'), safefile.Options{Alone: true})
	}
	if err != nil {
		return recordFault(f, path, err)
	}
	f.Note(f.T("cli.setup.recorded", "path", safetext.FromRemote(path)))
	return nil
}

func recordFault(f *command.Factory, path string, err error) error {
	return f.Fault(exitcode.IO, "cli.error.record", "path", safetext.FromRemote(path), "error",
		safetext.FromRemote(err.Error()))
}
