package utf7

import (
	"testing"

	"postier/internal/safetext"
)

func TestModifiedUTF7(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Sent", "Envoyés", "Gesendete Elemente", "Éléments envoyés", "a&b", "~peter/mail/台北/日本語", "😀", "",
	} {
		encoded := Encode(name)
		if !safetext.IsASCII(encoded) {
			t.Errorf("%q is written %q", name, encoded)
		}
		if got, err := Decode(encoded); err != nil || got != name {
			t.Errorf("%q comes back as %q, %v", name, got, err)
		}
	}
	if got := Encode("~peter/mail/台北/日本語"); got != "~peter/mail/&U,BTFw-/&ZeVnLIqe-" { // RFC 3501 §5.1.3
		t.Errorf("the example of the RFC is written %q", got)
	}
	for _, bad := range []string{"&", "&A-", "&AAA", "&!!!!-"} {
		if _, err := Decode(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
