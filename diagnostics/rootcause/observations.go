package rootcause

import (
	"net/netip"

	"postier/internal/safetext"
	"postier/internal/wire"
)

// Routes is how this machine is connected.
type Routes struct {
	Addresses []netip.Addr `json:"addresses"`
	IPv4      bool         `json:"ipv4_route"`
	IPv6      bool         `json:"ipv6_route"`
}

// NameService is what the name service said in this run and to the control questions.
type NameService struct {
	Servers  []netip.Addr   `json:"servers"`
	Answered int            `json:"answered"`
	Denied   int            `json:"denied"`
	Failed   []wire.Failure `json:"failed,omitzero"`
	Controls []Control      `json:"controls"`
	Invented []netip.Addr   `json:"invented,omitzero"`
}

// Control is a question whose answer is known beforehand.
type Control struct {
	Name    safetext.Remote `json:"name"`
	Exists  bool            `json:"exists"`
	Outcome string          `json:"outcome"`
}

// Kind implements diagnostics.Observation.
func (Routes) Kind() string { return "routes" }

// Kind implements diagnostics.Observation.
func (NameService) Kind() string { return "name-service" }
