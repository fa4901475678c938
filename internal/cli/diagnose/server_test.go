package diagnose

import (
	"testing"

	"postier/internal/cli/command"
)

// An IPv6 address stands in brackets before a port, and needs none without.
func TestHostPort(t *testing.T) {
	t.Parallel()
	f := command.NewFactory(command.Streams{Getenv: func(string) string { return "" }}, "")
	for text, want := range map[string]struct {
		host string
		port int
	}{
		"[::1]:465": {"::1", 465}, "[::1]": {"::1", 0}, "::1": {"::1", 0}, "mx.example:25": {"mx.example", 25},
		"mx.example": {"mx.example", 0},
	} {
		host, port, err := hostPort(f, text)
		if err != nil || host != want.host || port != want.port {
			t.Errorf("%s: %q %d %v", text, host, port, err)
		}
	}
	if _, _, err := hostPort(f, "[mx.example]:25"); err == nil {
		t.Error("a name in brackets was taken")
	}
}
