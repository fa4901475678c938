package cli

import (
	"context"
	"errors"
	"net/mail"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/safetext"
)

func (a *app) sendmailCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sendmail [-t] [-i] [-f ADDRESS] [-F NAME] [-bs|-bp] [-q] [--] [ADDRESS…]", Short: a.T("sendcli.short.sendmail"),
		DisableFlagParsing: true, // sendmail's flags are not pflag's: -oi, -bs, -fADDRESS
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			return a.runSendmail(cmd.Context(), args)
		},
	}
}

func (a *app) runSendmail(ctx context.Context, args []string) error {
	o, err := a.parseSendmail(args)
	var bad *argumentError
	if errors.As(err, &bad) {
		key := "sendcli.sendmail.flag"
		switch bad.err {
		case errMode:
			key = "sendcli.sendmail.mode"
		case errNeeds:
			key = "sendcli.sendmail.needs"
		}
		return usagef(a.T(key, "flag", safetext.FromRemote(bad.flag)))
	}
	switch {
	case o.mode == 'p':
		return a.listQueue(ctx, false)
	case o.mode == 'i':
		return nil // there are no aliases to rebuild
	case o.run:
		return a.runQueue(ctx, &queueOptions{})
	}
	s, err := a.sending(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if o.mode == 's' {
		return a.speakSMTP(ctx, s, o)
	}
	message, err := delivery.Read(a.in, o.dotEnds)
	if err != nil {
		return a.messageError(err)
	}
	recipients, err := a.sendmailRecipients(o, message)
	if err != nil {
		return err
	}
	return a.sendOne(ctx, s, o, message, recipients)
}

// sendmailRecipients are the arguments and, with -t, the addresses of the header.
func (a *app) sendmailRecipients(o *sendmailOptions, m *delivery.Message) ([]string, error) {
	var out []string
	for _, arg := range o.recipients {
		list, err := delivery.ParseAddresses(arg)
		if err != nil || len(list) == 0 {
			return nil, a.Fault(exitData, "sendcli.sendmail.address", "value", safetext.FromRemote(arg))
		}
		for _, address := range list {
			out = append(out, address.Address)
		}
	}
	if o.fromHeader {
		list, err := m.Recipients()
		if err != nil {
			return nil, a.messageError(err)
		}
		out = append(out, list...)
	}
	if len(out) == 0 {
		return nil, usagef(a.T("sendcli.error.no-recipient"))
	}
	return out, nil
}

// senderOf reads -f: an address, or nothing (<>) for messages that nobody wants back.
func senderOf(typed string) (address string, none bool) {
	typed = strings.TrimSpace(typed)
	if typed == "<>" {
		return "", true
	}
	if parsed, err := mail.ParseAddress(typed); err == nil {
		typed = parsed.Address
	}
	if !config.ValidateAddress(typed).Empty() {
		return "", false // a bare local name, as cron gives it: the profile's own address is used
	}
	return typed, false
}

func (a *app) sendOne(ctx context.Context, s *sending, o *sendmailOptions, m *delivery.Message,
	recipients []string,
) error {
	out, err := a.sendRaw(ctx, s, o, m, recipients, submitOptions{direct: o.direct, later: o.later})
	if err != nil {
		return err
	}
	return s.say(out, !o.verbose)
}

// sendRaw routes a raw message by its author, or by -f where it has none.
func (a *app) sendRaw(ctx context.Context, s *sending, o *sendmailOptions, m *delivery.Message, recipients []string,
	how submitOptions,
) (*submission, error) {
	author, err := m.Author()
	if err != nil {
		return nil, a.messageError(err)
	}
	envelope, _ := senderOf(o.sender)
	if author == "" {
		author = envelope
		m.NameAuthor(o.name, author)
	}
	r := delivery.Request{Author: author, Envelope: envelope, Recipients: recipients, Kind: o.kind}
	if r.Kind == "" {
		r.Kind = m.Get("X-Postier-Kind")
	}
	d, err := s.decide(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, m, r, d, how)
}
