// Package send holds the commands that send, and those on what sending keeps: the queue, the suppression list, the
// limits and the templates.
package send

import (
	"context"
	"sync"

	"postier/config"
	"postier/config/credential"
	"postier/delivery"
	"postier/delivery/smtpserver"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/tui/plain"
)

// clock is the format of a time.
const clock = "2006-01-02 15:04:05"

// post holds what the commands that send or read the queue share: the configuration, the state and the open queue.
type post struct {
	*command.Factory
	doc       *config.Document
	queue     *delivery.Queue
	submitter *delivery.Submitter
	// complained is the last error of the watch that was printed.
	complained string
}

func openPost(ctx context.Context, f *command.Factory, doc *config.Document) (*post, error) {
	network, err := f.Network()
	if err != nil {
		return nil, err
	}
	store, err := f.OpenState(ctx, doc)
	if err != nil {
		return nil, err
	}
	credentials := f.Credentials(doc.Path)
	attended := plain.IsTerminal(f.In)
	if attended {
		credentials.Ask = askOnce(f)
	}
	queue := &delivery.Queue{
		Store: store, Lang: f.Lang(), Program: f.Program(), Product: f.Vendor.Label(), Contact: f.Vendor.Contact,
		Sender: &delivery.Sender{Accounts: &account.Source{
			Network: network, Book: f.Book(), ConfigPath: doc.Path, Credentials: credentials,
		}},
		Load:     func() (*config.Document, error) { return config.LoadValid(doc.Path) },
		Current:  config.NewReader(doc.Path).LoadValid,
		Provider: providerLimits(f),
		Page:     func(p *config.Profile, c check.Cause) string { return delivery.ProviderPage(f.Book(), p, c) },
	}
	return &post{
		Factory: f, doc: doc, queue: queue,
		submitter: &delivery.Submitter{File: &doc.File, Queue: queue, Unattended: !attended},
	}, nil
}

// askOnce asks for the password of a profile once in a run: the Sent copy needs the one that the message was sent with
// (C-2).
func askOnce(f *command.Factory) func(context.Context, credential.Request) (secret.Value, error) {
	var one sync.Mutex // who comes second waits for what the first is told
	given := map[string]secret.Value{}
	return func(ctx context.Context, r credential.Request) (secret.Value, error) {
		one.Lock()
		defer one.Unlock()
		if value, ok := given[r.Profile]; ok {
			return value, nil
		}
		value, err := plain.ReadSecret(ctx, f.In, f.Err,
			f.T("sendcli.ask.password", "username", safetext.FromRemote(r.Username), "host", safetext.FromRemote(r.Host)))
		if err == nil && !value.Empty() {
			given[r.Profile] = value
		}
		return value, err
	}
}

// sweep sends what else is overdue after a message was sent. When it waits instead, sending the others would be in
// vain, and if no service keeps the queue, that is said once.
func (p *post) sweep(ctx context.Context, how delivery.How, waits bool) {
	switch {
	case ctx.Err() != nil || how.Direct:
	case waits:
		if unkept, err := p.queue.Store.Unkept(ctx); err == nil && unkept {
			p.Complain(p.T("sendcli.unkept", "command", p.Program()+" service install"))
		}
	case !how.Later:
		_ = p.queue.Sweep(ctx) // the message was sent; the others have their own outcome in the queue
	}
}

func (p *post) close() {
	p.queue.Sender.Close()
	_ = p.queue.Store.Close()
}

// withPost opens the queue for a command that sends, and closes it afterwards. A configuration that `config validate`
// refuses sends nothing: what is wrong with it would only show when each message fails.
func withPost(ctx context.Context, f *command.Factory, work func(*post) error) error {
	doc, err := f.Document()
	if err == nil {
		err = doc.Err()
	}
	if err != nil {
		return err
	}
	return withQueueOf(ctx, f, doc, work)
}

// withQueue opens the queue for a command that sends nothing, which works whatever else is wrong in the configuration.
func withQueue(ctx context.Context, f *command.Factory, work func(*post) error) error {
	doc, err := ownDocument(f)
	if err != nil {
		return err
	}
	return withQueueOf(ctx, f, doc, work)
}

func withQueueOf(ctx context.Context, f *command.Factory, doc *config.Document, work func(*post) error) error {
	p, err := openPost(ctx, f, doc)
	if err != nil {
		return err
	}
	defer p.close()
	return work(p)
}

// smtpServer is the SMTP server for programs of this machine.
func (p *post) smtpServer(file *config.File) *smtpserver.Server {
	return &smtpserver.Server{
		Submitter: &delivery.Submitter{File: file, Queue: p.queue, Unattended: true},
		Words:     submissionWords(p.Factory),
		Blocked:   func(d delivery.Decision) string { return blockWords(p.Factory, d) },
		Transient: func(t delivery.Try) bool { return command.TryCode(t) == exitcode.TempFail },
	}
}

// submissionWords puts an error about a message that was handed in into words, and says whether it is about the message
// itself.
func submissionWords(f *command.Factory) func(error) (string, bool) {
	return func(err error) (string, bool) {
		sentence := f.Sentence(delivery.Refused(err))
		return sentence.Error(), command.Code(sentence) == exitcode.Data
	}
}

// withState opens the state for a command that sends nothing. args are for the sentence of an error.
func withState(ctx context.Context, f *command.Factory, work func(context.Context, *delivery.Store) error,
	args ...any,
) error {
	doc, err := ownDocument(f)
	if err != nil {
		return err
	}
	store, err := f.OpenState(ctx, doc)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return f.Sentence(work(ctx, store), args...)
}

func providerLimits(f *command.Factory) func(*config.Profile) []delivery.ProviderLimit {
	return func(p *config.Profile) []delivery.ProviderLimit { return delivery.ProviderLimits(f.Book(), p) }
}
