package delivery

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/scripted"
)

// P-6: accepted, sent at once, one connection for several messages.
func TestSendAtOnceOverOneConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	for range 3 {
		item := b.item()
		if try := b.first(item); try.State != StateSent {
			t.Fatalf("%+v", try)
		}
		if stored := b.stored(item.ID); stored.State != StateSent || len(stored.Raw) != 0 {
			t.Errorf("state %s, %d octets kept", stored.State, len(stored.Raw))
		}
	}
	if n := b.own.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if n := len(messages(b.own)); n != 3 {
		t.Errorf("%d messages", n)
	}
	b.own.NoSecretInClear(t, credentialOf(), author)
}

// P-6: a first attempt that fails for now is tried again by the service, under the same Message-ID; a refusal is not.
func TestRetryOnlyWhatMayStillGo(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{".#1": scripted.Reply("451 4.3.0 later")}, nil)
	item := b.item()
	if try := b.first(item); try.State != StateWaiting {
		t.Fatalf("%+v", try)
	}
	if stored := b.stored(item.ID); stored.State != StateWaiting || !stored.Due.After(b.clock.Now()) ||
		stored.Attempts != 1 {
		t.Fatalf("%+v", stored)
	}
	b.run()
	if n := len(messages(b.own)); n != 1 {
		t.Fatalf("tried before its time: %d", n)
	}
	// In the script, #1 is per connection: the second try must get past it.
	b2 := newBench(t, scripted.Script{"RCPT": scripted.Reply("550 5.1.1 no such user")}, nil)
	refused := b2.item()
	if try := b2.first(refused); try.State != StateFailed {
		t.Fatalf("%+v", try)
	}
	b2.clock.add(48 * time.Hour)
	b2.run()
	if n := commands(b2.own, "RCPT"); n != 1 {
		t.Errorf("a permanent refusal was tried %d times", n)
	}
	list, err := b2.queue.Store.Suppressed(t.Context())
	if err != nil || len(list) != 1 || !list[0].Proposed || list[0].Pattern != customer {
		t.Errorf("P-7: a permanent refusal is proposed for the list, got %v, %v", list, err)
	}
	if _, listed, _ := b2.queue.Store.IsSuppressed(t.Context(), customer); listed {
		t.Error("P-7: a proposal suppresses nothing by itself")
	}
}

func TestSecondTrySendsTheSameMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"MAIL": scripted.Reply("451 4.7.1 greylisted, try again")}, nil)
	item := b.item()
	b.first(item)
	server := b.own
	// The same settings lead to a server that takes the message now.
	healthy := newBench(t, nil, nil)
	b.own = healthy.own
	b.queue.Sender.Accounts.Network.Roots = healthy.queue.Sender.Accounts.Network.Roots
	b.clock.add(time.Hour)
	b.run()
	got := messages(healthy.own)
	if len(got) != 1 || !strings.Contains(got[0], item.MessageID) || b.stored(item.ID).State != StateSent {
		t.Errorf("%d messages, state %s", len(got), b.stored(item.ID).State)
	}
	if n := len(messages(server)); n != 0 {
		t.Errorf("the first server took %d", n)
	}
}

func TestPartOfTheRecipients(t *testing.T) {
	t.Parallel()
	script := scripted.Script{"RCPT TO:<GONE@CUSTOMER.EXAMPLE>": scripted.Reply("550 5.1.1 no such user")}
	b := newBench(t, script, nil)
	item := b.item(customer, "gone@customer.example")
	try := b.first(item)
	failed := item.Failed()
	if try.State != StateSent || len(failed) != 1 || failed[0].Address != "gone@customer.example" ||
		failed[0].Cause == "" {
		t.Errorf("%+v, %+v", try, item.Recipients)
	}
}

