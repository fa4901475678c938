package command

import (
	"bufio"
	"context"
	"time"

	"postier/internal/turns"
)

// Lines says how a command works on many lines: how many at a time, and how many results may wait for an earlier,
// slower one. A line that has taken longer than Patience, if there is one, makes room for another one; as many may do
// so as are worked on. Clean prepares a line; one that it makes empty is left out.
type Lines struct {
	Parallel, Window int
	Patience         time.Duration
	Clean            func(line string) string
}

// EachLine works on several lines at a time and passes the results to take in the order of the lines; idle is true when
// no other result is ready. reading is why the lines ended early, err what take returned.
func EachLine[T any](ctx context.Context, in *bufio.Scanner, o Lines,
	work func(ctx context.Context, line string, number int) T, take func(result T, idle bool) error,
) (reading, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan chan T, o.Window)
	var ended error
	go func() {
		defer close(queue)
		places := turns.New(o.Parallel, o.Parallel, o.Patience)
		for number := 1; in.Scan(); number++ {
			line := o.Clean(in.Text())
			if line == "" {
				continue
			}
			result := make(chan T, 1)
			select {
			case queue <- result:
			case <-ctx.Done():
				return
			}
			leave, err := places.Take(context.WithoutCancel(ctx))
			if err != nil {
				return
			}
			go func() {
				defer leave()
				result <- work(ctx, line, number)
			}()
		}
		ended = in.Err()
	}()
	for pending := range queue {
		if err := take(<-pending, len(queue) == 0); err != nil {
			return nil, err
		}
	}
	return ended, nil
}
