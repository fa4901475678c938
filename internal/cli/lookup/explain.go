package lookup

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// ExplainOptions are the flags and arguments of `postier explain`.
type ExplainOptions struct {
	*command.Factory
	Code               string
	Reply              string
	Protocol, Provider string
	List               bool

	asks bool // --reply was given
}

// NewExplain is `postier explain`.
func NewExplain(f *command.Factory, run command.Run[*ExplainOptions]) *cobra.Command {
	o := &ExplainOptions{Factory: f}
	cmd := &cobra.Command{Use: "explain CODE", Short: f.T("cli.short.explain"), Args: f.Args(0, 1)}
	cmd.Flags().StringVar(&o.Reply, "reply", "", f.T("cli.flag.reply"))
	cmd.Flags().StringVar(&o.Protocol, "protocol", explain.SMTP, f.T("cli.flag.protocol"))
	cmd.Flags().StringVar(&o.Provider, "provider", "", f.T("cli.flag.provider"))
	cmd.Flags().BoolVar(&o.List, "list", false, f.T("diagnose.flag.explain-list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.asks = cmd.Flags().Changed("reply")
		switch {
		case o.List && (len(args) > 0 || o.asks):
			return command.Usage(f.T("diagnose.explain.list-alone"))
		case o.asks && len(args) > 0:
			return f.NoArgs(cmd, args)
		case len(args) == 1:
			o.Code = args[0]
			if looksLikeReply(o.Code) {
				o.Reply, o.asks = o.Code, true
			}
		case !o.List && !o.asks:
			return f.Args(1, 1)(cmd, args)
		}
		return run.Or(runExplain)(cmd.Context(), o)
	}
	return cmd
}

// looksLikeReply tells a pasted reply of a server, "535 5.7.8 …", from a code, which may be said as "a 14".
func looksLikeReply(said string) bool { return len(strings.Fields(said)) > 2 }

func runExplain(_ context.Context, o *ExplainOptions) error {
	switch {
	case o.List:
		return explainList(o.Factory)
	case o.asks:
		return explainReply(o)
	}
	return explainCode(o.Factory, o.Code)
}

// explanation is the JSON of the contract.
type explanation struct {
	Cause   check.Cause `json:"cause"`
	Code    string      `json:"code,omitempty"`
	Title   string      `json:"title"`
	Who     string      `json:"who"`
	Retry   string      `json:"retry"`
	Meaning string      `json:"meaning"`
	Remedy  []string    `json:"remedy"`
	Matched string      `json:"matched,omitempty"`
}

// maxReply bounds a pasted transcript.
const maxReply = 64 << 10

func explainReply(o *ExplainOptions) error {
	known := command.OneOf(o.Protocol, explain.SMTP, explain.IMAP, explain.TLS, explain.TCP, explain.DNS)
	if !known.Empty() {
		return command.Usage(o.Say(known))
	}
	text := o.Reply
	if text == "-" {
		data, err := io.ReadAll(io.LimitReader(o.In, maxReply))
		if err != nil {
			return err
		}
		text = string(data)
	}
	if strings.TrimSpace(text) == "" {
		return o.Fault(exitcode.Data, "cli.error.reply-empty")
	}
	query := explain.ParseReplyAs(o.Protocol, text)
	query.Provider = o.Provider
	answer := explain.Match(query)
	e := explanation{
		Cause: answer.Cause, Code: answer.Info().Code, Title: answer.Title(o.Lang()), Who: string(answer.Who),
		Retry:   string(answer.Retry),
		Meaning: answer.Meaning(o.Lang()), Remedy: answer.Remedy(o.Lang()), Matched: answer.Reply,
	}
	return o.Result(e, func() { printExplanation(o.Factory, e, "") })
}

// checkPage is what `explain CHECK --json` prints.
type checkPage struct {
	Causes  []string `json:"causes"`
	Check   string   `json:"check"`
	Meaning string   `json:"meaning"`
	Title   string   `json:"title"`
	Why     string   `json:"why"`
}

func explainCode(f *command.Factory, code string) error {
	page, ok := explain.Page(code, f.Lang())
	if !ok {
		text := f.T("cli.error.explain", "code", safetext.FromRemote(code))
		if near := explain.Near(code, maxNear); len(near) > 0 {
			text += " " + f.T("diagnose.explain.near", "list", strings.Join(near, ", "))
		}
		return command.Failure(exitcode.Data, text)
	}
	e := explanation{
		Cause: check.Cause(page.ID), Code: page.Code, Title: page.Title, Who: string(page.Who), Retry: string(page.Retry),
		Meaning: page.Meaning, Remedy: page.Remedy,
	}
	if f.JSON {
		if page.Kind == explain.KindCheck {
			return f.PrintJSON(checkPage{
				Causes: slices.Concat([]string{}, page.Related), Check: page.ID, Meaning: page.Meaning, Title: page.Title,
				Why: page.Why,
			})
		}
		return f.PrintJSON(e)
	}
	printExplanation(f, e, page.Why)
	if len(page.Related) > 0 {
		f.Println(f.T("cli.explain.related", "list", strings.Join(page.Related, ", ")))
	}
	return nil
}

// maxNear is how many pages are suggested for an unknown code.
const maxNear = 5

// listedPage is one line of the list.
type listedPage struct {
	Kind  explain.Kind `json:"kind"`
	ID    string       `json:"id"`
	Code  string       `json:"code,omitempty"`
	Title string       `json:"title"`
}

// explainList names every page: the causes with the codes that can be said aloud, then the checks.
func explainList(f *command.Factory) error {
	var pages []listedPage
	for _, c := range explain.Causes() {
		pages = append(pages, listedPage{explain.KindCause, string(c.Slug), c.Code, c.Title(f.Lang())})
	}
	for _, c := range explain.Checks() {
		pages = append(pages, listedPage{explain.KindCheck, string(c.ID), "", c.Title(f.Lang())})
	}
	return command.List(&f.Printer, pages,
		func(p listedPage) { f.Println(strings.TrimSpace(p.Code + "\t" + p.ID + "\t" + p.Title)) })
}

func printExplanation(f *command.Factory, e explanation, why string) {
	title := e.Title + " (" + string(e.Cause) + ")"
	if e.Code != "" {
		title = e.Code + "  " + title
	}
	f.Println(title)
	f.Paragraph(e.Meaning)
	if why != "" {
		f.Paragraph(why)
	}
	for i, line := range e.Remedy {
		f.Paragraph(string(rune('1'+i)) + ". " + line)
	}
	if e.Who != "" {
		f.Println(f.T("cli.explain.who", "who", explain.Who(e.Who).Say(f.Lang())))
		f.Println(explain.Retry(e.Retry).Say(f.Lang()))
	}
}
