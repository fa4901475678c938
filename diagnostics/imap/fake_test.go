package imap

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
	"postier/internal/wire"
)

const (
	host     = "imap.durand.example"
	user     = "marie@durand.example"
	password = "c4nary-Gr#üße"
)

// fake is a small IMAP server with mailboxes, for what a script without memory cannot play.
type fake struct {
	caps    string // after sign-in
	folders []string
	boxes   map[string][]stored
	quota   string
	alter   func([]byte) []byte
	// cut ends the connection in the middle of the first APPEND, keep tells whether the message was taken.
	cut, keep bool
	flatList  bool // LIST … RETURN is answered with BAD

	mu       sync.Mutex
	nextUID  int
	commands []string
	conns    int
}

type stored struct {
	uid     int
	raw     []byte
	deleted bool
}

const usualCaps = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE SPECIAL-USE LIST-EXTENDED ID QUOTA"

func newFake() *fake {
	return &fake{
		caps: usualCaps, folders: []string{`(\HasNoChildren) "/" INBOX`, `(\Sent) "/" Sent`},
		boxes: map[string][]stored{"INBOX": nil, "Sent": nil}, quota: "(STORAGE 10 1000)", nextUID: 7,
	}
}

func (f *fake) start(t *testing.T, ca *certificates.CA) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0",
		&tls.Config{Certificates: []tls.Certificate{*scripted.Leaf(t, ca, certificates.Good, host)}})
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			done.Go(func() { defer func() { _ = conn.Close() }(); f.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); done.Wait() })
	return listener.Addr().String()
}

func (f *fake) serve(conn net.Conn) {
	f.mu.Lock()
	f.conns++
	f.mu.Unlock()
	in := bufio.NewReader(conn)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready")
	selected := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		tag, rest, _ := strings.Cut(line, " ")
		var literal []byte
		if open := strings.LastIndexByte(rest, '{'); open >= 0 && strings.HasSuffix(rest, "}") {
			n, _ := strconv.Atoi(strings.TrimSuffix(rest[open+1:len(rest)-1], "+"))
			if !strings.HasSuffix(rest, "+}") {
				say("+ go")
			}
			if f.cutsNow() {
				if f.keep {
					literal = make([]byte, n)
					_, _ = io.ReadFull(in, literal)
					f.store(quotedName(rest), literal)
				}
				return
			}
			literal = make([]byte, n)
			if _, err := io.ReadFull(in, literal); err != nil {
				return
			}
			_, _ = in.ReadString('\n')
		}
		verb, _, _ := strings.Cut(rest, " ")
		if verb == "UID" {
			verb = strings.Join(strings.Fields(rest)[:2], " ")
		}
		f.mu.Lock()
		f.commands = append(f.commands, rest)
		f.mu.Unlock()
		if verb == "LOGOUT" {
			return
		}
		if verb == "SELECT" {
			selected = quotedName(rest)
		}
		f.answer(say, tag, verb, rest, selected, literal)
	}
}

func (f *fake) cutsNow() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := f.cut
	f.cut = false
	return cut
}

func (f *fake) store(folder string, raw []byte) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.alter != nil {
		raw = f.alter(raw)
	}
	uid := f.nextUID
	f.nextUID++
	f.boxes[folder] = append(f.boxes[folder], stored{uid: uid, raw: raw})
	return uid
}

func quotedName(rest string) string {
	_, name, _ := strings.Cut(rest, `"`)
	name, _, _ = strings.Cut(name, `" `)
	return strings.TrimSuffix(name, `"`)
}

