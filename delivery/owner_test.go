package delivery

import (
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Two processes with equal host names and equal PIDs, in two containers or on two machines, are not taken for each
// other: what is known of a process holds only within the kernel and the PID namespace that its claim names.
func TestLife(t *testing.T) {
	t.Parallel()
	own := newOwner()
	if other := newOwner(); own == other {
		t.Errorf("two owners are named %s", own)
	}
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	part := strings.Split(own, "/")
	with := func(n int, value string) string {
		changed := append([]string{}, part...)
		changed[n] = value
		return strings.Join(changed, "/")
	}
	for _, row := range []struct {
		name, owner  string
		alive, known bool
	}{
		{"this process", own, true, true},
		{"ended", with(3, strconv.Itoa(child.Process.Pid)), false, true},
		{"the PID was given to another process", with(4, "1"), false, true},
		{"another machine", with(1, "d2719e8e-0000-4000-8000-000000000000"), false, false},
		{"another container", with(2, "pid:[1]"), false, false},
		{"no /proc there", part[0] + "////", false, false},
		{"an older version's", "host/1/2", false, false},
		{"nonsense", "x", false, false},
	} {
		if alive, known := life(row.owner); alive != row.alive || known != row.known {
			t.Errorf("%s: alive %t, known %t", row.name, alive, known)
		}
	}
}

// TestClaimsOverlap: a try that ends does not let go of the one that began after it, and a claim that is being taken
// does not look abandoned. Otherwise a retry would send the message a second time.
func TestClaimsOverlap(t *testing.T) {
	t.Parallel()
	q := &Queue{}
	q.claims.renewing = true // without a store
	q.hold("a")
	q.hold("a")
	q.release("a")
	if !q.claims.holds("a") {
		t.Error("the second try is not held")
	}
	q.release("a")
	if q.claims.holds("a") || len(q.claims.held) != 0 {
		t.Error("held after the last try")
	}

	q.claims.taking.Lock() // as takeDue does: the database has the claim, and it is not held yet
	seen := make(chan bool)
	go func() { seen <- q.claims.holds("b") }()
	for range 100 {
		runtime.Gosched()
	}
	q.hold("b")
	q.claims.taking.Unlock()
	if !<-seen {
		t.Error("a claim that is being taken looks abandoned")
	}
}