// T18: a reply lost after the dot is neither a success nor a failure. Without a mailbox to look into, the same message
// goes again, and that it may arrive twice is written down (RFC 1047).
func TestReplyLostBehindTheDot(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{".": {Close: true}}, nil)
	item := b.item()
	try := b.first(item)
	if try.State != StateUnknown {
		t.Fatalf("%+v", try)
	}
	b.run()
	if n := len(messages(b.own)); n != 1 {
		t.Errorf("sent %d times before its time", n)
	}
	b.clock.add(doubtWait + time.Second)
	b.run()
	stored := b.stored(item.ID)
	got := messages(b.own)
	if len(got) != 2 || got[0] != got[1] || !stored.Doubt {
		t.Errorf("%d messages, doubt %t", len(got), stored.Doubt)
	}
}

// D-5: a sign-in that is refused for good switches the profile off with its cause; the message goes on through the
// fallback with the right From and Reply-To; the owner is told once, in three languages. Nothing is lost. D-7: the
// notice says why.
func TestFallbackAfterARefusedSignIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}, nil)
	b.queue.Program = "postier --config /x"
	item := b.item()
	try := b.first(item)
	if try.State != StateSent || try.Instead != "durand" {
		t.Fatalf("%+v", try)
	}
	p := b.load().Profiles["durand"]
	if p.Enabled || p.Disabled == nil || p.Disabled.Cause == "" {
		t.Errorf("the profile is still on: %+v", p.Disabled)
	}
	got := messages(b.platform)
	if len(got) != 1 || !strings.Contains(got[0], item.MessageID) ||
		!strings.Contains(got[0], `From: "Cabinet Durand" <noreply@platform.example>`) ||
		!strings.Contains(got[0], "Reply-To: <"+author+">") {
		t.Fatalf("through the fallback: %q", got)
	}
	b.first(b.item()) // a second message does not try the closed door again, and sends no second notice
	b.run()
	if n := commands(b.own, "AUTH"); n != 1 {
		t.Errorf("%d sign-ins at the door that is closed", n)
	}
	notices := 0
	for _, m := range messages(b.platform) {
		if !strings.Contains(m, "X-Loop: postier") {
			continue
		}
		notices++
		text, err := Parse([]byte(m))
		b.must(err)
		decoded := decodeQP(t, text.body)
		for _, want := range []string{"setup --edit durand", "profile enable durand"} {
			if strings.Count(decoded, b.queue.Program+" "+want) != len(locale.All()) {
				t.Errorf("%q is not in all languages", want)
			}
		}
		for _, lang := range locale.All() {
			if !strings.Contains(decoded, locale.For(lang).T("delivery.off.mend")) {
				t.Errorf("nothing in %s", lang)
			}
		}
	}
	if notices != 1 {
		t.Errorf("%d notices", notices)
	}
}

// TestFallbackForABlockedAccount (D-5): a provider that lets the account sign in and refuses its messages is known by
// the cause, wherever in the dialog it says so; the message goes on through the fallback and is not lost.
func TestFallbackForABlockedAccount(t *testing.T) {
	t.Parallel()
	for step, reply := range map[string]string{
		"MAIL": "550 5.7.1 Your account has been suspended from sending",
		"RCPT": "550 5.1.8 Access denied, bad outbound sender AS(42004)",
		".":    "554 5.7.1 Your account was used to send spam",
	} {
		b := newBench(t, scripted.Script{step: scripted.Reply(reply)}, nil)
		try := b.first(b.item())
		p := b.load().Profiles["durand"]
		if try.State != StateSent || try.Instead != "durand" || len(messages(b.platform)) != 1 {
			t.Errorf("%s: %+v, %d messages", step, try, len(messages(b.platform)))
		}
		if p.Enabled || p.Disabled == nil || p.Disabled.Cause != check.CauseAccountSuspended {
			t.Errorf("%s: still on: %+v", step, p.Disabled)
		}
	}
	// A recipient's own blocked mailbox says nothing about the sender.
	b := newBench(t, scripted.Script{"RCPT": scripted.Reply("550 5.2.1 The recipient's mailbox is disabled")}, nil)
	if try := b.first(b.item()); try.State != StateFailed || !b.load().Profiles["durand"].Enabled {
		t.Errorf("%+v", try)
	}
}

