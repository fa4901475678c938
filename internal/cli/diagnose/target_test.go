package diagnose

import (
	"os"
	"path/filepath"
	"testing"

	"postier/config"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/wizard"
)

// TestPortByFlag: an empty port is the usual one, of the TLS mode that stands next to it (C-1).
func TestPortByFlag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		port, security string
		want           int
	}{
		{"", "", 25},
		{"", "starttls", 25},
		{"", "tls", 465},
		{"AUTH:LOGIN CONN:SSL_TLS", "", 465},
		{"587", "tls", 587},
	} {
		values := map[wizard.FieldID]string{wizard.FieldSMTPPort: c.port}
		if c.security != "" {
			values[wizard.FieldSMTPSecurity] = c.security
		}
		target := account.Target{Submission: config.Server{Host: "a.example", Port: 2525, Security: config.SecurityStartTLS}}
		if applySettings(&target, values); target.Submission.Port != c.want {
			t.Errorf("%q with %q: %d", c.port, c.security, target.Submission.Port)
		}
	}
}

// docs/security.md T1: what was accepted for the profile's own hosts is not accepted for another one.
func TestCleartextHoldsForItsOwnHost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.json")
	profile := `{"version":1,"default":"a","profiles":{"a":{"enabled":true,"from":{"address":"a@x.example"},` +
		`"submission":{"host":"smtp.x.example","port":25,"security":"none","auth":"none"},"insecure":true,` +
		`"sent_copy":{"mode":"none"}}}}`
	if err := os.WriteFile(path, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values map[wizard.FieldID]string
		want   bool
	}{
		{nil, true},
		{map[wizard.FieldID]string{wizard.FieldSMTPPort: "2525"}, true},
		{map[wizard.FieldID]string{wizard.FieldSMTPHost: "other.example"}, false},
		{map[wizard.FieldID]string{wizard.FieldIMAPHost: "other.example", wizard.FieldIMAPSecurity: "none"}, false},
	} {
		f := command.NewFactory(command.Streams{Getenv: func(string) string { return "" }}, "")
		f.ConfigFlag = path
		o := &Options{Factory: f, Flags: Flags{Values: c.values}}
		target, err := o.target(t.Context())
		if err != nil || target.AllowsCleartext(target.Submission) != c.want {
			t.Errorf("%v: %t, %v", c.values, target.AllowCleartext, err)
		}
	}
}
