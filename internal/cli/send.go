package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/safetext"
	"postier/tui/plain"
)

type sendOptions struct {
	to, cc, attach, set               []string
	subject, body, kind, profile      string
	from, method, template            string
	dryRun, direct, test, real, later bool
}

func (a *app) sendCommand() *cobra.Command {
	o := &sendOptions{}
	cmd := &cobra.Command{Use: "send", Short: a.T("sendcli.short.send"), Args: a.noArgs}
	f := cmd.Flags()
	f.StringArrayVar(&o.to, "to", nil, a.T("sendcli.flag.to"))
	f.StringArrayVar(&o.cc, "cc", nil, a.T("sendcli.flag.cc"))
	f.StringVar(&o.subject, "subject", "", a.T("sendcli.flag.subject"))
	f.StringVar(&o.body, "body", "", a.T("sendcli.flag.body"))
	f.StringArrayVar(&o.attach, "attach", nil, a.T("sendcli.flag.attach"))
	f.StringVar(&o.kind, "kind", "", a.T("sendcli.flag.kind"))
	f.StringVar(&o.profile, "profile", "", a.T("sendcli.flag.profile"))
	f.StringVar(&o.from, "from", "", a.T("sendcli.flag.from"))
	f.StringVar(&o.method, "method", "", a.T("sendcli.flag.method"))
	f.StringVar(&o.template, "template", "", a.T("sendcli.flag.template"))
	f.StringArrayVar(&o.set, "set", nil, a.T("sendcli.flag.set"))
	f.BoolVar(&o.dryRun, "dry-run", false, a.T("sendcli.flag.dry-run"))
	f.BoolVar(&o.direct, "direct", false, a.T("sendcli.flag.direct"))
	f.BoolVar(&o.later, "queue", false, a.T("sendcli.flag.queue"))
	f.BoolVar(&o.test, "test", false, a.T("sendcli.flag.test"))
	f.BoolVar(&o.real, "for-real", false, a.T("sendcli.flag.for-real"))
	cmd.MarkFlagsMutuallyExclusive("test", "for-real")
	cmd.MarkFlagsMutuallyExclusive("direct", "queue")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.runSend(cmd.Context(), o, f.Changed("body")) }
	return cmd
}

