package send

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// LogOptions are the flags and arguments of `postier log` and `postier log export`.
type LogOptions struct {
	*command.Factory
	ID, Profile, Since, Format string
	Failed                     bool
}

// NewLog is `postier log`.
func NewLog(f *command.Factory, run command.Run[*LogOptions]) *cobra.Command {
	o := &LogOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "log [ID]", Short: f.T("sendcli.short.log"), Args: f.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.ID = args[0]
			}
			return run.Or(runLog)(cmd.Context(), o)
		},
	}
	o.filterFlags(cmd)
	cmd.AddCommand(NewLogExport(f, nil), NewResend(f, nil))
	return cmd
}

// NewLogExport is `postier log export`.
func NewLogExport(f *command.Factory, run command.Run[*LogOptions]) *cobra.Command {
	o := &LogOptions{Factory: f}
	cmd := command.New(f, "export", "sendcli.short.log-export", o, run.Or(runLogExport))
	o.filterFlags(cmd)
	cmd.Flags().StringVar(&o.Format, "format", formatCSV, f.T("sendcli.flag.log-format"))
	return cmd
}

// The formats of an export.
const (
	formatCSV   = "csv"
	formatJSONL = "jsonl"
)

// LogFormats are those of `log export`.
var LogFormats = []string{formatCSV, formatJSONL}

func (o *LogOptions) filterFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Profile, "profile", "", o.T("sendcli.flag.log-profile"))
	cmd.Flags().StringVar(&o.Since, "since", "", o.T("sendcli.flag.since"))
	cmd.Flags().BoolVar(&o.Failed, "failed", false, o.T("sendcli.flag.failed"))
}

func (o *LogOptions) filter() (delivery.LogFilter, error) {
	since, text := sinceOf(o.Since, time.Now())
	if !text.Empty() {
		return delivery.LogFilter{}, o.DataOf("--since", text)
	}
	return delivery.LogFilter{Profile: o.Profile, Since: since, Failed: o.Failed}, nil
}

// sinceOf reads a duration (90m, 24h, 7d), a date or a moment.
func sinceOf(typed string, now time.Time) (time.Time, locale.Text) {
	if typed == "" {
		return time.Time{}, locale.Text{}
	}
	if number, ok := strings.CutSuffix(typed, "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(days)), locale.Text{}
		}
	}
	if span, err := time.ParseDuration(typed); err == nil && span >= 0 {
		return now.Add(-span), locale.Text{}
	}
	for _, format := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.ParseInLocation(format, typed, time.Local); err == nil {
			return at, locale.Text{}
		}
	}
	return time.Time{}, locale.Msg("sendcli.error.since", "value", safetext.FromRemote(typed))
}

// logLine is one message of `log --json`.
type logLine struct {
	ID         string          `json:"id"`
	Time       time.Time       `json:"time"`
	Profile    string          `json:"profile"`
	From       string          `json:"from"`
	Subject    safetext.Remote `json:"subject"`
	Recipients []logRecipient  `json:"recipients"`
	QueueID    safetext.Remote `json:"queue_id"`
	SentCopy   delivery.Copy   `json:"sent_copy"`
	Doubt      bool            `json:"may_arrive_twice"`
	// What was decided, where it differs from sending the message as it came.
	Kind    string `json:"kind,omitempty"`
	Instead string `json:"instead,omitempty"`
	// InsteadFor is the cause for which the fallback took over.
	InsteadFor  check.Cause    `json:"instead_for,omitempty"`
	InsteadCode string         `json:"instead_code,omitempty"`
	TestMode    bool           `json:"test_mode,omitempty"`
	Originals   []string       `json:"originals,omitempty"`
	Block       delivery.Block `json:"block,omitempty"`

	state delivery.State
}

type logRecipient struct {
	Address string          `json:"address"`
	Result  delivery.Result `json:"result"`
	Reply   safetext.Remote `json:"reply"`
	Cause   check.Cause     `json:"cause,omitempty"`
	Code    string          `json:"code,omitempty"`
}

func logLineOf(item *delivery.Item) logLine {
	l := logLine{
		ID: item.ID, Time: item.Accepted.UTC(), Profile: item.Profile, From: item.Sender(),
		Subject: safetext.FromRemote(item.Title()), Recipients: []logRecipient{},
		QueueID: safetext.FromRemote(item.QueueID), SentCopy: item.SentCopy(), Doubt: item.Doubt,
		Kind: item.Kind, Instead: item.Instead, InsteadFor: item.InsteadFor,
		InsteadCode: explain.Code(item.InsteadFor), TestMode: item.TestMode, Originals: item.Originals, Block: item.Block,
		state: item.State,
	}
	for _, d := range item.Deliveries() {
		l.Recipients = append(l.Recipients, logRecipient{
			Address: d.Address, Result: d.Result, Reply: safetext.FromRemote(d.Reply), Cause: d.Cause,
			Code: explain.Code(d.Cause),
		})
	}
	return l
}

