package imap

import (
	"testing"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/sasl"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	host     = "imap.durand.example"
	user     = "marie@durand.example"
	password = "c4nary-Gr#üße"
)

// account is an account on a server that network leads to.
func account() sasl.Account {
	return sasl.Account{
		Server: config.Server{Host: host, Port: config.PortIMAPS, Security: config.SecurityTLS, Username: user},
		Secret: secret.New(password), SecretType: config.SecretPassword,
	}
}

// network dials address for every host name.
func network(t *testing.T, ca *certificates.CA, address string) *wire.Network {
	t.Helper()
	server := scripted.StartDNS(t, host+". IN A 127.0.0.1\n")
	resolver, err := wire.ResolverAt(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Network{
		Resolver: resolver, Roots: ca.Roots(),
		Route: func(string, string, int) (string, bool) { return address, address != "" },
	}
}
