package cli

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/scripted"
)

// TestTheNextCallerSendsWhatIsOverdue: no service runs the queue. That is said once, and what is due is sent with the
// next message.
func TestTheNextCallerSendsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t"}
	_, number, _ := net.SplitHostPort(scripted.StartRefused(t).Addr())
	refused, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	o.change(func(p *config.Profile) { p.Submission.Port = refused })
	for i, said := range []bool{true, false} {
		if _, complaints := o.want(0, "", message...); strings.Contains(complaints, "service install") != said {
			t.Errorf("call %d: %s", i, complaints)
		}
	}
	listed, _ := o.want(0, "", "postier", "queue", "list")
	if strings.Count(listed, "anna@customer.example") != 2 {
		t.Fatalf("waiting: %s", listed)
	}
	o.change(func(p *config.Profile) { p.Submission.Port = o.server.Port() })
	for line := range strings.Lines(listed) {
		if id, _, ok := strings.Cut(line, "  "); ok && strings.Contains(line, "anna@") {
			o.want(0, "", "postier", "queue", "retry", id)
		}
	}
	o.want(0, "", message...)
	if listed, _ := o.want(0, "", "postier", "queue", "list"); len(o.taken()) != 3 || strings.Contains(listed, "anna@") {
		t.Errorf("%d messages were sent; waiting: %s", len(o.taken()), listed)
	}
	// Once it was kept, it is said again when it is no longer.
	o.want(0, "", "postier", "queue", "run")
	o.change(func(p *config.Profile) { p.Submission.Port = refused })
	if _, complaints := o.want(0, "", message...); strings.Contains(complaints, "service install") {
		t.Errorf("a queue that was run just now is kept: %s", complaints)
	}
}
