package diagnostics

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postier/internal/check"
	"postier/internal/safetext"
)

func does(id check.ID, status check.Status, needs ...check.ID) Check {
	return Check{ID: id, Needs: needs, Run: func(context.Context) Result {
		return Result{Status: status, Cause: map[check.Status]check.Cause{check.Fail: "broken", check.Warn: "odd"}[status]}
	}}
}

func summary(results []Result) string {
	var words []string
	for _, r := range results {
		words = append(words, strings.TrimSpace(string(r.ID)+"="+string(r.Status)+" "+string(r.Cause)))
	}
	return strings.Join(words, ", ")
}

func TestOneRootCauseAndNoCascade(t *testing.T) {
	t.Parallel()
	results := Run(t.Context(), nil,
		Plan{Checks: []Check{
			does(check.SMTPAuth, check.Pass, check.SMTPTLS), // listed in no order: Run sorts by the contract
			does(check.NetResolve, check.Pass), does(check.NetConnect, check.Warn, check.NetResolve),
			does(check.SMTPTLS, check.Fail, check.NetConnect),
			does(check.SMTPSender, check.Pass, check.SMTPAuth),
		}},
		Plan{Checks: []Check{does(check.DNSMX, check.Pass)}},
	)
	want := "net.resolve=pass, net.connect=warn odd, smtp.tls=fail broken, smtp.auth=skip needs-failed, " +
		"smtp.sender=skip needs-failed, dns.mx=pass"
	if got := summary(results); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if root, ok := Root(results); !ok || root.ID != check.SMTPTLS {
		t.Errorf("root %v", root.ID)
	}
	if v := Verdict(results); v != check.Fail {
		t.Errorf("verdict %s", v)
	}
	if r, _ := Find(results, check.SMTPAuth); !slices.Equal(r.Needs, []check.ID{check.SMTPTLS}) {
		t.Errorf("needs %v", r.Needs)
	}
	if _, ok := Find(results, check.IMAPAuth); ok {
		t.Error("found a check that was not planned")
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for want, list := range map[check.Status][]Check{
		check.Pass: {does(check.NetResolve, check.Pass), does(check.NetConnect6, check.Skip)},
		check.Warn: {does(check.NetResolve, check.Pass), does(check.NetConnect, check.Warn)},
	} {
		results := Run(t.Context(), nil, Plan{Checks: list})
		if got := Verdict(results); got != want {
			t.Errorf("%s: %s", summary(results), got)
		}
		if _, failed := Root(results); failed {
			t.Error("a failure where nothing failed")
		}
	}
}

func TestBranchesRunSideBySide(t *testing.T) {
	t.Parallel()
	// Each waits for the other: one after the other they would never end.
	var meeting [2]chan struct{}
	meeting[0], meeting[1] = make(chan struct{}), make(chan struct{})
	meet := func(id check.ID, mine, yours int) Check {
		return Check{ID: id, Run: func(ctx context.Context) Result {
			close(meeting[mine])
			select {
			case <-meeting[yours]:
				return Result{Status: check.Pass}
			case <-ctx.Done():
				return Result{Status: check.Fail, Cause: "alone"}
			}
		}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	results := Run(ctx, nil, Plan{Checks: []Check{meet(check.NetResolve, 0, 1)}},
		Plan{Checks: []Check{meet(check.DNSMX, 1, 0)}})
	if Verdict(results) != check.Pass {
		t.Error(summary(results))
	}
}

func TestAfterWaitsWhateverTheResult(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	first := Check{ID: check.SMTPTLS, Run: func(context.Context) Result {
		time.Sleep(20 * time.Millisecond)
		ended.Store(true)
		return Result{Status: check.Fail, Cause: "broken"}
	}}
	second := Check{
		ID: check.SMTPGreeting, After: []check.ID{check.SMTPTLS, check.IMAPAuth},
		Run: func(context.Context) Result {
			if !ended.Load() {
				return Result{Status: check.Fail, Cause: "too early"}
			}
			return Result{Status: check.Pass}
		},
	}
	if got := summary(Run(t.Context(), nil,
		Plan{Checks: []Check{second, first}})); got != "smtp.greeting=pass, smtp.tls=fail broken" {
		t.Error(got)
	}
}

func TestCancelledChecksSaySo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	closed := false
	stop := Check{ID: check.NetResolve, Run: func(context.Context) Result { cancel(); return Result{Status: check.Pass} }}
	results := Run(ctx, nil,
		Plan{
			Checks: []Check{
				stop, does(check.NetConnect, check.Pass, check.NetResolve),
				does(check.SMTPTLS, check.Pass, check.NetConnect),
			},
			Close: func() { closed = true },
		})
	if got := summary(results); got != "net.resolve=pass, net.connect=skip cancelled, smtp.tls=skip needs-failed" {
		t.Error(got)
	}
	if !closed {
		t.Error("the plan was not let go of")
	}
}

func TestObserverSeesBeginningAndEndInOrder(t *testing.T) {
	t.Parallel()
	var events []string
	observe := func(e Event) {
		word := " began"
		if e.Result != nil {
			word = " " + string(e.Result.Status)
		}
		events = append(events, string(e.ID)+word)
	}
	Run(t.Context(), observe,
		Plan{Checks: []Check{does(check.NetResolve, check.Fail), does(check.NetConnect, check.Pass, check.NetResolve)}})
	if got := strings.Join(events, ", "); got != "net.resolve began, net.resolve fail, net.connect skip" {
		t.Error(got)
	}
}

func TestCheckMayNameTheNeedItFoundOut(t *testing.T) {
	t.Parallel()
	c := Check{ID: check.SMTPTLS, Needs: []check.ID{check.NetConnect}, Run: func(context.Context) Result {
		return Result{Status: check.Skip, Cause: check.CauseNeedsFailed, Needs: []check.ID{check.SMTPInjection}}
	}}
	if r := Run(t.Context(), nil, Plan{Checks: []Check{c}})[0]; !slices.Equal(r.Needs, []check.ID{check.SMTPInjection}) ||
		r.ID != check.SMTPTLS {
		t.Errorf("%+v", r)
	}
}

// odd is an observation with fields of every sort.
type odd struct {
	Text safetext.Remote   `json:"-"`
	Z    int               `json:"z"`
	Name safetext.Remote   `json:"name"`
	None *int              `json:"none,omitzero"`
	List []safetext.Remote `json:"list"`
	Bad  func()            `json:"bad,omitzero"`
}

func (odd) Kind() string            { return "odd" }
func (o odd) Said() safetext.Remote { return o.Text }

func TestEvidenceIsFlatAndEscaped(t *testing.T) {
	t.Parallel()
	e := odd{
		Text: safetext.FromRemote("535 no\x1b\u202e"), Z: 1, Name: safetext.FromRemote("\x9b"),
		List: []safetext.Remote{safetext.FromRemote("\u200b")},
	}
	data, err := json.Marshal(Evidence{e})
	want := `[{"kind":"odd","text":"535 no\u001b\u202e","list":["\u200b"],"name":"\\x9b","z":1}]`
	if err != nil || string(data) != want {
		t.Errorf("%s %v, want %s", data, err, want)
	}
	if _, err := json.Marshal(Evidence{odd{Bad: func() {}}}); err == nil {
		t.Error("a field that is no value was written")
	}
	if data, err := json.Marshal(Evidence(nil)); err != nil || string(data) != "[]" {
		t.Errorf("nothing seen is %s, %v", data, err)
	}
}

func TestEveryIDIsListedOnce(t *testing.T) {
	t.Parallel()
	seen := map[check.ID]bool{}
	for _, id := range check.All() {
		if seen[id] || !strings.Contains(string(id), ".") {
			t.Errorf("%s", id)
		}
		seen[id] = true
	}
}
