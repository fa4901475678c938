package rehearsal

import (
	"net/netip"

	"postier/config"
)

// Endpoint is a server as another process reaches it.
type Endpoint struct {
	Host     string          `json:"host"`
	Port     int             `json:"port"`
	Security config.Security `json:"security"`
}

// SMTPEndpoints are the servers that take mail, the best first.
func (p *Provider) SMTPEndpoints() []Endpoint {
	implicit := Endpoint{SMTPHost, p.announced(config.PortSubmissions), config.SecurityTLS}
	upgraded := Endpoint{SMTPHost, p.announced(config.PortSubmission), config.SecurityStartTLS}
	if p.behaviour.submissionPort == config.PortSubmission {
		return []Endpoint{upgraded} // see services
	}
	return []Endpoint{implicit, upgraded}
}

// IMAPEndpoints are the servers of the mailbox, the best first.
func (p *Provider) IMAPEndpoints() []Endpoint {
	return []Endpoint{
		{IMAPHost, p.announced(config.PortIMAPS), config.SecurityTLS},
		{IMAPHost, p.announced(config.PortIMAP), config.SecurityStartTLS},
	}
}

// announced is the port under which the name server and the lists announce a service.
func (p *Provider) announced(port int) int {
	if !p.options.Serve {
		return port
	}
	address, err := netip.ParseAddrPort(p.ports.v4[port])
	if err != nil {
		panic("rehearsal: no such service: " + err.Error())
	}
	return int(address.Port())
}
