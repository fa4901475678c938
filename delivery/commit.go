package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// commitLimit bounds a transaction on PostgreSQL that several callers wait for; SQLite has busyWait.
const commitLimit = time.Minute

// commits groups the changes that goroutines make at the same time into one transaction: they share its sync, which
// costs far more than the statements. A change that comes alone is committed at once. On SQLite, what is read goes the
// same way, over the one connection that the store keeps.
type commits struct {
	mu      sync.Mutex
	waiting []*commit
	running bool
	file    *file
}

// commit is one change that waits for its transaction, or something to read.
type commit struct {
	work func(executor) error
	read bool
	err  error
	done chan struct{}
}

// inTx runs work in a transaction that may contain the changes of other goroutines too. work may be called twice: when
// one change of a group fails, nothing of the group is written, and each is made again in a transaction of its own.
func (s *Store) inTx(ctx context.Context, work func(executor) error) error {
	return s.commit(ctx, &commit{work: work})
}

// view runs work, which only reads.
func (s *Store) view(ctx context.Context, work func(executor) error) error {
	if s.pg {
		return work(s.db)
	}
	return s.commit(ctx, &commit{work: work, read: true})
}

func (s *Store) commit(ctx context.Context, own *commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own.done = make(chan struct{})
	s.commits.mu.Lock()
	s.commits.waiting = append(s.commits.waiting, own)
	leads := !s.commits.running
	s.commits.running = true
	s.commits.mu.Unlock()
	if leads {
		s.commitAll()
	}
	<-own.done
	return own.err
}

// commitAll commits until no change waits. A change that others wait for is not cancelled with its caller.
func (s *Store) commitAll() {
	ctx := context.Background() // without an end: with one, the SQLite driver starts a goroutine for each statement
	if s.pg {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commitLimit)
		defer cancel()
	}
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
	err := s.transact(ctx, group)
	for _, c := range group {
		if err != nil && len(group) > 1 {
			_ = s.transact(ctx, []*commit{c})
			if c.err != nil && uncertain(err) {
				c.err = &uncertainError{c.err}
			}
		}
		close(c.done)
	}
}

// transact makes the changes of a group in one transaction: all of them or none. Each then has its error.
func (s *Store) transact(ctx context.Context, group []*commit) error {
	var err error
	if s.pg {
		err = s.transactShared(ctx, group)
	} else {
		err = s.transactFile(ctx, group)
	}
	for _, c := range group {
		if err != nil && !c.read {
			c.err = err
		}
	}
	return err
}

func (s *Store) transactShared(ctx context.Context, group []*commit) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := runAll(tx, group); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return &uncertainError{err}
	}
	return nil
}

func (s *Store) transactFile(ctx context.Context, group []*commit) error {
	f, err := s.openFile(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(group, func(c *commit) bool { return !c.read }) {
		return runAll(f, group)
	}
	if _, err := f.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err = runAll(f, group); err == nil {
		if _, err = f.ExecContext(ctx, "COMMIT"); err != nil {
			err = &uncertainError{err}
		}
	}
	if err != nil {
		_, _ = f.ExecContext(ctx, "ROLLBACK")
	}
	return err
}

// uncertainError is the error of a commit: the changes may have been made all the same, for instance when the
// connection ended before the database's answer came.
type uncertainError struct{ err error }

func (e *uncertainError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *uncertainError) Unwrap() error { return e.err }

func uncertain(err error) bool { return errors.As(err, new(*uncertainError)) }

// runAll ends with the first change that fails. What cannot be read concerns only its reader.
func runAll(on executor, group []*commit) error {
	for _, c := range group {
		if c.err = c.run(on); c.err != nil && !c.read {
			return c.err
		}
	}
	return nil
}

// run turns a panic into an error: the other changes of the group wait.
func (c *commit) run(on executor) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%v\n%s", fault, debug.Stack())
		}
	}()
	return c.work(on)
}

// file is the one connection to an SQLite file, with the statements that were prepared on it.
type file struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func (s *Store) openFile(ctx context.Context) (*file, error) {
	if s.commits.file == nil {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s.commits.file = &file{conn: conn, statements: map[string]*sql.Stmt{}}
	}
	return s.commits.file, nil
}

// maxStatements bounds the statements that are kept: some have a number of parameters that depends on a message.
const maxStatements = 100

func (f *file) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := f.statements[query]; statement != nil {
		return statement, nil
	}
	if len(f.statements) >= maxStatements {
		f.forget()
	}
	statement, err := f.conn.PrepareContext(ctx, query)
	if err == nil {
		f.statements[query] = statement
	}
	return statement, err
}

func (f *file) forget() {
	for _, statement := range f.statements {
		_ = statement.Close()
	}
	clear(f.statements)
}

func (f *file) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := f.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

func (f *file) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := f.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

func (f *file) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := f.prepare(ctx, query)
	if err != nil {
		return f.conn.QueryRowContext(ctx, query, args...) // fails in the same way
	}
	return statement.QueryRowContext(ctx, args...)
}

// slack is how many octets of a file may be unused: the next messages need them.
const slack = 4 << 20

// shrink gives back what large messages have left free in an SQLite file.
func (s *Store) shrink(ctx context.Context) error {
	if s.pg {
		return nil
	}
	var free, size int
	err := s.view(ctx, func(on executor) error {
		return errors.Join(on.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free),
			on.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size))
	})
	if err != nil || free*size <= slack {
		return wrap("shrink the file", err)
	}
	return wrap("shrink the file", s.inTx(ctx, func(tx executor) error {
		rows, err := tx.QueryContext(ctx, "PRAGMA incremental_vacuum")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() { // each step gives back a page
			continue
		}
		return rows.Err()
	}))
}

// Close closes the database.
func (s *Store) Close() error {
	_ = s.shrink(context.Background())
	_ = s.view(context.Background(), func(executor) error {
		if f := s.commits.file; f != nil {
			f.forget()
			_ = f.conn.Close()
			s.commits.file = nil
		}
		return nil
	})
	return s.db.Close()
}
