package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"modernc.org/sqlite"

	"postier/config"
	"postier/internal/safefile"
)

// Store is the state that is kept between runs: what was sent (for the limits), the suppression list, the queue. It is
// one SQLite file with mode 0600, or a PostgreSQL database that several machines share. It is safe for many processes
// at once.
type Store struct {
	db       *sql.DB
	pg       bool
	database config.Database
	// owner names this opened store in the claims on messages.
	owner string
	// Now is the clock; tests set it. On PostgreSQL it is the database's, so that machines agree on leases and limits.
	Now func() time.Time
	// reading is of the database's clock; nil means our own.
	reading atomic.Pointer[reading]
	commits commits
	tidied  tidied
}

// StateError says that the state could not be opened, read or written.
type StateError struct {
	Op, Place string
	Err       error
	// Fate is what became of the message that was being submitted, empty when none was.
	Fate Fate
}

// Fate says whether a message was accepted although the state failed.
type Fate string

// The fates.
const (
	FateRefused  Fate = "refused"  // nothing was accepted
	FateAccepted Fate = "accepted" // the message is in the queue or was sent; submitting it again would send it twice
	FateUnknown  Fate = "unknown"  // the database's answer was lost
)

// Refused says of an error before a message was accepted that nothing was.
func Refused(err error) error { return FateRefused.of(err) }

// of records the fate in a StateError that has none yet.
func (f Fate) of(err error) error {
	var state *StateError
	if errors.As(err, &state) && state.Fate == "" {
		state.Fate = f
	}
	return err
}

func (e *StateError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Place, e.Err) }

// Unwrap gives the cause.
func (e *StateError) Unwrap() error { return e.Err }

// DiskProblem is disk_full or read_only where the disk is at fault; empty for every other error.
func (e *StateError) DiskProblem() string {
	const sqliteFull = 13 // SQLITE_FULL (sqlite.org/rescode.html)
	var file *safefile.Error
	var database *sqlite.Error
	switch {
	case errors.As(e.Err, &file) && (file.Problem == safefile.DiskFull || file.Problem == safefile.ReadOnly):
		return string(file.Problem)
	case errors.Is(e.Err, syscall.ENOSPC), errors.As(e.Err, &database) && database.Code() == sqliteFull:
		return string(safefile.DiskFull)
	}
	return ""
}

// stateName is the file of the embedded default.
const stateName = "postier.db"

// StatePath is where the state of a configuration is kept unless the configuration names a database; see
// config.StateFolder.
func StatePath(configPath string, getenv func(string) string) string {
	return filepath.Join(config.StateFolder(configPath, getenv), stateName)
}

// idleConnections to PostgreSQL are kept for the next statement: as many as there are workers, and one that commits.
const idleConnections = workers + 1

// busyWait is how long a writer waits for another one; a transaction takes a few milliseconds.
const busyWait = 20 * time.Second

// OpenStore opens the state in a database. What is missing is created.
func OpenStore(ctx context.Context, database config.Database) (*Store, error) {
	s, err := connect(database)
	if err != nil {
		return nil, err
	}
	if err = s.migrate(ctx); err == nil {
		err = s.setClock(ctx)
	}
	if err != nil {
		_ = s.db.Close()
		return nil, &StateError{Op: "open", Place: database.String(), Err: err}
	}
	return s, nil
}

