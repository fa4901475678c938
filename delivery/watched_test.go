package delivery

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/scripted"
)

// watchedAt holds what the state keeps for the watch, on a database.
func watchedAt(t *testing.T, database config.Database) {
	t.Helper()
	s, err := OpenStore(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	now := s.Now().Truncate(time.Millisecond)
	want := Watched{
		Proven: now.Add(-time.Hour), Cause: check.CauseWrongPassword, Since: now.Add(-time.Minute), Last: now, Sending: true,
		Detail: []byte(`{"é":1}`),
	}
	for _, w := range []Watched{{Detail: []byte("{}")}, want} {
		if err := s.SetWatched(t.Context(), "durand", w); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Watched(t.Context())
	if w := got["durand"]; err != nil || !w.Proven.Equal(want.Proven) || w.Cause != want.Cause ||
		!w.Since.Equal(want.Since) || !w.Last.Equal(want.Last) || !w.Sending || string(w.Detail) != string(want.Detail) {
		t.Errorf("%+v, %v", w, err)
	}
	if err := s.healthy(t.Context(), "durand"); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Watched(t.Context()); err != nil || got["durand"].Cause != "" {
		t.Errorf("after a message was sent: %+v, %v", got["durand"], err)
	}
	if err := s.ForgetWatched(t.Context(), "durand"); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Watched(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("%+v, %v", got, err)
	}

	other, err := OpenStore(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	release, err := s.Turn(t.Context(), "watch")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Turn(t.Context(), "watch"); !errors.Is(err, ErrTurn) {
		t.Errorf("a second turn: %v", err)
	}
	if free, err := other.Turn(t.Context(), "something else"); err != nil {
		t.Error(err)
	} else {
		free()
	}
	release()
	again, err := other.Turn(t.Context(), "watch")
	if err != nil {
		t.Fatal(err)
	}
	// A process that died does not hold the turn: at once on this machine, after the lease from another one.
	for owner, until := range map[string]time.Time{
		strings.TrimSuffix(s.owner, startOf(s.owner)) + "1": now.Add(time.Hour), "dead/other/pid/1/2": now.Add(-time.Second),
	} {
		if err := s.inTx(t.Context(), func(tx executor) error {
			return s.exec(t.Context(), tx, `UPDATE postier_turn SET owner = ?1, until = ?2 WHERE name = 'watch'`, owner,
				until.UnixMilli())
		}); err != nil {
			t.Fatal(err)
		}
		next, err := s.Turn(t.Context(), "watch")
		if err != nil {
			t.Fatalf("after %s: %v", owner, err)
		}
		next()
	}
	again()
}

// startOf is the start time in an owner's name.
func startOf(owner string) string { return owner[strings.LastIndexByte(owner, '/')+1:] }

func TestWatched(t *testing.T) {
	t.Parallel()
	watchedAt(t, fileAt(filepath.Join(t.TempDir(), "postier.db")))
}

// TestHealthOfTheWatch: what the watch found counts until a proof or a message is newer, and a round that passed is
// newer than the failures before it.
func TestHealthOfTheWatch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	p := profileAt(smtpHost, author)
	p.Validated = &config.Validated{At: at, Digest: p.Digest()}
	found := Watched{Cause: check.CauseFolderMissing, Since: at.Add(time.Hour), Last: at.Add(2 * time.Hour)}
	old := found
	old.Last = at.Add(-time.Hour)
	failed := Standing{Cause: check.CauseServerTimeout, Since: at.Add(time.Hour), last: at.Add(time.Hour)}
	passed := failed
	passed.watched.Proven = at.Add(2 * time.Hour)
	for name, row := range map[string]struct {
		standing Standing
		health   Health
		cause    check.Cause
	}{
		"nothing found":            {Standing{}, HealthWorking, ""},
		"found after the proof":    {Standing{watched: found}, HealthFailing, check.CauseFolderMissing},
		"found before the proof":   {Standing{watched: old}, HealthWorking, ""},
		"a message failed":         {failed, HealthFailing, check.CauseServerTimeout},
		"a round has passed since": {passed, HealthWorking, ""},
	} {
		if health, _, cause := row.standing.Health(p); health != row.health || cause != row.cause {
			t.Errorf("%s: %s, %s", name, health, cause)
		}
	}
}

// TestNoticeOfTheProduct: the notice about a profile that was switched off comes from the product, with the code to say
// on the phone and where its users find help.
func TestNoticeOfTheProduct(t *testing.T) {
	t.Parallel()
	b := newBench(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}, nil)
	b.queue.Product = "Dayboard"
	b.queue.Contact = func(lang locale.Lang) string { return "Support (" + string(lang) + "): +33 1 23 45 67 89" }
	b.queue.Page = func(p *config.Profile, cause check.Cause) string {
		return "https://help.example/" + p.From.Address + "/" + string(cause)
	}
	b.first(b.item())
	b.run()
	got := messages(b.platform)
	if len(got) != 2 {
		t.Fatalf("%d messages", len(got))
	}
	_, body, _ := strings.Cut(got[1], "\r\n\r\n")
	notice := decodeQP(t, []byte(body))
	if !strings.Contains(got[1], "From: \"Dayboard\" <noreply@platform.example>") {
		t.Errorf("from: %s", got[1])
	}
	page := "https://help.example/" + author + "/" + string(check.CauseWrongPassword)
	if strings.Count(notice, page) != len(locale.All()) {
		t.Errorf("the page is not in every language: %s", notice)
	}
	for _, want := range []string{"(A-14)", "Support (en): +33", "Support (fr): +33", "Support (de): +33"} {
		if !strings.Contains(notice, want) {
			t.Errorf("the notice has no %q: %s", want, notice)
		}
	}
}

// TestNoticeIsTakenBack (D-8): a notice that could not leave is not sent once the profile works again, or is gone.
func TestNoticeIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		edit func(*config.File)
		sent int
	}{
		"still off": {func(*config.File) {}, 1},
		"on again": {func(f *config.File) {
			p := f.Profiles["durand"]
			p.Enabled, p.Disabled = true, nil
		}, 0},
		"switched off by hand": {func(f *config.File) { f.Profiles["durand"].Disabled = nil }, 0},
	} {
		b := newBench(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}, nil)
		b.first(b.item())
		b.change(row.edit)
		b.run()
		notices := 0
		for _, m := range messages(b.platform) {
			if strings.Contains(m, "X-Loop: postier") {
				notices++
			}
		}
		waiting, err := itemsOf(t.Context(), b.queue.Store, false)
		b.must(err)
		if notices != row.sent || len(waiting) != 0 {
			t.Errorf("%s: %d notices, %d messages wait", name, notices, len(waiting))
		}
	}
}
