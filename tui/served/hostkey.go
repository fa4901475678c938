package served

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io/fs"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/safefile"
)

// HostKey reads the server's own key, which only this user may read, and makes one where there is none. fresh says that
// it did: clients will ask about a key that they do not know.
func HostKey(path string) (key gossh.Signer, fresh bool, err error) {
	data, err := safefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = makeHostKey(path)
		fresh = true
	}
	if err != nil {
		return nil, false, err
	}
	key, err = gossh.ParsePrivateKey(data)
	if err != nil {
		return nil, false, err
	}
	return key, fresh, strong(key.PublicKey())
}

func makeHostKey(path string) ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := gossh.MarshalPrivateKey(private, "postier")
	if err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(block)
	return data, safefile.Write(path, data, safefile.Options{})
}

// Fingerprint is how a client shows the key, so that people can compare it.
func Fingerprint(key gossh.Signer) string { return gossh.FingerprintSHA256(key.PublicKey()) }