// T19: a refusal of the message is no reason for another server.
func TestNoFallbackForContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{".": scripted.Reply("554 5.7.1 spam")}, nil)
	if try := b.first(b.item()); try.State != StateFailed || len(messages(b.platform)) != 0 ||
		!b.load().Profiles["durand"].Enabled {
		t.Errorf("%+v", try)
	}
}

// D-1: a profile that a person switched off sends nothing, and what waits for it goes when it is on again.
func TestSwitchedOffWhileWaiting(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	item := b.item()
	b.must(b.queue.Accept(t.Context(), item, false))
	b.change(func(f *config.File) { f.Profiles["durand"].Enabled = false })
	b.run()
	if stored := b.stored(item.ID); stored.State != StateWaiting || stored.Attempts != 0 {
		t.Fatalf("%+v", stored)
	}
	b.change(func(f *config.File) { f.Profiles["durand"].Enabled = true })
	b.must(b.queue.Retry(t.Context(), item.ID))
	b.run()
	if stored := b.stored(item.ID); stored.State != StateSent {
		t.Errorf("%+v", stored)
	}
}

// P-4: a message over the limit waits in the queue.
func TestOverTheLimitWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) { f.Profiles["durand"].Limits.PerHour = 1 })
	b.first(b.item())
	second := b.item()
	try := b.first(second)
	var over *OverLimit
	if try.State != StateWaiting || try.Cause != check.CauseOwnLimitReached || !errors.As(try.Err, &over) {
		t.Fatalf("%+v", try)
	}
	if stored := b.stored(second.ID); !stored.Due.After(b.clock.Now().Add(59*time.Minute)) || stored.Attempts != 0 {
		t.Errorf("due %s", stored.Due)
	}
	b.clock.add(time.Hour + time.Second)
	b.run()
	if n := len(messages(b.own)); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// TestResetReleases: what waited for a limit is due when the limits are reset (P-4), and only that. Messages that were
// put off until the same moment leave in the order in which they came, batch after batch (C-6).
func TestResetReleases(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	const count, size = 7, 2
	b.change(func(f *config.File) {
		f.Profiles["durand"].Limits.Batch = config.Batch{Messages: size, WaitSeconds: 3600}
	})
	var want []string
	for range count {
		item := b.item()
		want = append(want, item.MessageID)
		item.Due = b.clock.Now()
		if len(want) > size { // as the submitter does when the batch is full
			item.Due, item.Cause = b.clock.Now().Add(time.Hour), check.CauseOwnLimitReached
		}
		b.must(b.queue.Accept(t.Context(), item, false))
		b.clock.add(time.Millisecond)
	}
	later := b.item()
	later.Due, later.Cause = b.clock.Now().Add(time.Hour), check.CauseConnectionRefused
	b.must(b.queue.Accept(t.Context(), later, false))
	sent := func() (ids []string) {
		for _, text := range messages(b.own) {
			_, after, _ := strings.Cut(text, "Message-ID: ")
			id, _, _ := strings.Cut(after, "\r\n")
			ids = append(ids, id)
		}
		return ids
	}
	b.run()
	for left := count - size; left > 0; left -= size {
		if released, err := b.queue.Store.ResetLimits(t.Context(), "durand"); err != nil || released != left {
			t.Fatalf("%d released, want %d, %v", released, left, err)
		}
		b.run()
		if got := sent(); !slices.Equal(got, want[:min(count, count-left+size)]) {
			t.Fatalf("with %d left: %q, want the first of %q", left, got, want)
		}
	}
	if stored := b.stored(later.ID); !stored.Due.Equal(later.Due) {
		t.Errorf("a message that waits for a server is due %s", stored.Due)
	}
}

