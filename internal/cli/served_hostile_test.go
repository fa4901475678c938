package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postier/internal/cli/command"
	"postier/internal/rehearsal/nameserver"
	"postier/internal/safefile/safefiletest"
	"postier/internal/screenshot"
)

// host is a running `postier serve` with the program as it is, and the keys of those who may come.
type host struct {
	t       *testing.T
	address string
	root    string
	keys    map[string]gossh.Signer
	locale  string // LC_ALL of whoever comes
	err     transcript
	end     func() int
}

// transcript is what was written, for readers at any time.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// startHost starts the server; names are of people, except `support`, which has that role.
func startHost(t *testing.T, names []string, flags ...string) *host {
	t.Helper()
	if raceDetector {
		// Bubble Tea v2.0.10 closes its reader's own pipe and epoll when its context ends, while they are read. It hurts
		// no one, since the reader then ends, but every test that breaks a session off would fail. The packages of the
		// server are tested for races without it.
		t.Skip("the reader of Bubble Tea is closed while it reads")
	}
	home := safefiletest.Home(t)
	h := &host{
		t: t, root: filepath.Join(home, "served"), keys: map[string]gossh.Signer{}, locale: "en_US.UTF-8",
	}
	var text strings.Builder
	for _, name := range names {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if h.keys[name], err = gossh.NewSignerFromKey(private); err != nil {
			t.Fatal(err)
		}
		role := ""
		if name == "support" {
			role = `postier-role="support",`
		}
		fmt.Fprintf(&text, "%spostier-user=%q %s", role, name, gossh.MarshalAuthorizedKey(h.keys[name].PublicKey()))
	}
	keys := filepath.Join(home, "keys")
	if err := os.WriteFile(keys, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	zone, err := nameserver.Parse("localhost. IN A 127.0.0.1\nexample. IN SOA ns.example. x.example. 1 60 60 60 60\n")
	if err != nil {
		t.Fatal(err)
	}
	dns, err := nameserver.Serve(zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dns.Close)
	var out transcript
	ctx, stop := context.WithCancel(context.Background())
	f := command.NewFactory(command.Streams{Out: &out, Err: &h.err, Getenv: func(name string) string {
		return map[string]string{"HOME": home, "POSTIER_RESOLVER": dns.Addr()}[name]
	}}, version)
	root := newRoot(f, "")
	args := []string{"serve", "--listen", "127.0.0.1:0", "--root", h.root, "--authorized-keys", keys}
	root.SetArgs(append(args, flags...))
	code := make(chan int, 1)
	go func() { code <- exit(f, root.ExecuteContext(ctx)) }()
	h.end = sync.OnceValue(func() int { stop(); return <-code })
	t.Cleanup(func() { h.end() })
	h.until("listen", func() bool { return strings.Contains(h.err.String(), "event=listening") })
	_, after, _ := strings.Cut(h.err.String(), "event=listening from=")
	h.address = strings.Fields(after)[0]
	return h
}

func (h *host) until(what string, true_ func() bool) {
	h.t.Helper()
	const patience = 4 * time.Minute // of a machine that is busy with other things
	for late := time.Now().Add(patience); !true_(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			h.t.Fatalf("the server did not %s:\n%s", what, h.err.String())
		}
	}
}

// client is someone at a terminal of the server.
type client struct {
	h      *host
	raw    *net.TCPConn
	conn   *gossh.Client
	tty    *gossh.Session
	in     io.Writer
	screen *screenshot.Terminal
	octets transcript // everything that was drawn
	ended  chan error
}

