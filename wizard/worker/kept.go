package worker

import (
	"sync"
	"time"

	"postier/internal/imap"
	"postier/internal/sasl"
	"postier/internal/smtp"
)

// keptFor is how long a connection waits for its next use: shorter than the shortest patience of servers and of the
// devices between that forget silent connections.
const keptFor = time.Minute

// kept are the connections that the checks of the two servers leave open for the test message, so that each server sees
// one sign-in in a whole set-up, and not two.
type kept struct {
	submission held[*smtp.Client]
	mailbox    held[*imap.Session]
}

// held is one open connection and the account it is signed in to.
type held[C interface {
	comparable
	Close()
}] struct {
	mu    sync.Mutex
	conn  C
	owner owner
	timer *time.Timer
}

// owner is whom a connection belongs to: the account, and the roots by which the server was recognised.
type owner struct {
	account sasl.Account
	roots   string
}

// keep holds a connection until it is taken, for a minute at most; none ends the one that is held.
func (h *held[C]) keep(conn C, of owner) {
	h.drop()
	var none C
	if conn == none {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn, h.owner = conn, of
	h.timer = time.AfterFunc(keptFor, func() { h.end(conn) })
}

// take returns the connection if it belongs to the owner, else none. Whichever it is, none is held then.
func (h *held[C]) take(of owner) C {
	h.mu.Lock()
	conn, owner := h.release()
	h.mu.Unlock()
	var none C
	if conn != none && (owner.roots != of.roots || !owner.account.Same(of.account)) {
		conn.Close()
		return none
	}
	return conn
}

// drop ends the connection that is held.
func (h *held[C]) drop() {
	h.mu.Lock()
	conn, _ := h.release()
	h.mu.Unlock()
	var none C
	if conn != none {
		conn.Close()
	}
}

// end ends a connection if it is still the one that is held.
func (h *held[C]) end(conn C) {
	h.mu.Lock()
	mine := h.conn == conn
	if mine {
		_, _ = h.release()
	}
	h.mu.Unlock()
	if mine {
		conn.Close()
	}
}

// release lets go of what is held. The caller holds the lock.
func (h *held[C]) release() (conn C, of owner) {
	conn, of = h.conn, h.owner
	if h.timer != nil {
		h.timer.Stop()
	}
	var none C
	h.conn, h.owner, h.timer = none, owner{}, nil
	return conn, of
}

// Close ends the connections that are kept between two requests.
func (w *Worker) Close() {
	w.kept.submission.drop()
	w.kept.mailbox.drop()
}
