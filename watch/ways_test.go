package watch

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// hook is a server that takes notices.
type hook struct {
	url    string
	mu     sync.Mutex
	bodies []string
	paths  []string
}

func (b *bench) startHook(answer int, location string) *hook {
	b.t.Helper()
	h := &hook{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bodies, h.paths = append(h.bodies, string(body)), append(h.paths, r.URL.Path)
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(answer)
	}))
	cert, err := b.ca.Certificate(certificates.Good, "127.0.0.1")
	b.must(err)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	b.t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hook) taken() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bodies
}

// fails does the two rounds after which someone is told.
func (b *bench) fails() Outcome {
	b.t.Helper()
	b.find("durand", refused()...)
	b.round()
	return b.round()
}

// TestURL: a URL gets the notice as JSON, and is shown without its path, which often is a secret.
func TestURL(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	h := b.startHook(http.StatusNoContent, "")
	b.change(func(f *config.File) {
		f.Watch.Notify, f.Watch.AllowNetworks = []string{h.url + "/services/S3cret"}, []string{"127.0.0.0/8"}
	})
	o := b.fails()
	if len(o.Notices) != 1 || o.Notices[0].Result != SentTaken || strings.Contains(o.Notices[0].To, "S3cret") {
		t.Fatalf("%+v", o.Notices)
	}
	var got payload
	if bodies := h.taken(); len(bodies) != 1 || json.Unmarshal([]byte(bodies[0]), &got) != nil {
		t.Fatalf("%q", bodies)
	}
	if got.Event != KindFailing || got.Profile != "durand" || got.Address != author || len(got.Checks) != 1 ||
		got.Checks[0].Cause != check.CauseWrongPassword || got.Checks[0].Code != "A-14" || got.Subject == "" ||
		!strings.Contains(got.Text, "Support: +33") {
		t.Errorf("%+v", got)
	}
	if len(taken(t, b.fallback)) > 0 {
		t.Error("the owner was told as well")
	}
}

