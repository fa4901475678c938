package delivery

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wneessen/go-mail"
)

// attach reads the file at once, so that a missing or unreadable one is an error before anything is sent.
func attach(m *mail.Msg, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("attach %s: not a file", filepath.Base(path))
	}
	if info.Size() > MaxMessage {
		return ErrTooLarge
	}
	return m.AttachReader(filepath.Base(path), io.LimitReader(file, MaxMessage))
}
