package diagnostics

import (
	"errors"
	"testing"

	"postier/internal/check"
)

func TestMistakesInPlans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		checks []Check
		want   string
	}{
		"a misspelt need": {
			[]Check{does(check.SMTPAuth, check.Pass, "smtp.tsl")}, "plan: smtp.auth waits for smtp.tsl, which is no check",
		},
		"a misspelt wait": {
			[]Check{{ID: check.SMTPAuth, After: []check.ID{"imap.aut"}}},
			"plan: smtp.auth waits for imap.aut, which is no check",
		},
		"a check that is not listed": {
			[]Check{does(check.NetResolve, check.Pass), does("dns.aes", check.Pass)}, "plan: dns.aes is no check",
		},
		"a check twice": {
			[]Check{does(check.NetResolve, check.Pass), does(check.NetResolve, check.Pass)},
			"plan: net.resolve is planned twice",
		},
		"a check that waits for itself": {
			[]Check{does(check.SMTPTLS, check.Pass, check.SMTPTLS)}, "plan: smtp.tls waits for smtp.tls, which waits for it",
		},
		"a circle": {
			[]Check{
				does(check.NetResolve, check.Pass), does(check.SMTPTLS, check.Pass, check.SMTPGreeting),
				{ID: check.SMTPGreeting, After: []check.ID{check.SMTPTLS}},
			},
			"plan: smtp.tls waits for smtp.greeting, which waits for it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err *PlanError
			if !errors.As(Validate(Plan{Checks: c.checks}), &err) || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			defer func() {
				if told, ok := recover().(*PlanError); !ok || told.Error() != c.want {
					t.Errorf("Run: %v, want %s", told, c.want)
				}
			}()
			Run(t.Context(), nil, Plan{Checks: c.checks})
		})
	}
}

// TestNeedOfAnAreaLeftOut: a need that exists and is not planned in this run is no mistake and keeps nothing back.
func TestNeedOfAnAreaLeftOut(t *testing.T) {
	t.Parallel()
	plan := Plan{Checks: []Check{does(check.ArrivalDelivered, check.Pass, check.SMTPAuth, check.IMAPAuth)}}
	if err := Validate(plan); err != nil {
		t.Error(err)
	}
	if got := summary(Run(t.Context(), nil, plan)); got != "arrival.delivered=pass" {
		t.Error(got)
	}
}
