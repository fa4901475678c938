package send

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/addressfield"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/tui/plain"
	"postier/wizard/carrier"
)

// SendOptions are the flags of `postier send`.
type SendOptions struct {
	*command.Factory
	To, CC, Attach, Set               []string
	Subject, Body, Kind, Profile      string
	From, Method, Template            string
	DryRun, Direct, Test, Real, Later bool
	HandOver                          bool

	bodyGiven bool   // by flag or template
	replyTo   string // of the template
	fromName  string // of the template's author
	files     []delivery.File
}

// NewSend is `postier send`.
func NewSend(f *command.Factory, run command.Run[*SendOptions]) *cobra.Command {
	o := &SendOptions{Factory: f}
	cmd := command.New(f, "send", "sendcli.short.send", o, run.Or(runSend))
	flags := cmd.Flags()
	flags.StringArrayVar(&o.To, "to", nil, f.T("sendcli.flag.to"))
	flags.StringArrayVar(&o.CC, "cc", nil, f.T("sendcli.flag.cc"))
	flags.StringVar(&o.Subject, "subject", "", f.T("sendcli.flag.subject"))
	flags.StringVar(&o.Body, "body", "", f.T("sendcli.flag.body"))
	flags.StringArrayVar(&o.Attach, "attach", nil, f.T("sendcli.flag.attach"))
	flags.StringVar(&o.Kind, "kind", "", f.T("sendcli.flag.kind"))
	flags.StringVar(&o.Profile, "profile", "", f.T("sendcli.flag.profile"))
	flags.StringVar(&o.From, "from", "", f.T("sendcli.flag.from"))
	flags.StringVar(&o.Method, "method", "", f.T("sendcli.flag.method"))
	flags.StringVar(&o.Template, "template", "", f.T("sendcli.flag.template"))
	flags.StringArrayVar(&o.Set, "set", nil, f.T("sendcli.flag.set"))
	flags.BoolVar(&o.DryRun, "dry-run", false, f.T("sendcli.flag.dry-run"))
	flags.BoolVar(&o.Direct, "direct", false, f.T("sendcli.flag.direct"))
	flags.BoolVar(&o.Later, "queue", false, f.T("sendcli.flag.queue"))
	flags.BoolVar(&o.Test, "test", false, f.T("sendcli.flag.test"))
	flags.BoolVar(&o.HandOver, "hand-over", false, f.T("sendcli.flag.hand-over"))
	flags.BoolVar(&o.Real, "for-real", false, f.T("sendcli.flag.for-real"))
	cmd.MarkFlagsMutuallyExclusive("test", "for-real")
	cmd.MarkFlagsMutuallyExclusive("direct", "queue")
	cmd.PreRun = func(*cobra.Command, []string) { o.bodyGiven = flags.Changed("body") }
	return cmd
}

func runSend(ctx context.Context, o *SendOptions) error {
	request, err := o.request()
	if err != nil {
		return err
	}
	if o.HandOver && (o.Direct || o.Later || o.DryRun) {
		return command.Usage(o.T("sendcli.error.handover"))
	}
	return handIn(ctx, o.Factory, func(p *post) error { return o.submit(ctx, p, request) },
		func(s *service) error { return o.submitTo(ctx, s, request) })
}

// submitTo hands the message to the machine's service, which decides by its own configuration.
func (o *SendOptions) submitTo(ctx context.Context, s *service, request delivery.Request) error {
	if o.HandOver {
		return o.handOver(ctx) // nothing is sent, so nothing is decided either
	}
	for _, row := range []struct {
		flag string
		set  bool
	}{
		{"--profile", o.Profile != ""},
		{"--method", o.Method != ""},
		{"--template", o.Template != ""},
		{"--dry-run", o.DryRun},
		{"--direct", o.Direct},
		{"--test", o.Test},
		{"--for-real", o.Real},
	} {
		if row.set {
			return s.needsConfiguration(row.flag)
		}
	}
	if err := o.readBody(); err != nil {
		return err
	}
	draft := o.draft(config.Address{Address: o.From})
	message, err := o.build(draft)
	if err != nil {
		return err
	}
	raw := delivery.Raw{Kind: o.Kind, Recipients: request.Recipients}
	return s.post(ctx, message, raw, false, o.advice()...)
}

// submit decides, asks, and hands the message in.
func (o *SendOptions) submit(ctx context.Context, p *post, request delivery.Request) error {
	if o.Template != "" {
		if err := o.fillTemplate(); err != nil {
			return err
		}
		var err error
		if request, err = o.request(); err != nil { // with what the template says
			return err
		}
	}
	d, err := p.submitter.Decide(ctx, request)
	if err != nil {
		return err
	}
	if o.HandOver {
		if err := o.decided(d); err != nil {
			return err
		}
		return o.handOver(ctx)
	}
	if d.TestMode && !o.Test && !o.DryRun && d.Send && plain.IsTerminal(o.In) && plain.IsTerminal(o.Err) && o.bodyGiven {
		if request.ForReal, err = askTest(o.Factory, d); err != nil {
			return err
		}
		if d, err = p.submitter.Decide(ctx, request); err != nil {
			return err
		}
	}
	if o.DryRun {
		return sayDecision(o.Factory, d, o.advice())
	}
	if d.Send {
		if err := o.readBody(); err != nil {
			return err
		}
	}
	message, err := o.message(&p.doc.File, request, d)
	if err != nil {
		return err
	}
	how := how(&p.doc.File, o.Direct, o.Later)
	receipt, err := p.submitter.Submit(ctx, message, request, d, how)
	if err != nil {
		return err
	}
	out := p.outcomeOf(receipt, how)
	out.Warnings = append(out.Warnings, o.advice()...)
	err = p.say(out, false)
	p.sweep(ctx, how, out.State == delivery.StateWaiting)
	return err
}

