// Package deadport reserves ports on loopback that refuse connections or swallow them.
package deadport

// Port is an address on loopback that behaves like a broken network. It is reserved until Close, so that no other
// program can get the port.
type Port struct {
	addr  string
	close func()
}

// Addr is the address, host:port.
func (d *Port) Addr() string { return d.addr }

// Close gives the port back.
func (d *Port) Close() { d.close() }