// connect makes the connection to a database, whose tables may be missing or old.
func connect(database config.Database) (*Store, error) {
	s := &Store{owner: newOwner(), database: database, pg: database.URL != ""}
	s.Now = s.now
	fail := func(err error) (*Store, error) {
		if unsafe(err) {
			return nil, err // it names the command that fixes it, as for the configuration
		}
		return nil, &StateError{Op: "open", Place: database.String(), Err: err}
	}
	var err error
	if s.pg {
		if s.db, err = sql.Open("pgx", database.URL); err != nil {
			return fail(err)
		}
		s.db.SetMaxIdleConns(idleConnections)
	} else {
		if err := safefile.Database(database.File); err != nil {
			return fail(err)
		}
		query := url.Values{"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyWait.Milliseconds()),
			// Before the first table is made: pages that become free can be given back; see shrink.
			"auto_vacuum(INCREMENTAL)",
			"journal_mode(WAL)",
			fmt.Sprintf("journal_size_limit(%d)", slack),
			// Accepted means written and synced: FULL syncs at every commit.
			"synchronous(FULL)",
			"secure_delete(ON)",
		}}
		if s.db, err = sql.Open("sqlite", "file:"+uriPath(database.File)+"?"+query.Encode()); err != nil {
			return fail(err)
		}
	}
	return s, nil
}

