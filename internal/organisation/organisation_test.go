package organisation

import "testing"

func TestSame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"mail.example.com", "example.com", true},
		{"a.example.co.uk", "B.Example.CO.UK.", true},
		{"a.co.uk", "b.co.uk", false},
		{"co.uk", "a.co.uk", false},
		{"a.github.io", "b.github.io", false},
		{"localhost", "LOCALHOST", true},
		{"localhost", "mailhost", false},
		{"", "mailhost", false},
		// Addresses have no domain; they are one host or two.
		{"192.0.2.1", "198.51.2.1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"[IPv6:2001:db8::1]", "[IPv6:2001:db8::2]", false},
	} {
		if got := Same(tt.a, tt.b); got != tt.want || Same(tt.b, tt.a) != tt.want {
			t.Errorf("Same(%q, %q) = %t", tt.a, tt.b, got)
		}
	}
}
