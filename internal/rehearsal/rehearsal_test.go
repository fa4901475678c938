package rehearsal_test

import (
	"context"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/arrival"
	"postier/diagnostics/dns"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/wire"
)

const trial = "From: marie@atelier-demo.example\r\nTo: marie@atelier-demo.example\r\nSubject: trial\r\n" +
	"Date: Sat, 21 Nov 2026 20:00:00 +0000\r\nMessage-ID: <trial@atelier-demo.example>\r\n\r\nHello.\r\n"

// impatient are the faults that are a wait: there the deadlines are cut short, elsewhere a busy machine gets its time.
var impatient = map[string]bool{"port-blocked": true, "silent-server": true, "lost": true}

// TestEveryFaultEndsInItsCause runs the real checks against every fault, as the wizard does.
func TestEveryFaultEndsInItsCause(t *testing.T) {
	t.Parallel()
	for _, fault := range append([]rehearsal.Fault{{}}, rehearsal.Faults()...) {
		if fault.SignIn {
			continue // no check is reached; see TestSignInFaults
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			judged := fault.Check == ""
			for _, r := range rehearse(t, fault.Name) {
				judged = judged || r.ID == fault.Check
				bad := r.Status == check.Fail || r.Status == check.Warn
				switch {
				case fault.Cause == "" && bad:
					t.Errorf("%s is %s: %s, want all to pass", r.ID, r.Status, r.Cause)
				case string(fault.Cause) != "" && r.ID == fault.Check && (!bad || string(r.Cause) != string(fault.Cause)):
					t.Errorf("%s is %s: %q, want %q", r.ID, r.Status, r.Cause, fault.Cause)
				}
			}
			if !judged {
				t.Errorf("%s was not among the checks", fault.Check)
			}
		})
	}
}

func rehearse(t *testing.T, fault string) []diagnostics.Result {
	t.Helper()
	ctx := context.Background()
	provider, err := rehearsal.Start(ctx,
		rehearsal.Options{Fault: fault, Lang: locale.French, Slow: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		t.Fatal(err)
	}
	preset, err := provider.Preset()
	if err != nil {
		t.Fatal(err)
	}
	network := &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route}
	deadline := 20 * time.Second
	if impatient[fault] {
		network.Timeout, deadline = time.Second, time.Second
	}
	target := account.Target{
		Address: provider.Address, Provider: preset.ID, Submission: provider.Submission, IMAP: &provider.IMAP,
		Secret: provider.Typed, SecretType: config.SecretAppPassword, SentMode: preset.SentCopy.Mode,
		Selectors: preset.DKIM.Selectors, SPFInclude: preset.SPF.Include,
	}
	results := diagnostics.Run(
		ctx, nil,
		smtp.Plan(network, target, smtp.Options{Message: []byte(trial)}),
		imap.Plan(network, target, imap.Options{}),
		dns.Plan(network, target, dns.Options{}),
	)
	return append(results, diagnostics.Run(ctx, nil,
		arrival.Plan(network, target, arrival.Options{Deadline: deadline}))...)
}
