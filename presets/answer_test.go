package presets

import "testing"

// TestAnswer (M-10): the number in a server's name may be typed alone, as the first label or as the whole name.
func TestAnswer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ provider, name, typed, want string }{
		{"ovh-exchange", "number", "4", "4"},
		{"ovh-exchange", "number", " ex4 ", "4"},
		{"ovh-exchange", "number", "ex4.mail.ovh.net", "4"},
		{"ovh-exchange", "number", "EX12.mail.ovh.net.", "12"},
		{"ovh-exchange", "number", "4.mail.ovh.net", "4"},
		{"ovh-exchange", "number", "", ""},
		{"ovh-exchange", "number", "ex", "ex"},
		{"ovh-exchange", "number", "ex4.mail.example", "4.mail.example"},
		{"ovh-emailpro", "number", "pro2", "2"},
		{"o2switch", "server", "mouette.o2switch.net", "mouette"},
		{"o2switch", "server", "mouette", "mouette"},
		{"mailjet", "api-key", "ABC-def", "ABC-def"},
	} {
		p, ok := Default().Get(row.provider)
		if !ok {
			t.Fatal(row.provider)
		}
		if got := p.Answer(row.name, row.typed); got != row.want {
			t.Errorf("%s, %q: %q", row.provider, row.typed, got)
		}
	}
}
