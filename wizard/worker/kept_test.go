package worker

import (
	"testing"

	"postier/config"
	"postier/internal/sasl"
	"postier/internal/secret"
)

type fakeConn struct{ closed int }

func (f *fakeConn) Close() { f.closed++ }

// TestHeld: a connection is given to the account it is signed in to, once, and to no other; what is not given is ended.
func TestHeld(t *testing.T) {
	t.Parallel()
	server := config.Server{Host: "smtp.durand.example", Port: 465}
	mine := owner{account: sasl.Account{Server: server, Secret: secret.New("x1")}}
	for name, change := range map[string]func(*owner){
		"another password": func(o *owner) { o.account.Secret = secret.New("x2") },
		"another server":   func(o *owner) { o.account.Server.Port = 587 },
		"another name":     func(o *owner) { o.account.Server.Username = "paul" },
		"other roots":      func(o *owner) { o.roots = "/ca.pem" },
		"a pin":            func(o *owner) { o.account.Pins = []string{"sha256:1"} },
	} {
		var h held[*fakeConn]
		conn, other := &fakeConn{}, mine
		change(&other)
		h.keep(conn, mine)
		if h.take(other) != nil || conn.closed != 1 || h.take(mine) != nil {
			t.Errorf("%s: closed %d times", name, conn.closed)
		}
	}
	var h held[*fakeConn]
	first, second := &fakeConn{}, &fakeConn{}
	h.keep(first, mine)
	h.keep(second, mine)
	h.end(first) // its time is over, and it is held no longer
	if first.closed != 1 || h.take(mine) != second || second.closed != 0 {
		t.Errorf("closed %d and %d times", first.closed, second.closed)
	}
	h.keep(second, mine)
	h.end(second)
	h.drop()
	if second.closed != 1 || h.take(mine) != nil {
		t.Errorf("closed %d times", second.closed)
	}
}
