package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/account"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/tui/plain"
)

// sending is what the commands that send or look at the queue share.
type sending struct {
	app    *app
	doc    *config.Document
	store  *delivery.Store
	sender *delivery.Sender
	queue  *delivery.Queue
}

// sending opens the configuration, the state and the queue.
func (a *app) sending(ctx context.Context) (*sending, error) {
	doc, err := a.document()
	if err != nil {
		return nil, err
	}
	network, err := a.network()
	if err != nil {
		return nil, err
	}
	store, err := a.openState(ctx, doc)
	if err != nil {
		return nil, err
	}
	credentials := a.credentials(doc.Path)
	if plain.IsTerminal(a.in) {
		credentials.Ask = func(ctx context.Context, r credential.Request) (secret.Value, error) {
			return plain.ReadSecret(ctx, a.in, a.err,
				a.T("sendcli.ask.password", "username", safetext.FromRemote(r.Username), "host", safetext.FromRemote(r.Host)))
		}
	}
	s := &sending{app: a, doc: doc, store: store}
	s.sender = &delivery.Sender{Accounts: &account.Source{
		Network: network, Book: a.book(), ConfigPath: doc.Path, Credentials: credentials,
	}}
	s.queue = &delivery.Queue{
		Store: store, Sender: s.sender, Lang: a.lang(),
		Load:     func() (*config.Document, error) { return config.Load(doc.Path) },
		Provider: a.providerLimits,
	}
	return s, nil
}

func (a *app) providerLimits(p *config.Profile) []delivery.ProviderLimit {
	return delivery.ProviderLimits(a.book(), p)
}

func (a *app) openState(ctx context.Context, doc *config.Document) (*delivery.Store, error) {
	place := doc.File.Queue.Database
	switch {
	case place == "":
		place = delivery.StatePath(doc.Path, a.getenv)
	case !strings.Contains(place, "://") && !filepath.IsAbs(place):
		place = filepath.Join(filepath.Dir(doc.Path), place)
	}
	store, err := delivery.OpenStore(ctx, place)
	if err != nil {
		return nil, a.stateError(err)
	}
	return store, nil
}

// stateError says that the state could not be used: nothing was accepted.
func (a *app) stateError(err error) error {
	var state *delivery.StateError
	if errors.As(err, &state) {
		return a.Fault(exitIO, "sendcli.error.state", "op", state.Op, "place", safetext.FromRemote(state.Place), "error",
			safetext.FromRemote(state.Err.Error()))
	}
	return err
}

func (s *sending) close() {
	s.sender.Close()
	_ = s.store.Close()
}

// facts are what a decision needs from the state.
func (s *sending) facts(ctx context.Context) (delivery.Facts, *error) {
	failure := new(error)
	keep := func(err error) {
		if *failure == nil {
			*failure = err
		}
	}
	return delivery.Facts{
		Suppressed: func(address string) (string, bool) {
			reason, listed, err := s.store.IsSuppressed(ctx, address)
			keep(err)
			return reason, listed
		},
		Room: func(profile string, l config.Limits) delivery.Room {
			room, err := s.store.Room(ctx, profile, l)
			keep(err)
			return room
		},
		Provider: s.app.providerLimits,
	}, failure
}

func (s *sending) decide(ctx context.Context, r delivery.Request) (delivery.Decision, error) {
	facts, failure := s.facts(ctx)
	d := delivery.Decide(&s.doc.File, r, facts)
	if *failure != nil {
		return d, s.app.stateError(*failure)
	}
	return d, nil
}

// submitOptions say how a prepared message leaves.
type submitOptions struct {
	direct bool // send now, keep nothing
	later  bool // only accept
	held   bool // accept; the caller delivers when it is ready
}

// submission is what became of one message; it is what --json prints.
type submission struct {
	Decision  delivery.Decision  `json:"decision"`
	ID        string             `json:"id,omitempty"`
	MessageID string             `json:"message_id,omitempty"`
	State     delivery.State     `json:"state,omitempty"`
	Cause     string             `json:"cause,omitempty"`
	Reply     *safetext.Remote   `json:"reply,omitempty"`
	QueueID   *safetext.Remote   `json:"queue_id,omitempty"`
	Next      *time.Time         `json:"next,omitempty"`
	Instead   string             `json:"instead,omitempty"`
	Doubt     bool               `json:"may_arrive_twice,omitempty"`
	CopyDue   bool               `json:"copy_due,omitempty"`
	Refused   []refusedRecipient `json:"refused,omitempty"`
	Warnings  []string           `json:"warnings,omitempty"`
	item      *delivery.Item
	try       delivery.Try
	exit      int
}

type refusedRecipient struct {
	Address string          `json:"address"`
	Cause   string          `json:"cause"`
	Reply   safetext.Remote `json:"reply"`
}

// submit prepares a message as decided, and sends it or has the queue do so.
func (s *sending) submit(ctx context.Context, m *delivery.Message, r delivery.Request, d delivery.Decision,
	o submitOptions,
) (*submission, error) {
	out := &submission{Decision: d}
	if !d.Send {
		out.exit = blockExit(d.Block)
		return out, nil
	}
	p := s.doc.File.Profiles[d.Profile]
	if d.Insecure {
		out.Warnings = append(out.Warnings, s.app.T("sendcli.warn.cleartext", "host", safetext.FromRemote(p.Submission.Host)))
	}
	id, err := m.Prepare(d, p.From, time.Now())
	if err != nil {
		return nil, s.app.messageError(err)
	}
	item := delivery.NewItem(m, id, d, r.Author, time.Now())
	out.ID, out.MessageID, out.item = item.ID, id, item
	switch {
	case o.direct:
		out.try, err = s.queue.Direct(ctx, item)
	case o.later || !d.Room.Free():
		out.try = delivery.Try{State: delivery.StateWaiting}
		if !d.Room.Free() {
			item.Due, item.Cause = d.Room.Next, delivery.CauseOwnLimit
		}
		err = s.queue.Accept(ctx, item, o.held && d.Room.Free())
	default:
		if err = s.queue.Accept(ctx, item, true); err == nil {
			out.try, err = s.queue.Deliver(ctx, item)
		}
	}
	if err != nil {
		return nil, s.app.stateError(err)
	}
	out.describe(o)
	return out, nil
}

