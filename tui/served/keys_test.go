package served

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/safefile"
	"postier/internal/safefile/safefiletest"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no short keys: ", err)
	}
	short, err := gossh.NewSignerFromKey(weak)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	fingerprint := gossh.FingerprintSHA256(key.PublicKey())
	for options, want := range map[string]Account{
		"":                                       {Name: fingerprint, Role: RoleUser},
		`postier-user="anna"`:                    {Name: "anna", Role: RoleUser, folder: "anna"},
		`postier-role="support"`:                 {Name: fingerprint, Role: RoleSupport},
		`postier-role="share",postier-user="kv"`: {Name: "kv", Role: RoleShare, folder: "kv"},
		`postier-user="a \"b\""`:                 {Name: `a "b"`, Role: RoleUser},
	} {
		accounts, refusals := parseKeys([]byte("# comment\n\n" + line(options, key) + "\n"))
		got := accounts[string(key.PublicKey().Marshal())]
		if got.Name != want.Name || got.Role != want.Role || got.Fingerprint != fingerprint || len(refusals) != 0 ||
			want.folder != "" && got.folder != want.folder {
			t.Errorf("%s: %+v %v", options, got, refusals)
		}
	}
	for _, options := range []string{
		"no-pty", "restrict", `command="/bin/sh"`, `from="10.0.0.0/8"`, "cert-authority", `expiry-time="20200101"`,
		`postier-role="root"`, `postier-role=support`, `postier-user=""`, `postier-user`, `postier-rôle="support"`,
		`postier-user="` + strings.Repeat("x", 300) + `"`, `postier-role="support",agent-forwarding`,
	} {
		accounts, refusals := parseKeys([]byte(line(options, key)))
		if len(accounts) != 0 || len(refusals) != 1 || refusals[0].Line != 1 {
			t.Errorf("%s: %v %v", options, accounts, refusals)
		}
	}
	text := line("", short) + "\nnot a key\n" + line(`postier-user="a"`, key) + "\n" + line(`postier-user="b"`, key) + "\n"
	accounts, refusals := parseKeys([]byte(text))
	if len(accounts) != 1 || accounts[string(key.PublicKey().Marshal())].Name != "a" || len(refusals) != 3 {
		t.Errorf("%v %v", accounts, refusals)
	}
}

// TestFolders: no two accounts share a folder, and none is outside the root.
func TestFolders(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{
		"anna", "Anna", "ANNA", "anna.", "../anna", "/anna", "anna/", ".", "..", "", ".host-key", "an\x00na", "a\nb", "CON",
		"key-0123", "name-0123", strings.Repeat("a", 33), strings.Repeat("a", 300), "änna", "anna\u202e",
	} {
		folder := folderOf(name)
		if other, twice := seen[folder]; twice {
			t.Errorf("%q and %q share %s", name, other, folder)
		}
		seen[folder] = name
		if !plainName().MatchString(folder) && !strings.HasPrefix(folder, "name-") || !filepath.IsLocal(folder) {
			t.Errorf("%q has the folder %q", name, folder)
		}
	}
}

func TestFolderOfAnAccount(t *testing.T) {
	t.Parallel()
	dir := safefiletest.Home(t)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	for range 2 { // made, and found again
		if folder, err := Folder(root, Account{folder: "anna"}); err != nil || folder != "anna" {
			t.Fatal(folder, err)
		}
	}
	outside := filepath.Join(safefiletest.Home(t), "outside")
	for name, prepare := range map[string]func(path string) error{
		"link": func(path string) error { return errors.Join(os.Mkdir(outside, 0o700), os.Symlink(outside, path)) },
		"file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"wide": func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o755)) },
	} {
		if err := prepare(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := Folder(root, Account{folder: name}); !errors.Is(err, ErrFolder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Folder(root, Account{folder: "../outside"}); err == nil {
		t.Error("a folder outside the root")
	}
}

// TestKeysChange: a key that was taken out of the file opens nothing any more, and none does while the file is not to
// be trusted.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "keys")
	anna, bert := newKey(t), newKey(t)
	write := func(text string, mode fs.FileMode, at int64) {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode),
			os.Chtimes(path, time.Unix(at, 0), time.Unix(at, 0))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write("# no one\n", 0o600, 1)
	if _, err := OpenKeys(path); !errors.Is(err, ErrNoKeys) {
		t.Errorf("no key: %v", err)
	}
	write(line("", anna)+"\n"+line("", bert), 0o644, 2)
	keys, err := OpenKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(a, b bool) {
		t.Helper()
		_, gotA := keys.account(anna.PublicKey())
		_, gotB := keys.account(bert.PublicKey())
		if gotA != a || gotB != b {
			t.Errorf("anna %v, bert %v", gotA, gotB)
		}
	}
	knows(true, true)
	write(line("", bert), 0o600, 3)
	knows(false, true)
	write(line("", bert)+"\n", 0o666, 4)
	knows(false, false)
	write(line("", bert)+"\n", 0o600, 4) // only the mode was corrected
	knows(false, true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	knows(false, false)
}

func TestHostKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(safefiletest.Home(t), "host")
	first, fresh, err := HostKey(path)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again, fresh, err := HostKey(path)
	if err != nil || fresh || Fingerprint(again) != Fingerprint(first) {
		t.Errorf("%v %v", fresh, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	var file *safefile.Error
	if _, _, err := HostKey(path); !errors.As(err, &file) || file.Problem != safefile.TooOpen {
		t.Errorf("a key that a group may read: %v", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("nonsense"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := HostKey(path); err == nil {
		t.Error("nonsense is a key")
	}
}
