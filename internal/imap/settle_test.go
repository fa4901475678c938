package imap

import (
	"testing"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestSettleAsksTheServer: auto on an unusual port tries what the server speaks; without a port both usual ones are
// tried. When no server answers, the result is implicit TLS, whose failure is then reported.
func TestSettleAsksTheServer(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert, err := ca.Certificate(certificates.Good, host)
	if err != nil {
		t.Fatal(err)
	}
	implicit := scripted.StartIMAP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true}).Addr()
	upgraded := scripted.StartIMAP(t, scripted.Options{Certificate: &cert}).Addr()
	closed := scripted.StartRefused(t).Addr()
	for _, c := range []struct {
		name     string
		port     int
		security config.Security
		servers  map[int]string
		want     config.Server
	}{
		{"TLS on its own port", 1993, "", map[int]string{1993: implicit}, config.Server{Port: 1993, Security: "tls"}},
		{
			"STARTTLS on a port of its own", 1143, "auto",
			map[int]string{1143: upgraded},
			config.Server{Port: 1143, Security: "starttls"},
		},
		{"no port, both", 0, "auto", map[int]string{993: implicit, 143: upgraded}, config.Server{Port: 993, Security: "tls"}},
		{"no port, STARTTLS alone", 0, "auto", map[int]string{143: upgraded}, config.Server{Port: 143, Security: "starttls"}},
		{"no port, nobody", 0, "auto", nil, config.Server{Port: 993, Security: "tls"}},
		{
			"plain text on 993, asked for no port", 0, "auto",
			map[int]string{993: upgraded},
			config.Server{Port: 993, Security: "tls"},
		},
		{
			"what the settings say is not asked", 1143, "tls",
			map[int]string{1143: upgraded},
			config.Server{Port: 1143, Security: "tls"},
		},
		{
			"a usual port is not asked", 143, "auto",
			map[int]string{143: implicit},
			config.Server{Port: 143, Security: "starttls"},
		},
	} {
		n := network(t, ca, "")
		n.Route = func(_, _ string, port int) (string, bool) {
			if address, ok := c.servers[port]; ok {
				return address, true
			}
			return closed, true
		}
		got := Settle(t.Context(), n, config.Server{Host: host, Port: c.port, Security: c.security})
		if got.Port != c.want.Port || got.Security != c.want.Security {
			t.Errorf("%s: %d %s, want %d %s", c.name, got.Port, got.Security, c.want.Port, c.want.Security)
		}
	}
}

// TestOpenWithAuto opens a session at a server that speaks STARTTLS on an unusual port.
func TestOpenWithAuto(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	cert, err := ca.Certificate(certificates.Good, host)
	if err != nil {
		t.Fatal(err)
	}
	server := scripted.StartIMAP(t, scripted.Options{Certificate: &cert})
	account := account()
	account.Server.Port, account.Server.Security = 1143, config.SecurityAuto
	session, err := Open(t.Context(), network(t, ca, server.Addr()), account, nil)
	if err != nil || !session.secure {
		t.Fatal(err)
	}
	session.Close()
}
