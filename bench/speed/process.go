package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	address  = "bench@sender.example"
	password = "Straight-7"
	text     = "From: " + address + "\nTo: " + address + "\nSubject: bench\n\nHello\n"
	forever  = time.Hour
)

// bench measures one program. It holds the files of the run.
type bench struct {
	options
	table   table
	sink    *sink
	program string
	folder  string
}

func (b *bench) config() string { return filepath.Join(b.folder, "config.json") }
func (b *bench) state() string  { return filepath.Join(b.folder, "state") }
func (b *bench) msmtp() string  { return filepath.Join(b.folder, "msmtprc") }

// configure writes one profile for both programs, with the password in a file.
func (b *bench) configure() error {
	secret := filepath.Join(b.folder, "secret")
	profile := map[string]any{
		"enabled": true, "from": map[string]string{"address": address},
		"submission": map[string]any{
			"host": "127.0.0.1", "port": b.sink.port, "security": "tls", "auth": "plain", "username": address,
		},
		"credential": map[string]string{"kind": "file", "path": secret, "type": "password"},
		"sent_copy":  map[string]string{"mode": "none"}, "tls": map[string]string{"ca_file": b.sink.caFile},
	}
	data, err := json.Marshal(map[string]any{
		"version": 1, "default": "bench", "profiles": map[string]any{"bench": profile},
		"queue": map[string]string{"database": filepath.Join(b.state(), "postier.db")},
	})
	if err != nil {
		return err
	}
	rc := fmt.Sprintf("account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls off\ntls_trust_file %s\n"+
		"auth plain\nuser %s\npasswordeval cat %s\nfrom %s\n", b.sink.port, b.sink.caFile, address, secret, address)
	return errors.Join(os.WriteFile(b.config(), data, 0o600), os.WriteFile(secret, []byte(password+"\n"), 0o600),
		os.WriteFile(b.msmtp(), []byte(rc), 0o600), os.RemoveAll(b.state()))
}

func (b *bench) environment() []string {
	return []string{"HOME=" + b.folder, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "POSTIER_CONFIG=" + b.config()}
}

// cost is what one process took.
type cost struct {
	wall, cpu time.Duration
	peak      int64 // octets
}

// call runs a program once and says what it took. It is asked to end at the limit.
func (b *bench) call(limit time.Duration, in io.Reader, argv ...string) (cost, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = b.environment()
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = in, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	err := cmd.Run()
	out := cost{wall: time.Since(start)}
	if state := cmd.ProcessState; state != nil {
		out.cpu = state.UserTime() + state.SystemTime()
		out.peak = peakOf(state)
	}
	if err != nil && ctx.Err() == nil {
		return out, fmt.Errorf("%s: %w: %s", argv[0], err, strings.TrimSpace(said.String()))
	}
	return out, nil
}

// postier is call for the program that is measured.
func (b *bench) postier(limit time.Duration, in io.Reader, argv ...string) (cost, error) {
	return b.call(limit, in, append([]string{b.program}, argv...)...)
}

// dialog is what a program says to `sendmail -bs`, all at once.
func dialog(messages int) io.Reader {
	one := "MAIL FROM:<" + address + ">\r\nRCPT TO:<" + address + ">\r\nDATA\r\n" +
		strings.ReplaceAll(text, "\n", "\r\n") + ".\r\n"
	return io.MultiReader(strings.NewReader("EHLO bench\r\n"), &repeated{text: one, times: messages},
		strings.NewReader("QUIT\r\n"))
}

// repeated reads the same text so many times. It holds it once: a process that is started reports at least the memory
// of the one that started it.
type repeated struct {
	text        string
	times, from int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.times > 0 {
		copied := copy(p[n:], r.text[r.from:])
		n, r.from = n+copied, r.from+copied
		if r.from == len(r.text) {
			r.from, r.times = 0, r.times-1
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
