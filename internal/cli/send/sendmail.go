package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/delivery/smtpserver"
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
	if err != nil {
		return err
	}
	raw := delivery.Raw{Sender: o.sender, Name: o.name, Kind: o.kind}
	if raw.Recipients, err = o.allRecipients(message); err != nil {
		return err
	}
	how := delivery.How{Direct: o.direct, Later: o.later}
	receipt, err := p.submitter.SubmitRaw(ctx, message, raw, how)
	if err != nil {
		return err
	}
	return p.say(p.outcomeOf(receipt, how), !o.verbose)
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
	return server.Serve(ctx, o.In, o.Out)
}

// allRecipients are the arguments and, with -t, the addresses of the header.
func (o *SendmailOptions) allRecipients(m *delivery.Message) ([]string, error) {
	var out []string
	for _, arg := range o.recipients {
		list, err := delivery.ParseAddresses(arg)
		if err != nil || len(list) == 0 {
			return nil, o.Fault(exitcode.Data, "sendcli.sendmail.address", "value", safetext.FromRemote(arg))
		}
		for _, address := range list {
			out = append(out, address.Address)
		}
	}
	if o.fromHeader {
		list, err := m.Recipients()
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	if len(out) == 0 {
		return nil, command.Usage(o.T("sendcli.error.no-recipient"))
	}
	return out, nil
}
