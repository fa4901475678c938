package config

import "testing"

// TestAddressUnicode: what people read leads back to what goes over the wire; anything else stays as it is.
func TestAddressUnicode(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"anna@xn--bcher-kva.example": "anna@bücher.example",
		"anna@bücher.example":        "anna@bücher.example",
		"anna@durand.example":        "anna@durand.example",
		"a@xn--r8jz45g.xn--zckzah":   "a@例え.テスト",
		"anna@xn--zzzz.example":      "anna@xn--zzzz.example", // no label
		"xn--bcher-kva.example":      "xn--bcher-kva.example", // no address
		"anna":                       "anna",
		"":                           "",
	} {
		if got := AddressUnicode(address); got != want {
			t.Errorf("AddressUnicode(%q) = %q, want %q", address, got, want)
		}
	}
}
