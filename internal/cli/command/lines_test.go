package command

import (
	"bufio"
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Lines that take long hold up neither the others nor the order of the results.
func TestSlowLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lines, slow = 1000, 10 // each hundredth line
		var in strings.Builder
		for n := range lines {
			in.WriteString(strconv.Itoa(n) + "\n")
		}
		o := Lines{
			Parallel: 8, Window: lines, Patience: time.Second, Clean: func(line string) string { return line },
		}
		start, next := time.Now(), 0
		_, err := EachLine(t.Context(), bufio.NewScanner(strings.NewReader(in.String())), o,
			func(_ context.Context, line string, _ int) string {
				if strings.HasSuffix(line, "00") {
					time.Sleep(slow * time.Second)
				}
				time.Sleep(time.Millisecond)
				return line
			}, func(line string, _ bool) error {
				if line != strconv.Itoa(next) {
					t.Errorf("line %s instead of %d", line, next)
				}
				next++
				return nil
			})
		// The slow ones take a slot for a second each, and the last of them ends ten seconds after it began.
		if took := time.Since(start); err != nil || next != lines || took > 2*slow*time.Second {
			t.Errorf("%d lines in %v, %v", next, took, err)
		}
	})
}

// When all lines take long, only a bounded number of them is worked on.
func TestAllLinesAreSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lines, parallel = 200, 4
		o := Lines{
			Parallel: parallel, Window: lines, Patience: time.Second, Clean: func(line string) string { return line },
		}
		var now, most atomic.Int64
		_, err := EachLine(t.Context(), bufio.NewScanner(strings.NewReader(strings.Repeat("x\n", lines))), o,
			func(context.Context, string, int) bool {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Minute)
				now.Add(-1)
				return true
			}, func(bool, bool) error { return nil })
		if err != nil || most.Load() != 2*parallel {
			t.Errorf("%d at once, %v", most.Load(), err)
		}
	})
}
