package delivery

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

// A text of any length comes back octet for octet, a changed one replaces it whole, and nothing of it stays when the
// message has left or was removed.
func TestTextInParts(t *testing.T) {
	t.Parallel()
	s, err := OpenStore(t.Context(), fileAt(filepath.Join(t.TempDir(), "postier.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	count := func() (parts int) {
		if err := s.db.QueryRow(`SELECT count(*) FROM postier_part`).Scan(&parts); err != nil {
			t.Fatal(err)
		}
		return parts
	}
	sizes := []int{0, 1, headSize, headSize + 1, headSize + partSize, headSize + 2*partSize + 1}
	for n, size := range sizes {
		text := bytes.Repeat([]byte("postier"), size/7+1)[:size]
		item := &Item{ID: NewMessageID("a@b.example"), State: StateWaiting, Raw: text}
		keeps := func() {
			t.Helper()
			if read, err := s.Item(t.Context(), item.ID); err != nil || !bytes.Equal(read.Raw, item.Raw) {
				t.Fatalf("%d octets: %d octets came back, %v", len(item.Raw), len(read.Raw), err)
			}
		}
		for range 2 { // the second time, the answer to the first was lost
			if err := s.insert(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			keeps()
		}
		item.Raw, item.reworded = bytes.Repeat([]byte("other"), sizes[len(sizes)-1-n]/5), true
		if err := s.change(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		keeps()
		if n%2 == 0 {
			item.State = StateSent
			err = s.change(t.Context(), item)
		} else {
			err = s.remove(t.Context(), item)
		}
		if left := count(); err != nil || left > 0 {
			t.Fatalf("%d parts are left, %v", left, err)
		}
	}
	if _, err := s.Item(t.Context(), "none"); !errors.Is(err, ErrNoItem) {
		t.Error(err)
	}
}
