package repair_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/imap"
	"postier/diagnostics/repair"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	host  = "mail.durand.example"
	owner = "marie@durand.example"
)

// rig leads each port of the host to a server of its own; ports without one are refused.
type rig struct {
	network *wire.Network
	target  account.Target
	routes  map[int]string
}

func newRig(t *testing.T, port int, security config.Security) (*rig,
	func(implicit bool, script scripted.Script) *scripted.Server,
) {
	t.Helper()
	ca := scripted.StartCA(t)
	resolver, err := wire.ResolverAt(scripted.StartDNS(t,
		host+". 300 IN A 127.0.0.1\nother.durand.example. 300 IN A 127.0.0.1\n").Addr())
	if err != nil {
		t.Fatal(err)
	}
	closed := scripted.StartRefused(t).Addr()
	r := &rig{routes: map[int]string{}, target: account.Target{
		Address: owner, Secret: secret.New("kivo-tams"),
		Submission: config.Server{
			Host: host, Port: port, Security: security, Auth: config.MechanismAuto, Username: owner,
		},
	}}
	r.network = &wire.Network{
		Resolver: resolver, Roots: ca.Roots(), Timeout: 600 * time.Millisecond,
		Links: func() wire.Routes { return wire.Routes{IPv4: true, Loopback: true} },
		Route: func(_, _ string, port int) (string, bool) {
			if address := r.routes[port]; address != "" {
				return address, true
			}
			return closed, true
		},
	}
	return r, func(implicit bool, script scripted.Script) *scripted.Server {
		return scripted.StartSMTP(t, scripted.Options{
			Certificate: scripted.Leaf(t, ca, certificates.Good, host, "other.durand.example"), ImplicitTLS: implicit,
			Script: script,
		})
	}
}

func (r *rig) find(t *testing.T) ([]repair.Way, []repair.Tried) {
	t.Helper()
	plans := []diagnostics.Plan{smtp.Plan(r.network, r.target, smtp.Options{})}
	if r.target.IMAP != nil {
		plans = append(plans, imap.Plan(r.network, r.target, imap.Options{LookOnly: true}))
	}
	return repair.Find(t.Context(), r.network, r.target, diagnostics.Run(t.Context(), nil, plans...))
}

func TestABlockedPort(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		r, start := newRig(t, 465, config.SecurityTLS)
		if silent {
			r.routes[465] = scripted.StartBlackhole(t).Addr()
		}
		r.routes[587] = start(false, nil).Addr()
		began := time.Now()
		ways, tried := r.find(t)
		want := repair.Change{Port: 587, Security: config.SecurityStartTLS}
		if len(ways) != 1 || ways[0].Area != repair.Submission || ways[0].Change != want {
			t.Fatalf("%+v, %+v", ways, tried)
		}
		for _, id := range []check.ID{check.SMTPAuth, check.SMTPSender, check.SMTPRecipient} {
			if !slices.Contains(ways[0].Proven, id) {
				t.Errorf("%s is not proven: %v", id, ways[0].Proven)
			}
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

func TestTheModeBelongsToThePort(t *testing.T) {
	t.Parallel()
	r, start := newRig(t, 465, config.SecurityStartTLS)
	r.routes[465] = start(true, nil).Addr()
	if ways, tried := r.find(t); len(ways) != 1 || ways[0].Change.Port != 465 ||
		ways[0].Change.Security != config.SecurityTLS {
		t.Errorf("465 in the wrong mode: %+v, %+v", ways, tried)
	}
	r, start = newRig(t, 587, config.SecurityTLS)
	r.routes[587] = start(false, nil).Addr()
	if ways, tried := r.find(t); len(ways) != 1 || ways[0].Change.Security != config.SecurityStartTLS {
		t.Errorf("587 in the wrong mode: %+v, %+v", ways, tried)
	}
}

func TestTheHostOfTheCertificate(t *testing.T) {
	t.Parallel()
	r, start := newRig(t, 465, config.SecurityTLS)
	r.target.Submission.Host = "www.durand.example"
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, "*.durand.example. 300 IN A 127.0.0.1\n").Addr())
	if err != nil {
		t.Fatal(err)
	}
	r.network.Resolver = resolver
	r.routes[465] = start(true, nil).Addr()
	if ways, tried := r.find(t); len(ways) != 1 || !strings.HasSuffix(ways[0].Change.Host, ".durand.example") ||
		ways[0].Change.Port != 0 {
		t.Errorf("%+v, %+v", ways, tried)
	}
}

// TestNoSecondRefusal: a password that was refused is not shown to another port, and no way is tried when nothing that
// another way could help failed.
func TestNoSecondRefusal(t *testing.T) {
	t.Parallel()
	refuse := scripted.Script{"AUTH": scripted.Reply("535 5.7.8 no")}
	r, start := newRig(t, 465, config.SecurityTLS)
	r.routes[465], r.routes[587] = start(true, refuse).Addr(), ""
	other := start(false, nil)
	r.routes[587] = other.Addr()
	if ways, tried := r.find(t); len(ways) != 0 || len(tried) != 0 || other.Connections() != 0 {
		t.Errorf("%+v, %+v", ways, tried)
	}
	// The mailbox's port is closed as well, and the way around it would need a second sign-in.
	r.target.IMAP = &config.Server{Host: host, Port: 993, Security: config.SecurityTLS, Username: owner}
	ways, _ := r.find(t)
	if len(ways) != 0 {
		t.Errorf("%+v", ways)
	}
	// Two ports that both refuse: one of them is asked.
	r, start = newRig(t, 465, config.SecurityTLS)
	first, second := start(false, refuse), start(false, refuse)
	r.routes[587], r.routes[2525] = first.Addr(), second.Addr()
	if ways, _ := r.find(t); len(ways) != 0 || slices.Contains(second.Commands(), "AUTH") {
		t.Errorf("%+v, said %v", ways, second.Commands())
	}
}
