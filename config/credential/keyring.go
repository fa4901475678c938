package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"

	"postier/internal/secret"
)

// service is the name under which entries are stored in the key ring.
const service = "postier"

type systemKeyring struct{}

func (systemKeyring) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (systemKeyring) Set(service, user, value string) error    { return keyring.Set(service, user, value) }

func (systemKeyring) Delete(service, user string) error { return keyring.Delete(service, user) }

func (s *Store) keyring() Keyring {
	if s.Keyring != nil {
		return s.Keyring
	}
	return systemKeyring{}
}

func (s *Store) readKeyring(ctx context.Context, user string) (string, error) {
	return s.keyringCall(ctx, func() (string, error) { return s.keyring().Get(service, user) })
}

func (s *Store) writeKeyring(ctx context.Context, user string, value secret.Value) error {
	_, err := s.keyringCall(ctx, func() (string, error) { return "", s.keyring().Set(service, user, value.Reveal()) })
	return err
}

func (s *Store) deleteKeyring(ctx context.Context, user string) error {
	_, err := s.keyringCall(ctx, func() (string, error) { return "", s.keyring().Delete(service, user) })
	if errors.Is(err, errNoEntry) {
		return nil
	}
	return err
}

// keyringCall gives the key ring a limited time. The library takes no context, so that a call that hangs keeps its
// goroutine until the process ends; there is one such call a process at most.
func (s *Store) keyringCall(ctx context.Context, call func() (string, error)) (string, error) {
	type answer struct {
		value string
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := call()
		answers <- answer{value, err}
	}()
	wait := s.keyringWait
	if wait == 0 {
		wait = keyringWait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a := <-answers:
		switch {
		case errors.Is(a.err, keyring.ErrNotFound):
			return "", errNoEntry
		case a.err != nil:
			return "", fmt.Errorf("%w: %w", errKeyring, a.err)
		}
		return a.value, nil
	case <-timer.C:
		return "", errTimeout
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
