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
		return runQueue(ctx, &QueueRunOptions{Factory: o.Factory})
	}
	return delivery.Refused(withPost(ctx, o.Factory, func(p *post) error { return o.submit(ctx, p) }))
}

// submit hands in the message on standard input, or all those of a dialog.
func (o *SendmailOptions) submit(ctx context.Context, p *post) error {
	if o.mode == 's' {
		return o.serve(ctx, p)
	}
	message, err := delivery.Read(o.In, o.dotEnds)
	if errors.Is(err, delivery.ErrEmpty) { // sendmail sends an empty message
		message, err = &delivery.Message{}, nil
	}
	if err != nil {
		return err
	}
	raw := delivery.Raw{Sender: o.sender, Name: o.name, Kind: o.kind}
	recipients, bad := o.allRecipients(message)
	switch raw.Recipients = recipients; {
	case len(recipients) == 0 && len(bad) > 0:
		return o.malformed(bad)
	case len(recipients) == 0:
		return command.Usage(o.T("sendcli.error.no-recipient"))
	}
	how := delivery.How{Direct: o.direct, Later: o.later}
	receipt, err := p.submitter.SubmitRaw(ctx, message, raw, how)
	if err != nil {
		return err
	}
	out := p.outcomeOf(receipt, how)
	err = p.say(out, !o.verbose)
	p.sweep(ctx, how, out.State == delivery.StateWaiting)
	if len(bad) > 0 && command.Code(err) == exitcode.OK {
		return o.malformed(bad) // the others have their message
	}
	return err
}

// malformed names what is no address.
func (o *SendmailOptions) malformed(bad []string) error {
	return o.Fault(exitcode.Data, "sendcli.sendmail.address", "value", safetext.FromRemote(strings.Join(bad, ", ")))
}

// serve speaks SMTP on standard input and output.
func (o *SendmailOptions) serve(ctx context.Context, p *post) error {
	server := &smtpserver.Server{
		Submitter: p.submitter, Name: o.name, Kind: o.kind, Direct: o.direct, Later: o.later,
		Words: func(err error) (string, bool) {
			sentence := o.Sentence(delivery.Refused(err))
			return sentence.Error(), command.Code(sentence) == exitcode.Data
		},
		Transient: func(t delivery.Try) bool { return command.TryCode(t) == exitcode.TempFail },
	}
	err := server.Serve(ctx, o.In, o.Out)
	p.sweep(ctx, delivery.How{Direct: o.direct, Later: o.later}, false)
	return err
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