// The sender is told when a message of the queue cannot be sent.
func TestBounce(t *testing.T) {
	t.Parallel()
	script := scripted.Script{"RCPT TO:<KLARA@CUSTOMER.EXAMPLE>": scripted.Reply("550 5.1.1 no such user")}
	b := newBench(t, script, nil)
	b.must(b.queue.Accept(t.Context(), b.item(), false))
	b.run()
	var bounces []string
	for _, m := range messages(b.own) {
		if strings.Contains(m, "X-Loop: postier") && strings.Contains(m, "To: <"+author+">") {
			bounces = append(bounces, m)
		}
	}
	if len(bounces) != 1 || !strings.Contains(decodeQP(t, []byte(bounces[0])), customer) {
		t.Errorf("bounces: %q", bounces)
	}
}

// M-3: the copy is filed after the server has accepted, exactly once, in the folder really named Envoyés.
func TestSentCopyExactlyOnce(t *testing.T) {
	t.Parallel()
	b, provider := demoBench(t, "")
	m, err := Parse([]byte("From: " + provider.Address + "\nTo: " + provider.Address +
		"\nSubject: Copie\nBcc: hidden@customer.example\n\nBonjour.\n"))
	b.must(err)
	d := Decide(b.load(), Request{Author: provider.Address, Recipients: []string{provider.Address}}, Facts{})
	id, err := m.Prepare(d, b.load().Profiles["demo"].From, time.Now())
	b.must(err)
	item := NewItem(m, id, d, provider.Address, time.Now())
	if try := b.first(item); try.State != StateSent || item.State != StateSent {
		t.Fatalf("%+v, state %s", try, item.State)
	}
	// A second run of the same step finds the copy and files none.
	again := *item
	again.Raw = m.Bytes()
	b.must(b.queue.Sender.FileCopy(t.Context(), "demo", b.load().Profiles["demo"], &again, true))
	boxes, err := scripted.Mailboxes(provider.Mailbox())
	b.must(err)
	copies := boxes[provider.SentFolder()]
	if len(copies) != 1 || !strings.Contains(string(copies[0].Raw), id) ||
		strings.Contains(string(copies[0].Raw), "hidden@") {
		t.Errorf("%d copies", len(copies))
	}
	// T18: what stands in the folder counts as sent and is not sent again.
	found, checked, err := b.queue.Sender.Found(t.Context(), "demo", b.load().Profiles["demo"], id)
	if !found || !checked || err != nil {
		t.Errorf("found %t, checked %t, %v", found, checked, err)
	}
}

// M-3: a copy that fails never fails the send, and is tried again.
func TestSentCopyFailsAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) {
		f.Profiles["durand"].SentCopy = config.SentCopy{Mode: config.SentAppend, Folder: "Sent", IMAP: &config.Server{
			Host: "imap.nowhere.example", Port: 993, Security: config.SecurityTLS, Username: author,
		}}
	})
	item := b.item()
	if try := b.first(item); try.State != StateSent {
		t.Fatalf("%+v", try)
	}
	if stored := b.stored(item.ID); stored.State != StateCopy || len(stored.Raw) == 0 || stored.CopyFailures != 1 {
		t.Fatalf("%+v", stored)
	}
	b.clock.add(time.Hour)
	b.run()
	if stored := b.stored(item.ID); stored.CopyFailures != 2 || len(messages(b.own)) != 1 {
		t.Errorf("%d failures, sent %d times", stored.CopyFailures, len(messages(b.own)))
	}
}

// Of two workers that claim at the same time, one gets the message, and keeps it.
func TestClaimIsExclusive(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	item, other := b.item(), b.worker(filepath.Join(filepath.Dir(b.path), "state", "postier.db"))
	b.must(b.queue.Accept(t.Context(), item, false))
	mine := b.claim(b.queue)
	if len(mine) != 1 || mine[0].ID != item.ID || mine[0].State != StateSending || mine[0].owner != b.queue.Store.owner {
		t.Fatalf("claimed: %+v", mine)
	}
	b.queue.hold(item.ID)
	for _, q := range []*Queue{b.queue, other} {
		if again := b.claim(q); len(again) != 0 {
			t.Errorf("claimed twice: %+v", again[0])
		}
		if err := q.Retry(t.Context(), item.ID); !errors.Is(err, ErrBusy) {
			t.Errorf("taken from a process that lives: %v", err)
		}
		if err := q.Remove(t.Context(), item.ID); !errors.Is(err, ErrBusy) {
			t.Errorf("removed under a process that lives: %v", err)
		}
	}
}

