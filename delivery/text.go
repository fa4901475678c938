package delivery

import (
	"context"
	"slices"
)

// The text of a message is in parts. The row has the first one, which is all of most messages: a change of state writes
// the row again, and would otherwise write the attachments with it each time.
const (
	headSize = 32 << 10
	partSize = 256 << 10
)

// head is the part of a text that is in the row.
func head(text []byte) []byte { return text[:min(len(text), headSize)] }

// insertParts writes what of the text is not in the row.
func (s *Store) insertParts(ctx context.Context, tx executor, i *Item) error {
	const query = `INSERT INTO postier_part (message, part, octets) VALUES (?1, ?2, ?3)`
	number := 0
	for part := range slices.Chunk(i.Raw[len(head(i.Raw)):], partSize) {
		if err := s.exec(ctx, tx, query, i.ID, number, part); err != nil {
			return err
		}
		number++
	}
	return nil
}

// replaceParts writes them for a text that was changed; one that is empty has none.
func (s *Store) replaceParts(ctx context.Context, tx executor, i *Item) error {
	if err := s.deleteParts(ctx, tx, i.ID); err != nil {
		return err
	}
	return s.insertParts(ctx, tx, i)
}

func (s *Store) deleteParts(ctx context.Context, tx executor, id string) error {
	return s.exec(ctx, tx, `DELETE FROM postier_part WHERE message = ?1`, id)
}

// readText reads the text of a message that was claimed.
func (s *Store) readText(ctx context.Context, i *Item) error {
	return s.view(ctx, func(on executor) error { return s.text(ctx, on, i) })
}

func (s *Store) text(ctx context.Context, on executor, i *Item) error {
	var size int
	const query = `SELECT head, length(head) +
			COALESCE((SELECT SUM(length(octets)) FROM postier_part WHERE message = id), 0)
		FROM postier_message WHERE id = ?1`
	var first []byte
	if err := s.row(ctx, on, query, i.ID).Scan(&first, &size); err != nil {
		return err
	}
	if size == len(first) {
		i.Raw = first
		return nil
	}
	text := append(make([]byte, 0, size), first...)
	const next = `SELECT octets FROM postier_part WHERE message = ?1 AND part = ?2`
	for part := 0; len(text) < size; part++ {
		var octets []byte
		if err := s.row(ctx, on, next, i.ID, part).Scan(&octets); err != nil {
			return err
		}
		text = append(text, octets...)
	}
	i.Raw = text
	return nil
}