// TestURLsThatAreNotReached: addresses of this machine and of private networks, whatever the name, and redirects.
func TestURLsThatAreNotReached(t *testing.T) {
	t.Parallel()
	elsewhere := func(b *bench) (url string, reached *hook) {
		inner := b.startHook(http.StatusOK, "")
		return b.startHook(http.StatusFound, inner.url).url, inner
	}
	for name, row := range map[string]struct {
		target func(*bench) (string, *hook)
		allow  []string
	}{
		"this machine": {func(b *bench) (string, *hook) { h := b.startHook(http.StatusOK, ""); return h.url, h }, nil},
		"another network is allowed": {
			func(b *bench) (string, *hook) { h := b.startHook(http.StatusOK, ""); return h.url, h },
			[]string{"10.0.0.0/8", "::1"},
		},
		"a redirect": {elsewhere, []string{"127.0.0.1"}},
		"a name that leads to a private network": {
			func(*bench) (string, *hook) { return "https://smtp.private.example/", &hook{} }, nil,
		},
	} {
		b := newBench(t, nil, nil)
		url, reached := row.target(b)
		b.change(func(f *config.File) { f.Watch.Notify, f.Watch.AllowNetworks = []string{url}, row.allow })
		if o := b.fails(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting || len(reached.taken()) > 0 {
			t.Errorf("%s: %+v, reached %d times", name, o.Notices, len(reached.taken()))
		}
		if o := b.round(); len(o.Notices) != 1 {
			t.Errorf("%s: it is not tried again", name)
		}
	}
}

// TestDialledAddressesAreJudged: the judgement is about the address that is dialled, so that a name cannot lead
// elsewhere between the question and the connection.
func TestDialledAddressesAreJudged(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	network := b.watcher.outside([]string{"192.0.2.0/24"})
	for address, want := range map[string]bool{
		"127.0.0.1:443": false, "[::1]:443": false, "10.1.2.3:443": false, "[::ffff:10.1.2.3]:443": false,
		"169.254.169.254:80": false, "100.64.0.1:443": false, "[fd00::1]:443": false, "[64:ff9b::a00:1]:443": false,
		"192.0.2.9:443": true, "198.51.100.7:443": false, "8.8.8.8:443": true,
	} {
		if err := network.Permit(netip.MustParseAddrPort(address)); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := network.DialContext(t.Context(), "tcp", b.own.Addr()); !errors.Is(err, wire.ErrAddressRefused) {
		t.Errorf("dialled: %v", err)
	}
	if b.watcher.Accounts.Network.Permitted != nil {
		t.Error("the network of the mail servers is restricted too")
	}
}

// TestCommand: a command gets the notice on its standard input.
func TestCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	file := filepath.Join(t.TempDir(), "notice.json")
	b.change(func(f *config.File) { f.Watch.Command = []string{"/usr/bin/tee", file} })
	o := b.fails()
	if len(o.Notices) != 1 || o.Notices[0] != (Sent{Kind: KindFailing, To: "command", Result: SentTaken}) {
		t.Fatalf("%+v", o.Notices)
	}
	var got payload
	if data, err := os.ReadFile(file); err != nil || json.Unmarshal(data, &got) != nil || got.Profile != "durand" {
		t.Errorf("%s, %v", data, err)
	}
	b.change(func(f *config.File) { f.Watch.Command = []string{"/bin/false"} })
	b.find("durand", passed()...)
	if o := b.round(); len(o.Notices) != 1 || o.Notices[0].Result != SentWaiting {
		t.Errorf("%+v", o.Notices)
	}
}

// TestServiceLooksAgain: the service finds the second failure within minutes, does not begin anew when it is started
// again, and finds what was mended without waiting for the next round.
func TestServiceLooksAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Watch.EveryHours = 24 })
	b.find("durand", passed()...)
	var rounds []Outcome
	// stay runs the service for a time, of which a minute passes with each look.
	stay := func(d time.Duration, then func()) {
		t.Helper()
		rounds = nil
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		end := b.clock().Add(d)
		b.watcher.pause = func() {
			if b.wait(look); !b.clock().Before(end) {
				stop()
			}
		}
		if then != nil {
			then()
		}
		_ = b.watcher.Stay(ctx, 0, nil, func(round Round, err error) {
			b.must(err)
			for _, o := range round.Profiles {
				if o.Profile == "durand" {
					rounds = append(rounds, o)
				}
			}
		})
	}
	stay(2*time.Hour, nil)
	if len(rounds) != 1 {
		t.Fatalf("%d rounds in two hours", len(rounds))
	}
	stay(time.Hour, nil)
	if len(rounds) != 0 {
		t.Errorf("%d rounds after a restart", len(rounds))
	}
	b.find("durand", refused()...)
	stay(21*time.Hour+30*time.Minute, nil)
	if len(rounds) < 2 || rounds[0].State != StateDoubtful || rounds[1].State != StateFailing {
		t.Fatalf("%+v", rounds)
	}
	if len(taken(t, b.fallback)) != 1 {
		t.Errorf("%d notices", len(taken(t, b.fallback)))
	}
	if len(b.resting) != 1 {
		t.Errorf("%v rest", b.resting)
	}
	b.find("durand", passed()...)
	stay(2*time.Minute, func() {
		b.must(os.WriteFile(b.secret("smtp.durand.example"), []byte("a-new-password\n"), 0o600))
	})
	if len(rounds) != 1 || rounds[0].State != StateWorking || len(rounds[0].Notices) != 1 {
		t.Errorf("after the password was stored again: %+v", rounds)
	}
	b.change(func(f *config.File) { f.Watch.EveryHours = 0 })
	stay(50*time.Hour, nil)
	if len(rounds) > 0 {
		t.Errorf("%d rounds without a watch", len(rounds))
	}
}

