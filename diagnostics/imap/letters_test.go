package imap

import (
	"strings"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

// TestRefusedPasswordOutsideASCII: the same cause as for any other, with the hint that belongs to it and the user names
// that were tried.
func TestRefusedPasswordOutsideASCII(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	for typed, word := range map[string]string{
		"Grüße-1": "ü and ß", "cafe\u0301-99": "two characters", "geheim-1234": "",
	} {
		for _, said := range []string{"NO [AUTHENTICATIONFAILED] no", "NO no"} {
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
				Script: scripted.Script{"auth": scripted.Reply("{tag} " + said)},
			})
			network := &wire.Network{
				Resolver: resolver(t), Roots: ca.Roots(),
				Route: func(string, string, int) (string, bool) { return server.Addr(), true },
			}
			target := account.Target{
				Address: "anna@bücher.example", Secret: secret.New(typed), SecretType: config.SecretPassword,
				IMAP: &config.Server{Host: host, Port: config.PortIMAPS, Security: config.SecurityTLS},
			}
			results := diagnostics.Run(t.Context(), nil, Plan(network, target, Options{}))
			refused, _ := diagnostics.Find(results, check.IMAPAuth)
			answer := refused.Explain()
			text := answer.Meaning(locale.English) + " " + answer.Detail(locale.English, refused.Params)
			hinted := strings.Contains(text, "two characters") || strings.Contains(text, "ü and ß")
			if refused.Cause != check.CauseWrongPassword || !strings.Contains(text, word) || hinted != (word != "") ||
				!strings.Contains(text, "User name tried: anna@xn--bcher-kva.example, anna@bücher.example.") {
				t.Errorf("%s, %d octets: %s: %s", said, len(typed), refused.Cause, text)
			}
		}
	}
}
