package delivery

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// commitLimit bounds a transaction that several callers wait for.
const commitLimit = time.Minute

// commits groups the changes that goroutines make at the same time into one transaction: they share its sync, which
// costs far more than the statements. A change that comes alone is committed at once.
type commits struct {
	mu      sync.Mutex
	waiting []*commit
	running bool
}

// commit is one change that waits for its transaction.
type commit struct {
	work func(*sql.Tx) error
	err  error
	done chan struct{}
}

// inTx runs work in a transaction that may contain the changes of other goroutines too. work may be called twice: when
// one change of a group fails, nothing of the group is written, and each is made again in a transaction of its own.
func (s *Store) inTx(ctx context.Context, work func(*sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own := &commit{work: work, done: make(chan struct{})}
	s.commits.mu.Lock()
	s.commits.waiting = append(s.commits.waiting, own)
	leads := !s.commits.running
	s.commits.running = true
	s.commits.mu.Unlock()
	if leads {
		s.commitAll(context.WithoutCancel(ctx))
	}
	<-own.done
	return own.err
}

// commitAll commits until no change waits.
func (s *Store) commitAll(ctx context.Context) {
	for {
		s.commits.mu.Lock()
		group := s.commits.waiting
		s.commits.waiting, s.commits.running = nil, len(group) > 0
		s.commits.mu.Unlock()
		if len(group) == 0 {
			return
		}
		s.commitGroup(ctx, group)
	}
}

func (s *Store) commitGroup(ctx context.Context, group []*commit) {
	err := s.transact(ctx, group...)
	for _, c := range group {
		if c.err = err; err != nil && len(group) > 1 {
			c.err = s.transact(ctx, c)
		}
		close(c.done)
	}
}

// transact makes changes in one transaction: all of them or none.
func (s *Store) transact(ctx context.Context, group ...*commit) error {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, c := range group {
		if err := c.work(tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}
