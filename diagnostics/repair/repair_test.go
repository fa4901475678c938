package repair_test

import (
	"encoding/base64"
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
		Resolver: resolver, Roots: ca.Roots(), Timeout: 2 * time.Second,
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
	return repair.Find(t.Context(), r.network, r.target, diagnostics.Run(t.Context(), nil, plans...), true)
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

// TestNoSecondRefusal: a password that was refused is shown to no other port, and once more under another user name.
func TestNoSecondRefusal(t *testing.T) {
	t.Parallel()
	refuse := scripted.Script{"AUTH": scripted.Reply("535 5.7.8 no")}
	r, start := newRig(t, 465, config.SecurityTLS)
	refusing := start(true, refuse)
	r.routes[465] = refusing.Addr()
	other := start(false, nil)
	r.routes[587] = other.Addr()
	if ways, tried := r.find(t); len(ways) != 0 || len(tried) != 1 || tried[0].Server.Username != "marie" ||
		signIns(refusing) != 2 || other.Connections() != 0 {
		t.Errorf("%+v, %+v, %d sign-ins", ways, tried, signIns(refusing))
	}
	// The mailbox's port is closed as well, and the way around it would need a third sign-in.
	r.target.IMAP = &config.Server{Host: host, Port: 993, Security: config.SecurityTLS, Username: owner}
	ways, _ := r.find(t)
	if len(ways) != 0 {
		t.Errorf("%+v", ways)
	}
	// Two ports that both refuse: one of them is asked.
	r, start = newRig(t, 465, config.SecurityTLS)
	first, second := start(false, refuse), start(false, refuse)
	r.routes[587], r.routes[2525] = first.Addr(), second.Addr()
	if ways, _ := r.find(t); len(ways) != 0 || signIns(first) != 1 || signIns(second) != 0 {
		t.Errorf("%+v, said %v", ways, second.Commands())
	}
}

func signIns(s *scripted.Server) int {
	count := 0
	for _, command := range s.Commands() {
		if command == "AUTH" {
			count++
		}
	}
	return count
}

// TestAnotherUserName: a refused user name leads to the other form.
func TestAnotherUserName(t *testing.T) {
	t.Parallel()
	for configured, right := range map[string]string{owner: "marie", "marie": owner} {
		r, start := newRig(t, 465, config.SecurityTLS)
		refusing := start(true, scripted.Script{"AUTH": scripted.Reply("535 5.7.8 Authentication failed")})
		accepting := start(true, nil)
		r.network.Route = func(string, string, int) (string, bool) {
			if signIns(refusing) > 0 {
				return accepting.Addr(), true
			}
			return refusing.Addr(), true
		}
		r.target.Submission.Username = configured
		ways, tried := r.find(t)
		if len(ways) != 1 || ways[0].Change != (repair.Change{Username: right}) ||
			!slices.Contains(ways[0].Proven, check.SMTPAuth) || signIns(refusing) != 1 || signIns(accepting) != 1 {
			t.Errorf("%s: %+v, %+v", configured, ways, tried)
		}
		said := base64.StdEncoding.EncodeToString([]byte("\x00" + right + "\x00kivo-tams"))
		if !strings.Contains(string(accepting.Received()), said) {
			t.Errorf("%s: no sign-in as %s", configured, right)
		}
	}
}

// TestWhatTheClientFoundIsKept: a mechanism that is refused and a name in EHLO that is refused cost no failure, and
// what worked in their place is a change to keep.
func TestWhatTheClientFoundIsKept(t *testing.T) {
	t.Parallel()
	r, start := newRig(t, 465, config.SecurityTLS)
	r.target.Submission.Helo = "wrong.example"
	r.routes[465] = start(true, scripted.Script{
		"EHLO#1": scripted.Reply("501 5.5.2 invalid helo name"), "AUTH#1": scripted.Reply("502 Invalid input"),
	}).Addr()
	ways, tried := r.find(t)
	if len(ways) != 1 || ways[0].Change != (repair.Change{Auth: config.MechanismLogin, Helo: "[127.0.0.1]"}) ||
		!slices.Contains(ways[0].Proven, check.SMTPAuth) || len(tried) != 0 {
		t.Errorf("%+v, %+v", ways, tried)
	}
	if s := ways[0].Server(r.target.Submission); s.Auth != config.MechanismLogin || s.Helo != "[127.0.0.1]" ||
		s.Port != 465 || s.Username != owner {
		t.Errorf("%+v", s)
	}
}
