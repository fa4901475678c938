package delivery

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The owner of a claim is a name that no other process has, on any machine and in any container: it begins with random
// letters. The rest of it lets a process with the same kernel and PID namespace find out at once that the owner has
// died. For all others the claim ends with its lease, which the owner renews while it works.

const (
	// lease is how long a claim is valid after its last renewal.
	lease = 2 * time.Minute
	// renewal is how often a claim is renewed: two renewals may fail.
	renewal = lease / 4
)

// newOwner names one opened store of this process: RANDOM/BOOT/NAMESPACE/PID/START.
func newOwner() string {
	pid := os.Getpid()
	return strings.Join([]string{strings.ToLower(rand.Text()), kernel(), strconv.Itoa(pid), startTime(pid)}, "/")
}

// kernel names the running kernel and the PID namespace: within both, a PID with its start time identifies a process.
// Both parts are empty where they cannot be read.
func kernel() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "/"
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "/"
	}
	return string(bytes.TrimSpace(boot)) + "/" + namespace
}

// startTime is field 22 of /proc/PID/stat, empty where it cannot be read.
func startTime(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:]) // the name in brackets may hold spaces
	const start = 19
	if len(fields) <= start {
		return ""
	}
	return string(fields[start])
}

// life reports whether the process that an owner names still runs. known is false when that cannot be found out here.
func life(owner string) (alive, known bool) {
	const parts = 5
	part := strings.Split(owner, "/")
	if len(part) != parts || part[1] == "" || part[1]+"/"+part[2] != kernel() {
		return false, false
	}
	pid, err := strconv.Atoi(part[3])
	if err != nil || pid <= 0 {
		return false, false
	}
	if gone(pid) {
		return false, true
	}
	start := startTime(pid)
	return start == part[4], start != "" && part[4] != ""
}

// claims are the messages that this process is working on.
type claims struct {
	mu sync.Mutex
	// held counts the tries of a message: the next one may begin before the one before it has let go.
	held     map[string]int
	renewing bool
	// taking is locked from before the database has a claim of this process until it is held here, so that no claim
	// looks abandoned in between.
	taking sync.RWMutex
}

func (c *claims) holds(id string) bool {
	c.taking.RLock()
	defer c.taking.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[id] > 0
}

// all lists the messages; when there are none, renewing ends.
func (c *claims) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewing = len(c.held) > 0
	return slices.Collect(maps.Keys(c.held))
}

// hold renews the claim on a message until it is released.
func (q *Queue) hold(id string) {
	q.claims.mu.Lock()
	defer q.claims.mu.Unlock()
	if q.claims.held == nil {
		q.claims.held = map[string]int{}
	}
	q.claims.held[id]++
	if !q.claims.renewing {
		q.claims.renewing = true
		go q.keepAlive()
	}
}

func (q *Queue) release(id string) {
	q.claims.mu.Lock()
	defer q.claims.mu.Unlock()
	if q.claims.held[id]--; q.claims.held[id] == 0 {
		delete(q.claims.held, id)
	}
}

// takeDue claims messages of a profile that are due, and holds them.
func (q *Queue) takeDue(ctx context.Context, profile string, most int) ([]*Item, error) {
	q.claims.taking.Lock()
	defer q.claims.taking.Unlock()
	items, err := q.Store.claim(ctx, profile, most)
	for _, item := range items {
		q.hold(item.ID)
	}
	return items, err
}

// keepAlive renews the claims while there are any. When that fails for too long another process may claim a message;
// then the next change by this one fails, at the latest the one before the last octets are sent.
func (q *Queue) keepAlive() {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for range tick.C {
		held := q.claims.all()
		if len(held) == 0 {
			return
		}
		for _, id := range held {
			_ = q.Store.renew(context.Background(), id, q.Store.owner, q.Store.Now().Add(lease))
		}
	}
}

// busy reports whether a process is sending the message. While it is claimed, Due is the end of the lease.
func (q *Queue) busy(item *Item) bool {
	switch item.owner {
	case "":
		return false
	case q.Store.owner:
		return q.claims.holds(item.ID)
	}
	if alive, known := life(item.owner); known {
		return alive
	}
	return q.Store.Now().Before(item.Due)
}