// visit signs in and opens a terminal; asked is the command of a key with a role.
func (h *host) visit(name string, width, height int, asked string) (*client, error) {
	dialled, err := net.Dial("tcp", h.address)
	if err != nil {
		return nil, err
	}
	v := &client{h: h, raw: dialled.(*net.TCPConn), screen: screenshot.New(width, height), ended: make(chan error, 1)}
	conn, channels, requests, err := gossh.NewClientConn(dialled, h.address, &gossh.ClientConfig{
		User: "x", Auth: []gossh.AuthMethod{gossh.PublicKeys(h.keys[name])}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return nil, err
	}
	v.conn = gossh.NewClient(conn, channels, requests)
	session, err := v.conn.NewSession()
	if err != nil {
		return nil, err
	}
	v.tty, session.Stdout, session.Stderr = session, v, v
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	v.in = in
	go v.screen.Answer(in)
	begin := session.Shell
	if asked != "" {
		begin = func() error { return session.Start(asked) }
	}
	if err := errors.Join(session.Setenv("LC_ALL", h.locale),
		session.RequestPty("xterm-256color", height, width, nil), begin()); err != nil {
		return nil, err
	}
	go func() { v.ended <- session.Wait() }()
	return v, nil
}

// enter is visit for the test's own goroutine.
func (h *host) enter(name string, asked ...string) *client {
	h.t.Helper()
	return h.enterSized(name, 80, 24, asked...)
}

func (h *host) enterSized(name string, width, height int, asked ...string) *client {
	h.t.Helper()
	v, err := h.visit(name, width, height, strings.Join(asked, " "))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = v.conn.Close(); _ = v.screen.Close() })
	return v
}

func (v *client) Write(p []byte) (int, error) {
	_, _ = v.octets.Write(p)
	return v.screen.Write(p)
}

func (v *client) press(keys string) { _, _ = io.WriteString(v.in, keys) }

// sees waits until the screen shows a text.
func (v *client) sees(text string) error {
	for late := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if strings.Contains(v.screen.Text(), text) {
			return nil
		}
		if time.Now().After(late) {
			return fmt.Errorf("the screen does not show %q:\n%s", text, v.screen.Text())
		}
	}
}

// walk presses and looks in turn: keys, then what they lead to.
func (v *client) walk(keysAndTexts ...string) error {
	for i := 0; i+1 < len(keysAndTexts); i += 2 {
		v.press(keysAndTexts[i])
		if err := v.sees(keysAndTexts[i+1]); err != nil {
			return fmt.Errorf("after %q: %w", keysAndTexts[i], err)
		}
	}
	return nil
}

// reset lets the client be gone from one moment to the next.
func (v *client) reset() {
	_ = v.raw.SetLinger(0)
	_ = v.raw.Close()
}

// byHand leads from the first step to the password: no one knows the domain, and its servers are typed.
func byHand(address, server string) []string {
	return []string{
		"", "Step 1/12", address, address, "\r", "Nothing was found", "\r", "Step 3/12",
		server, server, "\r", "The server of your mailbox",
	}
}

// TestFiftyPeopleInTheWizard: fifty people are in the real wizard at once, at the same steps, and not one octet of what
// one of them typed is drawn for another.
func TestFiftyPeopleInTheWizard(t *testing.T) {
	t.Parallel()
	const people = 50
	var names []string
	for n := range people {
		names = append(names, fmt.Sprintf("person-%02d", n))
	}
	h := startHost(t, names, "--max-sessions", "60", "--max-per-address", "100")
	drawn := make([]string, people)
	var all sync.WaitGroup
	places := make(chan struct{}, 5) // a source may have ten half-open connections
	for n, name := range names {
		all.Go(func() {
			places <- struct{}{}
			v, err := h.visit(name, 80, 24, "")
			<-places
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = v.conn.Close() }()
			mark := fmt.Sprintf("mark%02dmark", n)
			err = v.walk(append(byHand(mark+"@"+mark+".example", "smtp."+mark+".example"),
				"\r", "Step 5/12", "pw-"+mark+"-pw", "•••")...)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			drawn[n] = v.octets.String()
		})
	}
	all.Wait()
	for n, text := range drawn {
		own := fmt.Sprintf("mark%02dmark", n)
		for _, mark := range regexp.MustCompile(`mark\d\dmark|person-\d\d`).FindAllString(text, -1) {
			if mark != own {
				t.Errorf("person %d was shown %q", n, mark)
			}
		}
		if !strings.Contains(text, own) || strings.Contains(text, "pw-") {
			t.Errorf("person %d: own text shown %v, password shown %v", n, strings.Contains(text, own),
				strings.Contains(text, "pw-"))
		}
	}
	for n, name := range names {
		data, err := os.ReadFile(filepath.Join(h.root, name, "draft.json"))
		if err != nil || strings.Count(string(data), "mark") == 0 ||
			strings.ReplaceAll(string(data), fmt.Sprintf("mark%02dmark", n), "") != strings.Join(
				regexp.MustCompile(`mark\d\dmark`).Split(string(data), -1), "") {
			t.Errorf("the draft of %s: %v %s", name, err, data)
		}
	}
}

