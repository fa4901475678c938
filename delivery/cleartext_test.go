package delivery

import (
	"testing"

	"postier/config"
	"postier/internal/scripted"
)

// docs/security.md T1: nothing crosses a network on the way to this machine, so that a profile needs no mark there.
// What the wizard proves without encryption is sent without it; a server elsewhere is refused before anything is said.
func TestCleartextToThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host string
		want State
	}{{"127.0.0.1", StateSent}, {smtpHost, StateWaiting}} {
		b := newBench(t, nil, nil)
		b.own = scripted.StartSMTP(t, scripted.Options{})
		p := profileAt(c.host, author)
		p.Submission = config.Server{
			Host: c.host, Port: 25, Security: config.SecurityNone, Auth: config.MechanismNone,
		}
		p.Credential = config.Credential{}
		if try := b.queue.Sender.Send(t.Context(), "durand", p, b.item(), nil); try.State != c.want {
			t.Errorf("%s: %+v", c.host, try)
		}
	}
}