// A claim takes the oldest messages of its profile first, and none that is not due.
func TestClaimTakesTheOldest(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	var ids []string
	for n := range 4 {
		item := b.item()
		item.Due = b.clock.Now().Add(time.Duration(n-3) * time.Minute)
		if n == 0 {
			item.Profile = "platform"
		}
		if n == 3 {
			item.Due = b.clock.Now().Add(time.Minute)
		}
		b.must(b.queue.Accept(t.Context(), item, false))
		ids = append(ids, item.ID)
	}
	for _, want := range [][]string{{ids[1]}, {ids[2]}, {}} {
		got, err := b.queue.Store.claim(t.Context(), "durand", 1)
		b.must(err)
		if len(got) != len(want) || len(got) > 0 && got[0].ID != want[0] {
			t.Errorf("claimed %d, want %v", len(got), want)
		}
	}
	profiles, err := b.queue.Store.dueProfiles(t.Context())
	b.must(err)
	if !slices.Equal(profiles, []string{"platform"}) {
		t.Errorf("due: %v", profiles)
	}
}

// claim claims whatever is due.
func (b *bench) claim(q *Queue) []*Item {
	b.t.Helper()
	list, err := q.Store.claim(b.t.Context(), "durand", 10)
	b.must(err)
	return list
}

// When one change of a group fails, the others are written all the same, and it alone is not.
func TestOneFailureInAGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	began, first := make(chan struct{}), make(chan struct{})
	var changes sync.WaitGroup
	changes.Go(func() { // holds the next ones up, so that they form a group
		b.must(b.queue.Store.inTx(t.Context(), func(executor) error { close(began); <-first; return nil }))
	})
	<-began
	items := []*Item{b.item(), b.item(), b.item()}
	errs := make([]error, len(items))
	for n, item := range items {
		changes.Go(func() {
			errs[n] = b.queue.Store.inTx(t.Context(), func(tx executor) error {
				if err := b.queue.Store.exec(t.Context(), tx, `INSERT INTO postier_keeper VALUES (?1, 0)`, item.ID); err != nil {
					return err
				}
				if n == 1 {
					return errStale
				}
				return nil
			})
		})
	}
	for waiting := 0; waiting < len(items); {
		b.queue.Store.commits.mu.Lock()
		waiting = len(b.queue.Store.commits.waiting)
		b.queue.Store.commits.mu.Unlock()
		runtime.Gosched()
	}
	close(first)
	changes.Wait()
	var written int
	b.must(b.queue.Store.db.QueryRow(`SELECT COUNT(*) FROM postier_keeper`).Scan(&written))
	if errs[0] != nil || !errors.Is(errs[1], errStale) || errs[2] != nil || written != len(items)-1 {
		t.Errorf("%v, %d written", errs, written)
	}
}

// That a message may arrive twice is not forgotten while its profile is switched off.
func TestDoubtOutlivesADisabledProfile(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	item := b.item()
	b.must(b.queue.Accept(t.Context(), item, false))
	dead := b.stored(item.ID)
	dead.State = StateDot
	b.must(b.queue.Store.change(t.Context(), dead))
	b.change(func(f *config.File) { f.Profiles["durand"].Enabled = false })
	b.run()
	b.change(func(f *config.File) { f.Profiles["durand"].Enabled = true })
	b.clock.add(profileWait)
	b.run()
	if stored := b.stored(item.ID); stored.State != StateSent || !stored.Doubt {
		t.Errorf("state %s, doubt %t", stored.State, stored.Doubt)
	}
}

