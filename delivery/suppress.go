package delivery

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"postier/config"
)

// Entry is one line of the suppression list (P-7).
type Entry struct {
	// Pattern is an address, @domain for all addresses there, or @*.domain for those in its subdomains.
	Pattern string    `json:"pattern"`
	Reason  string    `json:"reason,omitempty"`
	Added   time.Time `json:"added"`
	// Proposed entries suppress nothing yet: a server refused the address for good, and a person decides.
	Proposed bool `json:"proposed,omitempty"`
}

// ErrPattern says that a pattern is neither an address nor @domain.
var ErrPattern = errors.New("neither an address nor @domain")

// ErrNoEntry says that the list has no such entry.
var ErrNoEntry = errors.New("not on the list")

// Pattern reads what a person types: an address, @domain, *@domain or @*.domain.
func Pattern(typed string) (string, error) {
	typed = strings.TrimPrefix(strings.TrimSpace(typed), "*@")
	if !strings.Contains(typed, "@") {
		typed = "@" + typed
	}
	if domain, all := strings.CutPrefix(typed, "@"); all {
		sub := ""
		if rest, ok := strings.CutPrefix(domain, "*."); ok {
			domain, sub = rest, "*."
		}
		ascii, ok := config.DomainASCII(domain)
		if !ok || !strings.Contains(ascii, ".") {
			return "", ErrPattern
		}
		return "@" + sub + strings.ToLower(ascii), nil
	}
	if !config.ValidateAddress(typed).Empty() {
		return "", ErrPattern
	}
	return key(typed), nil
}

// maxReason is how many octets of a reason are kept.
const maxReason = 500

// Suppress adds an entry or changes its reason. A proposal never replaces an entry that a person made.
func (s *Store) Suppress(ctx context.Context, e Entry) error {
	return s.inTx(ctx, func(tx executor) error { return s.suppress(ctx, tx, e) })
}

func (s *Store) suppress(ctx context.Context, on executor, e Entry) error {
	pattern, err := Pattern(e.Pattern)
	if err != nil {
		return err
	}
	if e.Added.IsZero() {
		e.Added = s.Now()
	}
	proposed := 0
	conflict := `DO UPDATE SET reason = ?2, proposed = 0`
	if e.Proposed {
		proposed, conflict = 1, `DO NOTHING`
	}
	reason := strings.ToValidUTF8(e.Reason[:min(len(e.Reason), maxReason)], "")
	return wrap("write the suppression list", s.exec(ctx, on,
		`INSERT INTO postier_suppressed (pattern, reason, at, proposed) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (pattern) `+conflict, pattern, reason, e.Added.UnixMilli(), proposed))
}

// Unsuppress removes an entry, ErrNoEntry when there is none.
func (s *Store) Unsuppress(ctx context.Context, typed string) error {
	pattern, err := Pattern(typed)
	if err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx executor) error {
		return s.exactlyOne(ctx, tx, `DELETE FROM postier_suppressed WHERE pattern = ?1`, pattern)
	})
	if errors.Is(err, errStale) {
		return ErrNoEntry
	}
	return wrap("write the suppression list", err)
}

// Suppressed lists the entries in alphabetical order.
func (s *Store) Suppressed(ctx context.Context) ([]Entry, error) {
	out := []Entry{}
	err := s.view(ctx, func(on executor) error {
		query := `SELECT pattern, reason, at, proposed FROM postier_suppressed ORDER BY pattern`
		rows, err := on.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var e Entry
			var at, proposed int64
			if err := rows.Scan(&e.Pattern, &e.Reason, &at, &proposed); err != nil {
				return err
			}
			e.Added, e.Proposed = time.UnixMilli(at).UTC(), proposed != 0
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, wrap("read the suppression list", err)
}

// IsSuppressed looks up an address: itself, its domain, and the domains above.
func (s *Store) IsSuppressed(ctx context.Context, address string) (reason string, listed bool, err error) {
	patterns := patternsOf(address)
	var args []any
	var places []string
	for n, pattern := range patterns {
		args, places = append(args, pattern), append(places, fmt.Sprintf("?%d", n+1))
	}
	found := map[string]string{}
	err = s.view(ctx, func(on executor) error {
		rows, err := on.QueryContext(ctx, s.q(`SELECT pattern, reason FROM postier_suppressed WHERE proposed = 0 AND pattern IN (`+
			strings.Join(places, ", ")+`)`), args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var pattern string
			if err := rows.Scan(&pattern, &reason); err != nil {
				return err
			}
			found[pattern] = reason
		}
		return rows.Err()
	})
	for _, pattern := range patterns { // what is nearest to the address counts
		if reason, listed = found[pattern]; listed {
			break
		}
	}
	return reason, listed, wrap("read the suppression list", err)
}

func patternsOf(address string) []string {
	own := key(address)
	domain := config.AddressDomain(own)
	list := []string{own, "@" + domain}
	for {
		_, parent, found := strings.Cut(domain, ".")
		if !found {
			return list
		}
		domain = parent
		list = append(list, "@*."+domain)
	}
}

// csvHeader is the first line of an export.
var csvHeader = []string{"pattern", "reason", "added", "proposed"}

// ExportCSV writes the list (RFC 4180).
func (s *Store) ExportCSV(ctx context.Context, w io.Writer) error {
	list, err := s.Suppressed(ctx)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	_ = out.Write(csvHeader)
	for _, e := range list {
		added, proposed := e.Added.Format(time.RFC3339), strconv.FormatBool(e.Proposed)
		_ = out.Write([]string{e.Pattern, defuse(e.Reason), added, proposed})
	}
	out.Flush()
	return out.Error()
}

// defuse keeps a spreadsheet from evaluating a server's words as a formula (CWE-1236).
func defuse(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// maxImport bounds a file: a hundred thousand addresses.
const maxImport = 16 << 20

// ImportCSV adds the lines of a CSV file whose first column is a pattern and whose second, when there is one, a reason.
// The header line may be missing. All lines are added or none; the error names a malformed one.
func (s *Store) ImportCSV(ctx context.Context, r io.Reader) (added int, err error) {
	in := csv.NewReader(io.LimitReader(r, maxImport))
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	rows, err := in.ReadAll()
	if err != nil {
		return 0, err
	}
	var list []Entry
	for i, row := range rows {
		if len(row) == 0 || row[0] == "" || i == 0 && strings.EqualFold(row[0], csvHeader[0]) {
			continue
		}
		e := Entry{Pattern: row[0]}
		if len(row) > 1 {
			e.Reason = strings.TrimPrefix(row[1], "'")
		}
		if len(row) > 3 {
			e.Proposed = row[3] == "true"
		}
		if e.Pattern, err = Pattern(e.Pattern); err != nil {
			return 0, fmt.Errorf("line %d: %w", i+1, err)
		}
		list = append(list, e)
	}
	err = s.inTx(ctx, func(tx executor) error {
		for _, e := range list {
			if err := s.suppress(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(list), nil
}