// TestHostsTypedIntoAServedScreen: whatever name of this machine or its network a person types, it is refused with the
// same words as any other address that is not public, and no connection is made.
func TestHostsTypedIntoAServedScreen(t *testing.T) {
	t.Parallel()
	names := []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "localhost", "0.0.0.0", "::1"}
	var people []string
	for n := range names {
		people = append(people, fmt.Sprintf("guest-%d", n))
	}
	h := startHost(t, people)
	cards := make([]string, len(names))
	var all sync.WaitGroup
	for n, name := range names {
		v := h.enter(people[n])
		all.Go(func() {
			err := v.walk(append(byHand("anna@typed.example", name), "\r", "Step 5/12", "secret-of-anna", "•••", "\r",
				"What to do")...)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_, card, _ := strings.Cut(v.screen.Text(), "FAIL")
			cards[n], _, _ = strings.Cut(card, "What to do")
		})
	}
	all.Wait()
	for n, card := range cards {
		if !strings.Contains(card, "N-85") || card != cards[0] {
			t.Errorf("%s: %s", names[n], card)
		}
	}
}

// practice leads through all steps of the rehearsal; the password is the one that its first lines show.
func practice(password string) [][2]string {
	return [][2]string{
		{"\r", "Step 1/12"},
		{"\r", "Step 2/12"},
		{"", "Poste Démo"},
		{"\r", "Step 4/12"},
		{"\r", "Step 5/12"},
		{password, "•••"},
		{"\r", "Step 6/12"},
		{"", "Enter Continue"},
		{"\r", "Step 7/12"},
		{"", "Enter Continue"},
		{"\r", "Step 8/12"},
		{"", "[Send myself a test message"},
		{"\r", "Step 9/12"},
		{"", "Enter Continue"},
		{"\r", "Step 10/12"},
		{"\r", "Step 11/12"},
		{"\r", "Step 12/12"},
	}
}

var practicePassword = regexp.MustCompile(`[a-z]{4}(-[a-z]{4}){3}`)

// TestResetInEveryStep: a connection is reset in each step of the wizard, in the middle of the password and while
// checks run. The places are free again, the programs have ended, and nothing of them is left on the disk.
func TestResetInEveryStep(t *testing.T) {
	temp := safefiletest.Home(t)
	t.Setenv("TMPDIR", temp)
	stops := len(practice(""))
	h := startHost(t, []string{"anna"}, "--demo", "--max-per-user", "50", "--max-per-address", "100")
	var all sync.WaitGroup
	places := make(chan struct{}, 4)
	for stop := range stops + 1 {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			v, err := h.visit("anna", 80, 24, "")
			if err != nil {
				t.Error(err)
				return
			}
			if err := v.sees("password to type"); err != nil {
				t.Error(err)
			}
			for _, step := range practice(practicePassword.FindString(v.screen.Text()))[:stop] {
				if err := v.walk(step[0], step[1]); err != nil {
					t.Errorf("%d: %v", stop, err)
					break
				}
			}
			v.reset()
		})
	}
	all.Wait()
	h.until("end every session", func() bool { return strings.Count(h.err.String(), "event=end ") == stops+1 })
	h.until("remove what was written", func() bool {
		left, err := os.ReadDir(temp)
		return err == nil && len(left) == 0
	})
	if strings.Contains(h.err.String(), "event=panic") {
		t.Error(h.err.String())
	}
	v := h.enter("anna") // and there is a place
	if err := v.sees("password to type"); err != nil {
		t.Error(err)
	}
	if code := h.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind by a server that was stopped: %v", left)
	}
}