func runLog(ctx context.Context, o *LogOptions) error {
	if o.ID != "" {
		return withState(ctx, o.Factory, func(ctx context.Context, s *delivery.Store) error {
			item, err := s.Item(ctx, o.ID)
			if err != nil {
				return logFailure(o.Factory, err, o.ID)
			}
			line := logLineOf(item)
			return o.Result(line, func() { line.printAll(o.Factory) })
		})
	}
	filter, err := o.filter()
	if err != nil {
		return err
	}
	return withState(ctx, o.Factory, func(ctx context.Context, s *delivery.Store) error {
		empty := true
		err := command.Stream(&o.Printer, func(print func(logLine) error) error {
			return s.Log(ctx, filter, func(item *delivery.Item) error {
				empty = false
				return print(logLineOf(item))
			})
		}, func(l logLine) { l.print(o.Factory) })
		if err == nil && empty && !o.JSON {
			o.Println(o.T("sendcli.log.empty"))
		}
		return err
	})
}

func runLogExport(ctx context.Context, o *LogOptions) error {
	if text := command.OneOf(o.Format, LogFormats...); !text.Empty() {
		return command.Usage(o.Say(text))
	}
	filter, err := o.filter()
	if err != nil {
		return err
	}
	return withState(ctx, o.Factory, func(ctx context.Context, s *delivery.Store) error {
		out := bufio.NewWriter(o.Out)
		if o.Format == formatCSV {
			err = s.ExportLog(ctx, filter, out)
		} else {
			encoder := json.NewEncoder(out)
			encoder.SetEscapeHTML(false)
			err = s.Log(ctx, filter, func(item *delivery.Item) error { return encoder.Encode(logLineOf(item)) })
		}
		if err != nil {
			return err
		}
		return out.Flush()
	})
}

// print is a message in the list: who got it, and what the others' servers said.
func (l logLine) print(f *command.Factory) {
	var addresses []string
	for _, r := range l.Recipients {
		addresses = append(addresses, r.Address)
	}
	f.Println(strings.Join([]string{
		l.ID, l.Time.Local().Format(minute), f.T("sendcli.queue.state-" + string(l.state)), l.Profile,
		safetext.Escape(strings.Join(addresses, ", ")),
	}, "  "))
	if subject := l.Subject.Escaped(); subject != "" {
		f.Println("    " + subject)
	}
	for _, r := range l.Recipients {
		if r.Result == delivery.ResultSent || r.Cause == "" && r.Reply.Empty() {
			continue
		}
		text := safetext.Escape(r.Address) + "  " + f.T("sendcli.log.result-"+string(r.Result))
		if r.Cause != "" && r.Result != delivery.ResultSuppressed {
			text += "  " + f.Cause(r.Cause)
		}
		f.Println("    " + text)
		if !r.Reply.Empty() {
			f.Println("      " + r.Reply.Escaped())
		}
	}
	for _, remark := range l.remarks(f) {
		f.Println("    " + remark)
	}
}

// remarks say where what happened differs from what was asked for.
func (l logLine) remarks(f *command.Factory) []string {
	var list []string
	if l.Instead != "" {
		list = append(list, insteadWords(f, l.Instead, l.Profile, l.InsteadFor))
	}
	if l.TestMode {
		list = append(list, f.T("sendcli.dry.test", "originals", strings.Join(l.Originals, ", ")))
	}
	if l.Block != "" && l.Block != delivery.BlockRecipients {
		list = append(list, f.T("sendcli.log.blocked"))
	}
	if l.Doubt {
		list = append(list, f.T("sendcli.queue.doubt"))
	}
	return list
}

// printAll is one message alone.
func (l logLine) printAll(f *command.Factory) {
	l.print(f)
	f.Println("    " + f.T("sendcli.log.from", "from", safetext.FromRemote(l.From)))
	if !l.QueueID.Empty() {
		f.Println("    " + f.T("sendcli.log.queue-id", "id", l.QueueID))
	}
	f.Println("    " + f.T("sendcli.log.copy-"+string(l.SentCopy)))
}

// logFailure puts an error about one message of the log into words.
func logFailure(f *command.Factory, err error, id string) error {
	if errors.Is(err, delivery.ErrNoItem) {
		return f.Fault(exitcode.Data, "sendcli.log.none", "id", safetext.FromRemote(id))
	}
	return f.Sentence(err, "id", safetext.FromRemote(id))
}
