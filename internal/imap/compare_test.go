package imap_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	gosasl "github.com/emersion/go-sasl"

	"postier/config"
	"postier/internal/imap"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/sasl"
	"postier/internal/secret"
	"postier/internal/wire"
)

// The second client is go-imap's, in a process of its own: one of its faults is a loop that nothing but the end of the
// process ends, and another leaves goroutines that wait for ever (docs/decisions/0001-imap-client.md).

// child is the variable that makes the test binary the second client.
const child = "POSTIER_SECOND_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		secondClient()
		return
	}
	os.Exit(m.Run())
}

// TestSecondClient visits the same servers with this package's client and with go-imap's, and compares the results.
func TestSecondClient(t *testing.T) {
	t.Parallel()
	servers := append(agreeingServers(), faultyServers()...)
	jobs := make([]job, len(servers))
	for i, s := range servers {
		jobs[i] = s.start(t)
	}
	second, _ := visit(t, time.Minute, jobs...)
	for i, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			compare(t, s, ours(t, nil, jobs[i]), second[s.name])
		})
	}
}

// TestSecondClientLoops visits the servers that make go-imap's client loop, each in a process of its own, and logs the
// processor time.
func TestSecondClientLoops(t *testing.T) {
	t.Parallel()
	for _, s := range loopingServers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			j := s.start(t)
			second, burned := visit(t, 10*time.Second, j)
			first := ours(t, nil, j)
			if first.Octets != message {
				t.Errorf("ours:%s", first)
			}
			compare(t, s, first, second[s.name])
			t.Logf("the second client took %v of processor time and closed its connection after %v", burned, j.Deadline)
		})
	}
}

// TestSecondClientAtTheRehearsal visits the demo's server, which stores messages.
func TestSecondClientAtTheRehearsal(t *testing.T) {
	t.Parallel()
	provider, err := rehearsal.Start(t.Context(), rehearsal.Options{Lang: locale.French})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		t.Fatal(err)
	}
	address, _ := provider.Route("tcp", rehearsal.IMAPHost, config.PortIMAPS)
	j := job{
		Name: "rehearsal", Address: address, TLS: true, Username: provider.Address, Secret: provider.Password.Reveal(),
		Folder: provider.SentFolder(), Message: message, Deadline: 20 * time.Second,
	}
	first := ours(t, &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route}, j)
	if first.Append != "ok" || first.Octets != message || !strings.Contains(first.Folders, provider.SentFolder()) {
		t.Errorf("ours:%s", first)
	}
	second, _ := visit(t, time.Minute, j)
	compare(t, server{}, first, second[j.Name])
}

// compare fails when the clients differ and go-imap is not known to fail, and when it no longer fails.
func compare(t *testing.T, s server, first, second journey) {
	t.Helper()
	gone := first == second
	if s.hangs { // on a busy machine the connection may be closed before the client reaches the fault
		gone = !slices.Contains([]string{neverReturns, ended, silence}, second.SignIn)
	}
	switch {
	case s.fault == "" && !gone:
		t.Errorf("ours:%s\ngo-imap:%s", first, second)
	case s.fault != "" && gone:
		t.Errorf("go-imap no longer has this fault: %s. Take the row off the list, correct "+
			"docs/decisions/0001-imap-client.md, "+
			"and ask whether go-imap can take the place of our client.", s.fault)
	}
}

// job is one server to visit.
type job struct {
	Name     string
	Address  string
	TLS      bool
	Username string
	Secret   string
	Token    bool // the secret is an OAuth token
	Folder   string
	Message  string
	Deadline time.Duration
}

// journey holds a client's results from one server. Each field is a result, or the reason why there is none.
type journey struct {
	SignIn  string
	Folders string // name, separator and use of each, in the server's order
	Append  string
	Select  string
	Octets  string // the message that was found again
}

func (j journey) String() string {
	return fmt.Sprintf("\n\tsign-in %s\n\tfolders %s\n\tappend  %s\n\tselect  %s\n\toctets  %.60q", j.SignIn, j.Folders,
		j.Append, j.Select, j.Octets)
}

// Reasons why a client has no result. neverReturns means that it did not return although its connection was closed.
const (
	neverReturns = "never returns"
	ended        = "the connection ended"
	silence      = "silence"
)

const messageID = "<postier-1@durand.example>"