// TestServiceStartsBeforeTheNetwork: what could not be judged is looked at again soon, and not in a day.
func TestServiceStartsBeforeTheNetwork(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Watch.EveryHours = 24 })
	b.find("durand", result(check.NetLocal, check.Fail, check.CauseNoNetwork))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var states []State
	b.watcher.pause = func() {
		if b.wait(look); len(states) == 2 || b.clock().Sub(b.started) > time.Hour {
			stop()
		}
	}
	_ = b.watcher.Stay(ctx, 0, nil, func(round Round, err error) {
		b.must(err)
		for _, o := range round.Profiles {
			if o.Profile == "durand" {
				states = append(states, o.State)
			}
		}
		b.find("durand", passed()...)
	})
	if len(states) != 2 || states[0] != StateUnjudged || states[1] != StateWorking {
		t.Errorf("%v within an hour", states)
	}
}

// TestNothingIsLeftAgain: where the message that a round filed could not be removed, none is filed in the next ones.
func TestNothingIsLeftAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	target := account.Target{
		Address: author, SentMode: config.SentAppend,
		IMAP: &config.Server{Host: "imap.durand.example", Port: 993, Security: config.SecurityTLS},
	}
	files := func() bool {
		watched, err := b.watcher.Queue.Store.Watched(t.Context())
		b.must(err)
		for _, plan := range b.watcher.plans(b.watcher.Accounts.Network, target, decodeRecord(watched["durand"].Detail)) {
			for _, c := range plan.Checks {
				if c.ID == check.IMAPAppend {
					return len(c.Needs) == 1 && c.Needs[0] == check.IMAPFolder
				}
			}
		}
		t.Fatal("the plan has no check of filing")
		return false
	}
	b.find("durand", passed()...)
	if b.round(); !files() {
		t.Error("nothing is filed although all is well")
	}
	b.find("durand", append(passed(), result(check.IMAPCleanup, check.Warn, check.CauseCleanupFailed))...)
	if b.round(); files() {
		t.Error("once more a message is filed that may stay")
	}
	if b.wait(spare); !files() {
		t.Error("nothing is ever filed again")
	}
}

// TestRefusedPasswordRests: at a server that counts, a refused password is tried twice, and again only when it changed
// or after a day.
func TestRefusedPasswordRests(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}, nil)
	b.watcher.try = nil
	for range 5 {
		b.round("durand")
	}
	if n := said(b.own, "AUTH"); n != enough {
		t.Errorf("tried %d times", n)
	}
	if letters := taken(t, b.fallback); len(letters) != 1 || !strings.Contains(letters[0].text, "535 5.7.8 Error") {
		t.Errorf("%+v", letters)
	}
	b.must(os.WriteFile(b.secret("smtp.durand.example"), []byte("another#password-8\n"), 0o600))
	b.round("durand")
	if n := said(b.own, "AUTH"); n != enough+1 {
		t.Errorf("with a new password: tried %d times", n)
	}
	b.wait(rest)
	b.round("durand")
	if n := said(b.own, "AUTH"); n != enough+2 {
		t.Errorf("after a day: tried %d times", n)
	}
}

// TestDeadResolverIsNoAlarm: a name service that does not answer says nothing about the profiles.
func TestDeadResolverIsNoAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.watcher.try = nil
	if o := b.round(); o.State != StateWorking {
		t.Fatalf("%+v", o)
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0") // reads nothing
	b.must(err)
	t.Cleanup(func() { _ = silent.Close() })
	network := *b.watcher.Accounts.Network
	network.Resolver, err = wire.ResolverAt(silent.LocalAddr().String())
	b.must(err)
	network.Timeout = 300 * time.Millisecond
	b.watcher.Accounts.Network = &network
	for range 3 {
		if o := b.round(); o.State != StateUnjudged || len(o.Notices) > 0 || o.exit == 0 {
			t.Errorf("%s, %s, exit %d", o.State, o.Cause, o.exit)
		}
	}
	if len(taken(t, b.own))+len(taken(t, b.fallback)) > 0 {
		t.Error("somebody was told")
	}
}
