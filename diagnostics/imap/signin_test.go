package imap

import (
	"strings"
	"testing"

	"postier/config"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestLoginWithLiterals covers secrets that a quoted string cannot carry.
func TestLoginWithLiterals(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := scripted.StartIMAP(t, scripted.Options{
		Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true, CapabilitiesTLS: []string{"IMAP4rev1"},
	})
	tg := target(config.SecurityTLS)
	results := runPlan(t, network(t, ca, server.Addr()), tg, Options{LookOnly: true})
	if got := find(t, results, check.IMAPAuth); got.Status != check.Pass {
		t.Errorf("%s/%s", got.Status, got.Cause)
	}
	var literals []string
	for _, r := range server.Records() {
		if r.Phase == "literal" {
			literals = append(literals, string(r.Data))
		}
	}
	if len(literals) != 2 || literals[0] != user || literals[1] != password {
		t.Errorf("%d literals were sent", len(literals))
	}
	assertNoSecret(t, results, tg)
}

func TestSecretsWithLineBreaksAreRefused(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := scripted.StartIMAP(t,
		scripted.Options{Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true})
	tg := target(config.SecurityTLS)
	tg.IMAP.Username = "a\r\nA1 DELETE INBOX"
	got := find(t, runPlan(t, network(t, ca, server.Addr()), tg, Options{}), check.IMAPAuth)
	if got.Status != check.Fail || got.Cause != "settings-invalid" {
		t.Errorf("%s/%s", got.Status, got.Cause)
	}
	if strings.Contains(string(server.Received()), "DELETE") {
		t.Error("a user name became a command")
	}
}
