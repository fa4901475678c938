package worker

import (
	"context"
	"slices"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/wizard"
)

// TestOtherPort: where port 465 is blocked or speaks another mode, the person is offered 587, proven by a sign-in; a
// run without a person takes it.
func TestOtherPort(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"port-465-blocked", "tls-wrong-mode"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, fault)
			if fault == "port-465-blocked" {
				h.Network.Timeout = 3 * time.Second
			}
			out, told := h.do(context.Background(), h.request(wizard.DoSubmission))
			works := func(w wizard.Way) bool { return w.Works }
			at := slices.IndexFunc(out.Ways, works)
			if at < 0 || out.Submission != nil {
				t.Fatalf("%d ways, none of which works; %+v", len(out.Ways), out.Submission)
			}
			way := out.Ways[at]
			if way.Server.Port != config.PortSubmission || way.Server.Security != config.SecurityStartTLS ||
				find(t, way.Reports, check.SMTPAuth).Status != check.Pass {
				t.Errorf("%+v", way)
			}
			if got := way.Name.Say(locale.English, ""); got != "port 587, STARTTLS" {
				t.Errorf("it is called %q", got)
			}
			words(t, way.Advice)
			for _, w := range out.Ways {
				if w.Works == (w.Cause != "") {
					t.Errorf("%s: works %v, cause %q", words(t, w.Name), w.Works, w.Cause)
				}
				words(t, w.Result)
			}
			if !slices.ContainsFunc(told, func(o wizard.Outcome) bool { return o.Phase == wizard.PhaseWays }) {
				t.Error("the screen does not say that other ways are tried")
			}
			h.Repair = true
			out, _ = h.do(context.Background(), h.request(wizard.DoSubmission))
			if out.Submission == nil || out.Submission.Port != config.PortSubmission || len(out.Ways) > 0 {
				t.Errorf("without a person: %+v, %d ways", out.Submission, len(out.Ways))
			}
		})
	}
}

// TestNoOtherWay: nothing else is tried for a failure that another way does not get round.
func TestNoOtherWay(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"wrong-password", "cert-expired", "greylisted"} {
		h := newFixture(t, fault)
		if out, _ := h.do(context.Background(), h.request(wizard.DoSubmission)); len(out.Ways) > 0 {
			t.Errorf("%s: %+v", fault, out.Ways)
		}
	}
}
