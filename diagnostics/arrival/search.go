package arrival

import (
	"bytes"
	"context"
	"errors"
	"time"

	client "postier/internal/imap"

	"github.com/emersion/go-imap/v2"

	"postier/internal/wire"
	"postier/presets"
)

// The pauses between two searches. Mail to oneself mostly arrives within two seconds; after that, frequent searches
// gain nothing.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second
	pauseGrowth  = 3 // halves: each pause is 1.5 times the one before
)

// found is the message in its folder.
type found struct {
	folder client.Folder
	junk   bool
	uid    imap.UID
	raw    []byte
	after  time.Duration // since it was submitted
}

var errNotArrived = errors.New("the message has not arrived")

// search looks into the inbox and junk until the message has arrived or the deadline has passed. "All Mail" is left
// out, because no one reads there. It reconnects once if the connection ends.
func (r *run) search(ctx context.Context, since time.Time) (found, error) {
	pause := firstPause
	reopened := false
	for {
		hit, err := r.look(ctx)
		switch {
		case err == nil:
			hit.after = time.Since(since)
			return hit, nil
		case ctx.Err() != nil:
			return found{}, ctx.Err()
		case errors.Is(err, errNotArrived):
		case !reopened && wire.Classify(err).Kind != wire.KindOther:
			reopened = true
			r.closeSession()
			if err := r.open(ctx); err != nil {
				return found{}, err
			}
			continue
		default:
			return found{}, err
		}
		left := r.options.Deadline - time.Since(since)
		if left <= 0 {
			return found{}, errNotArrived
		}
		if !sleep(ctx, min(pause, left)) {
			return found{}, ctx.Err()
		}
		pause = min(pause*pauseGrowth/2, longestPause)
	}
}

// look searches the folders once.
func (r *run) look(ctx context.Context) (found, error) {
	folders := []found{{folder: client.Inbox()}}
	if r.junk.Found {
		folders = append(folders, found{folder: r.junk.Folder, junk: true})
	}
	for _, f := range folders {
		uids, err := r.session.FindIn(ctx, f.folder, r.message.ID)
		var refused *client.ReplyError
		if f.junk && errors.As(err, &refused) && refused.Status == imap.StatusResponseTypeNo {
			continue // a junk folder that cannot be opened holds nothing for us
		}
		if err != nil {
			return found{}, err
		}
		for _, uid := range uids {
			raw, err := r.session.Fetch(ctx, uid)
			if err != nil && !errors.Is(err, client.ErrGone) {
				return found{}, err
			}
			if bytes.Contains(raw, []byte(r.message.Token)) {
				f.uid, f.raw = uid, raw
				return f, nil
			}
		}
	}
	return found{}, errNotArrived
}

// open lists the folders over the kept session, or over a new one.
func (r *run) open(ctx context.Context) error {
	if r.session != nil {
		if r.list(ctx) == nil {
			return nil
		}
		r.closeSession()
	}
	session, err := client.Open(ctx, r.network, r.target.Mailbox(), r.recorder)
	if err != nil {
		return err
	}
	r.session = session
	return r.list(ctx)
}

// list finds the folders that matter.
func (r *run) list(ctx context.Context) error {
	listing, err := r.session.Folders(ctx)
	if err != nil {
		return err
	}
	r.junk = listing.Junk(presets.JunkNames())
	r.sent = listing.Sent(r.target.SentFolder, r.target.SentFolders, presets.SentNames())
	return nil
}

func (r *run) closeSession() {
	if r.session != nil {
		r.session.Close()
		r.session = nil
	}
}

// sleep waits, and reports false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
