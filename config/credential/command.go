package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"postier/internal/safetext"
)

const (
	// stderrLimit in octets is enough for the line that explains a failure.
	stderrLimit = 1024
	// pipeWait is how long a pipe may stay open in a grandchild after the command itself has ended.
	pipeWait = time.Second
)

// commandError carries what a command said.
type commandError struct {
	err    error
	stderr safetext.Remote
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// runCommand runs an argument list without a shell, in the root folder, with a clean environment and no input, as its
// own process group, and returns what it writes.
func (s *Store) runCommand(ctx context.Context, argv []string) (string, error) {
	return s.pipe(ctx, argv, nil)
}

// Pipe runs an argument list in the same way, with this input; what it writes is dropped.
func (s *Store) Pipe(ctx context.Context, argv []string, input []byte) error {
	_, err := s.pipe(ctx, argv, input)
	return err
}

func (s *Store) pipe(ctx context.Context, argv []string, input []byte) (string, error) {
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
		return "", fmt.Errorf("%w: the program is not an absolute path", errStart)
	}
	wait := s.commandWait
	if wait == 0 {
		wait = commandWait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Dir = filepath.VolumeName(argv[0]) + string(filepath.Separator)
	command.Env = s.childEnvironment()
	ownGroup(command)
	killGroup := func() error { return endGroup(command.Process) }
	command.Cancel = killGroup
	command.WaitDelay = pipeWait
	stdout := &cappedBuffer{limit: readLimit, full: func() { _ = killGroup() }}
	stderr := &cappedBuffer{limit: stderrLimit}
	command.Stdout, command.Stderr = stdout, stderr
	if input != nil {
		command.Stdin = bytes.NewReader(input)
	}
	if err := command.Start(); err != nil {
		return "", fmt.Errorf("%w: %w", errStart, err)
	}
	err := command.Wait()
	_ = killGroup() // end processes that the command left in the background
	fail := func(err error) (string, error) {
		return "", &commandError{err, safetext.FromRemote(stderr.String())}
	}
	switch {
	case stdout.overflow:
		return fail(errOutput)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail(errTimeout)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return fail(fmt.Errorf("%w: %w", errExit, err))
	}
	return stdout.String(), nil
}

func (s *Store) childEnvironment() []string {
	env := []string{"PATH=" + s.childPath(), "LANG=C.UTF-8"}
	for _, name := range childVariables {
		if value := s.getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// cappedBuffer keeps at most limit octets and accepts the rest without storing it. The buffer is not embedded, because
// io.Copy would find its ReadFrom and bypass the limit.
type cappedBuffer struct {
	kept     bytes.Buffer
	limit    int
	overflow bool
	full     func()
}

func (b *cappedBuffer) Write(data []byte) (int, error) {
	room := b.limit - b.kept.Len()
	if len(data) <= room {
		return b.kept.Write(data)
	}
	if !b.overflow && b.full != nil {
		b.full()
	}
	b.overflow = true
	_, _ = b.kept.Write(data[:room])
	return len(data), nil
}

func (b *cappedBuffer) String() string { return b.kept.String() }