// TestGoneAtThePassword: a person's connection is reset in the middle of a password. Support, who looks on, is told
// that the person is gone. Who comes back is asked for the password again, and finds everything else.
func TestGoneAtThePassword(t *testing.T) {
	t.Parallel()
	h := startHost(t, []string{"anna", "support"})
	v := h.enter("anna")
	if err := v.walk(append(byHand("anna@gone.example", "192.0.2.1"), "\r", "Step 5/12", "half-a-pass", "•••",
		"\x1b[17~", "Tell support")...); err != nil {
		t.Fatal(err)
	}
	helper := h.enter("support", "join", spokenCode.FindString(v.screen.Text()))
	if err := errors.Join(helper.sees("Step 5/12"), v.sees("IS LOOKING")); err != nil {
		t.Fatal(err)
	}
	v.reset()
	if err := helper.sees("The connection to the person’s program is gone"); err != nil {
		t.Error(err)
	}
	h.resumed("anna", "anna@gone.example", "half-a-pass", helper.octets.String())
}

// resumed looks at what is left of a session that ended at the password: everything but that.
func (h *host) resumed(name, address, password string, seen ...string) {
	h.t.Helper()
	h.until("end the session", func() bool { return strings.Contains(h.err.String(), "event=end account="+name) })
	draft, err := os.ReadFile(filepath.Join(h.root, name, "draft.json"))
	if err != nil || !strings.Contains(string(draft), address) {
		h.t.Errorf("the draft: %v %s", err, draft)
	}
	again := h.enter(name)
	if err := again.sees("Step 5/12"); err != nil {
		h.t.Error(err)
	}
	if strings.Contains(again.screen.Text(), "••") {
		h.t.Errorf("a password is still there:\n%s", again.screen.Text())
	}
	for _, text := range append(seen, string(draft), h.err.String(), again.octets.String()) {
		if strings.Contains(text, password) || strings.Contains(text, password[1:]) {
			h.t.Errorf("the password is in %q", text)
		}
	}
}

// TestIdleAtThePassword: a screen that was left alone at the password is cleared, in words, and the password is gone.
func TestIdleAtThePassword(t *testing.T) {
	t.Parallel()
	h := startHost(t, []string{"anna"}, "--idle", "20s") // longer than the wizard takes from key to key
	v := h.enter("anna")
	steps := append(byHand("anna@idle.example", "192.0.2.1"), "\r", "Step 5/12", "left-alone", "•••")
	if err := v.walk(steps...); err != nil {
		t.Fatal(err)
	}
	if err := v.sees("Closed because no key was pressed"); err != nil {
		t.Errorf("%v\n%s", err, h.err.String())
	}
	if text := v.screen.Text(); v.screen.Full() || strings.Contains(text, "••") || strings.Contains(text, "Step 5") {
		t.Errorf("the screen was not cleared:\n%s", text)
	}
	h.resumed("anna", "anna@idle.example", "left-alone", v.octets.String())
	if log := h.err.String(); !strings.Contains(log, "reason=idle") {
		t.Errorf("%s", log)
	}
}

// storm sends a thousand changes of the window and a hundred thousand keys as fast as they go, and a paste at the end.
func (v *client) storm(key string) error {
	for n := range 1000 {
		if err := v.tty.WindowChange(10+n%90, 20+n%200); err != nil {
			return err
		}
		if _, err := io.WriteString(v.in, strings.Repeat(key, 100)); err != nil {
			return err
		}
	}
	if err := v.tty.WindowChange(24, 80); err != nil {
		return err
	}
	_, err := io.WriteString(v.in, "\x1b[200~"+strings.Repeat("x", 1<<20)+"\x1b[201~")
	return err
}

