package wire

import "time"

// Unread returns what the peer has sent beyond what was read, without waiting for more: a reply that no command asked
// for. It is empty on a connection that has ended, which the next Read reports.
func (c *Conn) Unread() []byte {
	// What has arrived may be a TLS record that carries no data, such as a session ticket (RFC 8446 §4.6.1). Reading it
	// would wait for the next record.
	const moment = 2 * time.Millisecond
	for len(c.pending) == 0 && readable(c.raw) {
		_ = c.bounded(c.raw.SetReadDeadline, time.Now().Add(moment))
		buf := make([]byte, readSize)
		n, err := c.receive(buf)
		c.pending = append(c.pending, buf[:n]...)
		_ = c.bounded(c.raw.SetReadDeadline, time.Time{})
		if err != nil && !IsTimeout(err) {
			break
		}
	}
	return c.pending
}
