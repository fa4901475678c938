package delivery

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"postier/internal/spool"
)

// The text of a message is in parts. The row has the first one, which is all of most messages: a change of state writes
// the row again, and would otherwise write the attachments with it each time.
const (
	headSize = 32 << 10
	partSize = spool.PieceSize
)

// head is the part of a text that is in the row.
func head(text []byte) []byte { return text[:min(len(text), headSize)] }

const insertPart = `INSERT INTO postier_part (message, part, octets) VALUES (?1, ?2, ?3)`

// partsOfRaw is how many parts have what is in memory of the text, besides the row.
func (i *Item) partsOfRaw() int { return (len(i.Raw) - len(head(i.Raw)) + partSize - 1) / partSize }

// insertParts writes what of the text is not in the row.
func (s *Store) insertParts(ctx context.Context, tx executor, i *Item) error {
	number := 0
	insert := func(part []byte) error {
		number++
		return s.exec(ctx, tx, insertPart, i.ID, number-1, part)
	}
	for part := range slices.Chunk(i.Raw[len(head(i.Raw)):], partSize) {
		if err := insert(part); err != nil {
			return err
		}
	}
	if i.rest == nil {
		return nil
	}
	for piece, err := range i.rest.Pieces() {
		if err == nil {
			err = insert(piece)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrite writes what was changed of a text that is stored: all of it where all is in memory, otherwise its beginning.
func (s *Store) rewrite(ctx context.Context, tx executor, i *Item) error {
	if i.rest == nil {
		if err := s.deleteParts(ctx, tx, i.ID); err != nil {
			return err
		}
		return s.insertParts(ctx, tx, i)
	}
	// The row has all of the beginning now, and the parts that had some of it are empty.
	return s.exec(ctx, tx, `UPDATE postier_part SET octets = ?3 WHERE message = ?1 AND part < ?2`, i.ID, i.parts, []byte{})
}

// newHead is what the row gets of a text that was changed.
func (i *Item) newHead() []byte {
	if i.rest == nil {
		return head(i.Raw)
	}
	return i.Raw
}

func (s *Store) deleteParts(ctx context.Context, tx executor, id string) error {
	return s.exec(ctx, tx, `DELETE FROM postier_part WHERE message = ?1`, id)
}

// readText reads the text of a message that was claimed, where the row does not have all of it.
func (s *Store) readText(ctx context.Context, i *Item) error {
	if i.Raw != nil && len(i.Raw) < headSize {
		return nil
	}
	return s.view(ctx, func(on executor) error { return s.text(ctx, on, i) })
}

// text reads the text, of a large one its beginning.
func (s *Store) text(ctx context.Context, on executor, i *Item) error {
	var size int
	const query = `SELECT head, length(head) +
			COALESCE((SELECT SUM(length(octets)) FROM postier_part WHERE message = id), 0)
		FROM postier_message WHERE id = ?1`
	var text []byte
	if err := s.row(ctx, on, query, i.ID).Scan(&text, &size); err != nil {
		return err
	}
	enough := size
	if size > inMemory {
		enough = maxHeader + headSize // the whole header
	}
	i.parts, i.rest = 0, nil
	for ; len(text) < enough; i.parts++ {
		octets, err := s.part(ctx, on, i.ID, i.parts)
		if err != nil {
			return err
		}
		text = append(text, octets...)
	}
	if i.Raw = text; len(text) < size {
		i.rest = &stored{store: s, id: i.ID, from: i.parts, size: int64(size - len(text))}
	}
	return nil
}

func (s *Store) part(ctx context.Context, on executor, id string, number int) (octets []byte, err error) {
	const query = `SELECT octets FROM postier_part WHERE message = ?1 AND part = ?2`
	err = s.row(ctx, on, query, id, number).Scan(&octets)
	return octets, err
}

// stored is the rest of a text in the store, from a part on.
type stored struct {
	store *Store
	id    string
	from  int
	size  int64
}

// Size implements spool.Text.
func (t *stored) Size() int64 { return t.size }

// Pieces implements spool.Text. A part that is gone is an error: another process has the message.
func (t *stored) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx := context.Background() // whoever reads ends by itself
		left := t.size
		for number := t.from; left > 0; number++ {
			var octets []byte
			err := t.store.view(ctx, func(on executor) (err error) {
				octets, err = t.store.part(ctx, on, t.id, number)
				return err
			})
			if left -= int64(len(octets)); err == nil && left < 0 {
				err = errChanged
			}
			if err != nil {
				yield(nil, fmt.Errorf("read message %s: %w", t.id, err))
				return
			}
			if !yield(octets, nil) {
				return
			}
		}
	}
}

// keepText has the rest of a text that was stored read from the store.
func (s *Store) keepText(i *Item) {
	if i.rest != nil {
		i.parts = i.partsOfRaw()
		i.rest = &stored{store: s, id: i.ID, from: i.parts, size: i.rest.Size()}
	}
}