func (out *submission) describe(o submitOptions) {
	item := out.item
	out.State, out.Cause, out.Instead, out.Doubt, out.CopyDue = out.try.State, item.Cause, out.try.Instead, item.Doubt,
		item.CopyDue
	if out.try.Reply != "" {
		reply := safetext.FromRemote(out.try.Reply)
		out.Reply = &reply
	}
	if item.QueueID != "" {
		id := safetext.FromRemote(item.QueueID)
		out.QueueID = &id
	}
	for _, r := range item.Failed() {
		out.Refused = append(out.Refused, refusedRecipient{r.Address, r.Cause, safetext.FromRemote(r.Reply)})
	}
	if out.State == delivery.StateWaiting {
		next := item.Due.UTC()
		out.Next = &next
	}
	out.exit = out.try.Exit()
	switch {
	case out.State == delivery.StateWaiting && !o.direct:
		out.exit = exitOK // accepted: the queue has it
	case out.State == delivery.StateSent && len(out.Refused) > 0:
		out.exit = exitFailed
	}
}

func blockExit(b delivery.Block) int {
	switch b {
	case delivery.BlockNoProfile, delivery.BlockOff, delivery.BlockUnknown:
		return exitConfig
	}
	return exitFailed
}

// messageError puts what is wrong with a message into words (exit 65).
func (a *app) messageError(err error) error {
	for _, row := range []struct {
		err error
		key string
	}{
		{delivery.ErrTooLarge, "sendcli.message.large"},
		{delivery.ErrHeader, "sendcli.message.header"},
		{delivery.ErrEmpty, "sendcli.message.empty"},
		{delivery.ErrLoop, "sendcli.message.loop"},
		{delivery.ErrBadAddress, "sendcli.message.address"},
	} {
		if errors.Is(err, row.err) {
			return a.Fault(exitData, row.key)
		}
	}
	return err
}

// say tells a person what became of a message; with --json the whole of it is printed.
func (s *sending) say(out *submission, quietly bool) error {
	a := s.app
	if a.json {
		if err := a.printJSON(out); err != nil {
			return err
		}
		return quietIf(out.exit)
	}
	for _, w := range out.Warnings {
		a.complain(w)
	}
	for _, suppressed := range out.Decision.Suppressed {
		a.complain(a.T("sendcli.suppressed", "address", safetext.FromRemote(suppressed.Address), "reason",
			safetext.FromRemote(suppressed.Reason)))
	}
	if out.Decision.Block != delivery.BlockNone {
		a.complain(a.T("sendcli.block."+string(out.Decision.Block), "profile", safetext.FromRemote(out.Decision.Profile),
			"kind",
			safetext.FromRemote(out.Decision.Kind),
			"most", delivery.EffectiveLimits(out.Decision.Limits, out.Decision.Provider).RecipientsPerMessage))
		return quietIf(out.exit)
	}
	s.sayOutcome(out, quietly)
	return quietIf(out.exit)
}

func (s *sending) sayOutcome(out *submission, quietly bool) {
	a := s.app
	args := []any{"profile", out.item.Profile, "id", out.ID, "recipients", strings.Join(out.Decision.Recipients, ", ")}
	if out.Next != nil {
		args = append(args, "next", out.Next.Local().Format("2006-01-02 15:04:05"))
	}
	if out.Instead != "" {
		a.complain(a.T("sendcli.instead", "profile", out.Instead, "fallback", out.item.Profile))
	}
	for _, r := range out.Refused {
		a.complain(a.T("sendcli.refused", "address", safetext.FromRemote(r.Address), "cause", a.causeTitle(r.Cause)))
		if !r.Reply.Empty() {
			a.complain(a.T("sendcli.server", "reply", r.Reply))
		}
	}
	key := "sendcli.state." + string(out.State)
	if out.State == delivery.StateWaiting && out.exit != exitOK {
		key = "sendcli.state.later"
	}
	if out.Decision.TestMode {
		args = append(args, "originals", strings.Join(out.Decision.Originals, ", "))
		if out.State == delivery.StateSent {
			key = "sendcli.state.test"
		}
	}
	text := a.T(key, args...)
	if out.Cause != "" && len(out.Refused) == 0 {
		text += " " + a.causeTitle(out.Cause) + "."
	}
	if out.State == delivery.StateSent {
		if !quietly {
			a.println(text)
		}
	} else if out.exit != exitOK || !quietly {
		a.complain(text)
		if out.Reply != nil && len(out.Refused) == 0 {
			a.complain(a.T("sendcli.server", "reply", *out.Reply))
		}
		var credentials *credential.Error
		if errors.As(out.try.Err, &credentials) {
			a.complain(a.Say(credentials.Text()))
		}
	}
	if out.CopyDue && !quietly {
		a.complain(a.T("sendcli.copy-due"))
	}
}

func (a *app) causeTitle(cause string) string {
	if info, ok := explain.Cause(cause); ok {
		return fmt.Sprintf("%s (%s)", info.Title(a.lang()), info.Code)
	}
	return safetext.Escape(cause)
}

func quietIf(code int) error {
	if code == exitOK {
		return nil
	}
	return quiet(code)
}