func (a *app) runSend(ctx context.Context, o *sendOptions, bodyGiven bool) error {
	request, err := a.sendRequest(o)
	if err != nil {
		return err
	}
	s, err := a.sending(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := a.fillTemplate(s.doc.Path, o, &bodyGiven); err != nil {
		return err
	}
	d, err := s.decide(ctx, request)
	if err != nil {
		return err
	}
	if d.TestMode && !o.test && !o.dryRun && d.Send && plain.IsTerminal(a.in) && plain.IsTerminal(a.err) && bodyGiven {
		if request.ForReal, err = a.askTest(d); err != nil {
			return err
		}
		if d, err = s.decide(ctx, request); err != nil {
			return err
		}
	}
	if o.dryRun {
		return a.sayDecision(d, a.advice(o))
	}
	if !bodyGiven && d.Send {
		text, err := io.ReadAll(io.LimitReader(a.in, delivery.MaxMessage))
		if err != nil {
			return err
		}
		o.body = string(text)
	}
	message, err := a.buildMessage(s, o, request, d)
	if err != nil {
		return err
	}
	out, err := s.submit(ctx, message, request, d, submitOptions{direct: o.direct, later: o.later})
	if err != nil {
		return err
	}
	out.Warnings = append(out.Warnings, a.advice(o)...)
	return s.say(out, false)
}

func (a *app) sendRequest(o *sendOptions) (delivery.Request, error) {
	r := delivery.Request{
		Author: o.from, Kind: o.kind, Profile: o.profile, Method: delivery.Method(o.method), Test: o.test, ForReal: o.real,
	}
	for _, row := range []struct {
		flag string
		list *[]string
	}{{"--to", &o.to}, {"--cc", &o.cc}} {
		var plainList []string
		for _, value := range *row.list {
			list, err := delivery.ParseAddresses(value)
			if err != nil {
				return r, a.Fault(exitData, "sendcli.error.address", "flag", row.flag, "value", safetext.FromRemote(value))
			}
			for _, address := range list {
				plainList = append(plainList, address.Address)
			}
		}
		*row.list = plainList
		r.Recipients = append(r.Recipients, plainList...)
	}
	if len(r.Recipients) == 0 {
		return r, usagef(a.T("sendcli.error.no-recipient"))
	}
	if o.from != "" && !config.ValidateAddress(o.from).Empty() {
		return r, a.Fault(exitData, "sendcli.error.address", "flag", "--from", "value", safetext.FromRemote(o.from))
	}
	if text := oneOf(o.method, "", string(delivery.MethodOwn), string(delivery.MethodPlatform)); !text.Empty() {
		return r, usagef(a.Say(text))
	}
	if o.kind != "" && !config.ValidateName(o.kind).Empty() {
		return r, &exitError{exitData, "--kind: " + a.Say(config.ValidateName(o.kind))}
	}
	return r, nil
}

// fillTemplate takes subject and body from a template; flags win over it.
func (a *app) fillTemplate(configPath string, o *sendOptions, bodyGiven *bool) error {
	if o.template == "" {
		return nil
	}
	t, err := a.templateNamed(configPath, o.template)
	if err != nil {
		return err
	}
	values, err := a.templateValues(o.set)
	if err != nil {
		return err
	}
	subject, body, absent := t.Fill(values)
	if len(absent) > 0 {
		return a.Fault(exitData, "sendcli.template.absent", "fields", strings.Join(absent, ", "))
	}
	if o.subject == "" {
		o.subject = subject
	}
	if !*bodyGiven {
		o.body, *bodyGiven = body, true
	}
	return nil
}

func (a *app) buildMessage(s *sending, o *sendOptions, r delivery.Request, d delivery.Decision) (*delivery.Message,
	error,
) {
	p := s.doc.File.Profiles[d.Profile]
	draft := delivery.Draft{To: o.to, CC: o.cc, Subject: o.subject, Body: o.body, Attachments: o.attach}
	switch {
	case p == nil: // blocked: submit says so
		draft.From = config.Address{Address: "nobody@invalid.example"}
	case r.Author != "":
		draft.From = config.Address{Name: p.From.Name, Address: r.Author}
	default:
		draft.From = p.From
		if own := s.doc.File.Profiles[d.Instead]; own != nil {
			draft.From = own.From
		}
	}
	message, err := draft.Build(time.Now())
	var file *fs.PathError
	if errors.As(err, &file) {
		return nil, a.Fault(exitIO, "sendcli.error.attach", "path", safetext.FromRemote(file.Path), "error",
			safetext.FromRemote(file.Err.Error()))
	}
	if err != nil {
		return nil, a.messageError(err)
	}
	return message, nil
}

// askTest asks "test or for real" (P-5).
func (a *app) askTest(d delivery.Decision) (forReal bool, err error) {
	in := bufio.NewReader(a.in)
	for {
		_, _ = io.WriteString(a.err,
			a.T("sendcli.test.ask", "address", strings.Join(d.Recipients, ", "), "originals", strings.Join(d.Originals, ", "))+
				" ")
		line, err := in.ReadString('\n')
		if err != nil {
			return false, plain.ErrInterrupted
		}
		switch answer := strings.ToLower(strings.TrimSpace(line)); {
		case answer == "", strings.HasPrefix(answer, "t"):
			return false, nil
		case answer == a.T("sendcli.test.real"):
			return true, nil
		}
	}
}

func (a *app) advice(o *sendOptions) []string {
	var out []string
	images := 0
	for _, path := range o.attach {
		switch lower := strings.ToLower(path); {
		case strings.HasSuffix(lower, ".png"), strings.HasSuffix(lower, ".jpg"), strings.HasSuffix(lower, ".jpeg"),
			strings.HasSuffix(lower, ".gif"):
			images++
		}
	}
	for _, text := range delivery.Advice(o.subject, len(o.body), images) {
		out = append(out, a.Say(text))
	}
	return out
}

// sayDecision is the dry run.
func (a *app) sayDecision(d delivery.Decision, warnings []string) error {
	code := exitOK
	if !d.Send {
		code = blockExit(d.Block)
	}
	if a.json {
		if err := a.printJSON(d); err != nil {
			return err
		}
		return quietIf(code)
	}
	if d.Profile != "" {
		a.println(a.T("sendcli.dry.profile", "profile", d.Profile, "reason", a.T("sendcli.reason."+string(d.Reason))))
	}
	if d.Instead != "" {
		a.println(a.T("sendcli.instead", "profile", d.Instead, "fallback", d.Profile))
	}
	for _, address := range d.Recipients {
		a.println(a.T("sendcli.dry.recipient", "address", safetext.FromRemote(address)))
	}
	for _, address := range d.BCC {
		a.println(a.T("sendcli.dry.bcc", "address", safetext.FromRemote(address)))
	}
	for _, s := range d.Suppressed {
		a.println(a.T("sendcli.suppressed", "address", safetext.FromRemote(s.Address), "reason",
			safetext.FromRemote(s.Reason)))
	}
	if d.TestMode {
		a.println(a.T("sendcli.dry.test", "originals", strings.Join(d.Originals, ", ")))
	}
	a.sayRoom(d.Room)
	for _, l := range d.Provider {
		a.println(a.T("sendcli.dry.provider", "limit", a.T("delivery.limit."+l.What, "n", l.Value)))
	}
	for _, w := range warnings {
		a.complain(w)
	}
	if !d.Send {
		a.complain(a.T("sendcli.block."+string(d.Block), "profile", safetext.FromRemote(d.Profile), "kind",
			safetext.FromRemote(d.Kind),
			"most", delivery.EffectiveLimits(d.Limits, d.Provider).RecipientsPerMessage))
	}
	return quietIf(code)
}

func (a *app) sayRoom(room delivery.Room) {
	for _, window := range []string{"hour", "day", "week"} {
		if left, limited := room.Left[window]; limited {
			a.println(a.T("sendcli.room."+window, "n", left))
		}
	}
	if !room.Free() {
		a.println(a.T("sendcli.room.next", "limit", a.T("sendcli.room.by-"+room.By), "next",
			room.Next.Local().Format("2006-01-02 15:04:05")))
	}
}