// Whatever was decided on a message that someone else changed after it was read, nothing of it is written: no state,
// no claim, no removal.
func TestNoChangeIsLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	for name, late := range map[string]func(*Item) error{
		"reschedule": func(i *Item) error { return b.queue.reschedule(t.Context(), i, b.clock.Now()) },
		"settle":     func(i *Item) error { return b.queue.settle(t.Context(), i) },
		"change":     func(i *Item) error { return b.queue.Store.change(t.Context(), i) },
		"remove":     func(i *Item) error { return b.queue.Store.remove(t.Context(), i) },
	} {
		item := b.item()
		b.must(b.queue.Accept(t.Context(), item, false))
		read := b.stored(item.ID)
		other := b.stored(item.ID)
		other.Attempts = 7
		b.must(b.queue.Store.change(t.Context(), other))
		if err := late(read); !errors.Is(err, errStale) {
			t.Errorf("%s: %v", name, err)
		}
		if now := b.stored(item.ID); now.Attempts != 7 || now.owner != "" ||
			now.version != other.version {
			t.Errorf("%s: %+v", name, now)
		}
	}
}

// A worker that was taken for dead hands nothing over: it finds out before the last octets go out.
func TestSupersededWorkerStopsBeforeTheDot(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	item := b.item()
	b.queue.seam = func(step string) {
		if step != "sending" {
			return
		}
		other := b.stored(item.ID)
		other.owner = "somebody/else///"
		b.must(b.queue.Store.change(t.Context(), other))
	}
	if try := b.first(item); try.State != StateWaiting {
		t.Errorf("%+v", try)
	}
	if n := len(messages(b.own)); n != 0 {
		t.Errorf("%d messages left", n)
	}
	if stored := b.stored(item.ID); stored.owner != "somebody/else///" || stored.State != StateSending {
		t.Errorf("%+v", stored)
	}
	b.queue.seam = nil
	b.clock.add(lease + time.Second) // the claim is not renewed
	b.run()
	b.once(1)
}

// TestOneWayToChangeAMessage holds that no statement changes messages but those of items.go, and that each of them asks
// for the version or the owner, or touches only what is finished.
func TestOneWayToChangeAMessage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	statement := regexp.MustCompile("(?s)(?:UPDATE|DELETE FROM) postier_message[^`]*")
	joined := regexp.MustCompile("` \\+ (\\w+) \\+ `") // a part of a statement that has a name
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range statement.FindAllString(joined.ReplaceAllString(string(source), "$1"), -1) {
			_, where, _ := strings.Cut(found, "WHERE ")
			switch {
			case strings.HasSuffix(file, "_test.go"):
			case file != "items.go":
				t.Errorf("%s changes messages by itself: %s", file, found)
			case !strings.Contains(where, "version") && !strings.Contains(where, "owner = ") &&
				!strings.HasPrefix(where, "final "):
				t.Errorf("not a compare-and-set: %s", found)
			}
		}
	}
}

// A claim of another machine, dead or not, holds nothing else up; when its lease is over the message goes.
func TestForeignClaimHoldsNothingUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	claimed, free := b.item(), b.item()
	for _, item := range []*Item{claimed, free} {
		b.must(b.queue.Accept(t.Context(), item, false))
	}
	foreign := b.stored(claimed.ID)
	foreign.owner, foreign.State = "elsewhere/boot/pid:[1]/7/8", StateSending
	b.must(b.queue.Store.change(t.Context(), foreign))
	b.run()
	if one, two := b.stored(claimed.ID), b.stored(free.ID); one.State != StateSending || two.State != StateSent {
		t.Errorf("%s, %s", one.State, two.State)
	}
	b.clock.add(lease + time.Second)
	b.run()
	b.once(2)
}

// TestRootsThatAreGone: a file with roots that cannot be read is a fault of the configuration, never of the password.
func TestRootsThatAreGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.change(func(f *config.File) {
		for _, p := range f.Profiles {
			p.TLS.CAFile = "gone.pem"
		}
	})
	item := b.item()
	if try := b.first(item); try.State != StateWaiting || try.Cause != check.CauseConfigInvalid {
		t.Errorf("%s: %s", try.State, try.Cause)
	}
	if stored := b.stored(item.ID); stored.Cause != check.CauseConfigInvalid {
		t.Errorf("%s", stored.Cause)
	}
}
