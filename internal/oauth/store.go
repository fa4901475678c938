package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"postier/internal/safefile"
	"postier/internal/secret"
)

// Store is one token file: mode 0600, in a folder of mode 0700, written through safefile.
type Store struct {
	// Path is absolute.
	Path string
}

// Reference is what the configuration says of a sign-in: where its tokens lie, and with whom it was made.
type Reference struct {
	Path, Provider, Tenant, ClientID string
}

// record is the content of a token file.
type record struct {
	Reference
	account         string
	clientSecret    secret.Value
	access, refresh secret.Value
	expires         time.Time // of the access token
}

// document is a record on disk. It is the one place where tokens stand in plain text, and it is only built to be read
// or written.
type document struct {
	Version      int       `json:"version"`
	Provider     string    `json:"provider"`
	Tenant       string    `json:"tenant,omitempty"`
	ClientID     string    `json:"client_id"`
	ClientSecret string    `json:"client_secret,omitempty"`
	Account      string    `json:"account,omitempty"`
	RefreshToken string    `json:"refresh_token"`
	AccessToken  string    `json:"access_token,omitempty"`
	Expires      time.Time `json:"expires,omitzero"`
}

// version of the file's form; a newer one is not understood, and not overwritten.
const version = 1

// maxFile in octets: two tokens of maxToken and their surroundings.
const maxFile = 64 << 10

func (s Store) read() (record, error) {
	data, err := safefile.ReadWith(s.Path, safefile.ReadOptions{Limit: maxFile})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return record{}, &Error{Problem: NotSignedIn}
	case err != nil:
		return record{}, &Error{Problem: Damaged, Err: err}
	}
	var d document
	if json.Unmarshal(data, &d) != nil || d.Version != version || d.RefreshToken == "" {
		// The parser's own words are left out: they quote the file.
		return record{}, &Error{Problem: Damaged}
	}
	return record{
		Reference: Reference{Path: s.Path, Provider: d.Provider, Tenant: d.Tenant, ClientID: d.ClientID},
		account:   d.Account, clientSecret: secret.New(d.ClientSecret),
		access: secret.New(d.AccessToken), refresh: secret.New(d.RefreshToken), expires: d.Expires,
	}, nil
}

func (s Store) write(r record) error {
	data, err := json.MarshalIndent(document{
		Version: version, Provider: r.Provider, Tenant: r.Tenant, ClientID: r.ClientID, ClientSecret: r.clientSecret.Reveal(),
		Account: r.account, RefreshToken: r.refresh.Reveal(), AccessToken: r.access.Reveal(), Expires: r.expires.UTC(),
	}, "", "  ")
	if err == nil {
		err = safefile.Write(s.Path, append(data, '\n'), safefile.Options{})
	}
	if err != nil {
		return &Error{Problem: Unwritable, Err: err}
	}
	return nil
}

// CopyTo writes the sign-in under another path too.
func (s Store) CopyTo(path string) error {
	kept, err := s.read()
	if err != nil {
		return err
	}
	return Store{Path: path}.write(kept)
}

// Remove deletes the token file and its locks. One that is already gone is no error.
func (s Store) Remove() error {
	if err := safefile.Remove(s.Path); err != nil {
		return &Error{Problem: Unwritable, Err: err}
	}
	for _, lock := range []string{s.Path + renewLock, s.Path + ".lock"} {
		_ = os.Remove(lock) // empty files; one that stays does no harm
	}
	return nil
}

// Probe writes, reads and removes a file beside the token file, and looks at the token file itself: what stops a write,
// such as a full disk or a folder that others may change, shows before anybody approves anything.
func (s Store) Probe() error {
	fail := func(err error) error { return &Error{Problem: Unwritable, Err: err} }
	if !filepath.IsAbs(s.Path) {
		return fail(&safefile.Error{Op: "write", Path: s.Path, Problem: safefile.Failed, Err: fs.ErrInvalid})
	}
	if _, err := safefile.ReadWith(s.Path, safefile.ReadOptions{Limit: maxFile}); err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	probe := s.Path + "." + rand.Text() + ".probe"
	// safefile leaves the lock file of what it writes; this one has no further use.
	defer func() { _ = os.Remove(probe + ".lock") }()
	written := rand.Text()
	if err := safefile.Write(probe, []byte(written), safefile.Options{}); err != nil {
		return fail(err)
	}
	read, err := safefile.Read(probe)
	if removed := safefile.Remove(probe); err == nil {
		err = removed
	}
	if err == nil && string(read) != written {
		err = &safefile.Error{Op: "read", Path: probe, Problem: safefile.Failed, Err: fs.ErrInvalid}
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

const (
	// lockWait is how long a renewal waits for another process that renews the same sign-in: as long as that may take.
	lockWait  = 90 * time.Second
	lockRetry = 25 * time.Millisecond
	lockMode  = 0o600
	renewLock = ".renew.lock"
)

// lock makes renewals of one sign-in follow each other, over processes too: a provider that rotates takes a refresh
// token that comes twice for a stolen one, and ends the sign-in (RFC 9700 §4.14.2). The file stays; see safefile.
func (s Store) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock := flock.New(s.Path+renewLock, flock.SetPermissions(lockMode),
		flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_CLOEXEC))
	locked, err := lock.TryLockContext(ctx, lockRetry)
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, context.DeadlineExceeded), err == nil && !locked:
		return nil, &Error{Problem: Busy}
	case err != nil:
		return nil, &Error{
			Problem: Unwritable,
			Err:     &safefile.Error{Op: "lock", Path: s.Path, Problem: safefile.Failed, Err: err},
		}
	}
	return func() { _ = lock.Unlock() }, nil
}

// Present says whether there is a sign-in that fits a reference, and for which account, without asking anybody. Account
// is empty when the provider did not name one.
func (s Store) Present(r Reference) (account string, ok bool) {
	kept, err := s.read()
	return kept.account, err == nil && kept.fits(r)
}

// fits is false when the configuration was changed to another provider, directory or client since.
func (r record) fits(other Reference) bool {
	return r.Provider == other.Provider && r.Tenant == other.Tenant && r.ClientID == other.ClientID
}
