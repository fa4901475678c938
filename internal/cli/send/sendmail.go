package send

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/delivery/smtpserver"
	"postier/internal/addressfield"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// NewSendmail is `postier sendmail`.
func NewSendmail(f *command.Factory, run command.Run[*SendmailOptions]) *cobra.Command {
	return &cobra.Command{
		Use: "sendmail [-t] [-i] [-f ADDRESS] [-F NAME] [-bs|-bp] [-q] [--] [ADDRESS…]", Short: f.T("sendcli.short.sendmail"),
		DisableFlagParsing: true, // sendmail's flags are not pflag's: -oi, -bs, -fADDRESS
		RunE: func(cmd *cobra.Command, args []string) error {
			o := &SendmailOptions{Factory: f}
			if err := o.parse(args); err != nil {
				return err
			}
			o.NameProgram() // the flags of this command are not those that were parsed before
			if o.help {
				return cmd.Help()
			}
			return run.Or(runSendmail)(cmd.Context(), o)
		},
	}
}

func runSendmail(ctx context.Context, o *SendmailOptions) error {
	switch {
	case o.mode == 'p':
		return runQueueList(ctx, &QueueListOptions{Factory: o.Factory})
	case o.mode == 'i':
		return nil // there are no aliases to rebuild
	case o.run:
		return handIn(ctx, o.Factory, func(p *post) error { return p.run(ctx, &QueueRunOptions{Factory: o.Factory}) },
			(*service).runsQueue)
	}
	return handIn(ctx, o.Factory, func(p *post) error { return o.submit(ctx, p) },
		func(s *service) error { return o.submitTo(ctx, s) })
}

// submit hands in the message on standard input, or all those of a dialog.
func (o *SendmailOptions) submit(ctx context.Context, p *post) error {
	if o.mode == 's' {
		server := p.smtpServer(&p.doc.File)
		how := how(&p.doc.File, o.direct, o.later)
		server.Name, server.Kind, server.Direct, server.Later = o.name, o.kind, how.Direct, how.Later
		err := server.Serve(ctx, o.In, o.Out)
		p.sweep(ctx, how, false)
		return err
	}
	message, raw, bad, err := o.read()
	if err != nil {
		return err
	}
	defer message.Close()
	how := how(&p.doc.File, o.direct, o.later)
	receipt, err := p.submitter.SubmitRaw(ctx, message, raw, how)
	if err != nil {
		return err
	}
	out := p.outcomeOf(receipt, how)
	err = p.say(out, !o.verbose)
	p.sweep(ctx, how, out.State == delivery.StateWaiting)
	return o.after(err, bad)
}

// submitTo is submit for a caller whose messages the machine's service sends.
func (o *SendmailOptions) submitTo(ctx context.Context, s *service) error {
	if o.direct {
		return s.needsConfiguration("--direct")
	}
	if o.mode == 's' {
		server := &smtpserver.Server{Name: o.name, Kind: o.kind, Forward: s.forward}
		return server.Serve(ctx, o.In, o.Out)
	}
	message, raw, bad, err := o.read()
	if err != nil {
		return err
	}
	defer message.Close()
	return o.after(s.post(ctx, message, raw, !o.verbose), bad)
}

// after is the end of a message that was handed in, of whose recipients some were no addresses.
func (o *SendmailOptions) after(err error, bad []string) error {
	if len(bad) > 0 && command.Code(err) == exitcode.OK {
		return o.malformed(bad) // the others have their message
	}
	return err
}

// read reads the message on standard input and who gets it.
func (o *SendmailOptions) read() (message *delivery.Message, raw delivery.Raw, bad []string, err error) {
	message, err = delivery.Read(o.In, o.dotEnds)
	if errors.Is(err, delivery.ErrEmpty) { // sendmail sends an empty message
		message, err = &delivery.Message{}, nil
	}
	if err != nil {
		return nil, raw, nil, err
	}
	raw = delivery.Raw{Sender: o.sender, Name: o.name, Kind: o.kind}
	raw.Recipients, bad = o.allRecipients(message)
	switch {
	case len(raw.Recipients) == 0 && len(bad) > 0:
		return nil, raw, nil, o.malformed(bad)
	case len(raw.Recipients) == 0:
		return nil, raw, nil, command.Usage(o.T("sendcli.error.no-recipient"))
	}
	return message, raw, bad, nil
}

// malformed names what is no address.
func (o *SendmailOptions) malformed(bad []string) error {
	return o.Fault(exitcode.Data, "sendcli.sendmail.address", "value", safetext.FromRemote(strings.Join(bad, ", ")))
}

// allRecipients are the arguments and, with -t, the addresses of the header. What is no address is returned in bad: it
// does not cost the others their message.
func (o *SendmailOptions) allRecipients(m *delivery.Message) (list, bad []string) {
	for _, arg := range o.recipients {
		addresses, wrong := addressfield.List(arg)
		for _, a := range addresses {
			list = append(list, a.Address)
		}
		bad = append(bad, wrong...)
	}
	if o.fromHeader {
		more, wrong := m.Recipients()
		list, bad = append(list, more...), append(bad, wrong...)
	}
	return list, bad
}
