package mailserver

// DeadPort is an address on loopback that behaves like a broken network. It is reserved until Close, so that no other
// program can be given the port meanwhile.
type DeadPort struct {
	addr  string
	close func()
}

// Addr is the address, host:port.
func (d *DeadPort) Addr() string { return d.addr }

// Close gives the port back.
func (d *DeadPort) Close() { d.close() }

// StartRefused reserves a port for a test on which connecting is refused at once.
func StartRefused(t TB) *DeadPort { t.Helper(); return startDead(t, Refused) }

// StartBlackhole reserves a port for a test on which connecting never ends.
func StartBlackhole(t TB) *DeadPort { t.Helper(); return startDead(t, Blackhole) }

func startDead(t TB, open func(host string) (*DeadPort, error)) *DeadPort {
	t.Helper()
	d, err := open("127.0.0.1")
	if err != nil {
		t.Fatalf("mailserver: %v", err)
		return nil
	}
	t.Cleanup(d.Close)
	return d
}