// ordinary lists the uses of folders that both clients know.
var ordinary = []goimap.MailboxAttr{
	goimap.MailboxAttrSent, goimap.MailboxAttrJunk, goimap.MailboxAttrDrafts, goimap.MailboxAttrTrash,
	goimap.MailboxAttrAll,
}

func shown(name, separator string, use goimap.MailboxAttr) string {
	return fmt.Sprintf("%q%s%s", name, separator, use)
}

// ours visits a server with the client of this package.
func ours(t *testing.T, network *wire.Network, j job) journey {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if network == nil {
		network = &wire.Network{Route: func(string, string, int) (string, bool) { return j.Address, true }}
	}
	account := sasl.Account{
		Server: config.Server{Host: "127.0.0.1", Security: config.SecurityNone, Username: j.Username}, AllowCleartext: true,
		Secret: secret.New(j.Secret), SecretType: config.SecretPassword,
	}
	if j.Token {
		account.SecretType = config.SecretOAuth
	}
	if j.TLS {
		account.Server = config.Server{Host: rehearsal.IMAPHost, Security: config.SecurityTLS, Username: j.Username}
	}
	session, err := imap.Open(ctx, network, account, nil)
	out := journey{SignIn: reason(err)}
	if err != nil {
		return out
	}
	defer session.Close()
	listing, err := session.Folders(ctx)
	out.Folders = reason(err)
	target := imap.Inbox()
	if err == nil {
		var names []string
		for _, f := range listing.Folders {
			names = append(names, shown(f.Name.Raw(), f.Separator, f.SpecialUse))
			if f.Name.Raw() == j.Folder {
				target = f
			}
		}
		out.Folders = strings.Join(names, " ")
	}
	_, err = session.Append(ctx, target, []byte(j.Message), nil)
	out.Append = reason(err)
	err = session.Select(ctx, target)
	out.Select = reason(err)
	if err != nil {
		return out
	}
	out.Octets = oursFetched(ctx, session, target)
	return out
}

func oursFetched(ctx context.Context, session *imap.Session, folder imap.Folder) string {
	uids, err := session.FindIn(ctx, folder, messageID)
	if err != nil {
		return reason(err)
	}
	if len(uids) == 0 {
		return "not found"
	}
	raw, err := session.Fetch(ctx, uids[len(uids)-1])
	if err != nil {
		return reason(err)
	}
	return string(raw)
}

// reason names an error in words that both clients share.
func reason(err error) string {
	var (
		refused *imap.ReplyError
		no      *goimap.Error
	)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return strings.TrimSpace(fmt.Sprintf("%s %s", refused.Status, refused.Code))
	case errors.As(err, &no):
		return strings.TrimSpace(fmt.Sprintf("%s %s", no.Type, no.Code))
	}
	text := err.Error()
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("timeout"), errors.Is(err, context.DeadlineExceeded):
		return silence
	case has("connection reset"), has("EOF"), has("use of closed"), has("broken pipe"), errors.Is(err, imap.ErrClosed):
		return ended
	}
	return "not understood"
}

// theirs visits a server with go-imap's client.
func theirs(j job, note func(journey)) {
	var out journey
	defer func() { note(out) }()
	conn, err := net.Dial("tcp", j.Address)
	if out.SignIn = reason(err); err != nil {
		return
	}
	over := time.AfterFunc(j.Deadline, func() { _ = conn.Close() }) // the client sets deadlines of its own on conn
	defer over.Stop()
	if j.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // our own server, in a test
	}
	client := imapclient.New(conn, nil)
	defer func() { _ = conn.Close() }()
	err = theirsSignIn(client, j)
	if out.SignIn = reason(err); err != nil {
		return
	}
	out.Folders = theirsFolders(client)
	appended := client.Append(j.Folder, int64(len(j.Message)),
		&goimap.AppendOptions{Flags: []goimap.Flag{goimap.FlagSeen}})
	_, _ = appended.Write([]byte(j.Message))
	_ = appended.Close()
	_, err = appended.Wait()
	out.Append = reason(err)
	_, err = client.Select(j.Folder, nil).Wait()
	if out.Select = reason(err); err != nil {
		return
	}
	out.Octets = theirsFetched(client)
}

