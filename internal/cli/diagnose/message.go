package diagnose

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"

	"postier/diagnostics/arrival"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"

	"github.com/spf13/cobra"
)

// maxMessage bounds a message on standard input: providers take no larger ones.
const maxMessage = 50 << 20

// MessageOptions are the flags of `postier diagnose message`.
type MessageOptions struct {
	*command.Factory
	ClientFlags
}

// NewMessage is `postier diagnose message`.
func NewMessage(f *command.Factory, run command.Run[*MessageOptions]) *cobra.Command {
	o := &MessageOptions{Factory: f}
	cmd := command.New(f, "message", "cli.short.diagnose-message", o, run.Or(runMessage))
	o.ClientFlags.bind(f, cmd)
	return cmd
}

// runMessage judges a received message. The exit code is 1 when DMARC fails, 75 when DNS kept it from being judged.
func runMessage(ctx context.Context, o *MessageOptions) error {
	given := arrival.Client{Sender: safetext.FromRemote(o.Sender), HELO: safetext.FromRemote(o.HELO)}
	if o.IP != "" {
		var err error
		if given.IP, err = o.address(o.Factory); err != nil {
			return err
		}
	}
	if o.Sender != "" {
		if err := o.CheckAddress(o.Sender); err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(io.LimitReader(o.In, maxMessage+1))
	switch {
	case err != nil:
		return err
	case len(raw) > maxMessage:
		return o.Fault(exitcode.Data, "diagnose.message.too-large", "megabytes", maxMessage>>20)
	case len(strings.TrimSpace(string(raw[:min(len(raw), 4096)]))) == 0:
		return o.Fault(exitcode.Data, "cli.error.message-empty")
	}
	network, err := o.Network()
	if err != nil {
		return err
	}
	judged, err := arrival.Evaluate(ctx, network, raw, given)
	switch {
	case errors.Is(err, arrival.ErrNoMessage):
		return o.Fault(exitcode.Data, "diagnose.message.malformed")
	case err != nil:
		return err
	}
	if err := o.Result(judged, func() { printMessage(o.Factory, judged) }); err != nil {
		return err
	}
	return command.Quiet(command.VerdictCode(judged.DMARC.Result))
}

func printMessage(f *command.Factory, e arrival.Evaluation) {
	if len(e.DKIM) == 0 {
		f.Println("DKIM   none  " + f.T("diagnose.message.unsigned"))
	}
	for _, s := range e.DKIM {
		line := "DKIM   " + s.Result + "  d=" + s.Domain.Escaped() + " s=" + s.Selector.Escaped() + " " +
			s.Algorithm.Escaped()
		if !s.Reason.Empty() {
			line += "  " + s.Reason.Escaped()
		}
		f.Println(line)
	}
	spfLine := "SPF    " + string(e.SPF.Result.Result)
	if e.SPF.IP.IsValid() {
		spfLine += "  ip=" + e.SPF.IP.String() + " sender=" + e.SPF.Sender.Escaped() + " helo=" + e.SPF.HELO.Escaped()
	} else {
		spfLine += "  " + f.T("diagnose.message.no-client")
	}
	if !e.SPF.Mechanism.Empty() {
		spfLine += "  " + e.SPF.Mechanism.Escaped()
	}
	f.Println(spfLine)
	policy := cmp.Or(string(e.DMARC.Policy), "-")
	f.Println("DMARC  " + string(e.DMARC.Result) + "  " + e.DMARC.Domain.Escaped() + "  p=" + policy + "  " +
		f.T("diagnose.message.aligned", "spf", yesNo(f, e.DMARC.Aligned.SPF), "dkim", yesNo(f, e.DMARC.Aligned.DKIM)))
	for _, field := range e.AuthenticationResults {
		f.Println("")
		f.Println(f.T("diagnose.message.receiver", "name", safetext.FromRemote(field.ServiceID)))
		for _, m := range field.Results {
			line := "  " + safetext.Escape(m.Method+"="+m.Result)
			for _, p := range m.Properties {
				line += " " + safetext.Escape(p.Name+"="+p.Value)
			}
			f.Println(line)
		}
	}
}

func yesNo(f *command.Factory, v bool) string {
	if v {
		return f.T("diagnose.yes")
	}
	return f.T("diagnose.no")
}
