package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

// Reference is what the configuration says about a sign-in: the path of its tokens, and the provider, directory and
// client.
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

// document is a record as written to disk. Only here are tokens plain strings, and a document exists only while the
// file is read or written.
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

// version of the file's format; a file of a newer version is refused and not overwritten.
const version = 1

// maxFile in octets: two tokens of maxToken, plus the other fields.
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
		// The parser's own error is dropped, because it quotes the file.
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

// CopyTo also writes the sign-in to another path.
func (s Store) CopyTo(path string) error {
	kept, err := s.read()
	if err != nil {
		return err
	}
	return Store{Path: path}.write(kept)
}

// Remove deletes the token file and its locks. It is no error if the file no longer exists.
func (s Store) Remove() error {
	if err := safefile.Remove(s.Path); err != nil {
		return &Error{Problem: Unwritable, Err: err}
	}
	for _, lock := range []string{s.Path + renewLock, s.Path + ".lock"} {
		_ = os.Remove(lock) // empty files; a leftover does no harm
	}
	return nil
}

// Probe writes, reads and removes a file next to the token file, and checks the token file itself, so that whatever
// prevents a write, such as a full disk or a folder that others may change, shows before the person approves the
// sign-in.
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
	// safefile keeps a lock file for each file that it writes; this one is no longer needed.
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
	// lockWait is how long a renewal waits while another process renews the same sign-in: as long as a renewal may take.
	lockWait  = 90 * time.Second
	lockRetry = 25 * time.Millisecond
	lockMode  = 0o600
	renewLock = ".renew.lock"
)

// lock serialises the renewals of one sign-in, also between processes: a provider that rotates refresh tokens treats
// one that is used twice as stolen and ends the sign-in (RFC 9700 §4.14.2). The lock file stays; see safefile.
func (s Store) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock := flock.New(s.Path+renewLock, flock.SetPermissions(lockMode),
		flock.SetFlag(os.O_CREATE|os.O_RDWR|safefile.NoFollow))
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

// Present reports whether there is a stored sign-in that matches a reference, and for which account, without a request.
// Account is empty when the provider did not name one.
func (s Store) Present(r Reference) (account string, ok bool) {
	kept, err := s.read()
	return kept.account, err == nil && kept.fits(r)
}

// fits is false if the configuration now names another provider, directory or client.
func (r record) fits(other Reference) bool {
	return r.Provider == other.Provider && r.Tenant == other.Tenant && r.ClientID == other.ClientID
}
