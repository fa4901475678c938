package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/scripted"
)

// TestPlainRefused: a server offers PLAIN, refuses it as a mechanism with one of the codes that servers use for that,
// and takes LOGIN. Set-up, diagnosis and sending all succeed, without a wrong word.
func TestPlainRefused(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{
		"500 5.5.1 unrecognized command", "501 5.5.4 Syntax error", "502 Invalid input", "503 5.5.1 Bad sequence",
		"504 5.7.4 Unrecognized authentication type", "530 5.7.0 Authentication required", "534 5.7.9 Too weak",
		"535 5.7.8 Invalid authentication mechanism", "535 5.7.8 PLAIN not supported", "538 5.7.11 Encryption required",
	} {
		t.Run(reply[:3]+reply[len(reply)-5:], func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, scripted.Script{"AUTH PLAIN": scripted.Reply(reply)})
			resolver := scripted.StartDNS(t,
				"durand.example. 300 IN MX 10 mail.durand.example.\nmail.durand.example. 300 IN A 127.0.0.1\n").Addr()
			secret := filepath.Join(filepath.Dir(o.path), "secrets", "durand")
			port := fmt.Sprint(o.server.Port())
			signIn := []string{
				"diagnose", "smtp", "127.0.0.1:" + port, "--smtp-security", "tls", "--user", "contact@durand.example",
				"--password-file", secret,
			}
			var said strings.Builder
			for _, args := range [][]string{
				signIn, append(signIn, "--matrix", "--timeout", "1s"),
				{
					"setup", "contact@durand.example", "--yes", "--profile", "second", "--sent-copy", "none", "--smtp-host",
					"127.0.0.1", "--smtp-port", port, "--smtp-security", "tls", "--password-file", secret, "--resolver", resolver,
				},
				{"diagnose", "durand", "--only", "smtp"},
				{"send", "--to", "anna@customer.example", "--subject", "s", "--text", "t"},
			} {
				_, out, complaints := o.run("", append([]string{"postier"}, args...)...)
				fmt.Fprintf(&said, "%v\n%s%s", args[:2], out, complaints)
			}
			for _, wrong := range []string{"wrong-password", "A-14", "A-27", "P-132", "None of these"} {
				if strings.Contains(said.String(), wrong) {
					t.Errorf("%q in:\n%s", wrong, said.String())
				}
			}
			doc, err := config.Load(o.path)
			if err != nil || doc.File.Profiles["second"] == nil || !doc.File.Profiles["durand"].Enabled || len(o.taken()) == 0 {
				t.Errorf("%v, %d messages:\n%s", err, len(o.taken()), said.String())
			}
		})
	}
}
