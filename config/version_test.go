package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"postier/config"
)

// TestVersionBelowOne: no program ever wrote such a version, so that Load refuses what Validate calls invalid.
func TestVersionBelowOne(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"0", "-1"} {
		dir := filepath.Join(t.TempDir(), "postier")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "config.json")
		if err := os.WriteFile(path, []byte(`{"version": `+version+`, "profiles": {}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		var invalid *config.InvalidError
		if _, err := config.Load(path); !errors.As(err, &invalid) || len(invalid.Faults) == 0 ||
			invalid.Faults[0].Path != "version" {
			t.Errorf("version %s: %v", version, err)
		}
	}
}
