package served

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/pattern"
	"postier/internal/safefile"
	"postier/internal/safetext"
)

// Role is what a key may do.
type Role string

// The roles. A key without one belongs to a person who sets up mail.
const (
	RoleUser    Role = "user"
	RoleSupport Role = "support"
	RoleShare   Role = "share"
)

// Account is whom a key belongs to. It comes from the operator's file alone; the name that a client signs in with
// decides nothing.
type Account struct {
	// Name is that of postier-user, or the fingerprint of the key.
	Name        string
	Role        Role
	Fingerprint string

	folder string
}

// Refusal says why a line of the file is no key that may sign in.
type Refusal struct {
	Line   int
	Reason safetext.Remote
}

// Keys are the keys of an authorized_keys file. It is read again when it has changed, so that a key that was removed
// opens nothing any more; while it cannot be read, no key does.
type Keys struct {
	path string

	mu       sync.Mutex
	stamp    stamp
	accounts map[string]Account // by the key as it is sent
	refusals []Refusal
	err      error
}

// stamp tells one state of a file from the next.
type stamp struct {
	modified time.Time
	size     int64
}

// ErrNoKeys says that no one could sign in.
var ErrNoKeys = errors.New("the file holds no key that may sign in")

// OpenKeys reads the file, which must belong to this user or to root and which no one else may change.
func OpenKeys(path string) (*Keys, error) {
	k := &Keys{path: path}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	if k.err == nil && len(k.accounts) == 0 {
		return k, ErrNoKeys
	}
	return k, k.err
}

// Refusals are the lines that were left out.
func (k *Keys) Refusals() []Refusal {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.refusals)
}

// account is whom a key belongs to.
func (k *Keys) account(key gossh.PublicKey) (Account, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	a, ok := k.accounts[string(key.Marshal())]
	return a, ok && k.err == nil
}

func (k *Keys) refresh() {
	info, err := os.Stat(k.path)
	if err == nil {
		now := stamp{info.ModTime(), info.Size()}
		if now == k.stamp && k.err == nil {
			return
		}
		k.stamp = now
	}
	k.accounts, k.refusals = nil, nil
	data, err := safefile.ReadWith(k.path, safefile.ReadOptions{Public: true})
	if k.err = err; err == nil {
		k.accounts, k.refusals = parseKeys(data)
	}
}

func parseKeys(data []byte) (map[string]Account, []Refusal) {
	accounts := map[string]Account{}
	var refusals []Refusal
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, account, err := parseKey(line)
		if _, twice := accounts[string(keyBlob(key))]; err == nil && twice {
			err = errors.New("the key is in the file twice")
		}
		if err != nil {
			refusals = append(refusals, Refusal{i + 1, safetext.FromRemote(err.Error())})
			continue
		}
		accounts[string(key.Marshal())] = account
	}
	return accounts, refusals
}

func keyBlob(key gossh.PublicKey) []byte {
	if key == nil {
		return nil
	}
	return key.Marshal()
}

func parseKey(line []byte) (gossh.PublicKey, Account, error) {
	key, _, options, _, err := gossh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, Account{}, err
	}
	if err := strong(key); err != nil {
		return nil, Account{}, err
	}
	a := Account{Role: RoleUser, Fingerprint: gossh.FingerprintSHA256(key)}
	sum := sha256.Sum256(key.Marshal())
	a.Name, a.folder = a.Fingerprint, "key-"+hex.EncodeToString(sum[:16])
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		value, quoted := unquote(value)
		switch {
		case strings.EqualFold(name, "postier-role") && quoted &&
			(value == string(RoleSupport) || value == string(RoleShare)):
			a.Role = Role(value)
		case strings.EqualFold(name, "postier-user") && quoted && value != "" && len(value) <= maxName:
			a.Name, a.folder = value, folderOf(value)
		default:
			// An option that is not understood may be a restriction.
			return nil, Account{}, fmt.Errorf("option %q is not one of postier-role and postier-user", option)
		}
	}
	return key, a, nil
}

// NewAccount is an account with a name of the operator's.
func NewAccount(name string, role Role) Account {
	return Account{Name: name, Role: role, folder: folderOf(name)}
}

// maxName is the longest account name, in octets.
const maxName = 255

func unquote(value string) (string, bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	return strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`), true
}

// strong refuses what no longer proves anything: DSA, short RSA keys, and certificates, whose conditions are not
// evaluated here.
func strong(key gossh.PublicKey) error {
	switch key.Type() {
	case gossh.KeyAlgoED25519, gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521,
		gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256:
		return nil
	case gossh.KeyAlgoRSA:
		const least = 2048
		if own, ok := key.(gossh.CryptoPublicKey); ok {
			if public, ok := own.CryptoPublicKey().(*rsa.PublicKey); ok && public.N.BitLen() >= least {
				return nil
			}
		}
		return fmt.Errorf("an RSA key needs %d bits at least", least)
	}
	return fmt.Errorf("keys of the type %s are not accepted", key.Type())
}

// plainName is a name that is the same on every file system, and that none of the prefixes below begins.
var plainName = pattern.Of(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// folderOf is the folder of an account: its name where that is a plain one, and otherwise a hash of it. No name leads
// out of the root, and no two names lead to one folder.
func folderOf(name string) string {
	if plainName().MatchString(name) && !strings.HasPrefix(name, "key-") && !strings.HasPrefix(name, "name-") {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "name-" + hex.EncodeToString(sum[:16])
}

// Folder makes the folder of an account below the root, and returns its name there. What is there already must be a
// folder of this user that no one else may open.
func Folder(root *os.Root, a Account) (string, error) {
	const private fs.FileMode = 0o700
	if err := root.Mkdir(a.folder, private); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := root.Lstat(a.folder)
	switch {
	case err != nil:
		return "", err
	case !info.IsDir(), info.Mode().Perm()&^private != 0, !safefile.Own(info):
		return "", fmt.Errorf("%s: %w", a.folder, ErrFolder)
	}
	return a.folder, nil
}

// ErrFolder refuses what is in the place of an account's folder.
var ErrFolder = errors.New("not a folder that only this user may open")
