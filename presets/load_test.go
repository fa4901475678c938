package presets

import "testing"

func TestEveryFileIsValid(t *testing.T) {
	t.Parallel()
	for n := range providerIndex {
		entry := &providerIndex[n]
		f, err := files.Open("data/" + folder(entry.Source) + "/" + entry.ID + ".json")
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := Parse(f); err != nil {
			t.Errorf("%s: %v", entry.ID, err)
		}
		_ = f.Close()
	}
}
