package cli

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/scripted"
)

// row is what a program reads of a profile.
type row struct {
	State     string    `json:"state"`
	Since     time.Time `json:"since"`
	Cause     string    `json:"cause"`
	Code      string    `json:"code"`
	Fallback  bool      `json:"fallback"`
	Waiting   int       `json:"waiting"`
	SentToday int       `json:"sent_today"`
}

func (o *office) row() row {
	o.t.Helper()
	stdout, _ := o.want(0, "", "postier", "--json", "profile", "list")
	var rows []row
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || len(rows) != 1 {
		o.t.Fatal(err, stdout)
	}
	return rows[0]
}

func (o *office) refusing() {
	o.t.Helper()
	_, number, _ := net.SplitHostPort(scripted.StartRefused(o.t).Addr())
	port, err := strconv.Atoi(number)
	if err != nil {
		o.t.Fatal(err)
	}
	o.change(func(p *config.Profile) { p.Submission.Port = port })
}

// prove records that the settings work now.
func (o *office) prove() {
	o.t.Helper()
	o.change(func(p *config.Profile) {
		p.Validated = &config.Validated{At: time.Now().Add(time.Second), Digest: p.Digest()}
	})
}

// TestProfilesStandNow: the list says how a profile is doing at this moment, and not how it was when it was proven.
func TestProfilesStandNow(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t"}
	if got := o.row(); got != (row{State: "unproven"}) {
		t.Errorf("before anything was sent: %+v", got)
	}
	if files, _ := filepath.Glob(filepath.Join(filepath.Dir(o.path), "*.db*")); len(files) > 0 {
		t.Errorf("looking created %v", files)
	}
	o.prove()
	o.change(func(p *config.Profile) { p.Limits.PerDay = 20 })
	o.want(0, "", message...)
	if got := o.row(); got.State != "working" || got.SentToday != 1 || got.Waiting != 0 || got.Since.IsZero() {
		t.Errorf("after a message: %+v", got)
	}

	o.refusing()
	o.prove()
	time.Sleep(1100 * time.Millisecond) // a proof has whole seconds
	before := time.Now().Add(-2 * time.Second)
	o.want(0, "", message...)
	got := o.row()
	if got.State != "failing" || got.Cause != "connection-refused" || got.Code != "N-78" || got.Waiting != 1 ||
		got.SentToday != 1 || got.Since.Before(before) {
		t.Errorf("after a failure: %+v", got)
	}
	stdout, stderr := o.want(0, "", "postier", "profile", "list")
	for _, want := range []string{"failing since 20", "(N-78)", "sent in 24 hours: 1 of 20", "waiting: 1\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %s", want, stdout)
		}
	}
	if strings.Contains(stdout, "proven on") || !strings.Contains(stderr, "service install") {
		t.Errorf("%s%s", stdout, stderr)
	}

	if queued, _ := o.want(0, "", "postier", "--json", "queue", "list"); !strings.Contains(queued, `"code": "N-78"`) {
		t.Error(queued)
	}

	// Somebody keeps the queue: the next try is said, and nothing is asked of the user.
	o.want(0, "", "postier", "queue", "run")
	if stdout, stderr := o.want(0, "", "postier", "profile", "list"); !strings.Contains(stdout, "next try 20") ||
		strings.Contains(stderr, "service install") {
		t.Errorf("%s%s", stdout, stderr)
	}

	// A proof is newer than the failures before it, and a failure newer than the proof.
	o.prove()
	if got := o.row(); got.State != "working" || got.Cause != "" || got.Waiting != 1 {
		t.Errorf("proven again: %+v", got)
	}
	o.switchedOff("wrong-password")
	if got := o.row(); got.State != "off" || got.Cause != "wrong-password" || got.Code == "" || got.Since.IsZero() {
		t.Errorf("switched off: %+v", got)
	}
	if stdout, _ := o.want(0, "", "postier", "profile", "list"); !strings.Contains(stdout, "switched off on 20") {
		t.Error(stdout)
	}
	o.want(0, "", "postier", "profile", "disable", "durand")
	if got := o.row(); got.State != "off" || got.Cause != "" || !got.Since.IsZero() {
		t.Errorf("switched off by a person: %+v", got)
	}
	if stdout, _ := o.want(69, "", "postier", "diagnose", "durand", "--only", "smtp"); !strings.Contains(stdout,
		"profile enable durand") {
		t.Errorf("that it is switched off is not said: %s", stdout)
	}
	if _, stderr = o.want(69, "", "postier", "diagnose", "durand", "--only", "smtp", "--json"); !strings.Contains(stderr,
		"profile enable durand") {
		t.Errorf("that it is switched off is not said with --json: %s", stderr)
	}
}

// TestListWithoutState: a state that cannot be read is said, and the list is still there.
func TestListWithoutState(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	path := filepath.Join(filepath.Dir(o.path), "postier.db")
	if err := os.WriteFile(path, []byte("this is no database, and long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr := o.want(0, "", "postier", "profile", "list"); !strings.Contains(stdout, "durand") ||
		!strings.Contains(stderr, "postier.db") {
		t.Errorf("%s%s", stdout, stderr)
	}
}