// TestStorm: while one person and the helper of another one flood the wizard with keys, pastes and changes of size, a
// third goes on as ever, the person with the helper keeps the screen as it is, and no key of the helper's has reached a
// field. Both who flooded have their own sessions back afterwards.
func TestStorm(t *testing.T) {
	t.Parallel()
	h := startHost(t, []string{"anna", "bert", "carla", "support"})
	v := h.enter("anna")
	if err := v.walk("", "Step 1/12", "anna@storm.example", "anna@storm.example", "\x1b[17~", "Tell support"); err != nil {
		t.Fatal(err)
	}
	helper := h.enter("support", "join", spokenCode.FindString(v.screen.Text()))
	if err := errors.Join(helper.sees("Step 1/12"), v.sees("IS LOOKING")); err != nil {
		t.Fatal(err)
	}
	before := v.screen.Text()
	bert, carla := h.enter("bert"), h.enter("carla")
	var all sync.WaitGroup
	all.Go(func() {
		if err := helper.storm("\t"); err != nil {
			t.Errorf("the helper: %v", err)
		}
	})
	all.Go(func() {
		if err := bert.storm("k"); err != nil {
			t.Errorf("the flood: %v", err)
		}
	})
	if err := carla.walk(byHand("carla@calm.example", "192.0.2.1")...); err != nil {
		t.Error(err)
	}
	all.Wait()
	if after := v.screen.Text(); after != before {
		t.Errorf("the person's screen was\n%s\nand is\n%s", before, after)
	}
	if err := v.walk("\r", "Nothing was found"); err != nil { // and the address is as it was typed
		t.Error(err)
	}
	h.until("keep the address as it was typed", func() bool {
		draft, err := os.ReadFile(filepath.Join(h.root, "anna", "draft.json"))
		return err == nil && strings.Contains(string(draft), `"anna@storm.example"`)
	})
	if err := helper.sees("Step 2/12"); err != nil {
		t.Error(err)
	}
	h.until("answer the one who flooded", func() bool {
		return bert.answers("\x15here-again", func() bool { return strings.Contains(bert.screen.Text(), "here-again") })
	})
	h.until("answer the helper who flooded", func() bool { // w is where a line begins, and a letter of one that has begun
		return helper.answers("w\x15calm again\r", func() bool { return strings.Contains(v.screen.Text(), "calm again") })
	})
	if log := h.err.String(); strings.Contains(log, "event=panic") {
		t.Error(log)
	}
}

// answers presses keys, and reports whether that is seen soon. Where it is not, the keys may have been dropped as part
// of a flood. It does not wait for so long that a paste with a lost end mark would count as over.
func (v *client) answers(keys string, seen func() bool) bool {
	v.press(keys)
	for soon := time.Now().Add(200 * time.Millisecond); time.Now().Before(soon); time.Sleep(5 * time.Millisecond) {
		if seen() {
			return true
		}
	}
	return false
}

// TestCtrlCEndsTheView: on plain lines ctrl+c is the person's own wish, and support is told that the view has ended,
// not that the line was lost.
func TestCtrlCEndsTheView(t *testing.T) {
	t.Parallel()
	h := startHost(t, []string{"anna", "support"}, "--plain")
	v := h.enter("anna")
	if err := v.walk("", "Step 1 of 12", "+\r", "Tell support"); err != nil {
		t.Fatal(err)
	}
	helper := h.enter("support", "join", spokenCode.FindString(v.screen.Text()))
	if err := errors.Join(helper.sees("Step 1 of 12"), v.sees("is looking")); err != nil {
		t.Fatal(err)
	}
	v.press("\x03")
	if err := helper.sees("You are no longer looking"); err != nil {
		t.Error(err)
	}
	if err := <-helper.ended; err != nil {
		t.Error(err)
	}
}
