package parallel

import (
	"strings"
	"sync/atomic"
	"testing"
)

func outOfLuck() { panic("out of luck") }

// TestGroup: a panic of one part comes to whoever waits, after the others have ended, with the stack of the part.
func TestGroup(t *testing.T) {
	t.Parallel()
	var g Group
	var ended atomic.Int64
	for range 10 {
		g.Go(func() { ended.Add(1) })
	}
	g.Go(outOfLuck)
	broken := Catch(g.Wait)
	if broken == nil || broken.Value != "out of luck" || ended.Load() != 10 ||
		!strings.Contains(broken.Error(), "outOfLuck") {
		t.Errorf("%d ended, %v", ended.Load(), broken)
	}
	var quiet Group
	quiet.Go(func() {})
	if broken := Catch(quiet.Wait); broken != nil {
		t.Error(broken)
	}
}

// TestNested: a group within a part gives the innermost panic.
func TestNested(t *testing.T) {
	t.Parallel()
	broken := Catch(func() {
		var outer Group
		outer.Go(func() {
			var inner Group
			inner.Go(outOfLuck)
			inner.Wait()
		})
		outer.Wait()
	})
	if broken == nil || broken.Value != "out of luck" {
		t.Error(broken)
	}
}