func (f *fake) answer(say func(string, ...any), tag, verb, rest, selected string, literal []byte) {
	ok := func() { say("%s OK done", tag) }
	switch verb {
	case "AUTHENTICATE":
		say("%s OK [CAPABILITY %s] in", tag, f.caps)
	case "NAMESPACE":
		say(`* NAMESPACE (("" "/")) NIL NIL`)
		ok()
	case "ID":
		say(`* ID ("name" "fake")`)
		ok()
	case "LIST", "XLIST":
		if f.flatList && strings.Contains(rest, "RETURN") {
			say("%s BAD extended LIST is not known", tag)
			return
		}
		f.mu.Lock()
		folders := slices.Clone(f.folders)
		f.mu.Unlock()
		for _, folder := range folders {
			say("* %s %s", verb, folder)
		}
		ok()
	case "CREATE":
		f.mu.Lock()
		f.boxes[quotedName(rest)] = nil
		f.mu.Unlock()
		ok()
	case "APPEND":
		f.mu.Lock()
		_, there := f.boxes[quotedName(rest)]
		f.mu.Unlock()
		if !there {
			say("%s NO [TRYCREATE] no such mailbox", tag)
			return
		}
		uid := f.store(quotedName(rest), literal)
		if strings.Contains(f.caps, "UIDPLUS") {
			say("%s OK [APPENDUID 1 %d] done", tag, uid)
			return
		}
		ok()
	case "GETQUOTAROOT":
		say(`* QUOTAROOT INBOX "r"`)
		say(`* QUOTA "r" %s`, f.quota)
		ok()
	default:
		f.mailbox(say, tag, verb, rest, selected)
	}
}

func (f *fake) mailbox(say func(string, ...any), tag, verb, rest, selected string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	box := f.boxes[selected]
	words := strings.Fields(rest)
	uid := 0
	if len(words) > 2 {
		uid, _ = strconv.Atoi(words[2])
	}
	switch verb {
	case "SELECT":
		say("* %d EXISTS", len(box))
	case "UID SEARCH":
		var hits []string
		for _, m := range box {
			hit := words[2] == "DELETED" && m.deleted
			hit = hit || (words[2] == "UID" && words[3] == strconv.Itoa(m.uid))
			hit = hit || (words[2] == "HEADER" && strings.Contains(string(m.raw), "Message-ID: "+strings.Trim(words[4], `"`)))
			if hit {
				hits = append(hits, strconv.Itoa(m.uid))
			}
		}
		say("* SEARCH %s", strings.Join(hits, " "))
	case "UID FETCH":
		for i, m := range box {
			if m.uid == uid {
				say("* %d FETCH (UID %d BODY[] {%d}\r\n%s FLAGS (\\Seen))", i+1, m.uid, len(m.raw), m.raw)
			}
		}
	case "UID STORE":
		for i := range box {
			if box[i].uid == uid {
				box[i].deleted = true
			}
		}
	case "UID EXPUNGE":
		f.boxes[selected] = slices.DeleteFunc(box, func(m stored) bool { return m.deleted && m.uid == uid })
	case "EXPUNGE":
		f.boxes[selected] = slices.DeleteFunc(box, func(m stored) bool { return m.deleted })
	}
	say("%s OK done", tag)
}

func (f *fake) said(prefix string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.commands, func(c string) bool { return strings.HasPrefix(c, prefix) })
}

func (f *fake) count(folder string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.boxes[folder])
}

// network dials address whatever the host is called; names of .example resolve to loopback.
func network(t *testing.T, ca *certificates.CA, address string) *wire.Network {
	t.Helper()
	return &wire.Network{
		Resolver: resolver(t), Roots: ca.Roots(),
		Route: func(string, string, int) (string, bool) { return address, address != "" },
	}
}

func target(security config.Security) account.Target {
	port := config.PortIMAPS
	if security != config.SecurityTLS {
		port = config.PortIMAP
	}
	return account.Target{
		Address: user, SentMode: config.SentAppend, Secret: secret.New(password), SecretType: config.SecretPassword,
		IMAP: &config.Server{Host: host, Port: port, Security: security, Username: user},
	}
}

func runPlan(t *testing.T, n *wire.Network, target account.Target, options Options) []diagnostics.Result {
	t.Helper()
	return diagnostics.Run(t.Context(), nil, Plan(n, target, options))
}

func find(t *testing.T, results []diagnostics.Result, id check.ID) diagnostics.Result {
	t.Helper()
	r, ok := diagnostics.Find(results, id)
	if !ok {
		t.Fatalf("no result for %s", id)
	}
	return r
}

func resolver(t *testing.T) *wire.Resolver {
	t.Helper()
	server := scripted.StartDNS(t, "imap.durand.example. IN A 127.0.0.1\ntext.durand.example. IN TXT x\n")
	r, err := wire.ResolverAt(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
