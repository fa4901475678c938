package serve

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"postier/internal/cli/command"
	"postier/internal/cli/setup"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/share"
	"postier/share/relay"
	"postier/tui/served"
)

// desk is where people who share their step and the support that joins them meet. The codes are known to it alone: a
// list of who shares is no help for guessing one.
type desk struct {
	hub share.Hub

	mu     sync.Mutex
	shared map[*opening]struct{}
}

// opening is an offer of one person.
type opening struct {
	*share.Offer
	desk    *desk
	session *served.Session
	since   time.Time
	helper  string // who looks; the desk's lock guards it
}

// open is how a session asks for a code.
func (d *desk) open(s *served.Session) share.Opener {
	return func(context.Context) (share.Opening, error) {
		offer, err := d.hub.Open()
		if err != nil {
			return nil, err
		}
		o := &opening{Offer: offer, desk: d, session: s, since: time.Now()}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.shared == nil {
			d.shared = map[*opening]struct{}{}
		}
		d.shared[o] = struct{}{}
		return o, nil
	}
}

// Accept implements share.Opening, and writes down who looks.
func (o *opening) Accept(ctx context.Context) (share.Guest, io.ReadWriteCloser, error) {
	guest, stream, err := o.Offer.Accept(ctx)
	if err == nil {
		o.desk.mu.Lock()
		o.helper = guest.Name
		o.desk.mu.Unlock()
		o.session.Audit("join", slog.String("helper", guest.Name))
		guest.Name = share.ShortName(guest.Name) // for the person's screen
	}
	return guest, stream, err
}

// Close implements share.Opening.
func (o *opening) Close() {
	o.desk.mu.Lock()
	delete(o.desk.shared, o)
	o.desk.mu.Unlock()
	o.Offer.Close()
}

// sharing is one person who shares, as support sees it.
type sharing struct {
	account, helper string
	since           time.Time
}

// list is who shares, whoever began first.
func (d *desk) list() []sharing {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []sharing
	for o := range d.shared {
		list = append(list, sharing{o.session.Account.Name, o.helper, o.since})
	}
	slices.SortFunc(list, func(a, b sharing) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.account, b.account))
	})
	return list
}

// find joins the session with the code. A helper is known by the key: wrong codes count against it, whatever the
// connection.
func (d *desk) find(helper served.Account) func(context.Context, share.Code) (io.ReadWriteCloser, error) {
	return func(_ context.Context, code share.Code) (io.ReadWriteCloser, error) {
		mine, theirs := net.Pipe()
		if err := d.hub.Join(share.Guest{Name: helper.Name, Source: helper.Fingerprint}, code, theirs); err != nil {
			_, _ = mine.Close(), theirs.Close()
			return nil, err
		}
		return mine, nil
	}
}

// relay offers the step of a person on another machine, whose program asks for that.
func (o *Options) relay(ctx context.Context, s *served.Session) error {
	offer, err := o.desk.open(s)(ctx)
	if err != nil {
		return err
	}
	defer offer.Close()
	return relay.Serve(ctx, s.Stream, offer)
}

// support is the session of a key with that role: the list of who shares, or a look at one of them.
func (o *Options) support(ctx context.Context, f *command.Factory, s *served.Session) error {
	words := strings.Fields(s.Command)
	switch {
	case len(words) == 0, len(words) == 1 && words[0] == "list":
		o.desk.print(f)
		return nil
	case len(words) > 1 && words[0] == "join":
		return setup.Join(ctx, &setup.JoinOptions{
			Factory: f, Code: strings.Join(words[1:], " "), Find: o.desk.find(s.Account),
		})
	}
	return f.Fault(exitcode.Usage, "served.support-usage")
}

func (d *desk) print(f *command.Factory) {
	list := d.list()
	if len(list) == 0 {
		f.Prose(f.T("served.list.none"))
	}
	for _, row := range list {
		minutes := int(time.Since(row.since).Minutes())
		key := "served.list.waits"
		if row.helper != "" {
			key = "served.list.watched"
		}
		f.Prose(f.T(key, "name", safetext.FromRemote(row.account), "helper", safetext.FromRemote(row.helper), "minutes",
			minutes))
	}
	f.Prose(f.T("served.list.how"))
}
