package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// Problem is what is wrong with a file.
type Problem string

// The problems.
const (
	Missing      Problem = "missing"       // there is no such file
	Denied       Problem = "denied"        // the system denies access
	TooOpen      Problem = "too_open"      // others can read or change it
	FolderOpen   Problem = "folder_open"   // others can change a folder above it
	ForeignOwner Problem = "foreign_owner" // it belongs to someone else
	ForeignLink  Problem = "foreign_link"  // a symbolic link that belongs to someone else
	NotRegular   Problem = "not_regular"   // a folder, FIFO, socket, device or endless chain of links
	TooLarge     Problem = "too_large"     // longer than the limit
	Locked       Problem = "locked"        // another program is writing it
	DiskFull     Problem = "disk_full"     // no space or quota left
	ReadOnly     Problem = "read_only"     // the file system is mounted for reading
	Failed       Problem = "failed"        // anything else; Err has it
)

// Error says what was tried, on which file, and what fixes it.
type Error struct {
	Op      string // open, read, write, lock, …
	Path    string
	Problem Problem
	// Fix is a shell line that fixes the problem, or "".
	Fix string
	// Owner belongs to ForeignOwner.
	Owner string
	// Limit in octets belongs to TooLarge.
	Limit int64
	Err   error
}

// Error is the technical text, path and system message escaped.
func (e *Error) Error() string {
	text := e.Op + " " + safetext.Escape(e.Path) + ": " + strings.ReplaceAll(string(e.Problem), "_", " ")
	if e.Err != nil {
		cause := e.Err
		var pathError *fs.PathError
		if errors.As(cause, &pathError) {
			cause = pathError.Err // the path is already there
		}
		text += ": " + safetext.Escape(cause.Error())
	}
	if e.Fix != "" {
		text += "; fix with: " + safetext.Escape(e.Fix)
	}
	return text
}

// Unwrap gives the system's error, so that errors.Is(err, fs.ErrNotExist) works.
func (e *Error) Unwrap() error { return e.Err }

// Text is the sentence for people.
func (e *Error) Text() locale.Text {
	key := "config.file." + string(e.Problem)
	if e.Problem == ForeignOwner && e.Fix == "" {
		key = "config.file.other_user"
	}
	return locale.Msg(key, "path", safetext.FromRemote(e.Path), "fix",
		safetext.FromRemote(e.Fix),
		"limit", fmt.Sprint(e.Limit), "owner", safetext.FromRemote(e.Owner), "error", safetext.FromRemote(reason(e.Err)))
}

func reason(err error) string {
	var number syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &number):
		return number.Error()
	}
	return err.Error()
}

// wrap classifies an error of the system.
func wrap(op, path string, err error) error {
	var typed *Error
	if errors.As(err, &typed) {
		return err
	}
	problem := Failed
	switch {
	case errors.Is(err, fs.ErrNotExist):
		problem = Missing
	case errors.Is(err, fs.ErrPermission):
		problem = Denied
	default:
		problem = classify(err)
	}
	return &Error{Op: op, Path: path, Problem: problem, Err: err}
}