// readBody reads the text from standard input unless there is one.
func (o *SendOptions) readBody() error {
	if o.bodyGiven {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(o.In, delivery.MaxMessage))
	o.Body = string(text)
	return err
}

// request reads what the flags ask for.
func (o *SendOptions) request() (delivery.Request, error) {
	r := delivery.Request{
		Author: o.From, Kind: o.Kind, Profile: o.Profile, Method: delivery.Method(o.Method), Test: o.Test, ForReal: o.Real,
	}
	for _, row := range []struct {
		flag string
		list *[]string
	}{{"--to", &o.To}, {"--cc", &o.CC}} {
		var shown []string
		for _, value := range *row.list {
			list, bad := addressfield.List(value)
			if len(bad) > 0 {
				return r, o.Fault(exitcode.Data, "sendcli.error.address", "flag", row.flag, "value",
					safetext.FromRemote(strings.Join(bad, ", ")))
			}
			for _, a := range list {
				shown = append(shown, addressfield.Mailbox(a.Name, a.Address))
				r.Recipients = append(r.Recipients, a.Address)
			}
		}
		*row.list = shown
	}
	if len(r.Recipients) == 0 {
		return r, command.Usage(o.T("sendcli.error.no-recipient"))
	}
	if o.From != "" && !config.ValidateAddress(o.From).Empty() {
		return r, o.Fault(exitcode.Data, "sendcli.error.address", "flag", "--from", "value", safetext.FromRemote(o.From))
	}
	if text := command.OneOf(o.Method, "", string(delivery.MethodOwn), string(delivery.MethodPlatform)); !text.Empty() {
		return r, command.Usage(o.Say(text))
	}
	if o.Kind != "" && !config.ValidateName(o.Kind).Empty() {
		return r, o.DataOf("--kind", config.ValidateName(o.Kind))
	}
	return r, nil
}

// fillTemplate takes from a template what no flag says: text, subject, author, reply address, profile and kind (P-8,
// P-12).
func (o *SendOptions) fillTemplate() error {
	t, err := templateNamed(o.Factory, o.Template)
	if err != nil {
		return err
	}
	values, err := templateValues(o.Factory, o.Set)
	if err != nil {
		return err
	}
	subject, body, absent := t.Fill(values)
	if len(absent) > 0 {
		return o.Fault(exitcode.Data, "sendcli.template.absent", "fields", strings.Join(absent, ", "))
	}
	if list, _ := addressfield.List(t.From); o.From == "" && len(list) == 1 {
		o.From, o.fromName = list[0].Address, list[0].Name
	}
	o.Subject, o.Profile, o.Kind = cmp.Or(o.Subject, subject), cmp.Or(o.Profile, t.Profile), cmp.Or(o.Kind, t.Kind)
	o.replyTo = t.ReplyTo
	if !o.bodyGiven {
		o.Body, o.bodyGiven = body, true
	}
	return nil
}

// message is the message that the flags describe.
func (o *SendOptions) message(file *config.File, r delivery.Request, d delivery.Decision) (*delivery.Message,
	error,
) {
	p := file.Profiles[d.Profile]
	var author config.Address
	switch {
	case p == nil: // blocked: submit says so
	case r.Author != "":
		author = config.Address{Name: cmp.Or(o.fromName, p.From.Name), Address: r.Author}
	default:
		author = p.From
		if own := file.Profiles[d.Instead]; own != nil {
			author = own.From
		}
	}
	return o.build(o.draft(author))
}

func (o *SendOptions) draft(author config.Address) delivery.Draft {
	return delivery.Draft{
		From: author, ReplyTo: o.replyTo, To: o.To, CC: o.CC, Subject: o.Subject, Body: o.Body, Attachments: o.Attach,
		Files: o.files,
	}
}

func (o *SendOptions) build(draft delivery.Draft) (*delivery.Message, error) {
	message, err := draft.Build(time.Now())
	var unread *fs.PathError
	if errors.As(err, &unread) {
		return nil, o.unreadable(unread.Path, unread.Err)
	}
	return message, err
}

// unreadable says that a file cannot be attached.
func (o *SendOptions) unreadable(path string, err error) error {
	return o.Fault(exitcode.IO, "sendcli.error.attach", "path", safetext.FromRemote(path), "error",
		safetext.FromRemote(err.Error()))
}

// askTest asks "test or for real" (P-5).
func askTest(f *command.Factory, d delivery.Decision) (forReal bool, err error) {
	in := bufio.NewReader(f.In)
	for {
		f.Question(f.T("sendcli.test.ask", "address", strings.Join(d.Recipients, ", "), "originals",
			strings.Join(d.Originals, ", ")))
		line, err := in.ReadString('\n')
		if err != nil {
			return false, carrier.ErrInterrupted
		}
		switch answer := strings.ToLower(strings.TrimSpace(line)); {
		case answer == "", strings.HasPrefix(answer, "t"):
			return false, nil
		case answer == f.T("sendcli.test.real"):
			return true, nil
		}
	}
}

// advice warns of what makes a message look like spam.
func (o *SendOptions) advice() []string {
	var out []string
	images := 0
	for _, path := range o.Attach {
		switch lower := strings.ToLower(path); {
		case strings.HasSuffix(lower, ".png"), strings.HasSuffix(lower, ".jpg"), strings.HasSuffix(lower, ".jpeg"),
			strings.HasSuffix(lower, ".gif"):
			images++
		}
	}
	for _, text := range delivery.Advice(o.Subject, len(o.Body), images) {
		out = append(out, o.Say(text))
	}
	return out
}
