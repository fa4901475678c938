package matrix

import (
	"context"
	"net"
	"slices"
	"strconv"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const host = "smtp.durand.example"

// bench serves ports: each number leads to a server, every other one to a closed door.
func bench(t *testing.T, servers map[int]*scripted.Server, ca *certificates.CA) (*wire.Network, account.Target) {
	t.Helper()
	closed := scripted.StartRefused(t)
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, host+". 300 IN A 192.0.2.1\n").Addr())
	if err != nil {
		t.Fatal(err)
	}
	network := &wire.Network{Resolver: resolver, Roots: ca.Roots(), Route: func(_, _ string, port int) (string, bool) {
		if s, ok := servers[port]; ok {
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port())), true
		}
		return closed.Addr(), true
	}}
	return network, account.Target{
		Address: "marie@durand.example", Secret: secret.New("kivo-tams"),
		Submission: config.Server{Host: host, Auth: config.MechanismAuto},
	}
}

func serve(t *testing.T, ca *certificates.CA, implicit bool, script scripted.Script) *scripted.Server {
	t.Helper()
	return scripted.StartSMTP(t,
		scripted.Options{
			Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: implicit, Script: script,
			CapabilitiesTLS: []string{"AUTH PLAIN LOGIN XOAUTH2"},
		})
}

func signIns(s *scripted.Server) int {
	n := 0
	for _, c := range s.Commands() {
		if c == "AUTH" {
			n++
		}
	}
	return n
}

func TestBothWaysWork(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	servers := map[int]*scripted.Server{465: serve(t, ca, true, nil), 587: serve(t, ca, false, nil)}
	network, target := bench(t, servers, ca)
	m := Run(t.Context(), network, target, Options{})
	if m.Best == nil || *m.Best != (Choice{
		Port: 465, Security: config.SecurityTLS, Auth: config.MechanismPlain,
		Proven: true,
	}) {
		t.Errorf("best %+v", m.Best)
	}
	for _, row := range m.Rows {
		switch row.Port {
		case 465, 587:
			if len(row.Mechanisms) != 2 || row.Mechanisms[0].Status != check.Pass ||
				row.Mechanisms[1].Status != check.Pass {
				t.Errorf("%d: %+v", row.Port, row.Mechanisms)
			}
		default:
			if row.Status != check.Fail || row.Cause != "connection-refused" || len(row.Mechanisms) > 0 {
				t.Errorf("%d: %s %s", row.Port, row.Status, row.Cause)
			}
		}
	}
	for port, s := range servers {
		if s.NoSecretInClear(t, target.Secret, target.Address); signIns(s) != 2 {
			t.Errorf("%d: %d sign-ins", port, signIns(s))
		}
	}
}

func TestGuardLockoutEndsTheSignIns(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	no := scripted.Script{"auth": scripted.Reply("535 5.7.8 no")}
	servers := map[int]*scripted.Server{465: serve(t, ca, true, no), 587: serve(t, ca, false, no)}
	network, target := bench(t, servers, ca)
	m := Run(t.Context(), network, target, Options{})
	if m.Best != nil || signIns(servers[465])+signIns(servers[587]) != 1 {
		t.Errorf("best %+v, %d sign-ins", m.Best, signIns(servers[465])+signIns(servers[587]))
	}
	if root, ok := diagnostics.Root(m.Root()); !ok || root.Cause != "wrong-password" {
		t.Errorf("root %s", root.Cause)
	}
	// A person may go on.
	asked := 0
	m = Run(t.Context(), network, target,
		Options{Agree: func(context.Context, Row, Try) bool { asked++; return asked < 2 }})
	if asked != 2 || signIns(servers[465])+signIns(servers[587]) != 3 {
		t.Errorf("asked %d times, %d sign-ins in all", asked, signIns(servers[465])+signIns(servers[587]))
	}
	if m.Rows[1].Mechanisms[0].Cause != check.CauseLockoutGuard {
		t.Errorf("%+v", m.Rows[1].Mechanisms)
	}
}

func TestNoSecretNoSignIn(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	servers := map[int]*scripted.Server{587: serve(t, ca, false, nil)}
	network, target := bench(t, servers, ca)
	target.Secret = secret.Value{}
	m := Run(t.Context(), network, target, Options{})
	if m.Best == nil || m.Best.Port != 587 || m.Best.Proven || signIns(servers[587]) > 0 {
		t.Errorf("%+v", m.Best)
	}
}

func TestTokenTakesTokenMechanisms(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	servers := map[int]*scripted.Server{465: serve(t, ca, true, nil)}
	network, target := bench(t, servers, ca)
	target.SecretType = config.SecretOAuth
	m := Run(t.Context(), network, target, Options{})
	if m.Best == nil || m.Best.Auth != config.MechanismXOAuth2 {
		t.Errorf("%+v", m.Best)
	}
}

// TestBadCertificateIsNotSignedInTo: such a row ends before the sign-in.
func TestBadCertificateIsNotSignedInTo(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	bad := scripted.StartSMTP(t,
		scripted.Options{Certificate: scripted.Leaf(t, ca, certificates.WrongName, host), ImplicitTLS: true})
	network, target := bench(t, map[int]*scripted.Server{465: bad}, ca)
	m := Run(t.Context(), network, target, Options{})
	bad.NoSecret(t, target.Secret, target.Address)
	if m.Best != nil || m.Rows[0].Cause != "cert-name-mismatch" || m.Rows[0].Certificate != check.Fail {
		t.Errorf("%+v", m.Rows[0])
	}
}

func TestWays(t *testing.T) {
	t.Parallel()
	own := ways(config.Server{Port: 1587, Security: config.SecurityStartTLS})
	if len(own) != 6 || own[0].Port != 1587 || own[0].Security != config.SecurityStartTLS ||
		own[1].Security != config.SecurityTLS {
		t.Errorf("%+v", own)
	}
	if got := ways(config.Server{Port: 587}); len(got) != 4 ||
		!slices.ContainsFunc(got, func(r Row) bool { return r.Port == 25 }) {
		t.Errorf("%+v", got)
	}
}