// uriPath is a file's path as SQLite reads it after "file:", on Windows with a slash before the drive.
func uriPath(file string) string {
	path := filepath.ToSlash(file)
	if filepath.VolumeName(file) != "" {
		path = "/" + path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// unsafe reports whether other users could read or change the state.
func unsafe(err error) bool {
	var file *safefile.Error
	if !errors.As(err, &file) {
		return false
	}
	switch file.Problem {
	case safefile.TooOpen, safefile.FolderOpen, safefile.ForeignOwner, safefile.ForeignLink, safefile.NotRegular:
		return true
	}
	return false
}

// schemaVersion is stored; an older program refuses a newer state.
const schemaVersion = 8

var errNewerState = errors.New("the state was written by a newer version of this program")

// migrate updates the tables to this version. When many processes start at once, the lock of the transaction lets one
// after the other do so.
func (s *Store) migrate(ctx context.Context) error {
	const read = `SELECT version FROM postier_schema`
	var version int
	err := s.view(ctx, func(on executor) error { return s.row(ctx, on, read).Scan(&version) })
	switch {
	case err == nil && version == schemaVersion:
		return nil
	case err == nil && version > schemaVersion:
		return errNewerState
	}
	return s.locked(ctx, "schema", func(tx executor) error {
		if err := s.exec(ctx, tx, `CREATE TABLE IF NOT EXISTS postier_schema (version BIGINT NOT NULL)`); err != nil {
			return err
		}
		version = 0
		if err := s.row(ctx, tx, read).Scan(&version); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, statement := range slices.Concat(s.schema()[min(version, schemaVersion):]...) {
			if err := s.exec(ctx, tx, statement); err != nil {
				return err
			}
		}
		if err := s.exec(ctx, tx, `DELETE FROM postier_schema`); err != nil {
			return err
		}
		return s.exec(ctx, tx, `INSERT INTO postier_schema (version) VALUES (?1)`, max(version, schemaVersion))
	})
}

// schema lists the statements that lead from each version to the next one.
func (s *Store) schema() [][]string {
	blob, serial := "BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT"
	if s.pg {
		blob, serial = "BYTEA", "BIGSERIAL PRIMARY KEY"
	}
	return [][]string{
		{
			`CREATE TABLE IF NOT EXISTS postier_sent (id ` + serial + `, profile TEXT NOT NULL, at BIGINT NOT NULL)`,
			`CREATE INDEX IF NOT EXISTS postier_sent_at ON postier_sent (profile, at)`,
			`CREATE TABLE IF NOT EXISTS postier_batch (profile TEXT PRIMARY KEY, messages BIGINT NOT NULL, last BIGINT NOT NULL)`,
			`CREATE TABLE IF NOT EXISTS postier_suppressed (pattern TEXT PRIMARY KEY, reason TEXT NOT NULL, at BIGINT NOT NULL,
				proposed BIGINT NOT NULL)`,
			`CREATE TABLE IF NOT EXISTS postier_health (profile TEXT PRIMARY KEY, failures BIGINT NOT NULL, cause TEXT NOT NULL,
				since BIGINT NOT NULL)`,
			`CREATE TABLE IF NOT EXISTS postier_message (id TEXT PRIMARY KEY, job BIGINT NOT NULL, accepted BIGINT NOT NULL,
				due BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, owner TEXT NOT NULL, profile TEXT NOT NULL,
				message_id TEXT NOT NULL, envelope TEXT NOT NULL, detail TEXT NOT NULL, raw ` + blob + ` NOT NULL)`,
			`CREATE INDEX IF NOT EXISTS postier_message_due ON postier_message (state, due)`,
		},
		{`ALTER TABLE postier_message ADD COLUMN version BIGINT NOT NULL DEFAULT 0`},
		// An index for each question that is asked of the queue, so that no answer depends on its length.
		{
			`DROP INDEX IF EXISTS postier_message_due`,
			`CREATE INDEX IF NOT EXISTS postier_message_due ON postier_message (profile, due) WHERE ` + claimable,
			`CREATE INDEX IF NOT EXISTS postier_message_claimed ON postier_message (due) WHERE ` + claimed,
			`CREATE INDEX IF NOT EXISTS postier_message_final ON postier_message (due) WHERE ` + final,
		},
		{`CREATE TABLE IF NOT EXISTS postier_keeper (name TEXT PRIMARY KEY, at BIGINT NOT NULL)`},
		{`CREATE INDEX IF NOT EXISTS postier_message_listed ON postier_message (accepted, id)`},
		// The column is renamed, so that an older version that still runs fails instead of sending a part for the whole.
		{
			`ALTER TABLE postier_message RENAME COLUMN raw TO head`,
			`CREATE TABLE IF NOT EXISTS postier_part (message TEXT NOT NULL, part BIGINT NOT NULL, octets ` + blob + ` NOT NULL,
				PRIMARY KEY (message, part))`,
		},
		// When the last failure was; 0 where an older version counted it.
		{`ALTER TABLE postier_health ADD COLUMN last BIGINT NOT NULL DEFAULT 0`},
		// What the watch knows of each profile; who has a turn at what one process does at a time.
		{
			`CREATE TABLE IF NOT EXISTS postier_watch (profile TEXT PRIMARY KEY, proven BIGINT NOT NULL, since BIGINT NOT NULL,
				last BIGINT NOT NULL, cause TEXT NOT NULL, sending BIGINT NOT NULL, detail TEXT NOT NULL)`,
			`CREATE TABLE IF NOT EXISTS postier_turn (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)`,
		},
	}
}

// q writes the placeholders ?1, ?2 of SQLite as $1, $2 for PostgreSQL.
func (s *Store) q(query string) string {
	if s.pg {
		return strings.ReplaceAll(query, "?", "$")
	}
	return query
}

// executor is a database or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) exec(ctx context.Context, on executor, query string, args ...any) error {
	_, err := on.ExecContext(ctx, s.q(query), args...)
	return err
}

func (s *Store) row(ctx context.Context, on executor, query string, args ...any) *sql.Row {
	return on.QueryRowContext(ctx, s.q(query), args...)
}

// exactlyOne runs a statement on one row, and is errStale when there is no such row.
func (s *Store) exactlyOne(ctx context.Context, on executor, query string, args ...any) error {
	result, err := on.ExecContext(ctx, s.q(query), args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errStale, err)
	}
	return nil
}

// locked runs work in a transaction that excludes every other one of the same name, on all machines.
func (s *Store) locked(ctx context.Context, name string, work func(executor) error) error {
	return s.inTx(ctx, func(tx executor) error {
		if s.pg { // SQLite has one writer anyway (BEGIN IMMEDIATE)
			lock := `SELECT pg_advisory_xact_lock(hashtextextended(?1, 0))`
			if err := s.exec(ctx, tx, lock, "postier:"+name); err != nil {
				return err
			}
		}
		return work(tx)
	})
}

// wrap gives an error of the database its operation, unless it has one.
func wrap(op string, err error) error {
	var state *StateError
	if err == nil || errors.As(err, &state) {
		return err
	}
	return &StateError{Op: op, Place: "the state", Err: err}
}
