package smtp

import (
	"strings"
	"testing"

	"postier/config"
)

func TestChoiceOfMechanism(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		offered string
		want    config.Mechanism
		token   bool
		tls     bool
		chosen  string
	}{
		{"LOGIN PLAIN", config.MechanismAuto, false, true, "PLAIN"},
		{"CRAM-MD5 LOGIN", config.MechanismAuto, false, true, "LOGIN"},
		{"NTLM CRAM-MD5", config.MechanismAuto, false, true, "CRAM-MD5"},
		{"NTLM", config.MechanismAuto, false, true, "NTLM"},
		{"NTLM PLAIN", config.MechanismNTLM, false, true, "NTLM"},
		{"SCRAM-SHA-256-PLUS PLAIN", config.MechanismAuto, false, false, "PLAIN"},
		{"SCRAM-SHA-256-PLUS SCRAM-SHA-256", config.MechanismSCRAMSHA256, false, false, "SCRAM-SHA-256"},
		{"SCRAM-SHA-1 SCRAM-SHA-256", config.MechanismAuto, false, true, "SCRAM-SHA-256"},
		{"PLAIN OAUTHBEARER XOAUTH2", config.MechanismAuto, true, true, "XOAUTH2"},
		{"PLAIN OAUTHBEARER", config.MechanismAuto, true, true, "OAUTHBEARER"},
		{"PLAIN LOGIN", config.MechanismAuto, true, true, ""},
		{"XOAUTH2", config.MechanismAuto, false, true, ""},
		{"PLAIN", config.MechanismLogin, false, true, ""},
		{"ANONYMOUS GSSAPI DIGEST-MD5 EXTERNAL", config.MechanismAuto, false, true, ""},
		{"", config.MechanismAuto, false, true, ""},
	} {
		if got := choose(strings.Fields(test.offered), test.want, test.token, test.tls); got != test.chosen {
			t.Errorf("%q wanted %s token %t tls %t: %q, want %q", test.offered, test.want, test.token, test.tls, got,
				test.chosen)
		}
	}
}
