package credential

import (
	"fmt"
	"os"
	"path/filepath"

	"postier/config"
)

// Stamp is another one once the secret of a profile was stored again, as far as that shows without reading it: by the
// time and size of its file. It is empty for the kinds that have none.
func (s *Store) Stamp(name string, reference config.Credential) string {
	var path string
	switch reference.Kind {
	case config.CredentialFile:
		path = s.path(reference.Path)
	case config.CredentialOAuth:
		path = s.OAuthFile(name, reference)
	case config.CredentialSystemd:
		path = filepath.Join(s.getenv("CREDENTIALS_DIRECTORY"), reference.Name)
	default:
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", info.ModTime().UnixNano(), info.Size())
}