func theirsSignIn(client *imapclient.Client, j job) error {
	if err := client.WaitGreeting(); err != nil {
		return err
	}
	caps := client.Caps()
	switch {
	case j.Token:
		return client.Authenticate(bearer{})
	case caps.Has(goimap.AuthCap("PLAIN")):
		return client.Authenticate(gosasl.NewPlainClient("", j.Username, j.Secret))
	}
	return client.Login(j.Username, j.Secret).Wait()
}

// bearer is OAUTHBEARER as a client has to speak it: the server explains its refusal in a challenge, and its NO comes
// after an answer to that (RFC 7628 §3.2.3). go-sasl's own ends there instead.
type bearer struct{}

func (bearer) Start() (mechanism string, initial []byte, err error) {
	return gosasl.OAuthBearer, []byte("n,,\x01auth=Bearer x\x01\x01"), nil
}

func (bearer) Next([]byte) ([]byte, error) {
	time.Sleep(20 * time.Millisecond) // on a busy machine too, lines that came with the challenge are read first
	return []byte("\x01"), nil
}

func theirsFolders(client *imapclient.Client) string {
	caps := client.Caps()
	if caps.Has(goimap.CapNamespace) {
		_, _ = client.Namespace().Wait()
	}
	if caps.Has(goimap.CapID) {
		_, _ = client.ID(&goimap.IDData{Name: "postier"}).Wait()
	}
	var options *goimap.ListOptions
	if caps.Has(goimap.CapSpecialUse) || caps.Has(goimap.CapListExtended) {
		options = &goimap.ListOptions{ReturnSpecialUse: true}
	}
	listed, err := client.List("", "*", options).Collect()
	var no *goimap.Error
	if options != nil && errors.As(err, &no) {
		listed, err = client.List("", "*", nil).Collect()
	}
	if err != nil {
		return reason(err)
	}
	var names []string
	for _, box := range listed {
		use, separator := goimap.MailboxAttr(""), ""
		for _, attr := range box.Attrs {
			if slices.Contains(ordinary, attr) {
				use = attr
			}
		}
		if box.Delim != 0 {
			separator = string(box.Delim)
		}
		names = append(names, shown(box.Mailbox, separator, use))
	}
	return strings.Join(names, " ")
}

func theirsFetched(client *imapclient.Client) string {
	found, err := client.UIDSearch(&goimap.SearchCriteria{
		Header: []goimap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: messageID}},
	}, nil).Wait()
	if err != nil {
		return reason(err)
	}
	uids := found.AllUIDs()
	if len(uids) == 0 {
		return "not found"
	}
	whole := &goimap.FetchItemBodySection{Peek: true}
	fetched, err := client.Fetch(goimap.UIDSetNum(uids[len(uids)-1]),
		&goimap.FetchOptions{UID: true, BodySection: []*goimap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		return reason(err)
	}
	if len(fetched) == 0 {
		return "not found"
	}
	return string(fetched[0].FindBodySection(whole))
}

// answer is what the second client's process writes for each job.
type answer struct {
	Name    string
	Journey journey
}

// secondClient is the main function of the second client's process: it reads jobs, one a line, and writes answers.
func secondClient() {
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	var (
		mu   sync.Mutex
		done sync.WaitGroup
	)
	for {
		var j job
		if in.Decode(&j) != nil {
			break
		}
		done.Go(func() {
			finished := make(chan journey, 1)
			go theirs(j, func(seen journey) { finished <- seen })
			seen := journey{SignIn: neverReturns}
			select {
			case seen = <-finished:
			case <-time.After(j.Deadline + j.Deadline/2):
			}
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(answer{j.Name, seen})
		})
	}
	done.Wait()
}

// visit sends the second client to servers and returns its answers, and how much processor time it took. It is killed
// when the time is over.
func visit(t *testing.T, within time.Duration, jobs ...job) (map[string]journey, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var input strings.Builder
	for _, j := range jobs {
		if err := json.NewEncoder(&input).Encode(j); err != nil {
			t.Fatal(err)
		}
	}
	process := exec.CommandContext(ctx, os.Args[0])
	process.Env = append(os.Environ(), child+"=1")
	process.Stdin, process.Stderr = strings.NewReader(input.String()), os.Stderr
	output, err := process.Output()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("the second client: %v", err)
	}
	answers := map[string]journey{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var a answer
		if decoder.Decode(&a) != nil {
			break
		}
		answers[a.Name] = a.Journey
	}
	return answers, process.ProcessState.UserTime() + process.ProcessState.SystemTime()
}
